import { hash } from 'node:crypto'
import type { AgentKey, HistoryCall } from '#pkg/model'
import { canonicalCall } from './canonical.ts'

/** Which calls an agent was given. Digests only, in memory only: after a restart no call is known. WIRE.md §3. */
export type ReleasedCalls = {
  /** A call goes to its agent. An `id` of null: the provider gave none. */
  note(agent: AgentKey, call: HistoryCall): void
  /** How many of these calls the agent was never given. O(bytes of the calls). */
  unknown(agent: AgentKey, calls: readonly HistoryCall[]): number
}

/** How the index is bounded. */
export type ReleasedCallsOptions = {
  /** Calls remembered for one agent, the longest unused out first; default 4,096 (`Limits.releasedCallsPerAgent`). */
  readonly callsPerAgent: number
  /** Agents remembered; the one that was longest unused goes first. Default 1,024. */
  readonly agents?: number
  /** How long a call is known after it was released or last seen. Default 24 h. */
  readonly keepMs?: number
}

const DAY_MS = 24 * 60 * 60 * 1000
/** A call that was seen within this time keeps its place: long histories come again with every request. */
const FRESH_MS = 60_000
/** Of a digest: 128 bits, one byte a character. */
const DIGEST_LENGTH = 16

/**
 * Makes the index. A call is known by its name, its arguments in any order and spacing, and its id; where the provider
 * gave no id, under whatever id the client made up.
 */
export function newReleasedCalls(
  deps: { readonly clock: { nowMs(): number }; readonly key: Uint8Array },
  options: ReleasedCallsOptions,
): ReleasedCalls {
  const { callsPerAgent, agents = 1024, keepMs = DAY_MS } = options
  const shelves = new Map<AgentKey, Map<string, number>>()

  const secret = Buffer.from(deps.key).toString('hex')

  // keyed as a prefix and cut to half, which nothing can be added to; createHmac costs thirty times as much
  const digestOf = (canonical: string, id: string | null): string =>
    hash('sha256', `${secret}${id === null ? '-' : JSON.stringify(id)}${canonical}`, 'binary').slice(0, DIGEST_LENGTH)

  const shelfOf = (agent: AgentKey): Map<string, number> => {
    const shelf = shelves.get(agent) ?? new Map<string, number>()
    shelves.delete(agent)
    shelves.set(agent, shelf)
    if (shelves.size > agents) shelves.delete(shelves.keys().next().value ?? agent)
    return shelf
  }

  const use = (shelf: Map<string, number>, digest: string, nowMs: number): void => {
    shelf.delete(digest)
    shelf.set(digest, nowMs)
    if (shelf.size > callsPerAgent) shelf.delete(shelf.keys().next().value ?? digest)
  }

  const isKnown = (shelf: Map<string, number>, digest: string, nowMs: number): boolean => {
    const since = shelf.get(digest)
    if (since === undefined) return false
    const ageMs = nowMs - since
    if (ageMs > keepMs) shelf.delete(digest)
    else if (ageMs > FRESH_MS) use(shelf, digest, nowMs)
    return ageMs <= keepMs
  }

  return {
    note: (agent, call) => use(shelfOf(agent), digestOf(canonicalCall(call), call.id), deps.clock.nowMs()),
    unknown(agent, calls) {
      if (calls.length === 0) return 0
      const shelf = shelves.get(agent)
      if (shelf === undefined || shelf.size === 0) return calls.length
      const nowMs = deps.clock.nowMs()
      let unknown = 0
      for (const call of calls) {
        const canonical = canonicalCall(call)
        const known =
          isKnown(shelf, digestOf(canonical, call.id), nowMs) ||
          (call.id !== null && isKnown(shelf, digestOf(canonical, null), nowMs))
        if (!known) unknown += 1
      }
      return unknown
    },
  }
}
