import type { Clock } from '#pkg/platform/clock'

/** What became of a job: its value, or why there is none. */
export type WorkerAnswer<Result> =
  | { readonly ok: true; readonly value: Result }
  | {
      readonly ok: false
      /**
       * `timeout`: late, its thread was ended. `failed`: its thread threw, exited or ran out of memory.
       * `overloaded`: too many waited, or it waited too long. `closed`: the pool was closed.
       */
      readonly why: 'timeout' | 'failed' | 'overloaded' | 'closed'
    }

/** A change of state, for log and metrics. Holds no content of a job; `error` is a class or an exit code. */
export type WorkerEvent =
  | { readonly kind: 'ready' }
  | { readonly kind: 'timeout'; readonly deadlineMs: number }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'start-failed'; readonly error: string }
  | { readonly kind: 'recycled'; readonly heapBytes: number }
  | { readonly kind: 'overloaded'; readonly waiting: number }

/** What a pool is given. */
export type WorkerDeps = { readonly clock: Clock; readonly onEvent?: (event: WorkerEvent) => void }

/** Everything but `entry` has a default. */
export type WorkerOptions = {
  /** The script that calls `serve`. */
  readonly entry: URL
  /** From the hand-over of a job to its answer. Default 50. */
  readonly deadlineMs?: number
  /** A thread whose heap grew by more than this since it was warm is replaced between two jobs. Default 64 MiB; at twice that even if no other is ready. */
  readonly heapBytes?: number
  /** Jobs that may wait; one more is `overloaded`. Default 1,024. */
  readonly maxWaiting?: number
  /** How long a job may wait for its turn, then it is `overloaded`. Default 1,000. */
  readonly waitMs?: number
  /** How long a thread may take until it is ready. Default 10,000. */
  readonly startMs?: number
  /** After 8 restarts at once, one per this long. Default 250. */
  readonly restartIntervalMs?: number
  /** Stack of a thread: what is nested deeper ends as `failed`. Default 16 MiB. */
  readonly stackBytes?: number
  /** A second thread stands warm beside the first. Without it, what comes after a lost thread waits for a new one. Default true. */
  readonly spare?: boolean
}

/** Counts since the pool was made, and what is now. */
export type WorkerStats = {
  readonly jobs: number
  readonly timeouts: number
  readonly failures: number
  readonly overloads: number
  readonly recycles: number
  readonly starts: number
  readonly waiting: number
  readonly ready: number
  /** Growth since it was warm, of the largest thread, as it said last. */
  readonly heapBytes: number
}

/** One working thread and a warm spare. */
export type WorkerPool<Job, Result> = {
  /** Never rejects. Jobs are done one at a time, in order. */
  run(job: Job): Promise<WorkerAnswer<Result>>
  /**
   * Settles once a thread is warm.
   * @throws SallyportError INTERNAL if none is within `startMs`, or the pool is closed.
   */
  ready(): Promise<void>
  /** Ends both threads; jobs that wait or run are answered `closed`. Idempotent. */
  close(): Promise<void>
  stats(): WorkerStats
}

/** The options with their defaults filled in. */
export type WorkerSettings = Required<WorkerOptions>

const MIB = 1024 * 1024

/** The defaults of {@link WorkerOptions}. */
export const WORKER_DEFAULTS: Omit<WorkerSettings, 'entry'> = {
  deadlineMs: 50,
  heapBytes: 64 * MIB,
  maxWaiting: 1_024,
  waitMs: 1_000,
  startMs: 10_000,
  restartIntervalMs: 250,
  stackBytes: 16 * MIB,
  spare: true,
}
