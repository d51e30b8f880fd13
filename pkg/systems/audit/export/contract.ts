import type { AgentKey } from '#pkg/model'

/** The formats, in the order in which they are offered. */
export const EXPORT_FORMATS = ['ocsf', 'cef', 'ecs'] as const

/** One of {@link EXPORT_FORMATS}. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Who says it: the same in every line of an export. */
export type ExportProduct = {
  readonly vendor: string
  readonly name: string
  readonly version: string
  /** The SPIFFE ID of an agent; null or absent = not known, then its key stands where an id is asked for. */
  readonly spiffeIdOf?: (agent: AgentKey) => string | null
}

/** The published schemas that the lines keep to. */
export const SCHEMA_VERSIONS = { ocsf: '1.8.0', cef: '0', ecs: '9.4.0' } as const satisfies Record<ExportFormat, string>

/** The SPIFFE ID of an agent where it is known, else null. */
export function spiffeIdOf(agent: AgentKey | null, product: ExportProduct): string | null {
  return agent === null ? null : (product.spiffeIdOf?.(agent) ?? null)
}
