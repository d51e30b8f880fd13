import type { FieldPath } from './contract.ts'

/** What the rest of the process needs of `metadata`. */
export type Metadata = {
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly createdAt: string | null
}

type MetadataFault = { readonly path: FieldPath; readonly message: string }

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

/** Reads `metadata`: a name, a namespace (`default` where there is none), labels. Other members are Kubernetes' own. */
export function metadataOf(given: unknown): { readonly value: Metadata; readonly faults: readonly MetadataFault[] } {
  const metadata: Readonly<Record<string, unknown>> =
    typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Record<string, unknown>) : {} // checked in the line
  const faults: MetadataFault[] = []
  const { name, namespace = 'default', labels = {}, creationTimestamp } = metadata
  if (typeof name !== 'string' || !SUBDOMAIN.test(name)) {
    faults.push({
      path: ['name'],
      message: 'metadata.name must be an RFC 1123 name: lower case letters, digits, "-" and "."',
    })
  }
  if (typeof namespace !== 'string' || !LABEL.test(namespace)) {
    faults.push({
      path: ['namespace'],
      message: 'metadata.namespace must be an RFC 1123 label: lower case letters, digits and "-"',
    })
  }
  const isMap = typeof labels === 'object' && labels !== null && !Array.isArray(labels)
  if (!isMap || Object.values(labels).some((value) => typeof value !== 'string')) {
    faults.push({
      path: ['labels'],
      message: 'metadata.labels must map names to strings; put quotes around numbers and booleans',
    })
  }
  const value: Metadata = {
    key: `${String(namespace)}/${String(name)}`,
    namespace: String(namespace),
    name: String(name),
    labels: isMap ? (labels as Record<string, string>) : {}, // checked in the lines above
    createdAt: typeof creationTimestamp === 'string' ? creationTimestamp : null,
  }
  return { value, faults }
}
