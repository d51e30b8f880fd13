import type { VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Log } from '#pkg/platform/log'
import { type AuditDisk, systemDisk } from './ports.ts'
import { readRecords, type Slice } from './read-records.ts'
import { VerdictFolder } from './verdict-folder.ts'
import { VerdictWriter } from './verdict-writer.ts'

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

/** What `audit` is given. `disk` is this machine's unless a test says otherwise. */
export type VerdictLogDeps = { readonly log: Log; readonly disk?: AuditDisk }

/** Everything but `dataDir` has a default. */
export type VerdictLogOptions = {
  readonly dataDir: string
  /** A file that would grow beyond it is rotated first. Default 64 MiB. */
  readonly maxFileBytes?: number
  /** Rotated files that are kept; the oldest beyond them are deleted, with a log line each. Default null: all. */
  readonly keepFiles?: number | null
  /** Records kept in memory for {@link VerdictLog.find} and short reads. Default 4,096. */
  readonly recentRecords?: number
}

/** The record of every verdict. */
export type VerdictLog = {
  /**
   * Written to the file before it returns, on the disk within 200 ms; then the followers are called.
   * @throws SallyportError STATE_UNAVAILABLE when it cannot be written: nothing of it is in the file then.
   */
  append(record: VerdictRecord): void
  /** The record of that id, or null: at once if it is recent, else by a search of the files, newest first. */
  find(id: string): VerdictRecord | null | Promise<VerdictRecord | null>
  /**
   * What was written before this call, oldest first, across restarts. With a {@link VerdictLog.follow} in the same
   * turn nothing is missed and nothing comes twice.
   */
  read(filter?: VerdictFilter): AsyncIterable<VerdictRecord>
  /** Every record from now on, in the turn of its append. Gives back what ends it. */
  follow(listener: (record: VerdictRecord) => void): () => void
  /** False from a failed write or sync until the disk takes a write again, which is tried each second. */
  readonly healthy: boolean
  /** Syncs and closes; a later append throws. */
  close(): void
}

const DEFAULT_MAX_FILE_BYTES = 64 * 1024 * 1024
const DEFAULT_RECENT_RECORDS = 4_096

/**
 * Opens `DIR/verdicts.jsonl`, and makes it if it is not there.
 * @throws SallyportError STATE_UNAVAILABLE when it cannot be opened or repaired.
 */
export function openVerdictLog(deps: VerdictLogDeps, options: VerdictLogOptions): VerdictLog {
  const { log } = deps
  const maxFileBytes = options.maxFileBytes ?? DEFAULT_MAX_FILE_BYTES
  const { folder, writer } = openFiles(deps, options, maxFileBytes)
  const recent = new RecentRecords(options.recentRecords ?? DEFAULT_RECENT_RECORDS)
  const listeners = new Set<(record: VerdictRecord) => void>()
  let closed = false
  const snapshot = (): readonly Slice[] => [
    ...folder.rotatedNumbers().map((number) => ({ number, bytes: null })),
    { number: folder.activeNumber, bytes: writer.bytes },
  ]

  return {
    append: (record) => {
      if (closed) throw new SallyportError('STATE_UNAVAILABLE', 'the verdict log is closed')
      try {
        writer.append(Buffer.from(`${JSON.stringify(record)}\n`))
      } catch (error) {
        throw unavailable(options.dataDir, error)
      }
      recent.add(record)
      for (const listener of listeners) tell(listener, record, log)
    },
    find: (id) => recent.find(id) ?? (isVerdictId(id) ? findOnDisk({ folder, log }, snapshot(), id) : null),
    read: (filter = {}) => {
      const limit = Math.min(filter.limit ?? Number.POSITIVE_INFINITY, MAX_READ_LIMIT)
      if (filter.after !== undefined) {
        const newer = recent.after(filter.after)?.filter((record) => matches(record, filter))
        const found = newer === undefined ? newerOnDisk({ folder, log }, snapshot(), filter) : replay(newer)
        return filter.limit === undefined ? found : lastOf(found, limit)
      }
      if (filter.limit === undefined) return matching({ folder, log }, snapshot(), filter)
      const known = recent.matching(filter)
      if (known.length >= limit) return replay(known.slice(known.length - limit))
      return lastOf(matching({ folder, log }, snapshot(), filter), limit)
    },
    follow: (listener) => {
      const own = (record: VerdictRecord): void => listener(record)
      listeners.add(own)
      return () => listeners.delete(own)
    },
    get healthy() {
      return !closed && writer.healthy
    },
    close: () => {
      if (!closed) writer.close()
      closed = true
      listeners.clear()
    },
  }
}

type Files = { readonly folder: VerdictFolder; readonly writer: VerdictWriter }
type Readable = { readonly folder: VerdictFolder; readonly log: Log }

function openFiles(deps: VerdictLogDeps, options: VerdictLogOptions, maxFileBytes: number): Files {
  try {
    const folder = new VerdictFolder(options.dataDir, deps.log)
    const parts = { folder, log: deps.log, disk: deps.disk ?? systemDisk }
    return { folder, writer: new VerdictWriter(parts, { maxFileBytes, keepFiles: options.keepFiles ?? null }) }
  } catch (error) {
    throw unavailable(options.dataDir, error)
  }
}

/** The newest records, which are always the tail of the history. */
class RecentRecords {
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

async function* matching(
  from: Readable,
  slices: readonly Slice[],
  filter: VerdictFilter,
): AsyncGenerator<VerdictRecord> {
  const hints = [filter.agent, filter.reason].filter((hint) => hint !== undefined)
  for (const slice of slices)
    for await (const record of readRecords(from.folder, slice, hints, from.log))
      if (matches(record, filter)) yield record
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

async function findOnDisk(from: Readable, slices: readonly Slice[], id: string): Promise<VerdictRecord | null> {
  for (const slice of slices.toReversed()) {
    const record = await findInSlice(from, slice, id)
    if (record !== null) return record
  }
  return null
}

async function findInSlice(from: Readable, slice: Slice, id: string): Promise<VerdictRecord | null> {
  for await (const record of readRecords(from.folder, slice, [id], from.log)) if (record.id === id) return record
  return null
}

async function* newerOnDisk(
  from: Readable,
  slices: readonly Slice[],
  filter: VerdictFilter,
): AsyncGenerator<VerdictRecord> {
  const id = filter.after ?? ''
  if (!isVerdictId(id)) return
  for (let at = slices.length - 1; at >= 0; at -= 1) {
    const slice = slices[at]
    if (slice === undefined || (await findInSlice(from, slice, id)) === null) continue
    let isPast = false
    for await (const record of readRecords(from.folder, slice, [], from.log)) {
      if (isPast && matches(record, filter)) yield record
      if (record.id === id) isPast = true
    }
    return yield* matching(from, slices.slice(at + 1), filter)
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

function tell(listener: (record: VerdictRecord) => void, record: VerdictRecord, log: Log): void {
  try {
    listener(record)
  } catch (error) {
    log.error('verdict-follower-failed', { error })
  }
}

function unavailable(dataDir: string, cause: unknown): SallyportError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new SallyportError(
    'STATE_UNAVAILABLE',
    `the verdict log in ${dataDir} cannot be written (${why}): make room, or give the right to write`,
    { fields: { dataDir }, cause },
  )
}
