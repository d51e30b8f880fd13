import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { newSqlReader, type SqlJob, type SqlReading } from '#pkg/path/firewall'
import { systemClock } from '#pkg/platform/clock'
import { newWorkerPool, type WorkerOptions } from '#pkg/platform/worker'

const pools: { close(): Promise<void> }[] = []
after(() => Promise.all(pools.map((pool) => pool.close())))

function open(options: Partial<WorkerOptions> = {}) {
  const pool = newWorkerPool<SqlJob, SqlReading>(
    { clock: systemClock },
    { entry: new URL('./checks-worker.ts', import.meta.url), deadlineMs: 5_000, waitMs: 20_000, ...options },
  )
  pools.push(pool)
  return { pool, sql: newSqlReader(pool, { sqlBytes: 16 * 1024, sqlInlineBytes: 0 }) }
}

test('[INTENT-SQL-16] SQL is judged in the worker: reads, writes, what does not parse', async () => {
  const { sql } = open()
  const [read, write, unparsable] = await Promise.all([
    sql.read('SELECT 1 FROM t'),
    sql.read('WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a'),
    sql.read('please drop it'),
  ])
  assert.deepEqual(read.ok && read.intents, ['sql.read'])
  assert.deepEqual(write.ok && write.intents, ['sql.read', 'sql.write'])
  assert.equal(!unparsable.ok && unparsable.reason, 'INTENT_SQL_UNPARSABLE')
})

for (const [name, text] of [
  ['parentheses', `SELECT ${'('.repeat(8_000)}1${')'.repeat(8_000)}`],
  ['sums', `SELECT 1${'+1'.repeat(8_000)}`],
  ['negations', `SELECT ${'NOT '.repeat(4_000)}true`],
  ['arrays', `SELECT ${'ARRAY['.repeat(2_300)}1${']'.repeat(2_300)}`],
  ['subqueries', `${'SELECT ('.repeat(1_800)}1${')'.repeat(1_800)}`],
  ['unions', `SELECT 1${' UNION SELECT 1'.repeat(1_000)}`],
  ['CTEs', `${'WITH a AS ('.repeat(700)}SELECT 1${') SELECT 1'.repeat(700)}`],
  ['statements', 'SELECT 1;'.repeat(1_800)],
  ['comments', '/*'.repeat(8_000)],
  ['bodies', `DO $$ BEGIN ${'BEGIN '.repeat(900)}NULL; ${'END; '.repeat(900)}END $$`],
  [
    'texts in texts',
    `SELECT query_to_xml(${"'SELECT query_to_xml("}${"''''''''".repeat(1_500)}${")'"}, true, true, null)`,
  ],
] as const) {
  test(`[INTENT-SQL-16] 16 KiB of nested ${name} are answered, and the next text is judged`, async () => {
    const { sql } = open()
    assert.ok(Buffer.byteLength(text) <= 16 * 1024)
    const [deep, next] = await Promise.all([sql.read(text), sql.read('DROP TABLE t')])
    assert.ok(deep.ok || ['INTENT_SQL_UNPARSABLE', 'CHECK_FAILED'].includes(deep.reason), JSON.stringify(deep))
    assert.deepEqual(next.ok && next.intents, ['sql.ddl'])
  })
}
