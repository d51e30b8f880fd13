import { closeSync } from 'node:fs'
import type { AgentKey } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type Disk, readPrivateText, replaceFileOpen, writeWhole } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import type { AgentRow } from './agent-row.ts'
import { decodeRow, encodeRow, HEADER, HEADERS, sealed, unsealed } from './row-codec.ts'

/** The rows on the disk, by agent. */
export type Rows = ReadonlyMap<AgentKey, AgentRow>

/** Appends rows to `state.jsonl`; anything doubtful is healed by writing the whole file anew. */
export class StateFile {
  readonly #path: string
  readonly #disk: Disk
  readonly #maxBytes: number
  #fd: number | null = null
  #bytes = 0
  #limitBytes = 0

  constructor(path: string, disk: Disk, maxBytes: number) {
    this.#path = path
    this.#disk = disk
    this.#maxBytes = maxBytes
  }

  /** True while the next {@link append} adds to a file that is known to be whole. */
  get appendable(): boolean {
    return this.#fd !== null && this.#bytes <= this.#limitBytes
  }

  /** Adds the rows in one write. {@link sync} makes them last. After a throw the file must be replaced. */
  append(rows: Iterable<AgentRow>): void {
    const fd = this.#fd
    if (fd === null) throw new Error('the state file is not open')
    const bytes = Buffer.from([...rows].map(encodeRow).join(''))
    try {
      writeWhole(this.#disk, fd, bytes)
      this.#bytes += bytes.length
    } catch (error) {
      this.close()
      throw error
    }
  }

  sync(): void {
    const fd = this.#fd
    if (fd === null) throw new Error('the state file is not open')
    try {
      this.#disk.sync(fd)
    } catch (error) {
      this.close() // what a failed sync left on the disk, nobody can tell
      throw error
    }
  }

  /** Puts these rows in the place of the file, durably, or leaves the old file: never something between. */
  replace(rows: Iterable<AgentRow>): void {
    const bytes = Buffer.from(sealed(HEADER) + [...rows].map(encodeRow).join(''))
    let fd: number
    try {
      fd = replaceFileOpen(this.#path, bytes, this.#disk)
    } catch (error) {
      this.close() // perhaps the name already points to the new file
      throw error
    }
    this.close()
    this.#fd = fd
    this.#bytes = bytes.length
    this.#limitBytes = Math.max(this.#maxBytes, 2 * bytes.length)
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }
}

/**
 * The rows of a state file; none when there is no such file. A last line without its end was never acknowledged and
 * is left out; everything else that is not as it was written refuses.
 * @throws SallyportError STATE_UNAVAILABLE
 */
export function readRows(path: string, log: Log): Rows {
  const text = readPrivately(path, log)
  if (text === null) return new Map()
  const lines = text.split('\n')
  const torn = lines.pop() ?? ''
  if (torn !== '') log.warn('state-torn-line-cut', { file: path, bytes: Buffer.byteLength(torn) })
  checkHeader(path, lines[0])
  const rows = new Map<AgentKey, AgentRow>()
  for (const [at, line] of lines.entries()) {
    if (at === 0) continue
    const body = unsealed(line)
    const row = body === null ? null : decodeRow(body)
    if (row === null) throw corrupt(path, at + 1, 'the line is not as it was written')
    if (row.epoch < (rows.get(row.agent)?.epoch ?? 0)) throw corrupt(path, at + 1, 'the epoch of an agent falls')
    rows.set(row.agent, row)
  }
  return rows
}

function checkHeader(path: string, line: string | undefined): void {
  const body = line === undefined ? null : unsealed(line)
  if (body !== null && HEADERS.includes(body)) return
  if (body?.startsWith('{"sallyport":"state"'))
    throw new SallyportError('STATE_UNAVAILABLE', `${path}:1: the file was written by another version: ${body}`, {
      fields: { file: path, line: 1 },
    })
  throw corrupt(path, 1, 'the file does not begin as a state file')
}

function readPrivately(path: string, log: Log): string | null {
  const read = readPrivateText(path)
  if (read !== null && read.loosened !== null)
    log.warn('state-mode-tightened', { file: path, from: read.loosened, to: '600' })
  return read === null ? null : read.text
}

function corrupt(path: string, line: number, what: string): SallyportError {
  return new SallyportError(
    'STATE_UNAVAILABLE',
    `${path}:${line}: ${what}. It holds which agents are quarantined, so Sallyport does not start without it: put back a copy; ` +
      'or, if every agent may act again, move it away and set `state: Quarantined` in the Agent files of those that may not',
    { fields: { file: path, line } },
  )
}
