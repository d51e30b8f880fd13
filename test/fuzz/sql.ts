import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import postgres from 'libpg-query'
import { newPostgresGrammar, readSql, type SqlClass } from '#pkg/path/firewall'
import { newSqlFollower } from '../../pkg/path/firewall/sql/index.ts'
import type { Target } from './runner/target.ts'

const grammar = newPostgresGrammar(postgres)
const ORDER = ['sql.read', 'sql.write', 'sql.ddl', 'shell.exec', 'fs.read', 'fs.write', 'net.egress']

function follow(pieces: Iterable<string>): readonly SqlClass[] {
  const follower = newSqlFollower()
  const said: SqlClass[] = []
  for (const piece of pieces)
    for (let next = follower.push(piece); next !== null; next = follower.push('')) said.push(next)
  return said
}

/** A text is read or refused, nothing else; what is said while it streams is the same for each cut, and no more than the grammar says. */
export const target: Target = {
  name: 'sql',
  words: [
    'SELECT ',
    'DELETE FROM t',
    ' DROP TABLE t',
    'DO $$ BEGIN ',
    ' END $$',
    "EXECUTE 'drop table t'",
    'WITH a AS (',
    'RETURNING *',
    'COPY t TO PROGRAM ',
    'EXPLAIN ANALYZE ',
    'query_to_xml(',
    'lo_unlink(1)',
    "E'\\'",
    '/*!50000 ',
    '*/',
    '--',
    '#',
    '`',
    '$a$',
    'U&"',
    '; ',
    "''",
    '\u00a0',
    '\0',
  ],
  async run(bytes) {
    await postgres.loadModule()
    const text = isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : Buffer.from(bytes).toString('latin1')
    const said = follow([text])
    assert.deepEqual(follow(text.split('')), said)
    const reading = readSql(text, grammar)
    if (!reading.ok) return `${reading.reason} ${reading.detail.replace(/\d+/g, 'n')}`
    assert.ok(reading.statements >= 0 && reading.intents.length > 0)
    assert.deepEqual(
      ORDER.filter((intent) => reading.intents.some((found) => found === intent)),
      reading.intents,
    )
    for (const { intent, at } of said) {
      assert.ok(at > 0 && at < text.length)
      assert.ok(reading.intents.includes(intent), `${intent} was said of what is ${reading.intents.join()}`)
    }
    return `${reading.intents.join()} ${reading.bareExpression} ${reading.detail.replace(/\d+/g, 'n')}`
  },
}
