import { type AgentKey, type Hold, LIFECYCLE_STATES, type LifecycleState, type Standing } from '#pkg/model'
import type { CeilingState } from './ports.ts'

/** What is kept of one agent, whether the folder names it today or not. */
export type AgentRow = {
  readonly agent: AgentKey
  /** Never falls. */
  readonly epoch: number
  /** In force. */
  readonly ceiling: CeilingState
  /** What the Agent file asks for and was refused: not asked again before it changes. */
  readonly refused: RefusedCeiling | null
  /** `asked` is the number in the Agent file; `granted` is what it was worth when it was first seen. */
  readonly release: { readonly asked: number; readonly granted: number }
  /** The same by a verb. The larger of the two counts. */
  readonly released: number
  /**
   * `Awaited`: provisioned, until a person releases it. `Given`: its policy asks for that, and it was. `Unselected`: no
   * policy ever said, so nothing was ever allowed.
   */
  readonly activation: 'Automatic' | 'Awaited' | 'Given' | 'Unselected'
  /** Final, until it is forgotten. */
  readonly terminated: boolean
  /** True while the folder does not name it. */
  readonly absent: boolean
  /** All that count, and the newest {@link RELEASED_HOLDS_KEPT} that no longer do. Oldest first. */
  readonly holds: readonly Hold[]
}

/** A ceiling that DESIGN §5 does not allow from where the agent stood. */
export type RefusedCeiling = {
  readonly state: CeilingState
  readonly force: boolean
  readonly releaseThroughEpoch: number
}

/** Released holds that are kept, since a smaller `releaseThroughEpoch` makes them count again. */
export const RELEASED_HOLDS_KEPT = 16

/** An agent of which nothing was ever recorded. */
export function newRow(agent: AgentKey, epoch = 1): AgentRow {
  return {
    agent,
    epoch,
    ceiling: 'Active',
    refused: null,
    release: { asked: 0, granted: 0 },
    released: 0,
    activation: 'Automatic',
    terminated: false,
    absent: false,
    holds: [],
  }
}

/** True when a row says no more than {@link newRow}: it needs no place on the disk. */
export function isBlank(row: AgentRow): boolean {
  return (
    row.epoch === 1 &&
    row.ceiling === 'Active' &&
    row.refused === null &&
    row.release.asked === 0 &&
    row.released === 0 &&
    (row.activation === 'Automatic' || row.activation === 'Unselected') &&
    !row.terminated &&
    row.holds.length === 0
  )
}

/** The holds that no release covers. */
export function countingHolds(row: AgentRow): readonly Hold[] {
  const through = Math.max(row.release.granted, row.released)
  return row.holds.filter((hold) => hold.epoch > through)
}

/**
 * Terminated for good, Provisioned until it is released, else the strictest of the ceiling and of every hold that counts.
 * DESIGN §5, POLICY.md "Agent".
 */
export function standingOfRow(row: AgentRow): Standing {
  const holds = countingHolds(row)
  const { agent, epoch } = row
  if (row.terminated) return { agent, state: 'Terminated', epoch, holds }
  if (row.activation === 'Awaited') return { agent, state: 'Provisioned', epoch, holds }
  let state: LifecycleState = row.ceiling
  for (const hold of holds) if (rank(hold.state) > rank(state)) state = hold.state
  return { agent, state, epoch, holds }
}

/** The row with a new hold, one epoch on. */
export function withHold(row: AgentRow, hold: Omit<Hold, 'epoch'>): AgentRow {
  const epoch = row.epoch + 1
  return trimmed({ ...row, epoch, holds: [...row.holds, { epoch, ...hold }] })
}

/** The row of an agent that the folder no longer names. */
export function withoutFile(row: AgentRow): AgentRow {
  return { ...row, epoch: row.epoch + 1, absent: true }
}

/** Keeps what is released bounded. */
export function trimmed(row: AgentRow): AgentRow {
  const counting = countingHolds(row)
  const released = row.holds.filter((hold) => !counting.includes(hold))
  if (released.length <= RELEASED_HOLDS_KEPT) return row
  return { ...row, holds: [...released.slice(-RELEASED_HOLDS_KEPT), ...counting] }
}

/** Larger = stricter. */
export function rank(state: LifecycleState): number {
  return LIFECYCLE_STATES.indexOf(state)
}
