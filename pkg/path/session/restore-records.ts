import type { AgentKey, RefusedCalls, RestoreRecord } from '#pkg/model'

/** Refused calls by agent and verdict id, oldest out. WIRE.md rule 11. */
export type RestoreRecords = {
  /** Keeps a record; a record larger than the agent's whole share is not kept. */
  keep(agent: AgentKey, record: RestoreRecord): void
  /** What that agent got refused. */
  of(agent: AgentKey): RefusedCalls
}

type Shelf = {
  bytes: number
  readonly records: Map<string, { readonly record: RestoreRecord; readonly bytes: number }>
  /** Answer id → its verdict ids, also of records that are gone; oldest out. */
  readonly answers: Map<string, readonly string[]>
}

/** Answers with refused calls remembered for one agent, by their id alone. */
const MAX_ANSWERS = 4096

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
    const shelf = shelves.get(agent) ?? { bytes: 0, records: new Map(), answers: new Map() }
    shelves.delete(agent)
    shelves.set(agent, shelf)
    if (shelves.size > agents) shelves.delete(shelves.keys().next().value ?? agent)
    return shelf
  }

  return {
    keep(agent, record) {
      const bytes = 2 * (record.text.length + record.original.length + record.verdictId.length)
      const shelf = shelfOf(agent)
      noteAnswer(shelf, record)
      if (bytes > options.bytesPerAgent) return
      shelf.bytes += bytes - (shelf.records.get(record.verdictId)?.bytes ?? 0)
      shelf.records.delete(record.verdictId)
      shelf.records.set(record.verdictId, { record, bytes })
      for (const [id, kept] of shelf.records) {
        if (shelf.bytes <= options.bytesPerAgent) break
        shelf.records.delete(id)
        shelf.bytes -= kept.bytes
      }
    },
    of: (agent) => ({
      byVerdict: (verdictId) => shelves.get(agent)?.records.get(verdictId)?.record ?? null,
      inAnswer: (answerId) => inAnswer(shelves.get(agent), answerId),
    }),
  }
}

function noteAnswer(shelf: Shelf, { answerId, verdictId }: RestoreRecord): void {
  if (answerId === null) return
  const ids = shelf.answers.get(answerId) ?? []
  shelf.answers.delete(answerId)
  shelf.answers.set(answerId, [...ids, verdictId])
  if (shelf.answers.size > MAX_ANSWERS) shelf.answers.delete(shelf.answers.keys().next().value ?? answerId)
}

function inAnswer(shelf: Shelf | undefined, answerId: string): readonly RestoreRecord[] | 'lost' {
  const found: RestoreRecord[] = []
  for (const id of shelf?.answers.get(answerId) ?? []) {
    const record = shelf?.records.get(id)?.record
    if (record === undefined) return 'lost'
    found.push(record)
  }
  return found
}
