import { type AgentKey, type Hold, LIFECYCLE_STATES, type LifecycleState, type Standing } from '#pkg/model'
import type { AgentCeiling } from './ports.ts'

/** What is kept of one agent, whether the folder names it today or not. */
export type AgentRow = {
  readonly agent: AgentKey
  /** Never falls. */
  readonly epoch: number
  readonly ceiling: AgentCeiling['state']
  /** `asked` is the number in the Agent file; `granted` is what it was worth when it was first seen. */
  readonly release: { readonly asked: number; readonly granted: number }
  /** All that count, and the newest {@link RELEASED_HOLDS_KEPT} that no longer do. Oldest first. */
  readonly holds: readonly Hold[]
}

/** Released holds that are kept, since a smaller `releaseThroughEpoch` makes them count again. */
export const RELEASED_HOLDS_KEPT = 16

/** An agent of which nothing was ever recorded. */
export function newRow(agent: AgentKey): AgentRow {
  return { agent, epoch: 1, ceiling: 'Active', release: { asked: 0, granted: 0 }, holds: [] }
}

/** True when a row says no more than {@link newRow}: it needs no place on the disk. */
export function isBlank(row: AgentRow): boolean {
  return row.epoch === 1 && row.ceiling === 'Active' && row.release.asked === 0 && row.holds.length === 0
}

/** The holds that no release covers. */
export function countingHolds(row: AgentRow): readonly Hold[] {
  return row.holds.filter((hold) => hold.epoch > row.release.granted)
}

/** The strictest of the ceiling and of every hold that counts. POLICY.md "Agent". */
export function standingOfRow(row: AgentRow): Standing {
  const holds = countingHolds(row)
  let state: LifecycleState = row.ceiling
  for (const hold of holds) if (rank(hold.state) > rank(state)) state = hold.state
  return { agent: row.agent, state, epoch: row.epoch, holds }
}

/** The row with a new hold of the firewall, one epoch on. */
export function withFirewallHold(row: AgentRow, cause: Pick<Hold, 'code' | 'verdictId' | 'since'>): AgentRow {
  const epoch = row.epoch + 1
  const hold: Hold = { epoch, state: 'Quarantined', source: 'Firewall', ...cause }
  return trimmed({ ...row, epoch, holds: [...row.holds, hold] })
}

/** The row under what its Agent file says now. The epoch rises where that takes rights away. */
export function withCeiling(row: AgentRow, ceiling: AgentCeiling, isNew: boolean): AgentRow {
  const next: AgentRow = { ...row, ceiling: ceiling.state, release: releaseOf(row, ceiling.releaseThroughEpoch) }
  const turned = row.ceiling === 'Active' && ceiling.state === 'Quarantined'
  const stricter = rank(standingOfRow(next).state) > rank(standingOfRow(row).state)
  return trimmed(!isNew && (turned || stricter) ? { ...next, epoch: row.epoch + 1 } : next)
}

/** The row of an agent that the folder no longer names. */
export function withoutFile(row: AgentRow): AgentRow {
  return { ...row, epoch: row.epoch + 1 }
}

/**
 * A release covers holds that exist. A number beyond the epoch is worth the epoch of the moment at which it was first
 * seen, and stays worth that until the number changes: else each reload would release what was raised since.
 */
function releaseOf(row: AgentRow, asked: number): AgentRow['release'] {
  if (asked === row.release.asked) return row.release
  return { asked, granted: Math.min(asked, row.epoch) }
}

function trimmed(row: AgentRow): AgentRow {
  const released = row.holds.filter((hold) => hold.epoch <= row.release.granted)
  if (released.length <= RELEASED_HOLDS_KEPT) return row
  return { ...row, holds: [...released.slice(-RELEASED_HOLDS_KEPT), ...countingHolds(row)] }
}

function rank(state: LifecycleState): number {
  return LIFECYCLE_STATES.indexOf(state)
}
