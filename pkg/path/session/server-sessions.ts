import type { AgentKey } from '#pkg/model'

/** Which agent opened which session of a tool server. In memory: after a restart a session has to be opened again. */
export type ServerSessions = {
  opened(agent: AgentKey, server: string, session: string): void
  /** True only for the agent that opened it, at that server. */
  isOf(agent: AgentKey, server: string, session: string): boolean
  ended(agent: AgentKey, server: string, session: string): void
}

/** @param options.sessions  remembered at one time, default 16,384; the one that was longest unused goes first */
export function newServerSessions(options: { readonly sessions?: number } = {}): ServerSessions {
  const most = options.sessions ?? 16_384
  const holders = new Set<string>()
  const keyOf = (agent: AgentKey, server: string, session: string): string => JSON.stringify([agent, server, session])
  const use = (key: string): void => {
    holders.delete(key)
    holders.add(key)
    const [oldest] = holders
    if (holders.size > most && oldest !== undefined) holders.delete(oldest)
  }
  return {
    opened: (agent, server, session) => use(keyOf(agent, server, session)),
    isOf: (agent, server, session) => {
      const key = keyOf(agent, server, session)
      const known = holders.has(key)
      if (known) use(key)
      return known
    },
    ended: (agent, server, session) => {
      holders.delete(keyOf(agent, server, session))
    },
  }
}
