import { setFlagsFromString } from 'node:v8'
import { newPostgresGrammar, readSql, type SqlJob, type SqlReading } from '#pkg/path/firewall/sql'
import { serve } from '#pkg/platform/worker'

type Read = (text: string) => SqlReading

/** The entry script of the pool of checks: a thread of its own, which is ended when a job is late. */
let read: Read | null = null

/**
 * V8 would optimise the grammar in the background for the first ten thousand statements: seconds of both cores and
 * up to 600 MB, to win a third of 60 µs. So it is compiled once, plainly and whole. The flags count for a module from
 * its creation on; they are the process's, so they are set back for the modules of others.
 */
async function loadGrammar(): Promise<Read> {
  const flags = ['wasm-tier-up', 'wasm-dynamic-tiering', 'wasm-lazy-compilation']
  for (const flag of flags) setFlagsFromString(`--no-${flag}`)
  try {
    const { default: postgres } = await import('libpg-query')
    await postgres.loadModule()
    const grammar = newPostgresGrammar(postgres)
    return (text) => readSql(text, grammar)
  } finally {
    for (const flag of flags) setFlagsFromString(`--${flag}`)
  }
}

/** What is slow the first time in the reader itself. */
const WARM_UP = [
  `SELECT count(*), (SELECT 1) FROM t JOIN u USING (id) WHERE a = $1 AND b IN ('x', 'y') GROUP BY 1 ORDER BY 1 LIMIT 1`,
  'WITH w AS (INSERT INTO t VALUES (1) RETURNING id) SELECT * FROM w /* */',
  'DO $$ BEGIN PERFORM 1; END $$',
]

serve<SqlJob, SqlReading>({
  warm: async () => {
    read = await loadGrammar()
    for (let turn = 0; turn < 20; turn++) for (const text of WARM_UP) read(text)
  },
  handle: (job) => {
    if (read === null) throw new Error('a job came before the grammar was loaded')
    return read(job.text)
  },
})
