import { closeSync, fstatSync, ftruncateSync } from 'node:fs'
import { writeWhole } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import type { AuditFolder } from './audit-folder.ts'
import type { Reach } from './head.ts'
import type { AuditDisk } from './ports.ts'

/** What a writer is given. */
export type WriterDeps = {
  readonly folder: AuditFolder
  readonly log: Log
  readonly disk: AuditDisk
  /** Told how far the log is on the disk. */
  readonly synced: (reach: Reach) => void
}

/** Half of what the face promises: the other half is the disk's. */
const SYNC_AFTER_MS = 100
const RETRY_AFTER_MS = 1_000
/** Written and cut off again to learn whether the disk takes more. A crash in between leaves a torn line, which is cut. */
const PROBE = Buffer.alloc(4_096, ' ')

/** Appends whole lines to the growing file. A line is in the file entirely or not at all. */
export class AuditWriter {
  readonly #folder: AuditFolder
  readonly #log: Log
  readonly #disk: AuditDisk
  readonly #maxFileBytes: number
  readonly #synced: (reach: Reach) => void
  #fd: number | null = null
  /** Length of the whole lines in the file; what stands behind it is a failed append. */
  #bytes = 0
  #healthy = true
  #reach: Reach | null = null
  #syncTimer: NodeJS.Timeout | null = null
  #retryTimer: NodeJS.Timeout | null = null
  #syncing: number | null = null
  #closeAfterSync = false
  #unsynced = false
  #closed = false

  constructor(deps: WriterDeps, maxFileBytes: number) {
    this.#folder = deps.folder
    this.#log = deps.log
    this.#disk = deps.disk
    this.#synced = deps.synced
    this.#maxFileBytes = maxFileBytes
    this.#open()
  }

  get healthy(): boolean {
    return this.#healthy
  }

  /** Length of the whole lines in the growing file. */
  get bytes(): number {
    return this.#bytes
  }

  /** Throws what the disk throws; the file is then as it was, or repaired before the next line. `reach`: the log with it. */
  append(line: Uint8Array, reach: Reach): void {
    try {
      const fd = this.#ready()
      if (this.#bytes > 0 && this.#bytes + line.length > this.#maxFileBytes) this.#rotate(fd)
      writeWhole(this.#disk, this.#ready(), line)
    } catch (error) {
      this.#fail('append', error)
      throw error
    }
    this.#bytes += line.length
    this.#reach = reach
    this.#unsynced = true
    this.#recovered()
    this.#scheduleSync()
  }

  /** Puts on the disk what was appended. Throws what the disk throws. */
  syncNow(): void {
    if (this.#fd !== null) this.#disk.syncNow(this.#fd)
    this.#unsynced = false
  }

  /** Syncs and closes; how far the log is then on the disk, or null when that is not known. */
  close(): Reach | null {
    this.#closed = true
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer)
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    const fd = this.#fd
    if (fd === null) return null
    this.#fd = null
    let reach = this.#reach
    try {
      this.#disk.syncNow(fd)
    } catch (error) {
      this.#log.error('audit-not-synced', { error })
      reach = null
    }
    this.#release(fd)
    return reach
  }

  #open(): number {
    const { fd, bytes } = this.#folder.openActive()
    this.#fd = fd
    this.#bytes = bytes
    return fd
  }

  /** An open file whose last byte is the end of a line. */
  #ready(): number {
    const fd = this.#fd ?? this.#open()
    if (!this.#healthy && fstatSync(fd).size > this.#bytes) ftruncateSync(fd, this.#bytes)
    return fd
  }

  #rotate(fd: number): void {
    if (this.#unsynced) this.#disk.syncNow(fd)
    this.#unsynced = false
    this.#folder.rotate()
    this.#fd = null
    this.#release(fd)
    this.#open()
  }

  /** A descriptor that is being synced in another thread is closed by its end. */
  #release(fd: number): void {
    if (this.#syncing === fd) this.#closeAfterSync = true
    else closeSync(fd)
  }

  #scheduleSync(): void {
    if (this.#syncTimer !== null || this.#syncing !== null) return
    this.#syncTimer = setTimeout(() => this.#sync(), SYNC_AFTER_MS)
    this.#syncTimer.unref()
  }

  #sync(): void {
    this.#syncTimer = null
    const fd = this.#fd
    if (fd === null || !this.#unsynced) return
    this.#syncing = fd
    this.#unsynced = false
    const reach = this.#reach
    this.#disk.sync(fd, (error) => {
      this.#syncing = null
      if (error === null && reach !== null && !this.#closed) this.#synced(reach)
      if (this.#closeAfterSync) closeSync(fd)
      this.#closeAfterSync = false
      if (error !== null) {
        this.#unsynced = true
        this.#fail('sync', error)
      } else if (this.#unsynced && this.#fd !== null) this.#scheduleSync()
    })
  }

  #fail(step: string, error: unknown): void {
    if (this.#healthy) this.#log.error('audit-log-unavailable', { step, file: this.#folder.path, error })
    this.#healthy = false
    if (this.#retryTimer !== null || this.#closed) return
    this.#retryTimer = setTimeout(() => this.#retry(), RETRY_AFTER_MS)
    this.#retryTimer.unref()
  }

  #recovered(): void {
    if (this.#healthy) return
    this.#healthy = true
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#retryTimer = null
    this.#log.info('audit-log-recovered', { file: this.#folder.path })
  }

  /** Nobody appends while traffic is refused, so the way back must not wait for an append. */
  #retry(): void {
    this.#retryTimer = null
    try {
      const fd = this.#ready()
      writeWhole(this.#disk, fd, PROBE)
      ftruncateSync(fd, this.#bytes)
      this.#disk.syncNow(fd)
      this.#unsynced = false
      this.#recovered()
    } catch (error) {
      this.#fail('retry', error)
    }
  }
}
