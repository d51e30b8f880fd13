import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readdirSync, readSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { keepPrivate, syncFolder } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'

/** The file that grows. */
export const GROWING_FILE = 'audit.jsonl'
const ROTATED = /^audit-(\d{6,12})\.jsonl$/
/** As an older version named them: verdicts alone, not chained. */
const EARLIER_ACTIVE = 'verdicts.jsonl'
const EARLIER_ROTATED = /^verdicts-(\d{6,12})\.jsonl$/
const BLOCK_BYTES = 64 * 1024
const LINE_FEED = 0x0a

/** The names of the log's files: `audit.jsonl` grows, `audit-000001.jsonl`, … keep their names for good. */
export class AuditFolder {
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
    return join(this.path, number >= this.#nextNumber ? GROWING_FILE : rotatedName(number))
  }

  /** Numbers of the rotated files, oldest first. */
  rotatedNumbers(): readonly number[] {
    return numbersOf(readdirSync(this.path), ROTATED)
  }

  /** Opens the growing file for appending, cuts a line that a crash left torn, and takes away bits that let others read it. */
  openActive(): { readonly fd: number; readonly bytes: number } {
    const file = join(this.path, GROWING_FILE)
    const fd = openSync(file, 'a+', 0o600)
    try {
      const loosened = keepPrivate(fd)
      if (loosened !== null) this.#log.warn('audit-mode-tightened', { file, from: loosened, to: '600' })
      const { size } = fstatSync(fd)
      const bytes = wholeLinesOf(fd, size)
      if (bytes < size) {
        ftruncateSync(fd, bytes)
        this.#log.warn('audit-torn-line-cut', { file, bytes: size - bytes })
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
    renameSync(join(this.path, GROWING_FILE), join(this.path, rotatedName(number)))
    this.#nextNumber = number + 1
    this.#log.info('audit-rotated', { file: rotatedName(number) })
  }
}

/** The files of a data folder that hold events, oldest first. `earlier`: what an older version wrote. */
export function auditFilesIn(dir: string): { readonly earlier: readonly string[]; readonly own: readonly string[] } {
  const names = readdirSync(dir)
  const filesOf = (rotated: RegExp, growing: string): readonly string[] => [
    ...names
      .filter((name) => rotated.test(name))
      .sort((left, right) => numberOf(left, rotated) - numberOf(right, rotated)),
    ...(names.includes(growing) ? [growing] : []),
  ]
  return { earlier: filesOf(EARLIER_ROTATED, EARLIER_ACTIVE), own: filesOf(ROTATED, GROWING_FILE) }
}

function numbersOf(names: readonly string[], rotated: RegExp): readonly number[] {
  return names
    .filter((name) => rotated.test(name))
    .map((name) => numberOf(name, rotated))
    .sort((left, right) => left - right)
}

function numberOf(name: string, rotated: RegExp): number {
  return Number(rotated.exec(name)?.[1])
}

/** The last line of a file that ends with one, without its line feed; null = it is empty. */
export function lastLineOf(path: string): Buffer | null {
  const fd = openSync(path, 'r')
  try {
    const end = wholeLinesOf(fd, fstatSync(fd).size)
    if (end === 0) return null
    const start = wholeLinesOf(fd, end - 1)
    const line = Buffer.alloc(end - 1 - start)
    for (let at = 0; at < line.length; ) {
      const read = readSync(fd, line, at, line.length - at, start + at)
      if (read === 0) break
      at += read
    }
    return line
  } finally {
    closeSync(fd)
  }
}

function rotatedName(number: number): string {
  return `audit-${String(number).padStart(6, '0')}.jsonl`
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
