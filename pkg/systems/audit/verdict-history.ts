import type { VerdictRecord } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import { readVerdicts, type Slice } from './read-events.ts'

/** Which records a reader wants. An absent member excludes nothing. */
export type VerdictFilter = {
  /** `namespace/name`. */
  readonly agent?: string
  /** One of the record's reasons. */
  readonly reason?: string
  /** Not before this moment, in milliseconds of wall time. */
  readonly sinceMs?: number
  /** The newest that many, still oldest first. At most {@link MAX_READ_LIMIT}. */
  readonly limit?: number
  /** Written after the record of that id, whatever its time says. An id that is not known has none after it. */
  readonly after?: string
}

/** A `limit` above it is taken as this. */
export const MAX_READ_LIMIT = 100_000

/** The newest records, which are always the tail of the history. */
export class RecentRecords {
  readonly #limit: number
  readonly #byId = new Map<string, VerdictRecord>()

  constructor(limit: number) {
    this.#limit = limit
  }

  add(record: VerdictRecord): void {
    this.#byId.set(record.id, record)
    if (this.#byId.size <= this.#limit) return
    const oldest = this.#byId.keys().next()
    if (!oldest.done) this.#byId.delete(oldest.value)
  }

  find(id: string): VerdictRecord | null {
    return this.#byId.get(id) ?? null
  }

  /** Those after the record of that id; undefined if it is not among them. */
  after(id: string): readonly VerdictRecord[] | undefined {
    if (!this.#byId.has(id)) return undefined
    const all = [...this.#byId.values()]
    return all.slice(all.findIndex((record) => record.id === id) + 1)
  }

  matching(filter: VerdictFilter): readonly VerdictRecord[] {
    return [...this.#byId.values()].filter((record) => matches(record, filter))
  }
}

/** The files of a log as they are now, and what is in memory of them. */
export type History = { readonly slices: () => readonly Slice[]; readonly recent: RecentRecords; readonly log: Log }

/** What a reader wants, oldest first. */
export function readHistory({ slices, recent, log }: History, filter: VerdictFilter): AsyncIterable<VerdictRecord> {
  const limit = Math.min(filter.limit ?? Number.POSITIVE_INFINITY, MAX_READ_LIMIT)
  if (filter.after !== undefined) {
    const newer = recent.after(filter.after)?.filter((record) => matches(record, filter))
    const found = newer === undefined ? newerOnDisk(slices(), filter, log) : replay(newer)
    return filter.limit === undefined ? found : lastOf(found, limit)
  }
  if (filter.limit === undefined) return matching(slices(), filter, log)
  const known = recent.matching(filter)
  if (known.length >= limit) return replay(known.slice(known.length - limit))
  return lastOf(matching(slices(), filter, log), limit)
}

/** The record of that id, or null: at once if it is recent, else by a search of the files, newest first. */
export function findInHistory({ slices, recent, log }: History, id: string) {
  return recent.find(id) ?? (isVerdictId(id) ? findOnDisk(slices(), id, log) : null)
}

async function* matching(slices: readonly Slice[], filter: VerdictFilter, log: Log): AsyncGenerator<VerdictRecord> {
  const hints = [filter.agent, filter.reason].filter((hint) => hint !== undefined)
  for (const slice of slices)
    for await (const record of readVerdicts(slice, hints, log)) if (matches(record, filter)) yield record
}

async function* replay(records: readonly VerdictRecord[]): AsyncGenerator<VerdictRecord> {
  yield* records
}

async function* lastOf(records: AsyncIterable<VerdictRecord>, limit: number): AsyncGenerator<VerdictRecord> {
  const last: VerdictRecord[] = []
  for await (const record of records) {
    last.push(record)
    if (last.length >= 2 * limit + 1_024) last.splice(0, last.length - limit)
  }
  yield* limit === 0 ? [] : last.slice(-limit)
}

async function findOnDisk(slices: readonly Slice[], id: string, log: Log): Promise<VerdictRecord | null> {
  for (const slice of slices.toReversed()) {
    const record = await findInSlice(slice, id, log)
    if (record !== null) return record
  }
  return null
}

async function findInSlice(slice: Slice, id: string, log: Log): Promise<VerdictRecord | null> {
  for await (const record of readVerdicts(slice, [id], log)) if (record.id === id) return record
  return null
}

async function* newerOnDisk(slices: readonly Slice[], filter: VerdictFilter, log: Log): AsyncGenerator<VerdictRecord> {
  const id = filter.after ?? ''
  if (!isVerdictId(id)) return
  for (let at = slices.length - 1; at >= 0; at -= 1) {
    const slice = slices[at]
    if (slice === undefined || (await findInSlice(slice, id, log)) === null) continue
    let isPast = false
    for await (const record of readVerdicts(slice, [], log)) {
      if (isPast && matches(record, filter)) yield record
      if (record.id === id) isPast = true
    }
    return yield* matching(slices.slice(at + 1), filter, log)
  }
}

function matches(record: VerdictRecord, filter: VerdictFilter): boolean {
  if (filter.agent !== undefined && record.agent !== filter.agent) return false
  if (filter.reason !== undefined && !record.reasons.some((reason) => reason === filter.reason)) return false
  return filter.sinceMs === undefined || Date.parse(record.time) >= filter.sinceMs
}

function isVerdictId(id: string): boolean {
  return /^v_[A-Za-z0-9]{1,64}$/.test(id)
}
