import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditHead, EarlierFile, OpenEvent } from '#pkg/model'
import { auditFilesIn, linesBackOf } from './audit-folder.ts'
import { digestOf, linkOf, NO_LINE } from './chain.ts'

/** Where a log goes on that was left by another process. */
export type Beginning = {
  /** Of its last line; 0 = it has none. */
  readonly seq: number
  readonly prev: string
  /** null = a new one. */
  readonly stream: string | null
  readonly found: OpenEvent['found']
}

const BLOCK_BYTES = 1024 * 1024

/**
 * Reads the end of the log, back to the line of which the newest signed head speaks: that one has to be as it was. What stands
 * behind it nobody has signed; `verify` says whether it follows.
 */
export function beginningOf(dir: string, head: AuditHead | null): Beginning {
  const { own } = auditFilesIn(dir)
  let last: Buffer | null = null
  let asSigned = false
  for (const line of linesBackIn(dir, own)) {
    last ??= line
    if (head === null) break
    const seq = seqOf(line)
    if (seq === null || seq > head.seq) continue
    asSigned = seq === head.seq && digestOf(line) === head.hash
    break
  }
  if (last === null)
    return { seq: 0, prev: NO_LINE, stream: head?.stream ?? null, found: head === null ? 'Nothing' : 'Changed' }
  // a line that was made unreadable still counts: `verify` names it
  const seq = seqOf(last) ?? (head?.seq ?? 0) + 1
  const stream = head?.stream ?? streamIn(join(dir, own[0] ?? ''))
  if (head !== null) return { seq, prev: digestOf(last), stream, found: asSigned ? 'AsLeft' : 'Changed' }
  // the first head is written right behind the first line: a crash between the two is no loss
  return { seq, prev: digestOf(last), stream, found: seq === 1 ? 'AsLeft' : 'HeadLost' }
}

function* linesBackIn(dir: string, names: readonly string[]): Generator<Buffer, void> {
  for (const name of names.toReversed()) yield* linesBackOf(join(dir, name))
}

function seqOf(line: Buffer): number | null {
  return linkOf(parsed(line))?.seq ?? null
}

/** As the first line of a log names it. */
function streamIn(path: string): string | null {
  const fd = openSync(path, 'r')
  try {
    const block = Buffer.alloc(BLOCK_BYTES)
    const text = block.subarray(0, readSync(fd, block)).toString('utf8')
    const first = parsed(Buffer.from(text.slice(0, text.indexOf('\n'))))
    if (typeof first !== 'object' || first === null || !('stream' in first)) return null
    return typeof first.stream === 'string' ? first.stream : null
  } finally {
    closeSync(fd)
  }
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch {
    return null
  }
}

/** A file as it is now: its size and digest. */
export function earlierFile(dir: string, file: string): EarlierFile {
  const digest = createHash('sha256')
  const block = Buffer.alloc(BLOCK_BYTES)
  const fd = openSync(join(dir, file), 'r')
  let bytes = 0
  try {
    for (let read = readSync(fd, block); read > 0; read = readSync(fd, block)) {
      digest.update(block.subarray(0, read))
      bytes += read
    }
  } finally {
    closeSync(fd)
  }
  return { file, bytes, sha256: digest.digest('hex') }
}
