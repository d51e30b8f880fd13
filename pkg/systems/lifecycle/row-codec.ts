import { crc32 } from 'node:zlib'
import {
  type AgentKey,
  agentKeyOf,
  type Hold,
  type HoldSource,
  LIFECYCLE_STATES,
  type LifecycleState,
} from '#pkg/model'
import { type AgentRow, newRow, type RefusedCeiling } from './agent-row.ts'
import type { CeilingState } from './ports.ts'

/** The first line of every state file that is written, before its checksum. */
export const HEADER = '{"sallyport":"state","version":2}'

/** First lines of files that are read: version 1 knew no verbs, and of ceilings Active and Quarantined alone. */
export const HEADERS: readonly string[] = [HEADER, '{"sallyport":"state","version":1}']

const SEAL = /^\["([0-9a-f]{8})",(.+)\]$/
const AGENT = /^([a-z0-9][a-z0-9.-]*)\/([a-z0-9][a-z0-9.-]*)$/
const SOURCES: readonly HoldSource[] = ['Firewall', 'Budget', 'User', 'Identity']

/** `["checksum",body]` and a line feed: JSON for a person's tools, and no flipped bit goes unseen. */
export function sealed(body: string): string {
  return `["${checksum(body)}",${body}]\n`
}

/** The body of a sealed line (without its line feed), or null when it is not what was written. */
export function unsealed(line: string): string | null {
  const [, sum, body] = SEAL.exec(line) ?? []
  return body !== undefined && checksum(body) === sum ? body : null
}

/** One row as a sealed line. The last line of an agent counts. */
export function encodeRow(row: AgentRow): string {
  return sealed(JSON.stringify(row))
}

/** The row of a line's body, or null when it is none. What a line of version 1 does not say is as in a new row. */
export function decodeRow(body: string): AgentRow | null {
  const value = asRecord(parsed(body))
  const release = asRecord(value?.['release'])
  if (value === null || release === null || !Array.isArray(value['holds'])) return null
  const agent = agentOf(value['agent'])
  const epoch = numberOf(value['epoch'])
  const ceiling = ceilingOf(value['ceiling'])
  const asked = numberOf(release['asked'])
  const granted = numberOf(release['granted'])
  const holds = value['holds'].map(holdOf)
  if (agent === null || epoch === null || ceiling === null || asked === null || granted === null) return null
  if (epoch < 1 || granted > epoch || !holds.every((hold) => hold !== null && hold.epoch <= epoch)) return null
  const blank = newRow(agent)
  const later = laterOf(value, blank)
  if (later === null || later.released > epoch) return null
  const kept = holds.filter((hold) => hold !== null)
  return { ...blank, epoch, ceiling, release: { asked, granted }, holds: kept, ...later }
}

type Later = Pick<AgentRow, 'refused' | 'released' | 'activation' | 'terminated' | 'absent'>

/** What version 2 says besides. */
function laterOf(value: Readonly<Record<string, unknown>>, blank: AgentRow): Later | null {
  const { refused: given = blank.refused, activation: how = blank.activation } = value
  const { terminated = blank.terminated, absent = blank.absent } = value
  const refused = given === null ? null : refusedOf(given)
  const released = numberOf(value['released'] ?? blank.released)
  const activation = ACTIVATIONS.find((one) => one === how)
  if (given !== null && refused === null) return null
  if (released === null || activation === undefined) return null
  if (typeof terminated !== 'boolean' || typeof absent !== 'boolean') return null
  return { refused, released, activation, terminated, absent }
}

const ACTIVATIONS = ['Automatic', 'Awaited', 'Given', 'Unselected'] as const

function refusedOf(given: unknown): RefusedCeiling | null {
  const value = asRecord(given)
  const state = ceilingOf(value?.['state'])
  const releaseThroughEpoch = numberOf(value?.['releaseThroughEpoch'])
  const force = value?.['force']
  if (state === null || releaseThroughEpoch === null || typeof force !== 'boolean') return null
  return { state, force, releaseThroughEpoch }
}

function ceilingOf(value: unknown): CeilingState | null {
  const state = LIFECYCLE_STATES.find((one) => one === value)
  return state === undefined || state === 'Provisioned' ? null : state
}

function holdOf(given: unknown): Hold | null {
  const value = asRecord(given)
  const epoch = numberOf(value?.['epoch'])
  const state = LIFECYCLE_STATES.find((one): one is LifecycleState => one === value?.['state'])
  const source = SOURCES.find((one) => one === value?.['source'])
  const { code, verdictId, since, reason, by } = value ?? {}
  if (epoch === null || state === undefined || source === undefined) return null
  if (typeof code !== 'string' || typeof since !== 'string') return null
  if (typeof verdictId !== 'string' && verdictId !== null) return null
  const person = { ...(typeof reason === 'string' ? { reason } : {}), ...(typeof by === 'string' ? { by } : {}) }
  return { epoch, state, source, code, verdictId, since, ...person }
}

function agentOf(value: unknown): AgentKey | null {
  const [, namespace, name] = typeof value === 'string' ? (AGENT.exec(value) ?? []) : []
  return namespace === undefined || name === undefined ? null : agentKeyOf({ namespace, name })
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  // A JSON object has string keys and nothing else to know of.
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0')
}
