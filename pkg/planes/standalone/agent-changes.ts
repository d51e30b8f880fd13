import type { CompiledAgent } from '#pkg/control/compile'
import type { AgentKey } from '#pkg/model'
import type { Log } from '#pkg/platform/log'

/** Who is told that the life or the rules of an agent are other than before. */
export type AgentChanges = {
  /** Called for every change, once what can be asked about the agent tells of it. Gives back what ends it. */
  onChange(listener: (agent: AgentKey) => void): () => void
  tell(agent: AgentKey): void
  /** Holds back what is told meanwhile until `work` is done, and tells each agent once; those that it answers, too. */
  together(work: () => Iterable<AgentKey>): void
}

/** Nobody listens yet. A listener that throws stops neither the change nor the others. */
export function newAgentChanges({ log }: { readonly log: Log }): AgentChanges {
  const listeners = new Set<(agent: AgentKey) => void>()
  let held: Set<AgentKey> | null = null
  const tell = (agent: AgentKey): void => {
    if (held !== null) return void held.add(agent)
    for (const listener of listeners) {
      try {
        listener(agent)
      } catch (error) {
        log.error('agent-listener-failed', { agent, error })
      }
    }
  }
  return {
    onChange: (listener) => {
      const own = (agent: AgentKey): void => listener(agent)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    tell,
    together: (work) => {
      const told = new Set<AgentKey>()
      held = told
      try {
        for (const agent of work()) told.add(agent)
      } finally {
        held = null
        for (const agent of told) tell(agent)
      }
    },
  }
}

/** Agents whose files say something else than before; where it is said does not count. */
export function refiled(
  before: ReadonlyMap<AgentKey, CompiledAgent>,
  after: readonly CompiledAgent[],
): readonly AgentKey[] {
  const said = (agent: CompiledAgent): string => JSON.stringify({ ...agent, place: null })
  return after.flatMap((agent) => {
    const known = before.get(agent.key)
    return known !== undefined && said(known) === said(agent) ? [] : [agent.key]
  })
}
