import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inFieldOrder, readVerdictQuery, type VerdictFilter } from '#pkg/faces/admin'
import type { VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { systemClock } from '#pkg/platform/clock'
import { whyNot } from '#pkg/platform/files'
import { linesOf } from './lines.ts'

/** As systems/audit names them: rotated ones keep their number, the last one grows. */
const ROTATED = /^verdicts-\d{6,12}\.jsonl$/
const GROWING = 'verdicts.jsonl'
/** No record of ours is that long. */
const MAX_LINE_CHARS = 1024 * 1024

/** The files of verdicts in a data folder, oldest first; none where the folder cannot be listed. */
export function verdictFilesOf(dataDir: string): readonly string[] {
  try {
    const names = readdirSync(dataDir)
    const numberOf = (name: string): number => Number(name.replace(/\D/g, ''))
    const rotated = names.filter((name) => ROTATED.test(name)).sort((a, b) => numberOf(a) - numberOf(b))
    return [...rotated, ...(names.includes(GROWING) ? [GROWING] : [])].map((name) => join(dataDir, name))
  } catch {
    return []
  }
}

/**
 * What the process would answer to `/v1/verdicts?QUERY`, from its files: oldest first. Only reads: a process may have just
 * begun to write. Lines that are no records (one that a crash left torn) are not told.
 * @throws SallyportError USAGE for the query, STATE_UNAVAILABLE for a file that cannot be read.
 */
export async function* readVerdicts(files: readonly string[], query: string): AsyncGenerator<VerdictRecord> {
  const { filter } = readVerdictQuery(query, systemClock.nowMs())
  const { limit } = filter
  const last: VerdictRecord[] = []
  for await (const record of recordsOf(files)) {
    if (!matches(record, filter)) continue
    if (limit === undefined) yield record
    else last.push(record)
    if (limit !== undefined && last.length >= 2 * limit) last.splice(0, last.length - limit)
  }
  if (limit !== undefined) yield* last.slice(-limit)
}

/** The verdict of that id, or null. */
export async function findVerdict(files: readonly string[], id: string): Promise<VerdictRecord | null> {
  for (const file of files.toReversed())
    for await (const record of recordsOf([file])) if (record.id === id) return record
  return null
}

async function* recordsOf(files: readonly string[]): AsyncGenerator<VerdictRecord> {
  for (const file of files) {
    const unreadable = (cause: unknown): SallyportError =>
      new SallyportError('STATE_UNAVAILABLE', `${file}: cannot be read: ${whyNot(cause, file)}`)
    try {
      const stream = createReadStream(file, 'utf8')
      for await (const { text } of linesOf(stream, MAX_LINE_CHARS, () => new Error('a line is too long'))) {
        const record = recordOf(text)
        if (record !== null) yield record
      }
    } catch (error) {
      throw unreadable(error)
    }
  }
}

function recordOf(line: string): VerdictRecord | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  if (!('id' in value) || typeof value.id !== 'string' || !('time' in value) || typeof value.time !== 'string')
    return null
  if (!('reasons' in value) || !Array.isArray(value.reasons)) return null
  return inFieldOrder(value as VerdictRecord) // our own audit log writes these files, and nobody else
}

function matches(record: VerdictRecord, filter: VerdictFilter): boolean {
  if (filter.agent !== undefined && record.agent !== filter.agent) return false
  if (filter.reason !== undefined && !record.reasons.includes(filter.reason)) return false
  return filter.sinceMs === undefined || Date.parse(record.time) >= filter.sinceMs
}
