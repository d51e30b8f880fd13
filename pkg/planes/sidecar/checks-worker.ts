import postgres from 'libpg-query'
import { newPostgresGrammar, readSql, type SqlJob, type SqlReading } from '#pkg/path/firewall'
import { serve } from '#pkg/platform/worker'

// The entry script of the pool of checks: a thread of its own, which is ended when a job is late.
const grammar = newPostgresGrammar(postgres)

serve<SqlJob, SqlReading>({
  warm: async () => {
    await postgres.loadModule()
    // the first parse takes 12 ms, and the first of each kind of tree is slow too
    readSql('WITH w AS (SELECT count(*) FROM t WHERE a = $1) SELECT * FROM w ORDER BY 1', grammar)
    readSql('DO $$ BEGIN PERFORM 1; END $$', grammar)
  },
  handle: (job) => readSql(job.text, grammar),
})
