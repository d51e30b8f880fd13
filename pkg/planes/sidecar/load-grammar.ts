import { setFlagsFromString } from 'node:v8'
import { newPostgresGrammar, readSql, type SqlReading } from '#pkg/path/firewall/sql'

/** What is slow the first time in the reader itself. */
const WARM_UP = [
  `SELECT count(*), (SELECT 1) FROM t JOIN u USING (id) WHERE a = $1 AND b IN ('x', 'y') GROUP BY 1 ORDER BY 1 LIMIT 1`,
  'WITH w AS (INSERT INTO t VALUES (1) RETURNING id) SELECT * FROM w /* */',
  'DO $$ BEGIN PERFORM 1; END $$',
]

/**
 * The SQL reader of this thread, with its grammar loaded and warm.
 *
 * V8 would optimise the grammar in the background for the first ten thousand statements: seconds of both cores and
 * up to 600 MB, to win a third of 60 µs. So it is compiled once, plainly and whole. The flags count for a module from
 * its creation on; they are the process's, so they are set back for the modules of others.
 */
export async function loadSqlReader(): Promise<(text: string) => SqlReading> {
  const flags = ['wasm-tier-up', 'wasm-dynamic-tiering', 'wasm-lazy-compilation']
  for (const flag of flags) setFlagsFromString(`--no-${flag}`)
  try {
    const { default: postgres } = await import('libpg-query')
    await postgres.loadModule()
    const grammar = newPostgresGrammar(postgres)
    const read = (text: string) => readSql(text, grammar)
    for (let turn = 0; turn < 20; turn++) for (const text of WARM_UP) read(text)
    return read
  } finally {
    for (const flag of flags) setFlagsFromString(`--${flag}`)
  }
}
