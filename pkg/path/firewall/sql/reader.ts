import type { SqlReader, SqlReading } from '../ports.ts'
import { newSqlFollower } from './follow.ts'
import { KnownReadings } from './known-readings.ts'

/** What the worker is asked for. */
export type SqlJob = { readonly kind: 'sql'; readonly text: string }

/** The pool whose worker answers a {@link SqlJob} by `readSql`. `#pkg/platform/worker` has it. */
export type SqlWorkers = {
  run(
    job: SqlJob,
  ): Promise<
    | { readonly ok: true; readonly value: SqlReading }
    | { readonly ok: false; readonly why: 'timeout' | 'failed' | 'overloaded' | 'closed' }
  >
}

const REASON_OF = {
  timeout: 'CHECK_TIMEOUT',
  overloaded: 'CHECK_TIMEOUT',
  failed: 'CHECK_FAILED',
  closed: 'CHECK_FAILED',
} as const

/** Reads a small text at once, on this thread. Null: the grammar is not here yet. */
export type SqlInline = () => ((text: string) => SqlReading) | null

/**
 * The reader for the main thread: a text that streams is followed here, a small one is read here once the grammar is
 * loaded, every other goes to the worker. A small text takes a few tenths of a millisecond, which is less than the way
 * to a thread and back. What was read before is not read again. A grammar that throws is not asked again: its memory can no longer be trusted.
 * @param limits.sqlBytes  UTF-8 bytes of one text; one more is INTENT_SQL_TOO_LARGE and reaches no grammar
 */
export function newSqlReader(
  workers: SqlWorkers,
  limits: { readonly sqlBytes: number; readonly sqlInlineBytes: number },
  inline: SqlInline = () => null,
): SqlReader {
  let broken = false
  const known = new KnownReadings()
  const kept = (sql: string, reading: SqlReading): SqlReading => {
    known.keep(sql, reading)
    return reading
  }
  const readHere = (sql: string): SqlReading | null => {
    const read = broken ? null : inline()
    if (read === null) return null
    try {
      return kept(sql, read(sql))
    } catch {
      broken = true
      return null
    }
  }
  const readThere = async (sql: string): Promise<SqlReading> => {
    const answer = await workers.run({ kind: 'sql', text: sql })
    if (answer.ok) return kept(sql, answer.value)
    return { ok: false, reason: REASON_OF[answer.why], detail: `the SQL could not be judged: ${answer.why}` }
  }
  return {
    async read(sql) {
      const bytes = sql.length > limits.sqlBytes ? sql.length : Buffer.byteLength(sql)
      if (bytes > limits.sqlBytes)
        return {
          ok: false,
          reason: 'INTENT_SQL_TOO_LARGE',
          detail: `the SQL is larger than the limit of ${limits.sqlBytes} bytes`,
        }
      const before = known.get(sql)
      if (before !== undefined) return before
      return (bytes <= limits.sqlInlineBytes ? readHere(sql) : null) ?? (await readThere(sql))
    },
    follow: newSqlFollower,
  }
}
