import { createHash } from 'node:crypto'
import type { AgentKey, RefusedCalls, RestoreRecord } from '#pkg/model'

/** Refused calls by agent and verdict id, oldest out. WIRE.md rule 11. */
export type RestoreRecords = {
  /** Keeps a record; a record larger than the agent's whole share is not kept. */
  keep(agent: AgentKey, record: RestoreRecord): void
  /** What that agent got refused, as one request asks for it. */
  of(agent: AgentKey): AskedCalls
}

/** `taken`: the provider took the request; what it answers of a conversation is answered for good. */
export type AskedCalls = RefusedCalls & { taken(): void }

type Shelf = {
  bytes: number
  readonly records: Map<string, { readonly record: RestoreRecord; readonly bytes: number }>
  /** Answer id → its refused calls (a mark of each) and their last verdict, also of records that are gone; oldest out. */
  readonly answers: Map<string, Map<string, string>>
  /** Refused calls in `answers`. */
  calls: number
}

/** Answers with refused calls remembered for one agent, by their id alone. */
const MAX_ANSWERS = 4096
/** Refused calls of one answer (or conversation); of one with more all are lost. */
const MAX_CALLS = 256
/** Refused calls of all answers of one agent: some 2 MiB of marks. */
const MAX_CALLS_PER_AGENT = 16_384

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
    const shelf = shelves.get(agent) ?? { bytes: 0, records: new Map(), answers: new Map(), calls: 0 }
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
    of: (agent) => {
      const answered: string[] = []
      return {
        byVerdict: (verdictId) => shelves.get(agent)?.records.get(verdictId)?.record ?? null,
        inAnswer: (answerId) => inAnswer(shelves.get(agent), answerId),
        answering: (answerId) => {
          answered.push(answerId)
        },
        taken: () => {
          const shelf = shelves.get(agent)
          for (const answerId of answered) if (shelf !== undefined) forget(shelf, answerId)
        },
      }
    },
  }
}

/** An answer that is fetched again is judged again: each of its calls counts once, under its last verdict. */
function noteAnswer(shelf: Shelf, { answerId, verdictId, original }: RestoreRecord): void {
  if (answerId === null) return
  const calls = shelf.answers.get(answerId) ?? new Map<string, string>()
  shelf.answers.delete(answerId)
  shelf.answers.set(answerId, calls)
  const mark = createHash('sha256').update(original).digest('base64url')
  const before = calls.size
  calls.set(calls.size < MAX_CALLS ? mark : '', verdictId)
  shelf.calls += calls.size - before
  for (const oldest of shelf.answers.keys()) {
    if (shelf.answers.size <= MAX_ANSWERS && shelf.calls <= MAX_CALLS_PER_AGENT) break
    forget(shelf, oldest)
  }
}

function forget(shelf: Shelf, answerId: string): void {
  shelf.calls -= shelf.answers.get(answerId)?.size ?? 0
  shelf.answers.delete(answerId)
}

function inAnswer(shelf: Shelf | undefined, answerId: string): readonly RestoreRecord[] | 'lost' {
  const found: RestoreRecord[] = []
  const calls = shelf?.answers.get(answerId)
  if (calls?.has('')) return 'lost'
  for (const id of calls?.values() ?? []) {
    const record = shelf?.records.get(id)?.record
    if (record === undefined) return 'lost'
    found.push(record)
  }
  return found
}
