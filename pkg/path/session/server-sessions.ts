import type { AgentKey } from '#pkg/model'

/** Which agent opened which session of a tool server, or which task of a peer. In memory: after a restart it has to be opened again. */
export type ServerSessions = {
  opened(agent: AgentKey, server: string, session: string): void
  /** True only for the agent that opened it, at that server. */
  isOf(agent: AgentKey, server: string, session: string): boolean
  /** True where another agent opened it. */
  isOfAnother(agent: AgentKey, server: string, session: string): boolean
  ended(agent: AgentKey, server: string, session: string): void
  /** All that the agent opened at places of which this is true. */
  forget(agent: AgentKey, at: (server: string) => boolean): void
}

type Held = { readonly agent: AgentKey; readonly place: string }

/**
 * @param options.sessions  remembered at one time, default 16,384; the one that was longest unused goes first
 * @param options.perAgent  of one agent, default 4,096: none makes this forget what others opened
 */
export function newServerSessions(
  options: { readonly sessions?: number; readonly perAgent?: number } = {},
): ServerSessions {
  return new Book(options.sessions ?? 16_384, options.perAgent ?? 4_096)
}

class Book implements ServerSessions {
  readonly #most: number
  readonly #perAgent: number
  /** In the order of their use; so are those of each agent. */
  readonly #held = new Map<string, Held>()
  readonly #ofAgent = new Map<AgentKey, Set<string>>()
  /** How many agents hold one. */
  readonly #holders = new Map<string, number>()

  constructor(most: number, perAgent: number) {
    this.#most = most
    this.#perAgent = perAgent
  }

  opened(agent: AgentKey, server: string, session: string): void {
    this.#use(agent, placeOf(server, session))
  }

  isOf(agent: AgentKey, server: string, session: string): boolean {
    const place = placeOf(server, session)
    const known = this.#held.has(keyOf(agent, place))
    if (known) this.#use(agent, place)
    return known
  }

  isOfAnother(agent: AgentKey, server: string, session: string): boolean {
    const place = placeOf(server, session)
    return (this.#holders.get(place) ?? 0) > (this.#held.has(keyOf(agent, place)) ? 1 : 0)
  }

  ended(agent: AgentKey, server: string, session: string): void {
    this.#forget(keyOf(agent, placeOf(server, session)))
  }

  forget(agent: AgentKey, at: (server: string) => boolean): void {
    for (const key of [...(this.#ofAgent.get(agent) ?? [])]) {
      const held = this.#held.get(key)
      if (held !== undefined && at(serverOf(held.place))) this.#forget(key)
    }
  }

  #use(agent: AgentKey, place: string): void {
    const key = keyOf(agent, place)
    this.#forget(key)
    const own = this.#ofAgent.get(agent) ?? new Set()
    const [oldestOwn] = own
    if (own.size >= this.#perAgent && oldestOwn !== undefined) this.#forget(oldestOwn)
    const [oldest] = this.#held.keys()
    if (this.#held.size >= this.#most && oldest !== undefined) this.#forget(oldest)
    this.#held.set(key, { agent, place })
    this.#ofAgent.set(agent, own.add(key))
    this.#holders.set(place, (this.#holders.get(place) ?? 0) + 1)
  }

  #forget(key: string): void {
    const known = this.#held.get(key)
    if (known === undefined) return
    this.#held.delete(key)
    const own = this.#ofAgent.get(known.agent)
    own?.delete(key)
    if (own?.size === 0) this.#ofAgent.delete(known.agent)
    const left = (this.#holders.get(known.place) ?? 1) - 1
    if (left > 0) this.#holders.set(known.place, left)
    else this.#holders.delete(known.place)
  }
}

const placeOf = (server: string, session: string): string => JSON.stringify([server, session])
const serverOf = (place: string): string => String(JSON.parse(place)[0])
const keyOf = (agent: AgentKey, place: string): string => `${agent} ${place}`
