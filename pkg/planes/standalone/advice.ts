import type { CompiledAgent } from '#pkg/control/compile'
import type { Hold, LifecycleState, Snapshot, Standing } from '#pkg/model'
import type { Lives } from '#pkg/planes/sidecar'
import type { Advice } from './ports.ts'

/** Why an agent may not act: what its file says, else its newest hold (what a person wrote, or its code); null when it may. */
export function reasonOf(agent: CompiledAgent, standing: Standing | null): string | null {
  if (standing?.thawing === true) return 'released; its fresh key is still to come'
  if (standing === null || standing.state === 'Active') return null
  if (agent.state !== 'Active') return agent.reason
  const hold = newestOf(standing.holds)
  if (hold === null && standing.state === 'Provisioned') return 'waits for a person to release it (activation: Manual)'
  return hold?.reason ?? hold?.code ?? null
}

/** What a person should know of one agent's file: a release that does not cover what holds the agent. */
export function adviceOn(agent: CompiledAgent, lives: LivesToAdvise): readonly Advice[] {
  return [...refusalOf(agent, lives), ...releaseOf(agent, lives)]
}

/** The lives, as far as advice looks at them. */
export type LivesToAdvise = Pick<Lives, 'standingOf'> & {
  refusedOf(agent: CompiledAgent['key']): { readonly state: LifecycleState } | null
}

/** A state in the file that cannot be reached from where the agent is. */
function refusalOf({ key, state, place }: CompiledAgent, lives: LivesToAdvise): readonly Advice[] {
  const standing = lives.standingOf(key)
  if (lives.refusedOf(key) === null || standing === null) return []
  const now = standing.state
  const remedy =
    now === 'Terminated'
      ? `terminated is final: only "agents forget ${key}" drops it`
      : state === 'Terminated'
        ? 'set it to Suspended first, or add force: true'
        : 'set it to Active first'
  const what = `agent ${key} stays ${now}: ${place ?? 'its file'} asks for ${state}, which is no move from ${now}, and nothing of it was done`
  return [{ code: 'MOVE_REFUSED', agent: key, message: `${what}; ${remedy}` }]
}

function releaseOf(agent: CompiledAgent, lives: LivesToAdvise): readonly Advice[] {
  const hold = newestOf(lives.standingOf(agent.key)?.holds ?? [])
  const asked = agent.releaseThroughEpoch
  if (hold === null || asked === 0) return []
  const who = `agent ${agent.key} stays ${hold.state}: releaseThroughEpoch ${asked}`
  if (asked < hold.epoch) {
    const what = `${who} is below the epoch ${hold.epoch} of its newest hold (${hold.code})`
    return [
      {
        code: 'RELEASE_TOO_LOW',
        agent: agent.key,
        message: `${what}; to release it set releaseThroughEpoch: ${hold.epoch}`,
      },
    ]
  }
  // the same number again would change nothing
  const next = asked === hold.epoch ? asked + 1 : hold.epoch
  const what = `${who} was beyond the agent's epoch when it was first read, and covers no later hold (${hold.code})`
  return [
    {
      code: 'RELEASE_BEYOND_EPOCH',
      agent: agent.key,
      message: `${what}; to release it set releaseThroughEpoch: ${next}`,
    },
  ]
}

/** Said when nobody may do anything: without a policy that selects an agent, every request is refused. */
export function adviceOnAll(policiesDir: string | null, snapshots: readonly (Snapshot | null)[]): readonly Advice[] {
  if (!snapshots.every((snapshot) => snapshot === null || snapshot.denyAll)) return []
  const what = 'every request of every agent is refused (POLICY_NONE_SELECTS)'
  const message =
    policiesDir === null
      ? `no --policies: ${what}; give a folder of AgentPolicy and Agent files, such as --policies docs/examples/marketing`
      : `no accepted policy in ${policiesDir} selects an agent: ${what}; write an AgentPolicy whose selector fits the labels of the Agents there`
  return [{ code: 'DENY_ALL', agent: null, message }]
}

function newestOf(holds: readonly Hold[]): Hold | null {
  let newest: Hold | null = null
  for (const hold of holds) if (newest === null || hold.epoch > newest.epoch) newest = hold
  return newest
}
