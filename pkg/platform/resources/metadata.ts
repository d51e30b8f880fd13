import { nearest } from '#pkg/platform/settings'
import { type FieldFault, formatPath } from './contract.ts'

/** What the rest of the process needs of `metadata`. */
export type Metadata = {
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly createdAt: string | null
}

/** The members of Kubernetes' ObjectMeta. Those that we do not read are let be; any other name is a slip. */
const MEMBERS = [
  'name',
  'namespace',
  'labels',
  'annotations',
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'generation',
  'managedFields',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
] as const

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const DNS_SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
const LABEL_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/
const MAX_LABELS = 256

/**
 * Reads `metadata`: a name, a namespace (`default` where there is none), labels, the time of creation. A null counts as
 * absent. With a fault the value is not to be used.
 */
export function metadataOf(
  given: unknown,
  kind: 'Agent' | 'AgentPolicy',
): { readonly value: Metadata; readonly faults: readonly FieldFault[] } {
  const members: Readonly<Record<string, unknown>> =
    typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Record<string, unknown>) : {} // checked in the line
  const read = (name: (typeof MEMBERS)[number]): unknown => members[name] ?? undefined
  const name = read('name')
  const namespace = read('namespace') ?? 'default'
  const labels = read('labels') ?? {}
  const createdAt = read('creationTimestamp') ?? null
  const unknown = unknownMembers(members)
  const isSlip = unknown.some(({ meant }) => meant === 'name') // a misspelt name explains the missing one
  const faults: FieldFault[] = unknown.map(({ fault }) => fault)
  if (name !== undefined || !isSlip) faults.push(...nameFaults(name, kind))
  faults.push(...namespaceFaults(namespace), ...labelFaults(labels))
  if (createdAt !== null && !isTime(createdAt)) faults.push(invalid(['creationTimestamp'], 'must be an RFC 3339 time'))
  const value: Metadata = {
    key: `${String(namespace)}/${String(name)}`,
    namespace: String(namespace),
    name: String(name),
    labels: labels as Metadata['labels'], // a fault tells where it is none
    createdAt: createdAt as string | null, // a fault tells where it is neither
  }
  return { value, faults }
}

/** Unknown members that are put into words; a reader tells fewer. */
const MAX_UNKNOWN = 1_000

type Unknown = { readonly meant: string | null; readonly fault: FieldFault }

function unknownMembers(members: Readonly<Record<string, unknown>>): readonly Unknown[] {
  const known: readonly string[] = MEMBERS
  return Object.keys(members)
    .filter((member) => !known.includes(member))
    .slice(0, MAX_UNKNOWN)
    .map((member) => {
      const path = ['metadata', member]
      const meant = nearest(member, known)
      const hint = meant === null ? 'Kubernetes has no such member' : `did you mean "${meant}"?`
      const message = `unknown field "${formatPath(path)}"; ${hint}`
      return { meant, fault: { path, code: 'UnknownField', onKey: true, message } }
    })
}

function nameFaults(name: unknown, kind: 'Agent' | 'AgentPolicy'): readonly FieldFault[] {
  if (name === undefined) return [invalid([], 'has no "name", which is required')]
  if (typeof name !== 'string' || name.length > 253 || !DNS_SUBDOMAIN.test(name)) {
    const rule = 'must be an RFC 1123 name: at most 253 lower case letters, digits, "-" and "."'
    return [invalid(['name'], `${rule}, with a letter or digit at both ends`)]
  }
  if (kind === 'AgentPolicy' || DNS_LABEL.test(name)) return []
  // it becomes one segment of an identity and one word of a file's name
  return [invalid(['name'], 'of an Agent must be an RFC 1123 label: at most 63 characters, without "."')]
}

function namespaceFaults(namespace: unknown): readonly FieldFault[] {
  if (typeof namespace === 'string' && DNS_LABEL.test(namespace)) return []
  const rule = 'must be an RFC 1123 label: at most 63 lower case letters, digits and "-"'
  return [invalid(['namespace'], `${rule}, with a letter or digit at both ends`)]
}

function labelFaults(labels: unknown): readonly FieldFault[] {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    return [invalid(['labels'], 'must map names to strings')]
  }
  const entries = Object.entries(labels)
  if (entries.length > MAX_LABELS)
    return [invalid(['labels'], `has ${entries.length} entries, ${MAX_LABELS} are allowed`)]
  return entries.flatMap(([key, value]) => {
    if (!isLabelKey(key)) {
      return [{ ...invalid(['labels', key], 'is no label name, such as "app" or "example.com/app"'), onKey: true }]
    }
    if (typeof value !== 'string') return [invalid(['labels', key], 'must be a string; put it in quotes')]
    if (value === '' || LABEL_NAME.test(value)) return []
    const rule = 'must be at most 63 letters, digits, "-", "_" and "."'
    return [invalid(['labels', key], `${rule}, with a letter or digit at both ends`)]
  })
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/')
  if (slash === -1) return LABEL_NAME.test(key)
  const prefix = key.slice(0, slash)
  return prefix.length <= 253 && DNS_SUBDOMAIN.test(prefix) && LABEL_NAME.test(key.slice(slash + 1))
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && RFC3339.test(value) && !Number.isNaN(Date.parse(value))
}

function invalid(below: readonly string[], rule: string): FieldFault {
  const path = ['metadata', ...below]
  return { path, code: 'Invalid', onKey: false, message: `${formatPath(path)} ${rule}` }
}
