import { inFieldOrder, readVerdictQuery, type VerdictFilter } from '#pkg/faces/admin'
import type { VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { systemClock } from '#pkg/platform/clock'
import { whyNotRead } from '#pkg/platform/files'
import { silentLog } from '#pkg/platform/log'
import { auditFilesOf, readAuditFile } from '#pkg/systems/audit'

/** The files of verdicts in a data folder, oldest first; none where the folder cannot be listed. */
export function verdictFilesOf(dataDir: string): readonly string[] {
  try {
    return auditFilesOf(dataDir)
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
    try {
      for await (const event of readAuditFile(file, silentLog)) if (event.kind === 'verdict') yield inFieldOrder(event)
    } catch (cause) {
      throw new SallyportError('STATE_UNAVAILABLE', `${file}: cannot be read: ${whyNotRead(cause, file)}`, { cause })
    }
  }
}

function matches(record: VerdictRecord, filter: VerdictFilter): boolean {
  if (filter.agent !== undefined && record.agent !== filter.agent) return false
  if (filter.reason !== undefined && !record.reasons.includes(filter.reason)) return false
  return filter.sinceMs === undefined || Date.parse(record.time) >= filter.sinceMs
}
