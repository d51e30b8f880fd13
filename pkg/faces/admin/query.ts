import { type AgentKey, agentKeyOf, isReason } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { VerdictFilter } from './ports.ts'
import { LABEL } from './schema.ts'

const WHOLE_LABEL = new RegExp(`^${LABEL}$`)
/** Records that may be asked for at once. */
export const MAX_LIMIT = 100_000

/** The key of an agent from its two parts, or null when one is no RFC 1123 label. */
export function agentOf(namespace: string, name: string): AgentKey | null {
  return WHOLE_LABEL.test(namespace) && WHOLE_LABEL.test(name) ? agentKeyOf({ namespace, name }) : null
}

/**
 * An agent as `namespace/name`.
 * @throws SallyportError USAGE
 */
export function readAgent(text: string): AgentKey {
  const [namespace = '', name = '', ...rest] = text.split('/')
  const agent = rest.length === 0 ? agentOf(namespace, name) : null
  if (agent === null) throw new SallyportError('USAGE', 'agent must be "namespace/name", both DNS labels')
  return agent
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/

/**
 * A moment, as ms since 1970: RFC 3339, or that long ago (`90s`, `10m`, `2h`, `7d`).
 * @throws SallyportError USAGE
 */
export function readSince(text: string, nowMs: number): number {
  const ago = /^(\d{1,6})([smhd])$/.exec(text)
  if (ago !== null) return nowMs - Number(ago[1]) * (UNIT_MS[ago[2] ?? ''] ?? 0)
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new SallyportError('USAGE', 'since must be a time (RFC 3339) or how long ago: 90s, 10m, 2h, 7d')
  return ms
}

/** What was asked of `/v1/verdicts`. */
export type VerdictQuery = { readonly filter: VerdictFilter; readonly follow: boolean }

/** What was asked of `/v1/events`. `limit`: of the history, the newest that many first. */
export type EventsQuery = {
  readonly filter: Pick<VerdictFilter, 'agent' | 'reason'>
  readonly limit: number
  readonly follow: boolean
}

const NAMES = ['agent', 'reason', 'since', 'limit', 'follow'] as const
const EVENT_NAMES = ['agent', 'reason', 'limit', 'follow'] as const

/**
 * The query of `/v1/verdicts`. An unknown or repeated parameter is a fault: a misspelt filter would answer too much.
 * @throws SallyportError USAGE
 */
export function readVerdictQuery(query: string, nowMs: number): VerdictQuery {
  const given = readQuery(query, NAMES)
  const since = given.get('since')
  const limit = given.get('limit')
  return {
    follow: readFollow(given.get('follow') ?? 'false'),
    filter: {
      ...readSubject(given),
      ...(since === undefined ? {} : { sinceMs: readSince(since, nowMs) }),
      ...(limit === undefined ? {} : { limit: readLimit(limit, 1) }),
    },
  }
}

/**
 * The query of `/v1/events`, as strict.
 * @throws SallyportError USAGE
 */
export function readEventsQuery(query: string): EventsQuery {
  const given = readQuery(query, EVENT_NAMES)
  return {
    filter: readSubject(given),
    limit: readLimit(given.get('limit') ?? '0', 0),
    follow: readFollow(given.get('follow') ?? 'true'),
  }
}

function readSubject(given: ReadonlyMap<string, string>): Pick<VerdictFilter, 'agent' | 'reason'> {
  const agent = given.get('agent')
  const reason = given.get('reason')
  if (reason !== undefined && !isReason(reason))
    throw new SallyportError('USAGE', 'reason must be a reason code as in docs/reference/reasons.md: TOOL_NOT_GRANTED')
  return {
    ...(agent === undefined ? {} : { agent: readAgent(agent) }),
    ...(reason === undefined ? {} : { reason }),
  }
}

function readFollow(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new SallyportError('USAGE', 'follow must be true or false')
  return text === 'true'
}

/**
 * Parameters by name.
 * @throws SallyportError USAGE for one that is not in `names`, or comes twice.
 */
export function readQuery(query: string, names: readonly string[]): ReadonlyMap<string, string> {
  const given = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (!names.includes(name))
      throw new SallyportError('USAGE', `a query parameter is unknown; known here: ${names.join(', ') || 'none'}`)
    if (given.has(name)) throw new SallyportError('USAGE', `the query parameter "${name}" comes twice`)
    given.set(name, value)
  }
  return given
}

/**
 * A whole number of things.
 * @throws SallyportError USAGE
 */
export function readLimit(text: string, least: number, most = MAX_LIMIT): number {
  const limit = /^(?:0|[1-9]\d{0,5})$/.test(text) ? Number(text) : Number.NaN
  if (!(limit >= least && limit <= most))
    throw new SallyportError('USAGE', `limit must be a whole number from ${least} to ${most}`)
  return limit
}
