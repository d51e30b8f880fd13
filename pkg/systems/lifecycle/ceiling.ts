import type { AgentKey, LifecycleState } from '#pkg/model'
import { type AgentRow, type RefusedCeiling, rank, standingOfRow, trimmed } from './agent-row.ts'
import { moveOf } from './moves.ts'
import type { AgentCeiling } from './ports.ts'

/**
 * The row under what its Agent file says now. The epoch rises where that takes rights away. A move that DESIGN §5 does
 * not allow changes nothing and is remembered as refused, so that it does not happen by itself later on.
 */
export function withCeiling(row: AgentRow, ceiling: AgentCeiling, isNew: boolean): AgentRow {
  const present = row.absent ? { ...row, absent: false } : row
  const asked = askedOf(ceiling)
  if (present.terminated) return ended(present, asked)
  if (isSameAsk(present.refused, asked)) return withActivation(present, ceiling, false)
  const wanted: AgentRow = {
    ...withActivation(present, ceiling, isNew),
    refused: null,
    ceiling: ceiling.state,
    release: releaseOf(present, ceiling.releaseThroughEpoch),
    terminated: ceiling.state === 'Terminated',
  }
  const from = isNew ? 'Provisioned' : standingOfRow(present).state
  if (!isAllowed(from, wanted, ceiling))
    return { ...withActivation(present, ceiling, isNew), ...(isNew ? AWAITED : {}), refused: asked }
  const turned = rank(wanted.ceiling) > rank(present.ceiling)
  const stricter = from !== 'Provisioned' && rank(standingOfRow(wanted).state) > rank(from)
  return trimmed(!isNew && (turned || stricter) ? { ...wanted, epoch: present.epoch + 1 } : wanted)
}

/** A ceiling that could not be followed keeps an agent that nobody knew as it is: provisioned. */
const AWAITED = { activation: 'Awaited' } as const

/** Terminated is final: whatever else is asked for is refused. */
function ended(row: AgentRow, asked: RefusedCeiling): AgentRow {
  if (asked.state === 'Terminated') return row.refused === null ? row : { ...row, refused: null }
  return isSameAsk(row.refused, asked) ? row : { ...row, refused: asked }
}

/**
 * Lifting a ceiling is a release, which other holds may survive; a new agent becomes active and then what its ceiling says,
 * in one step.
 */
function isAllowed(from: LifecycleState, wanted: AgentRow, ceiling: AgentCeiling): boolean {
  const to = standingOfRow(wanted).state
  if (to === 'Terminated')
    return moveOf(from, { to, force: ceiling.force === true, reason: ceiling.reason }).kind === 'allowed'
  if (from === 'Provisioned' || from === to || ceiling.state === 'Active') return true
  return moveOf(from, { to }).kind === 'allowed'
}

function withActivation(row: AgentRow, ceiling: AgentCeiling, isNew: boolean): AgentRow {
  const activation = activationOf(row, ceiling, isNew)
  return activation === row.activation ? row : { ...row, activation }
}

/** A ceiling stricter than Active keeps a provisioned agent provisioned. DESIGN §5. */
function activationOf(row: AgentRow, ceiling: AgentCeiling, isNew: boolean): AgentRow['activation'] {
  if (ceiling.activation === 'None') return isNew ? 'Unselected' : row.activation
  if (ceiling.activation === 'Manual') {
    if (isNew || row.activation === 'Unselected') return 'Awaited'
    return row.activation === 'Automatic' ? 'Given' : row.activation
  }
  return row.activation === 'Awaited' && ceiling.state !== 'Active' ? 'Awaited' : 'Automatic'
}

/**
 * A release covers holds that exist. A number beyond the epoch is worth the epoch of the moment at which it was first
 * seen, and stays worth that until the number changes: else each reload would release what was raised since.
 */
function releaseOf(row: AgentRow, asked: number): AgentRow['release'] {
  if (asked === row.release.asked) return row.release
  return { asked, granted: Math.min(asked, row.epoch) }
}

function askedOf({ state, force, releaseThroughEpoch }: AgentCeiling): RefusedCeiling {
  return { state, force: force === true, releaseThroughEpoch }
}

function isSameAsk(left: RefusedCeiling | null, right: RefusedCeiling): boolean {
  return (
    left !== null &&
    left.state === right.state &&
    left.force === right.force &&
    left.releaseThroughEpoch === right.releaseThroughEpoch
  )
}

/** Two ceilings for one agent are a fault that others report; here the stricter one counts. */
export function strictestPerAgent(ceilings: readonly AgentCeiling[]): Iterable<AgentCeiling> {
  const byAgent = new Map<AgentKey, AgentCeiling>()
  for (const ceiling of ceilings) {
    const other = byAgent.get(ceiling.key)
    if (other === undefined) byAgent.set(ceiling.key, ceiling)
    else {
      const held = rank(other.state) >= rank(ceiling.state) ? other : ceiling
      const releaseThroughEpoch = Math.min(other.releaseThroughEpoch, ceiling.releaseThroughEpoch)
      byAgent.set(ceiling.key, { ...held, releaseThroughEpoch })
    }
  }
  return byAgent.values()
}
