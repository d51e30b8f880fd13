import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditEvent } from '#pkg/model'
import { auditFilesIn, GROWING_FILE } from './audit-folder.ts'
import { MAX_LINE_BYTES } from './chain.ts'
import { eventOf } from './read-events.ts'

const POLL_MS = 200
const READ_BYTES = 64 * 1024
const LINE_FEED = 0x0a

/**
 * Every event that is written from now on to the log of a data folder, by whatever process, across rotation, until `signal`
 * aborts. A log that is not there yet is waited for. Lines that are no events are passed over.
 */
export async function* followAuditFile(dataDir: string, signal: AbortSignal): AsyncGenerator<AuditEvent> {
  const path = join(dataDir, GROWING_FILE)
  let file = await opened(path)
  let at = file === null ? 0 : (await file.stat()).size
  let rest: Buffer[] = []
  /** The line that is being read is too long to be an event. */
  let isLong = false
  const block = Buffer.alloc(READ_BYTES)
  try {
    while (!signal.aborted) {
      const bytesRead = file === null ? 0 : (await file.read(block, 0, READ_BYTES, at)).bytesRead
      if (bytesRead === 0) {
        const next = await followerOf(dataDir, file)
        if (next === null) await pause(signal)
        else if (file !== null && (await file.stat()).size > at)
          await next.close() // written between the last look and the rotation
        else {
          await file?.close()
          file = next
          at = 0
          rest = []
          isLong = false
        }
        continue
      }
      at += bytesRead
      const lines = linesOf([...rest, Buffer.from(block.subarray(0, bytesRead))])
      for (const [nth, line] of lines.whole.entries()) {
        const event = nth === 0 && isLong ? null : eventOf(line)
        if (event !== null) yield event
      }
      isLong = (isLong && lines.whole.length === 0) || (lines.rest[0]?.length ?? 0) > MAX_LINE_BYTES
      rest = isLong ? [] : lines.rest
    }
  } finally {
    await file?.close()
  }
}

/** The file behind the one that was read to its end, or the growing one where that is gone; null = there is none yet. */
async function followerOf(dataDir: string, file: FileHandle | null): Promise<FileHandle | null> {
  if (file === null) return await opened(join(dataDir, GROWING_FILE))
  const { ino, dev } = await file.stat()
  const growing = await isSame(join(dataDir, GROWING_FILE), { ino, dev })
  if (growing !== false) return null
  const { own } = auditFilesIn(dataDir)
  for (const [at, name] of own.entries())
    if (await isSame(join(dataDir, name), { ino, dev })) return await opened(join(dataDir, own[at + 1] ?? GROWING_FILE))
  return await opened(join(dataDir, GROWING_FILE))
}

/** Is it that file? null = nothing stands there. */
async function isSame(
  path: string,
  { ino, dev }: { readonly ino: number; readonly dev: number },
): Promise<boolean | null> {
  try {
    const found = await stat(path)
    return found.ino === ino && found.dev === dev
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

async function opened(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function linesOf(pieces: readonly Buffer[]): { readonly whole: readonly Buffer[]; readonly rest: Buffer[] } {
  const bytes = Buffer.concat(pieces)
  const whole: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
    whole.push(bytes.subarray(start, end))
    start = end + 1
  }
  return { whole, rest: start < bytes.length ? [bytes.subarray(start)] : [] }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, POLL_MS)
    signal.addEventListener('abort', done, { once: true })
  })
}
