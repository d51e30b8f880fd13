import type { AgentKey, Standing } from '#pkg/model'
import type { Sidecar } from '#pkg/planes/sidecar'
import type { Identities } from '#pkg/systems/identity'
import type { Lifecycle, Moved, VerbAsk } from '#pkg/systems/lifecycle'

/** Sidecars that have to follow a change, and those that have said so. */
export type Acks = { readonly wanted: number; readonly received: number }

/** What a verb came to, and who follows it. */
export type MoveDone = Moved & { readonly acks: Acks }

/**
 * The one sidecar of this process cuts in the turn of the move, so it has followed before anybody can ask; an agent that is
 * given back its rights it lets through once the fresh key is there.
 */
export function acksOf(standing: Standing | null): Acks {
  return { wanted: 1, received: standing?.thawing === true ? 0 : 1 }
}

/** The verbs of a person, for the faces. */
export function newVerbs(lives: Pick<Lifecycle, 'move' | 'standingOf'>): (agent: AgentKey, ask: VerbAsk) => MoveDone {
  return (agent, ask) => ({ ...lives.move(agent, ask), acks: acksOf(lives.standingOf(agent)) })
}

/** The turn in which an agent loses its rights is the one in which the sidecar cuts, and its key and SVIDs are gone. */
export function cutWhoMayNotAct(
  lives: Pick<Lifecycle, 'onChange'>,
  sidecar: Pick<Sidecar, 'cutAgent'>,
  identities: Pick<Identities, 'withdraw'>,
): void {
  lives.onChange(({ state, agent }) => {
    if (state === 'Active') return
    identities.withdraw(agent)
    sidecar.cutAgent(agent)
  })
}
