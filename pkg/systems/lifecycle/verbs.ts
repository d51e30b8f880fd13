import type { LifecycleState } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type AgentRow, countingHolds, newRow, rank, standingOfRow, withHold } from './agent-row.ts'
import { type MoveAnswer, moveOf } from './moves.ts'
import type { AgentCeiling, Verb, VerbAsk } from './ports.ts'

/** The states that a verb leads out of; null = any that the table of moves allows. */
const LEADS_FROM: Readonly<Record<Verb, readonly LifecycleState[] | null>> = {
  quarantine: null,
  suspend: null,
  terminate: null,
  release: ['Provisioned', 'Quarantined'],
  reinstate: ['Suspended'],
  forget: ['Terminated'],
}

const LEADS_TO = {
  quarantine: 'Quarantined',
  suspend: 'Suspended',
  terminate: 'Terminated',
} as const satisfies Partial<Record<Verb, LifecycleState>>

/** Verbs that open again what is shut, from each state. */
const WAYS_OUT: Readonly<Record<LifecycleState, string>> = {
  Provisioned: 'release; or terminate --force',
  Active: 'quarantine, suspend; or terminate --force',
  Quarantined: 'release, suspend; or terminate --force',
  Suspended: 'reinstate, terminate',
  Terminated: 'agents forget, after which a new agent may have the name',
}

/**
 * The row after a verb of a person; the same row where it changes nothing. `ceiling` is what the Agent file says now, null
 * when there is none.
 * @throws SallyportError MOVE_REFUSED: not from this state, or beyond the epoch; MOVE_OVERRIDDEN: the file says
 * otherwise.
 */
export function withVerb(row: AgentRow, ceiling: AgentCeiling | null, ask: VerbAsk, since: string): AgentRow {
  if (ask.verb === 'release' || ask.verb === 'reinstate') return released(row, ceiling, ask)
  if (ask.verb === 'forget') return forgotten(row, ceiling, ask)
  const to = LEADS_TO[ask.verb]
  const { state } = standingOfRow(row)
  const answer = moveOf(state, { to, force: ask.force === true, reason: ask.reason })
  if (answer.kind === 'refused') throw refused(row, ask.verb, answer)
  if (answer.kind === 'self' && (row.terminated || isHeld(row, to))) return row
  const { reason, by } = ask
  const held = withHold(row, { state: to, source: 'User', code: codeOf(to), verdictId: null, since, reason, by })
  return to === 'Terminated' ? { ...held, terminated: true } : held
}

/** A file may be all that holds the agent: then a person's own hold is still news. */
function isHeld(row: AgentRow, to: LifecycleState): boolean {
  return countingHolds(row).some((hold) => rank(hold.state) >= rank(to))
}

function codeOf(to: LifecycleState): string {
  return `USER_${to.toUpperCase()}`
}

/** Holds up to the epoch that the person saw no longer count; what came later does. */
function released(row: AgentRow, ceiling: AgentCeiling | null, ask: VerbAsk): AgentRow {
  const { state, epoch } = standingOfRow(row)
  if (state === 'Active') return row
  if (LEADS_FROM[ask.verb]?.includes(state) !== true) throw refused(row, ask.verb, null)
  const overrides = row.ceiling !== 'Active' || (row.refused !== null && state === 'Provisioned')
  if (overrides) throw overridden(row, ceiling, ask.verb)
  const through = ask.throughEpoch ?? epoch
  if (through > epoch)
    throw new SallyportError(
      'MOVE_REFUSED',
      `the epoch of ${row.agent} is ${epoch}; a release cannot reach beyond it, to ${through}`,
      { fields: { agent: row.agent, state, epoch, verb: ask.verb, why: 'BeyondEpoch' } },
    )
  const open: AgentRow = { ...row, released: Math.max(row.released, through) }
  const survives = countingHolds(open).length > 0
  return row.activation === 'Awaited' && !survives ? { ...open, activation: 'Given' } : open
}

/** The agent is as if nobody had known it; only its epoch stays, one on. */
function forgotten(row: AgentRow, ceiling: AgentCeiling | null, { verb }: VerbAsk): AgentRow {
  if (!row.terminated) throw refused(row, verb, null)
  if (ceiling?.state === 'Terminated') throw overridden(row, ceiling, verb)
  return { ...newRow(row.agent, row.epoch + 1), activation: 'Awaited', absent: row.absent }
}

function refused(row: AgentRow, verb: Verb, answer: Extract<MoveAnswer, { kind: 'refused' }> | null): SallyportError {
  const { state, epoch } = standingOfRow(row)
  const why = answer?.why === 'NeedsForce' ? 'without --force ' : ''
  return new SallyportError(
    'MOVE_REFUSED',
    `${verb} is not possible ${why}from ${state}, where ${row.agent} is (epoch ${epoch}); possible: ${WAYS_OUT[state]}`,
    { fields: { agent: row.agent, state, epoch, verb, why: answer?.why ?? 'NotAllowed' } },
  )
}

function overridden(row: AgentRow, ceiling: AgentCeiling | null, verb: Verb): SallyportError {
  const place = ceiling?.place ?? null
  const { state } = standingOfRow(row)
  const says = ceiling?.state ?? row.ceiling
  const where = place === null ? 'its Agent file' : place
  return new SallyportError(
    'MOVE_OVERRIDDEN',
    `${row.agent} stays ${state}: ${where} says "state: ${says}", which is stricter; change it there, then ${verb} again. Nothing was changed`,
    { fields: { agent: row.agent, state, place, verb } },
  )
}
