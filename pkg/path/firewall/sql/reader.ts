import type { SqlReader, SqlReading } from '../ports.ts'
import { newSqlFollower } from './follow.ts'

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

/**
 * The reader for the main thread: whole texts go to the worker, a text that streams is followed here.
 * @param limits.sqlBytes  UTF-8 bytes of one text; one more is INTENT_SQL_TOO_LARGE and reaches no worker
 */
export function newSqlReader(workers: SqlWorkers, limits: { readonly sqlBytes: number }): SqlReader {
  return {
    async read(sql) {
      const bytes = sql.length > limits.sqlBytes ? sql.length : Buffer.byteLength(sql)
      if (bytes > limits.sqlBytes)
        return {
          ok: false,
          reason: 'INTENT_SQL_TOO_LARGE',
          detail: `the SQL is larger than the limit of ${limits.sqlBytes} bytes`,
        }
      const answer = await workers.run({ kind: 'sql', text: sql })
      if (answer.ok) return answer.value
      return { ok: false, reason: REASON_OF[answer.why], detail: `the SQL could not be judged: ${answer.why}` }
    },
    follow: newSqlFollower,
  }
}
