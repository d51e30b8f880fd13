import { join } from 'node:path'
import type { AuditEvent, AuditSink, NewAuditEvent, VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { whyNot } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import { newNames, type RandomBytes } from '#pkg/platform/random'
import { AuditFolder, auditFilesIn } from './audit-folder.ts'
import { AuditWriter } from './audit-writer.ts'
import { type Beginning, beginningOf, earlierFile } from './beginning.ts'
import { digestOf, lineOf } from './chain.ts'
import { HeadFile, type Reach } from './head.ts'
import { type AuditDisk, systemDisk } from './ports.ts'
import type { Slice } from './read-events.ts'
import { findInHistory, RecentRecords, readHistory, type VerdictFilter } from './verdict-history.ts'

/** What `audit` is given. `disk` is this machine's unless a test says otherwise. */
export type AuditLogDeps = {
  readonly log: Log
  readonly clock: { nowMs(): number }
  readonly random: RandomBytes
  readonly disk?: AuditDisk
}

/** Everything but `dataDir` has a default. */
export type AuditLogOptions = {
  readonly dataDir: string
  /** A file that would grow beyond it is rotated first. Default 64 MiB. */
  readonly maxFileBytes?: number
  /** Verdicts kept in memory for {@link VerdictLog.find} and short reads. Default 4,096. */
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
}

/** One hash chain over verdicts and every other event, as they come. */
export type AuditLog = AuditSink & {
  readonly verdicts: VerdictLog
  /** Every event from now on, verdicts too, in the turn in which it was written. Gives back what ends it. */
  follow(listener: (event: AuditEvent) => void): () => void
  /** Names the chain. */
  readonly stream: string
  /** Syncs, signs the last head and closes; a later append throws. */
  close(): void
}

const DEFAULT_MAX_FILE_BYTES = 64 * 1024 * 1024
const DEFAULT_RECENT_RECORDS = 4_096

/**
 * Opens `DIR/audit.jsonl`, and makes it if it is not there. What it finds changed or gone since the last signed head goes on
 * record, and into the log as an error: what follows is chained to what is there.
 * @throws SallyportError STATE_UNAVAILABLE when it cannot be opened, repaired or written, or its key is gone.
 */
export function openAuditLog(deps: AuditLogDeps, options: AuditLogOptions): AuditLog {
  try {
    return new FolderAuditLog(deps, options)
  } catch (error) {
    throw error instanceof SallyportError ? error : unavailable(options.dataDir, error)
  }
}

class FolderAuditLog implements AuditLog {
  readonly stream: string
  readonly verdicts: VerdictLog
  readonly #deps: AuditLogDeps
  readonly #dataDir: string
  readonly #folder: AuditFolder
  readonly #writer: AuditWriter
  readonly #head: HeadFile
  readonly #newId: () => string
  readonly #earlier: readonly string[]
  readonly #recent: RecentRecords
  readonly #followers = new Set<(event: AuditEvent) => void>()
  readonly #verdictFollowers = new Set<(record: VerdictRecord) => void>()
  #seq: number
  #prev: string
  #closed = false

  constructor(deps: AuditLogDeps, { dataDir, maxFileBytes, recentRecords }: AuditLogOptions) {
    const { log, clock, random, disk = systemDisk } = deps
    this.#deps = deps
    this.#dataDir = dataDir
    this.#newId = newNames(random, { prefix: 'e_', length: 14 })
    this.#recent = new RecentRecords(recentRecords ?? DEFAULT_RECENT_RECORDS)
    this.#folder = new AuditFolder(dataDir, log)
    this.#earlier = auditFilesIn(dataDir).earlier
    this.#head = new HeadFile(dataDir, { log, nowMs: () => clock.nowMs() })
    const synced = (reach: Reach): void => this.#head.reached(reach)
    this.#writer = new AuditWriter({ folder: this.#folder, log, disk, synced }, maxFileBytes ?? DEFAULT_MAX_FILE_BYTES)
    const begun = beginningOf(dataDir, this.#head.found)
    this.#seq = begun.seq
    this.#prev = begun.prev
    this.stream = begun.stream ?? newNames(random, { prefix: 'a_', length: 14 })()
    this.verdicts = this.#verdictLog()
    try {
      this.#open(begun)
    } catch (error) {
      this.#writer.close()
      throw error
    }
  }

  record(event: NewAuditEvent): string {
    const id = this.#newId()
    this.#append({ ...event, id, time: new Date(this.#deps.clock.nowMs()).toISOString() } as AuditEvent) // the two were missing
    return id
  }

  follow(listener: (event: AuditEvent) => void): () => void {
    const own = (event: AuditEvent): void => listener(event)
    this.#followers.add(own)
    return () => this.#followers.delete(own)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#followers.clear()
    this.#verdictFollowers.clear()
    const reach = this.#writer.close()
    try {
      if (reach !== null) this.#head.close(reach)
    } catch (error) {
      this.#deps.log.error('audit-head-unwritten', { error })
    }
  }

  /** The first event of this process; the head behind it is on the disk before anything else is. */
  #open({ seq, found }: Beginning): void {
    const { clock, log } = this.#deps
    const head = found === 'Changed' ? this.#head.found : null
    if (found === 'Changed' || found === 'HeadLost')
      log.error('audit-log-changed', { found, seq, headSeq: head?.seq ?? null, do: 'sallyctl audit verify' })
    const earlier = seq === 0 ? this.#earlier.map((name) => earlierFile(this.#dataDir, name)) : []
    const { stream } = this
    const key = this.#head.fingerprint
    const time = new Date(clock.nowMs()).toISOString()
    this.#append({ kind: 'open', id: this.#newId(), time, stream, key, earlier, found, head })
    this.#writer.syncNow()
    this.#head.writeNow({ stream, seq: this.#seq, hash: this.#prev })
  }

  #append(event: AuditEvent): void {
    if (this.#closed) throw new SallyportError('STATE_UNAVAILABLE', 'the audit log is closed')
    const seq = this.#seq + 1
    const line = Buffer.from(`${lineOf({ seq, prev: this.#prev }, event)}\n`)
    const hash = digestOf(line.subarray(0, -1))
    try {
      this.#writer.append(line, { stream: this.stream, seq, hash })
    } catch (error) {
      throw unavailable(this.#dataDir, error)
    }
    this.#seq = seq
    this.#prev = hash
    for (const listener of this.#followers) tell(listener, event, this.#deps.log)
  }

  #verdictLog(): VerdictLog {
    const { log } = this.#deps
    const recent = this.#recent
    const writer = this.#writer
    const isOpen = (): boolean => !this.#closed
    return {
      append: (record) => {
        this.#append({ kind: 'verdict', ...record })
        recent.add(record)
        for (const listener of this.#verdictFollowers) tell(listener, record, log)
      },
      find: (id) => findInHistory({ slices: () => this.#slices(), recent, log }, id),
      read: (filter = {}) => readHistory({ slices: () => this.#slices(), recent, log }, filter),
      follow: (listener) => {
        const own = (record: VerdictRecord): void => listener(record)
        this.#verdictFollowers.add(own)
        return () => this.#verdictFollowers.delete(own)
      },
      get healthy() {
        return isOpen() && writer.healthy
      },
    }
  }

  /** What is written by now. */
  #slices(): readonly Slice[] {
    const { activeNumber } = this.#folder
    return [
      ...this.#earlier.map((name) => ({ file: () => join(this.#dataDir, name), bytes: null })),
      ...this.#folder.rotatedNumbers().map((number) => ({ file: () => this.#folder.fileOf(number), bytes: null })),
      { file: () => this.#folder.fileOf(activeNumber), bytes: this.#writer.bytes },
    ]
  }
}

function tell<E>(listener: (event: E) => void, event: E, log: Log): void {
  try {
    listener(event)
  } catch (error) {
    log.error('audit-follower-failed', { error })
  }
}

function unavailable(dataDir: string, cause: unknown): SallyportError {
  const file = join(dataDir, 'audit.jsonl')
  return new SallyportError('STATE_UNAVAILABLE', `the audit log ${file} cannot be written: ${whyNot(cause, file)}`, {
    fields: { dataDir },
    cause,
  })
}
