import type { CompiledAgent } from '#pkg/control/compile'
import type { AgentKey } from '#pkg/model'
import type { Sidecar } from '#pkg/planes/sidecar'
import type { Log } from '#pkg/platform/log'
import { formatFault } from '#pkg/platform/resources'
import type { Tokens } from '#pkg/systems/identity'
import type { Lifecycle } from '#pkg/systems/lifecycle'
import { type AgentChanges, refiled } from './agent-changes.ts'
import type { FolderRoster } from './roster.ts'
import type { Reading } from './source.ts'

/** The reading of the folder that is in force. */
export type HeldReading = {
  /** Puts another in force: tokens, rules, lives, and what is open. Then whoever follows agents is told. */
  take(next: Reading): void
  readonly reading: Reading
  readonly agents: readonly CompiledAgent[]
  agentOf(agent: AgentKey): CompiledAgent | null
}

/** Everything that follows the folder. */
export type HeldReadingDeps = {
  readonly log: Log
  readonly lives: Pick<Lifecycle, 'apply'>
  readonly tokens: Pick<Tokens, 'ensure'>
  readonly roster: Pick<FolderRoster, 'take'>
  readonly sidecar: Pick<Sidecar, 'review' | 'cutAgent'>
  readonly changes: AgentChanges
}

/** Nothing is in force before the first `take`. */
export function newHeldReading(deps: HeldReadingDeps, first: Reading): HeldReading {
  const { log, lives, tokens, roster, sidecar, changes } = deps
  let reading = first
  let byKey: ReadonlyMap<AgentKey, CompiledAgent> = new Map()

  const apply = (next: Reading): readonly AgentKey[] => {
    const { agents, snapshots, warnings, uninspected } = next.compiled
    const changed = [...refiled(byKey, agents)]
    tokens.ensure(agents.map((agent) => agent.key))
    changed.push(...roster.take(snapshots))
    lives.apply(agents)
    sidecar.review()
    for (const agent of byKey.keys()) if (!snapshots.has(agent)) sidecar.cutAgent(agent)
    for (const warning of [...warnings, ...uninspected]) log.warn('policy-warning', { warning: formatFault(warning) })
    reading = next
    byKey = new Map(agents.map((agent) => [agent.key, agent]))
    return changed
  }
  return {
    take: (next) => changes.together(() => apply(next)),
    get reading() {
      return reading
    },
    get agents() {
      return [...byKey.values()]
    },
    agentOf: (agent) => byKey.get(agent) ?? null,
  }
}
