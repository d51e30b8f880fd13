import { closeSync, fstatSync, ftruncateSync } from 'node:fs'
import { writeWhole } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import type { AuditDisk } from './ports.ts'
import type { VerdictFolder } from './verdict-folder.ts'

/** How a file ends and how many are kept. */
export type WriterOptions = {
  readonly maxFileBytes: number
  /** null = all. */
  readonly keepFiles: number | null
}

/** Half of what the face promises: the other half is the disk's. */
const SYNC_AFTER_MS = 100
const RETRY_AFTER_MS = 1_000
/** Written and cut off again to learn whether the disk takes more. A crash in between leaves a torn line, which is cut. */
const PROBE = Buffer.alloc(4_096, ' ')

/** Appends whole lines to the growing file. A line is in the file entirely or not at all. */
export class VerdictWriter {
  readonly #folder: VerdictFolder
  readonly #log: Log
  readonly #disk: AuditDisk
  readonly #options: WriterOptions
  #fd: number | null = null
  /** Length of the whole lines in the file; what stands behind it is a failed append. */
  #bytes = 0
  #healthy = true
  #syncTimer: NodeJS.Timeout | null = null
  #retryTimer: NodeJS.Timeout | null = null
  #syncing: number | null = null
  #closeAfterSync = false
  #unsynced = false
  #closed = false

  constructor(
    deps: { readonly folder: VerdictFolder; readonly log: Log; readonly disk: AuditDisk },
    options: WriterOptions,
  ) {
    this.#folder = deps.folder
    this.#log = deps.log
    this.#disk = deps.disk
    this.#options = options
    this.#open()
  }

  get healthy(): boolean {
    return this.#healthy
  }

  /** Length of the whole lines in the growing file. */
  get bytes(): number {
    return this.#bytes
  }

  /** Throws what the disk throws; the file is then as it was, or repaired before the next line. */
  append(line: Uint8Array): void {
    try {
      const fd = this.#ready()
      if (this.#bytes > 0 && this.#bytes + line.length > this.#options.maxFileBytes) this.#rotate(fd)
      writeWhole(this.#disk, this.#ready(), line)
    } catch (error) {
      this.#fail('append', error)
      throw error
    }
    this.#bytes += line.length
    this.#unsynced = true
    this.#recovered()
    this.#scheduleSync()
  }

  close(): void {
    this.#closed = true
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer)
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    const fd = this.#fd
    if (fd === null) return
    this.#fd = null
    try {
      if (this.#unsynced) this.#disk.syncNow(fd)
    } catch (error) {
      this.#log.error('verdicts-not-synced', { error })
    }
    this.#release(fd)
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
    if (this.#options.keepFiles !== null) this.#folder.prune(this.#options.keepFiles)
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
    this.#disk.sync(fd, (error) => {
      this.#syncing = null
      if (this.#closeAfterSync) closeSync(fd)
      this.#closeAfterSync = false
      if (error !== null) {
        this.#unsynced = true
        this.#fail('sync', error)
      } else if (this.#unsynced && this.#fd !== null) this.#scheduleSync()
    })
  }

  #fail(step: string, error: unknown): void {
    if (this.#healthy) this.#log.error('verdict-log-unavailable', { step, file: this.#folder.path, error })
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
    this.#log.info('verdict-log-recovered', { file: this.#folder.path })
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
