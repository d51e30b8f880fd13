import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'libpg-query'
import { functionEffect, HARMLESS_VOLATILE, textArguments } from './functions.ts'
import { newPostgresGrammar, readSql } from './index.ts'
import { ACTS, READS } from './vectors.fixture.ts'

let database: PGlite

before(async () => {
  database = await PGlite.create()
  await postgres.loadModule()
  await database.exec(`
    CREATE TABLE users (id int PRIMARY KEY, name text, note text, dept text, salary int);
    CREATE TABLE t (id int PRIMARY KEY, a int, x int); CREATE TABLE u (id int, a int); CREATE TABLE v (id int);
    CREATE TABLE docs (data jsonb, arr int[], ts timestamptz); CREATE SEQUENCE s;
    INSERT INTO t VALUES (1, 1, 1); INSERT INTO u VALUES (1, 1); INSERT INTO users VALUES (1, 'a', 'b', 'c', 1)`)
})
after(() => database.close())

test('[INTENT-SQL-14] every volatile function of the server is in a table: it acts, or it is known to be harmless', async () => {
  const { rows } = await database.query<{ name: string }>(`
    SELECT DISTINCT proname AS name FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v' AND prokind = 'f'
      AND NOT EXISTS (SELECT FROM unnest(proargtypes::oid[]) arg WHERE arg = 'internal'::regtype)
      AND prorettype NOT IN ('trigger'::regtype, 'language_handler'::regtype, 'internal'::regtype, 'bool'::regtype) IS NOT FALSE
      AND proname NOT IN ('amvalidate', 'plpgsql_validator')
    ORDER BY 1`)
  assert.ok(rows.length > 150, `${rows.length} functions`)
  const missing = rows
    .map(({ name }) => name.toLowerCase())
    .filter((name) => functionEffect('', name) === null && textArguments(name) === null && !HARMLESS_VOLATILE.has(name))
  assert.deepEqual(missing, [])
})

test('[INTENT-SQL-14] no function is in both tables', () => {
  for (const name of HARMLESS_VOLATILE) assert.equal(functionEffect('', name), null, name)
})

/** The code with which the server refuses a text in a transaction that may only read; null = it does not, or has other reasons. */
async function refusedAsWrite(sql: string): Promise<boolean> {
  try {
    await database.exec('BEGIN READ ONLY')
    await database.exec(sql)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === '25006'
  } finally {
    await database.exec('ROLLBACK')
  }
}

test('[INTENT-SQL-15] what the server refuses in a transaction that may only read is never a read alone', async () => {
  const grammar = newPostgresGrammar(postgres)
  const texts = [...READS, ...ACTS.map(({ sql }) => sql)].filter(
    (sql) => !/pg_sleep|^DO.*python|BEGIN;|COMMIT|\bBEGIN\b.*;/i.test(sql),
  )
  let refused = 0
  for (const sql of texts) {
    if (!(await refusedAsWrite(sql))) continue
    refused++
    const reading = readSql(sql, grammar)
    assert.ok(reading.ok && reading.intents.some((intent) => intent !== 'sql.read'), sql)
  }
  assert.ok(refused > 25, `${refused} refused`)
})
