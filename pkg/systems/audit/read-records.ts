import { createReadStream, openSync } from 'node:fs'
import type { VerdictRecord } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import type { VerdictFolder } from './verdict-folder.ts'

/** The first `bytes` of the file of that number; null = all of it. */
export type Slice = { readonly number: number; readonly bytes: number | null }

const READ_BYTES = 64 * 1024
/** No record of ours is that long. */
const MAX_LINE_BYTES = 1024 * 1024
const LINE_FEED = 0x0a

/** The records of one slice, oldest first. `hints` are texts that every wanted line holds. */
export async function* readRecords(
  folder: VerdictFolder,
  slice: Slice,
  hints: readonly string[],
  log: Log,
): AsyncGenerator<VerdictRecord> {
  const needles = hints.map((hint) => Buffer.from(JSON.stringify(hint)))
  for await (const line of linesOf(folder, slice, log)) {
    if (!needles.every((needle) => line.includes(needle))) continue
    const record = recordOf(line)
    if (record !== null) yield record
    else if (line.length > 0)
      log.warn('verdict-line-unreadable', { file: folder.fileOf(slice.number), bytes: line.length })
  }
}

async function* linesOf(folder: VerdictFolder, slice: Slice, log: Log): AsyncGenerator<Buffer> {
  if (slice.bytes === 0) return
  let fd: number
  try {
    fd = openSync(folder.fileOf(slice.number), 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return // `keepFiles` was there first
    throw error
  }
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
      log.warn('verdict-line-unreadable', { file: folder.fileOf(slice.number), maxBytes: MAX_LINE_BYTES })
      rest = []
    }
  }
}

function recordOf(line: Buffer): VerdictRecord | null {
  let value: unknown
  try {
    value = JSON.parse(line.toString('utf8'))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  if (!('id' in value) || typeof value.id !== 'string' || !('time' in value) || typeof value.time !== 'string')
    return null
  if (!('reasons' in value) || !Array.isArray(value.reasons)) return null
  return value as VerdictRecord // written by `append`, which takes nothing else
}
