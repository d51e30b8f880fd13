import { type CrdSchema, type FieldPath, formatPath } from '#pkg/platform/resources'

/** A field or value that belongs to a check which does not exist yet. */
export type Unsupported = { readonly path: FieldPath; readonly message: string }

/**
 * Fields that work, by their path without positions. `true` = every value; a list = these values. What is not here is
 * refused unless it has the value that the schema gives it anyway.
 */
export const SUPPORTED_POLICY: Readonly<Record<string, true | readonly string[]>> = {
  'spec.selector': true,
  'spec.mode': true,
  'spec.role': true,
  'spec.activation': true,
  'spec.tools.allow.name': true,
  'spec.tools.allow.server': true,
  'spec.tools.allow.execution': ['local', 'output', 'mcp'],
  'spec.tools.allow.intents': true,
  'spec.tools.allow.resultTrust': true,
  'spec.tools.allow.arguments': true,
  'spec.tools.deny.name': true,
  'spec.tools.deny.server': true,
  'spec.textTools': true,
  'spec.intents': true,
  'spec.llm.providers.name': true,
  'spec.llm.providers.type': true,
  'spec.llm.providers.host': true,
  'spec.llm.providers.keyRef': true,
  'spec.llm.providers.models': true,
  'spec.llm.providers.hostedTools': true,
  'spec.mcp.servers.name': true,
  'spec.mcp.servers.url': true,
  'spec.mcp.servers.pin': true,
  'spec.mcp.servers.identity': true,
  'spec.mcp.servers.onDrift': ['Record', 'Deny'],
  'spec.mcp.servers.serverRequests': true,
  'spec.a2a.outbound.name': true,
  'spec.a2a.outbound.agent': true,
  'spec.a2a.outbound.url': true,
  'spec.a2a.outbound.skills': true,
  'spec.a2a.inbound.name': true,
  'spec.a2a.inbound.agent': true,
  'spec.llm.providers.opaque': true,
  'spec.egress': true,
  'spec.pod.workloadApi': true,
  'spec.onViolation.action': ['Record', 'Deny', 'Abort', 'Sever'],
  'spec.onViolation.rules.name': true,
  'spec.onViolation.rules.reasons': true,
  'spec.onViolation.rules.action': ['Record', 'Deny', 'Abort', 'Sever'],
}

/** The same for an Agent. */
export const SUPPORTED_AGENT: Readonly<Record<string, true | readonly string[]>> = {
  'spec.state': true,
  'spec.reason': true,
  'spec.releaseThroughEpoch': true,
  'spec.force': true,
}

const IGNORED = new Set(['apiVersion', 'kind', 'metadata', 'status'])

/** Every field of a value that is set, is not supported, and differs from its default; an empty one without a default, too. */
export function unsupportedFields(
  schema: CrdSchema,
  value: unknown,
  supported: Readonly<Record<string, true | readonly string[]>>,
): readonly Unsupported[] {
  const found: Unsupported[] = []
  const refuse = (path: FieldPath, more: string): void => {
    found.push({ path, message: `${formatPath(path)} is not supported yet${more}` })
  }
  const visit = (node: unknown, here: unknown, path: FieldPath, name: string): void => {
    if (here === undefined || (path.length === 1 && IGNORED.has(name))) return
    const known = supported[name]
    if (known === true) return
    if (known !== undefined) {
      if (!known.includes(String(here))) refuse(path, `: "${String(here)}"; use ${known.join(', ')}`)
      return
    }
    const member = (typeof node === 'object' && node !== null ? node : {}) as CrdSchema // a member of a schema
    if (sameJson(here, member['default'])) return
    if (!leadsOn(name, supported)) {
      refuse(path, '')
      return
    }
    if (Array.isArray(here)) {
      for (const [index, item] of here.entries()) visit(member['items'], item, [...path, index], name)
      return
    }
    const properties = (member['properties'] ?? {}) as CrdSchema
    for (const [key, inner] of Object.entries(here as object)) {
      visit(properties[key], inner, [...path, key], name === '' ? key : `${name}.${key}`)
    }
  }
  visit(schema, value, [], '')
  return found
}

/** Is something below this name supported? */
function leadsOn(name: string, supported: Readonly<Record<string, unknown>>): boolean {
  return name === '' || Object.keys(supported).some((key) => key.startsWith(`${name}.`))
}

function sameJson(left: unknown, right: unknown): boolean {
  return right !== undefined && canonical(left) === canonical(right)
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
}
