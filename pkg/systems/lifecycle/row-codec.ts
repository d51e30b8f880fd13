import { crc32 } from 'node:zlib'
import {
  type AgentKey,
  agentKeyOf,
  type Hold,
  type HoldSource,
  LIFECYCLE_STATES,
  type LifecycleState,
} from '#pkg/model'
import type { AgentRow } from './agent-row.ts'

/** The first line of every state file, before its checksum. */
export const HEADER = '{"sallyport":"state","version":1}'

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

/** The row of a line's body, or null when it is none. */
export function decodeRow(body: string): AgentRow | null {
  const value = asRecord(parsed(body))
  const release = asRecord(value?.['release'])
  if (value === null || release === null || !Array.isArray(value['holds'])) return null
  const agent = agentOf(value['agent'])
  const epoch = numberOf(value['epoch'])
  const ceiling = value['ceiling']
  const asked = numberOf(release['asked'])
  const granted = numberOf(release['granted'])
  const holds = value['holds'].map(holdOf)
  if (agent === null || epoch === null || asked === null || granted === null) return null
  if (ceiling !== 'Active' && ceiling !== 'Quarantined') return null
  if (epoch < 1 || granted > epoch || !holds.every((hold) => hold !== null && hold.epoch <= epoch)) return null
  return { agent, epoch, ceiling, release: { asked, granted }, holds: holds.filter((hold) => hold !== null) }
}

function holdOf(given: unknown): Hold | null {
  const value = asRecord(given)
  const epoch = numberOf(value?.['epoch'])
  const state = LIFECYCLE_STATES.find((one): one is LifecycleState => one === value?.['state'])
  const source = SOURCES.find((one) => one === value?.['source'])
  const { code, verdictId, since } = value ?? {}
  if (epoch === null || state === undefined || source === undefined) return null
  if (typeof code !== 'string' || typeof since !== 'string') return null
  if (typeof verdictId !== 'string' && verdictId !== null) return null
  return { epoch, state, source, code, verdictId, since }
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
