import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { keepPrivate, syncFolder } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'

const ACTIVE = 'verdicts.jsonl'
const ROTATED = /^verdicts-(\d{6,12})\.jsonl$/
const BLOCK_BYTES = 64 * 1024
const LINE_FEED = 0x0a

/** The names of the log's files: `verdicts.jsonl` grows, `verdicts-000001.jsonl`, … keep their names for good. */
export class VerdictFolder {
  readonly path: string
  readonly #log: Log
  /** The number that the growing file gets when it is rotated. */
  #nextNumber: number

  constructor(path: string, log: Log) {
    this.path = path
    this.#log = log
    mkdirSync(path, { recursive: true, mode: 0o700 })
    this.#nextNumber = (this.rotatedNumbers().at(-1) ?? 0) + 1
  }

  /** The number that the growing file will carry; `fileOf` finds it under that number before and after. */
  get activeNumber(): number {
    return this.#nextNumber
  }

  /** Where the file of that number is now. */
  fileOf(number: number): string {
    return join(this.path, number >= this.#nextNumber ? ACTIVE : rotatedName(number))
  }

  /** Numbers of the rotated files, oldest first. */
  rotatedNumbers(): readonly number[] {
    const numbers: number[] = []
    for (const name of readdirSync(this.path)) {
      const number = ROTATED.exec(name)?.[1]
      if (number !== undefined) numbers.push(Number(number))
    }
    return numbers.sort((left, right) => left - right)
  }

  /** Opens the growing file for appending, cuts a line that a crash left torn, and takes away bits that let others read it. */
  openActive(): { readonly fd: number; readonly bytes: number } {
    const file = join(this.path, ACTIVE)
    const fd = openSync(file, 'a+', 0o600)
    try {
      const loosened = keepPrivate(fd)
      if (loosened !== null) this.#log.warn('verdicts-mode-tightened', { file, from: loosened, to: '600' })
      const { size } = fstatSync(fd)
      const bytes = wholeLinesOf(fd, size)
      if (bytes < size) {
        ftruncateSync(fd, bytes)
        this.#log.warn('verdicts-torn-line-cut', { file, bytes: size - bytes })
      }
      if (size === 0) syncFolder(this.path)
      return { fd, bytes }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Gives the growing file its lasting name. The next {@link openActive} begins a new one. */
  rotate(): void {
    const number = this.#nextNumber
    renameSync(join(this.path, ACTIVE), join(this.path, rotatedName(number)))
    this.#nextNumber = number + 1
    this.#log.info('verdicts-rotated', { file: rotatedName(number) })
  }

  /** Deletes the oldest rotated files beyond `keepFiles`, one log line for each. */
  prune(keepFiles: number): void {
    const numbers = this.rotatedNumbers()
    for (const number of numbers.slice(0, Math.max(0, numbers.length - keepFiles))) {
      const file = join(this.path, rotatedName(number))
      const bytes = statSync(file).size
      unlinkSync(file)
      this.#log.warn('verdicts-file-deleted', { file, bytes, keepFiles })
    }
  }
}

function rotatedName(number: number): string {
  return `verdicts-${String(number).padStart(6, '0')}.jsonl`
}

/** Length of the file up to its last line feed. */
function wholeLinesOf(fd: number, size: number): number {
  const block = Buffer.alloc(BLOCK_BYTES)
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES)
    const read = readSync(fd, block, 0, end - start, start)
    const at = block.subarray(0, read).lastIndexOf(LINE_FEED)
    if (at >= 0) return start + at + 1
    end = start
  }
  return 0
}
