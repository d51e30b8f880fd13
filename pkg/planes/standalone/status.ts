import type { CompiledAgent } from '#pkg/control/compile'
import { agentRefOf, type LifecycleState, type Snapshot } from '#pkg/model'
import { adviceOn, reasonOf } from './advice.ts'
import { acksOf } from './lifecycle-verbs.ts'
import type { AgentStatus } from './ports.ts'
import type { Reading } from './source.ts'
import type { Stores } from './stores.ts'

/** One agent for a person. */
export function statusOf(agent: CompiledAgent, stores: Stores, snapshot: Snapshot | null): AgentStatus {
  const standing = stores.lives.standingOf(agent.key)
  return {
    ...agentRefOf(agent.key),
    state: standing?.state ?? 'Provisioned',
    epoch: standing?.epoch ?? 0,
    acks: acksOf(standing),
    role: snapshot === null || snapshot.denyAll ? null : snapshot.role,
    mode: snapshot === null || snapshot.denyAll ? null : snapshot.mode,
    policies: snapshot?.policies ?? [],
    generation: snapshot?.generation ?? 0,
    holds: standing?.holds ?? [],
    reason: reasonOf(agent, standing),
    releaseThroughEpoch: agent.releaseThroughEpoch,
    warnings: adviceOn(agent, stores.lives),
  }
}

/** How many agents of the folder are in each state. */
export function statesOf(lives: Pick<Stores['lives'], 'all'>): Readonly<Record<LifecycleState, number>> {
  const counts = { Provisioned: 0, Active: 0, Quarantined: 0, Suspended: 0, Terminated: 0 }
  for (const { state } of lives.all()) counts[state] += 1
  return counts
}

/** Is all well, and if not, why. */
export function healthOf(stores: Stores, reading: Reading): { ok: boolean; reasons: readonly string[] } {
  const reasons: string[] = []
  if (!stores.verdicts.healthy) reasons.push('verdicts cannot be written down: every request is refused')
  const unsigned = stores.identity.fault()
  if (unsigned !== null) reasons.push(`identities are not signed: ${unsigned}`)
  if (!stores.lives.healthy) reasons.push('the state of agents cannot be written down')
  if (!stores.tokens.complete) reasons.push('the tokens of new agents cannot be written down: they have none yet')
  if (reading.faults.length > 0)
    reasons.push(
      `${reading.faults.length} ${reading.faults.length === 1 ? 'fault' : 'faults'} in the folder of policies`,
    )
  return { ok: reasons.length === 0, reasons }
}
