import type { AgentKey } from '#pkg/model'

/** Which agent opened which session of a tool server, or which task of a peer. In memory: after a restart it has to be opened again. */
export type ServerSessions = {
  opened(agent: AgentKey, server: string, session: string): void
  /** True only for the agent that opened it, at that server. */
  isOf(agent: AgentKey, server: string, session: string): boolean
  /** True where another agent opened it. */
  isOfAnother(agent: AgentKey, server: string, session: string): boolean
  ended(agent: AgentKey, server: string, session: string): void
}

/** @param options.sessions  remembered at one time, default 16,384; the one that was longest unused goes first */
export function newServerSessions(options: { readonly sessions?: number } = {}): ServerSessions {
  const most = options.sessions ?? 16_384
  const held = new Map<string, { readonly agent: AgentKey; readonly place: string }>()
  const holders = new Map<string, number>()
  const placeOf = (server: string, session: string): string => JSON.stringify([server, session])
  const keyOf = (agent: AgentKey, place: string): string => `${agent} ${place}`
  const forget = (key: string): void => {
    const known = held.get(key)
    if (known === undefined) return
    held.delete(key)
    const left = (holders.get(known.place) ?? 1) - 1
    if (left > 0) holders.set(known.place, left)
    else holders.delete(known.place)
  }
  const use = (agent: AgentKey, place: string): void => {
    const key = keyOf(agent, place)
    forget(key)
    held.set(key, { agent, place })
    holders.set(place, (holders.get(place) ?? 0) + 1)
    const [oldest] = held.keys()
    if (held.size > most && oldest !== undefined) forget(oldest)
  }
  return {
    opened: (agent, server, session) => use(agent, placeOf(server, session)),
    isOf: (agent, server, session) => {
      const place = placeOf(server, session)
      const known = held.has(keyOf(agent, place))
      if (known) use(agent, place)
      return known
    },
    isOfAnother: (agent, server, session) => {
      const place = placeOf(server, session)
      return (holders.get(place) ?? 0) > (held.has(keyOf(agent, place)) ? 1 : 0)
    },
    ended: (agent, server, session) => forget(keyOf(agent, placeOf(server, session))),
  }
}
