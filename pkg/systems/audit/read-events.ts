import { createReadStream, openSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditEvent, VerdictRecord } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import { auditFilesIn } from './audit-folder.ts'
import { MAX_LINE_BYTES } from './chain.ts'

/** The first `bytes` of a file, whose name is asked for when it is opened; null = all of it. */
export type Slice = { readonly file: () => string; readonly bytes: number | null }

const READ_BYTES = 64 * 1024
const LINE_FEED = 0x0a

/** The events of one slice, oldest first. `hints` are texts that every wanted line holds. */
export async function* readEvents(slice: Slice, hints: readonly string[], log: Log): AsyncGenerator<AuditEvent> {
  const needles = hints.map((hint) => Buffer.from(JSON.stringify(hint)))
  for await (const line of linesOf(slice, log)) {
    if (!needles.every((needle) => line.includes(needle))) continue
    const event = eventOf(line)
    if (event !== null) yield event
    else if (line.length > 0) log.warn('audit-line-unreadable', { file: slice.file(), bytes: line.length })
  }
}

/** The verdicts among them. */
export async function* readVerdicts(slice: Slice, hints: readonly string[], log: Log): AsyncGenerator<VerdictRecord> {
  for await (const event of readEvents(slice, hints, log)) if (event.kind === 'verdict') yield recordOf(event)
}

/** The files of a data folder that hold events, oldest first, those of older versions too. @throws what the file system throws. */
export function auditFilesOf(dataDir: string): readonly string[] {
  const { earlier, own } = auditFilesIn(dataDir)
  return [...earlier, ...own].map((name) => join(dataDir, name))
}

/**
 * Every event of one file, oldest first. It only reads: a process may be writing there. Lines that are no events (one that a
 * crash left torn) are told to the log and passed over.
 * @throws what the file system throws.
 */
export function readAuditFile(path: string, log: Log): AsyncGenerator<AuditEvent> {
  return readEvents({ file: () => path, bytes: null }, [], log)
}

/** Every event of a data folder, oldest first. As {@link readAuditFile}. */
export async function* readAuditEvents(dataDir: string, log: Log): AsyncGenerator<AuditEvent> {
  for (const path of auditFilesOf(dataDir)) yield* readAuditFile(path, log)
}

/**
 * The newest `count` events that are wanted, oldest first; older files are read only if the newer ones hold fewer. `hints`
 * are texts that each of them holds: other lines are not read as JSON.
 */
export async function lastAuditEvents(
  dataDir: string,
  {
    count,
    wanted,
    hints = [],
    log,
  }: {
    readonly count: number
    readonly wanted: (event: AuditEvent) => boolean
    readonly hints?: readonly string[]
    readonly log: Log
  },
): Promise<readonly AuditEvent[]> {
  let found: readonly AuditEvent[] = []
  for (const path of auditFilesOf(dataDir).toReversed()) {
    if (found.length >= count) break
    const here: AuditEvent[] = []
    for await (const event of readEvents({ file: () => path, bytes: null }, hints, log)) {
      if (wanted(event)) here.push(event)
      if (here.length >= 2 * count + 64) here.splice(0, here.length - count)
    }
    found = [...here, ...found].slice(-count)
  }
  return found
}

/** A record without what only the log says of it. */
function recordOf(event: Extract<AuditEvent, { readonly kind: 'verdict' }>): VerdictRecord {
  const { kind: _kind, ...record } = event
  return record
}

async function* linesOf(slice: Slice, log: Log): AsyncGenerator<Buffer> {
  if (slice.bytes === 0) return
  const fd = openSync(slice.file(), 'r')
  const end = slice.bytes === null ? {} : { end: slice.bytes - 1 }
  const stream: AsyncIterable<Buffer> = createReadStream('', { fd, start: 0, highWaterMark: READ_BYTES, ...end })
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of stream) {
    let start = 0
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
      const piece = chunk.subarray(start, at)
      if (restBytes <= MAX_LINE_BYTES) yield rest.length === 0 ? piece : Buffer.concat([...rest, piece])
      rest = []
      restBytes = 0
      start = at + 1
    }
    restBytes += chunk.length - start
    if (restBytes <= MAX_LINE_BYTES) rest.push(chunk.subarray(start))
    else if (rest.length > 0) {
      log.warn('audit-line-unreadable', { file: slice.file(), maxBytes: MAX_LINE_BYTES })
      rest = []
    }
  }
}

/** The event of a line, without its place in the chain; null = it is none. A line without a kind is an older verdict. */
export function eventOf(line: Buffer): AuditEvent | null {
  let value: unknown
  try {
    value = JSON.parse(line.toString('utf8'))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  if (!('id' in value) || typeof value.id !== 'string' || !('time' in value) || typeof value.time !== 'string')
    return null
  const { seq: _seq, prev: _prev, kind = 'verdict', ...event } = Object.fromEntries(Object.entries(value))
  if (kind === 'verdict' && !Array.isArray(event['reasons'])) return null
  return { kind, ...event } as AuditEvent // written by this log, which takes nothing else
}
