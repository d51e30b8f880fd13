import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync, readSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { keepPrivate, makeFolder, syncFolder } from '#pkg/platform/files'
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
    makeFolder(path)
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

/** The whole lines of a file, the last one first, without their line feeds. */
export function* linesBackOf(path: string): Generator<Buffer, void> {
  const fd = openSync(path, 'r')
  try {
    /** From the start of a line, or before it, to the line feed of the next one to tell. */
    let rest = Buffer.alloc(0)
    for (let from = wholeLinesOf(fd, fstatSync(fd).size); from > 0; ) {
      const start = Math.max(0, from - BLOCK_BYTES)
      rest = Buffer.concat([bytesAt(fd, start, from - start), rest])
      from = start
      let end = rest.length - 1
      for (let at = feedBefore(rest, end); at >= 0; at = feedBefore(rest, end)) {
        yield rest.subarray(at + 1, end)
        end = at
      }
      rest = rest.subarray(0, end + 1)
    }
    if (rest.length > 0) yield rest.subarray(0, -1)
  } finally {
    closeSync(fd)
  }
}

/** Where the last line feed before `end` is; -1 = there is none. */
function feedBefore(bytes: Buffer, end: number): number {
  return end === 0 ? -1 : bytes.lastIndexOf(LINE_FEED, end - 1)
}

/** Fewer where the file ends before. */
function bytesAt(fd: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let read = 0
  while (read < length) {
    const more = readSync(fd, bytes, read, length - read, start + read)
    if (more === 0) break
    read += more
  }
  return bytes.subarray(0, read)
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
