import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import postgres from 'libpg-query'
import { DEFAULT_LIMITS, type Finding } from '#pkg/model'
import { newJsonScanner } from '#pkg/path/codec/wire/json'
import { ACTIVE, agent, grant, snapshot, view } from './firewall.fixture.ts'
import { newFirewall, newPostgresGrammar, readSql } from './index.ts'
import { newSqlFollower } from './sql/index.ts'
import { looksLikeSql } from './sql-looks.ts'

const grammar = newPostgresGrammar(postgres)
const firewall = newFirewall(
  { sql: { read: async (sql) => readSql(sql, grammar), follow: newSqlFollower }, newJson: newJsonScanner },
  DEFAULT_LIMITS,
)

before(() => postgres.loadModule())

async function judge(name: string, raw: string, size: number): Promise<Finding | null> {
  const rules = firewall.load(snapshot({ grants: [grant('search_docs'), grant('run_sql', { intents: ['sql.read'] })] }))
  const inspection = firewall.inspect(rules, { view: view(), agent, standing: ACTIVE })
  assert.deepEqual(inspection.callOpen('c', name, 'json'), [])
  for (let at = 0; at < raw.length; at += size) {
    const [first] = inspection.callDelta('c', raw.slice(at, at + size))
    if (first !== undefined) return first
  }
  return (await inspection.callClose('c'))[0] ?? null
}

const rows: readonly (readonly [tool: string, text: string, reason: string | null])[] = [
  ['run_sql', 'SELECT id FROM orders WHERE total > 5', null],
  ['run_sql', 'DROP TABLE customers', 'INTENT_SQL_DDL'],
  ['run_sql', 'select 1;/* x */drop\ttable customers', 'INTENT_SQL_DDL'],
  ['run_sql', 'WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x', 'INTENT_SQL_WRITE'],
  ['run_sql', 'EXPLAIN ANALYZE DELETE FROM t', 'INTENT_SQL_WRITE'],
  ['run_sql', 'how many orders are there', 'INTENT_SQL_UNPARSABLE'],
  ['search_docs', 'select a good subject line', null],
  ['search_docs', 'Create a table of contents for the docs; then drop me a line', null],
  ['search_docs', 'reset password', null],
  ['search_docs', 'show me', null],
  ['search_docs', 'update the docs and set the date', null],
  ['search_docs', '-- a list\nwith best regards', null],
  ['search_docs', 'SELECT 1', null],
  ['search_docs', 'SELECT * FROM customers; DROP TABLE customers', 'INTENT_SQL_DDL'],
  ['search_docs', '((select 1)) ; -- x ; y\n/* a /* b */ c */ delete from customers', 'INTENT_SQL_WRITE'],
  ['search_docs', "set a to ';--'; drop table customers", 'INTENT_SQL_DDL'],
  ['search_docs', "DO $$ BEGIN EXECUTE 'drop table x'; END $$", 'INTENT_SQL_DDL'],
]

for (const [tool, text, reason] of rows) {
  test(`[FW-08] by the grammar: ${tool} ${JSON.stringify(text)}`, async () => {
    const raw = JSON.stringify({ q: 'x', query: text })
    const whole = await judge(tool, raw, raw.length)
    assert.equal(whole?.reason ?? null, reason)
    for (const size of [1, 7]) assert.deepEqual(await judge(tool, raw, size), whole)
  })
}

/** Statements of every sort that counts; the grammar reads each. */
const STATEMENTS = [
  'select a from t',
  'table t',
  'values (1)',
  'with x as (select 1) select * from x',
  'insert into t values (1)',
  'update t set a = 1',
  'delete from t',
  'merge into t using s on true when matched then delete',
  'truncate t',
  'drop view v',
  'alter role r superuser',
  'create unlogged table t ()',
  'create or replace function f() returns int language sql as $$ select 1 $$',
  'grant all on t to r',
  'revoke all on t from r',
  "copy t from '/etc/passwd'",
  "copy (select 1) to program 'sh'",
  "do 'begin end'",
  'call p(1)',
  'prepare q as delete from t',
  'execute q (1)',
  'explain analyze delete from t',
  "comment on table t is 'x'",
  "security label on table t is 'x'",
  'reassign owned by a to b',
  'refresh materialized view v',
  'import foreign schema s from server x into y',
  'reindex table t',
  'cluster t using i',
  'lock table t in exclusive mode',
  'set role r',
  'set session authorization r',
  'declare c cursor for select a from t',
  "load 'x'",
]

for (const statement of STATEMENTS) {
  test(`[FW-08] the look at a text misses no statement: ${statement}`, () => {
    const spaced = statement.replace(' ', ' /* ; */ ')
    for (const text of [
      statement,
      statement.toUpperCase(),
      `\t\n${statement}`,
      spaced,
      `/* x */${statement}`,
      `-- x\n${statement}`,
      `-- x\r${statement}`,
      `begin;${statement}`,
      `set a to ';--' ; ${statement}`,
      `/* a /* b */ c */ -- d ; e\n ${statement}`,
    ]) {
      const reading = readSql(text, grammar)
      assert.ok(reading.ok, `${text}: ${JSON.stringify(reading)}`)
      assert.ok(looksLikeSql(text), text)
    }
  })
}
