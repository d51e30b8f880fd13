import type { AgentKey } from '#pkg/model'
import type { EpochCounter, EpochWatch, Keyed, Put, RowStore, Stored } from './ports.ts'

/** Rows in this process. They live as long as the object. */
export function newMemoryRows<Row extends Keyed>(): RowStore<Row> {
  const rows = new Map<AgentKey, Stored<Row>>()
  let floor = 0
  return {
    get: async (agent) => rows.get(agent) ?? null,
    put: async (row, seen): Promise<Put<Row>> => {
      const found = rows.get(row.agent) ?? null
      if ((found?.revision ?? 0) !== seen || (found !== null && row.epoch < found.row.epoch))
        return { kind: 'stale', found }
      const revision = seen + 1
      rows.set(row.agent, { row, revision })
      return { kind: 'written', revision }
    },
    all: async function* () {
      for (const agent of [...rows.keys()].sort()) {
        const found = rows.get(agent)
        if (found !== undefined) yield found
      }
    },
    newFloor: async (step) => {
      for (const { row } of rows.values()) floor = Math.max(floor, row.epoch)
      floor += step
      return floor
    },
    close: async () => {},
  }
}

/** Counters of several replicas over the same epochs, in this process. */
export type MemoryCounters = {
  connect(): EpochCounter
  /** Everything is forgotten. */
  lose(): void
  /** What is known now is what {@link fallBack} goes back to. */
  mark(): void
  fallBack(): void
  /** All watchers are cut off, until `found`. */
  lost(): void
  found(): void
}

/** Makes the epochs that the counters share. */
export function newMemoryCounters(): MemoryCounters {
  let marked: ReadonlyMap<AgentKey, number> = new Map()
  let isCut = false
  const epochs = new Map<AgentKey, number>()
  const watches = new Set<EpochWatch>()
  const set = (agent: AgentKey, epoch: number): number => {
    epochs.set(agent, epoch)
    for (const watch of watches) if (!isCut) queueMicrotask(() => watches.has(watch) && watch.raised(agent, epoch))
    return epoch
  }
  const connect = (): EpochCounter => ({
    current: async (agent) => epochs.get(agent) ?? null,
    raise: async (agent) => {
      const now = epochs.get(agent)
      return now === undefined ? null : set(agent, now + 1)
    },
    seed: async (agent, least) => {
      const now = epochs.get(agent)
      return now !== undefined && now >= least ? now : set(agent, least)
    },
    watch: async (watch) => {
      watches.add(watch)
      return async () => void watches.delete(watch)
    },
    close: async () => {},
  })
  return {
    connect,
    lose: () => epochs.clear(),
    mark: () => {
      marked = new Map(epochs)
    },
    fallBack: () => {
      epochs.clear()
      for (const [agent, epoch] of marked) epochs.set(agent, epoch)
    },
    lost: () => {
      isCut = true
      for (const watch of watches) watch.lost()
    },
    found: () => {
      isCut = false
      for (const watch of watches) watch.found()
    },
  }
}
