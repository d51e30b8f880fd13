import type { AgentKey } from '#pkg/model'

/** One exchange while it is open. */
export interface OpenExchange {
  readonly agent: AgentKey
  /** The agent may no longer act: both legs end in this turn. */
  cut(): void
  /** The process ends: an answer that has no end of its own ends here, cleanly. */
  retire(): void
  /** The rules of its agent may have changed: it goes on only if they still grant it. */
  review?(): void
  /** Asked about once a second, for what an exchange does by time alone. */
  tick(nowMs: number): void
}

/** Every open exchange, by agent. MESH.md §2: a kill cuts them all in one synchronous turn. */
export type Exchanges = {
  /** Enters an exchange; what it answers takes it out again. */
  enter(exchange: OpenExchange): () => void
  /** Cuts every open exchange of the agent; answers how many there were. */
  cutAgent(agent: AgentKey): number
  /** Ends what would not end by itself. */
  retire(): void
  /** Asks every open exchange to look at the rules again. */
  review(): void
  tick(nowMs: number): void
  readonly size: number
  /** Resolves when none is open any more, at once if none is. */
  idle(): Promise<void>
}

/** Makes the register. It holds an exchange no longer than the exchange itself lives. */
export function newExchanges(): Exchanges {
  const byAgent = new Map<AgentKey, Set<OpenExchange>>()
  let size = 0
  let waiting: (() => void)[] = []

  const leave = (exchange: OpenExchange): void => {
    const group = byAgent.get(exchange.agent)
    if (group === undefined || !group.delete(exchange)) return
    if (group.size === 0) byAgent.delete(exchange.agent)
    size -= 1
    if (size > 0) return
    for (const resolve of waiting) resolve()
    waiting = []
  }

  return {
    enter(exchange) {
      const group = byAgent.get(exchange.agent) ?? new Set()
      byAgent.set(exchange.agent, group.add(exchange))
      size += 1
      return () => leave(exchange)
    },
    cutAgent(agent) {
      const group = [...(byAgent.get(agent) ?? [])]
      for (const exchange of group) exchange.cut()
      return group.length
    },
    retire() {
      for (const group of [...byAgent.values()]) for (const exchange of [...group]) exchange.retire()
    },
    review() {
      for (const group of [...byAgent.values()]) for (const exchange of [...group]) exchange.review?.()
    },
    tick(nowMs) {
      for (const group of byAgent.values()) for (const exchange of group) exchange.tick(nowMs)
    },
    get size() {
      return size
    },
    idle: () => (size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
