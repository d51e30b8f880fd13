import type { AgentKey, RestoreRecord } from '#pkg/model'

/** Refused calls by agent and verdict id, oldest out. WIRE.md rule 11. */
export type RestoreRecords = {
  /** Keeps a record; a record larger than the agent's whole share is not kept. */
  keep(agent: AgentKey, record: RestoreRecord): void
  /** The record of that verdict, if this agent got it. */
  find(agent: AgentKey, verdictId: string): RestoreRecord | null
}

type Shelf = {
  bytes: number
  readonly records: Map<string, { readonly record: RestoreRecord; readonly bytes: number }>
}

/**
 * Makes the store. In memory only: a lost record means that the refusal stays in the conversation as text.
 *
 * @param options.bytesPerAgent  share of one agent, default 1 MiB (`Limits.restoreBytesPerAgent`)
 * @param options.agents         agents remembered, default 1,024; the one that was longest unused goes first
 */
export function newRestoreRecords(options: {
  readonly bytesPerAgent: number
  readonly agents?: number
}): RestoreRecords {
  const shelves = new Map<AgentKey, Shelf>()
  const agents = options.agents ?? 1024

  const shelfOf = (agent: AgentKey): Shelf => {
    const shelf = shelves.get(agent) ?? { bytes: 0, records: new Map() }
    shelves.delete(agent)
    shelves.set(agent, shelf)
    if (shelves.size > agents) shelves.delete(shelves.keys().next().value ?? agent)
    return shelf
  }

  return {
    keep(agent, record) {
      const bytes = 2 * (record.text.length + record.original.length + record.verdictId.length)
      if (bytes > options.bytesPerAgent) return
      const shelf = shelfOf(agent)
      shelf.bytes += bytes - (shelf.records.get(record.verdictId)?.bytes ?? 0)
      shelf.records.delete(record.verdictId)
      shelf.records.set(record.verdictId, { record, bytes })
      for (const [id, kept] of shelf.records) {
        if (shelf.bytes <= options.bytesPerAgent) break
        shelf.records.delete(id)
        shelf.bytes -= kept.bytes
      }
    },
    find: (agent, verdictId) => shelves.get(agent)?.records.get(verdictId)?.record ?? null,
  }
}
