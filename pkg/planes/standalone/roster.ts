import type { AgentKey, Snapshot } from '#pkg/model'
import type { Firewall } from '#pkg/path/firewall'
import type { Loaded, Roster } from '#pkg/planes/sidecar'
import type { Tokens } from '#pkg/systems/identity'

/** The agents of the folder with their compiled rules. */
export type FolderRoster = Roster & {
  /**
   * Takes the snapshots of a new reading. An agent whose rules did not change keeps them, generation included. Answers
   * those whose rules are new, other or gone.
   */
  take(snapshots: ReadonlyMap<AgentKey, Snapshot>): readonly AgentKey[]
  /** The snapshot of an agent, or null. */
  snapshotOf(agent: AgentKey): Snapshot | null
}

/** Makes an empty roster. */
export function newRoster(firewall: Pick<Firewall, 'load'>, tokens: Pick<Tokens, 'find'>): FolderRoster {
  let agents: ReadonlyMap<AgentKey, Loaded> = new Map()
  return {
    agentOf: (token) => {
      const agent = tokens.find(token)
      return agent !== null && agents.has(agent) ? agent : null
    },
    loaded: (agent) => agents.get(agent) ?? null,
    snapshotOf: (agent) => agents.get(agent)?.snapshot ?? null,
    take: (snapshots) => {
      const next = new Map<AgentKey, Loaded>()
      const changed = [...agents.keys()].filter((agent) => !snapshots.has(agent))
      for (const [agent, snapshot] of snapshots) {
        const before = agents.get(agent)
        const same = before !== undefined && before.snapshot.digest === snapshot.digest
        next.set(agent, same ? before : { snapshot, rules: firewall.load(snapshot) })
        if (!same) changed.push(agent)
      }
      agents = next
      return changed
    },
  }
}
