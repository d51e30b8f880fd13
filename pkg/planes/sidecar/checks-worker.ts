import type { SqlJob, SqlReading } from '#pkg/path/firewall/sql'
import { serve } from '#pkg/platform/worker'
import { loadSqlReader } from './load-grammar.ts'

/** The entry script of the pool of checks: a thread of its own, which is ended when a job is late. */
let read: ((text: string) => SqlReading) | null = null

serve<SqlJob, SqlReading>({
  warm: async () => {
    read = await loadSqlReader()
  },
  handle: (job) => {
    if (read === null) throw new Error('a job came before the grammar was loaded')
    return read(job.text)
  },
})
