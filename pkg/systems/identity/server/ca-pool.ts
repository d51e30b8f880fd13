import { SallyportError } from '#pkg/model/errors'
import type { Clock } from '#pkg/platform/clock'
import type { Log } from '#pkg/platform/log'
import { newWorkerPool, type WorkerPool } from '#pkg/platform/worker'
import type { CaJob, CaResult, CaWorker } from './contract.ts'

/** Two RSA keys on a busy machine. */
const DEADLINE_MS = 20_000

/** A thread of its own for the CA; it starts with the first job. */
export function newCaPool(deps: { readonly clock: Clock; readonly log: Log }): CaWorker {
  let pool: WorkerPool<CaJob, CaResult> | null = null
  const start = (): WorkerPool<CaJob, CaResult> =>
    newWorkerPool<CaJob, CaResult>(
      {
        clock: deps.clock,
        onEvent: (event) => deps.log[event.kind === 'ready' ? 'debug' : 'warn']('ca-worker', { ...event }),
      },
      {
        entry: new URL('./ca-worker.ts', import.meta.url),
        deadlineMs: DEADLINE_MS,
        waitMs: DEADLINE_MS,
        spare: false,
      },
    )
  return {
    run: async (job) => {
      pool ??= start()
      const answer = await pool.run(job)
      if (answer.ok) return answer.value
      throw new SallyportError('OVERLOADED', `the CA could not do its work (${answer.why}); it is tried again`)
    },
    close: async () => await pool?.close(),
  }
}
