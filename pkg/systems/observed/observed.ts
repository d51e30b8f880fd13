import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, rfc3339 } from '#pkg/platform/clock'
import type { Log } from '#pkg/platform/log'
import type { Observed } from './contract.ts'
import { type CallNote, noteCall, noteRequest, type RequestNote } from './note.ts'

/** Takes notes. Neither call ever throws. */
export type Observations = {
  call(note: CallNote): void
  request(note: RequestNote): void
  /** Writes what is not written yet. */
  close(): void
}

/** Between two writes. */
const WRITE_MS = 2_000
/** A larger file is not written, and not read. */
const MAX_BYTES = 16 * 1024 * 1024
const PRIVATE = 0o600

/** Where the notes of a data folder are. */
export function observedFileOf(dataDir: string): string {
  return join(dataDir, 'observed.json')
}

/** Goes on with the notes of the folder, or begins. A file that cannot be read is begun anew, with a line in the log. */
export function openObserved(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  { dataDir, writeMs = WRITE_MS }: { readonly dataDir: string; readonly writeMs?: number },
): Observations {
  const file = observedFileOf(dataDir)
  const draft = `${file}.new`
  const observed = readObserved(dataDir) ?? { version: 1, agents: {} }
  let timer: NodeJS.Timeout | null = null
  let isNew = false

  const text = (): string | null => {
    const whole = JSON.stringify(observed)
    return whole.length > MAX_BYTES ? null : whole
  }
  const warn = (error: unknown): void =>
    log.warn('observed-unwritten', { message: error instanceof Error ? error.message : 'unknown' })
  const write = async (): Promise<void> => {
    isNew = false
    const whole = text()
    if (whole === null) return warn(new Error(`larger than ${MAX_BYTES} bytes`))
    try {
      await writeFile(draft, whole, { mode: PRIVATE })
      await rename(draft, file)
    } catch (error) {
      warn(error)
    }
  }
  const changed = (): void => {
    isNew = true
    timer ??= setTimeout(async () => {
      await write()
      timer = null
      if (isNew) changed()
    }, writeMs).unref()
  }
  return {
    call: (note) => {
      noteCall(observed, note, rfc3339(clock.nowMs()))
      changed()
    },
    request: (note) => {
      noteRequest(observed, note, rfc3339(clock.nowMs()))
      changed()
    },
    close: () => {
      if (timer !== null) clearTimeout(timer)
      const whole = isNew ? text() : null
      if (whole === null) return
      try {
        writeFileSync(`${draft}er`, whole, { mode: PRIVATE })
        renameSync(`${draft}er`, file)
      } catch (error) {
        warn(error)
      }
    },
  }
}

/** The notes of a data folder, or null where there are none that can be read. */
export function readObserved(dataDir: string): Observed | null {
  try {
    const text = readFileSync(observedFileOf(dataDir), 'utf8')
    const value: unknown = text.length > MAX_BYTES ? null : JSON.parse(text)
    const whole = typeof value === 'object' && value !== null && 'version' in value && value.version === 1
    return whole && 'agents' in value ? (value as Observed) : null // our own file, of this version
  } catch {
    return null
  }
}
