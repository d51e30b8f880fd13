import { SallyportError } from '#pkg/model/errors'
import type { Clock } from '#pkg/platform/clock'
import type { FromWorker } from './protocol.ts'
import { newRestartPace, type RestartPace } from './restart-pace.ts'
import { Slot } from './slot.ts'

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
  /** A thread that says that its heap is larger is replaced between two jobs. Default 64 MiB; at twice that even if no other is ready. */
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
  /** Of the largest thread, as it said last. */
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

type Settings = Required<WorkerOptions>

const MIB = 1024 * 1024

const DEFAULTS: Omit<Settings, 'entry'> = {
  deadlineMs: 50,
  heapBytes: 64 * MIB,
  maxWaiting: 1_024,
  waitMs: 1_000,
  startMs: 10_000,
  restartIntervalMs: 250,
  stackBytes: 16 * MIB,
}

const RESTART_BURST = 8
/** The working thread and its spare. */
const THREADS = 2

/** Makes a pool and starts its threads. */
export function newWorkerPool<Job, Result>(deps: WorkerDeps, options: WorkerOptions): WorkerPool<Job, Result> {
  const pool = new Pool<Job, Result>(deps, { ...DEFAULTS, ...options })
  return {
    run: (job) => pool.run(job),
    ready: () => pool.ready(),
    close: () => pool.close(),
    stats: () => pool.stats(),
  }
}

type Pending<Job, Result> = {
  readonly id: number
  readonly job: Job
  readonly settle: (answer: WorkerAnswer<Result>) => void
  /** While it waits, the end of its waiting; while it runs, its deadline. Keeps the process alive, as the threads do not. */
  timer: NodeJS.Timeout | null
}

class Pool<Job, Result> {
  readonly #deps: WorkerDeps
  readonly #settings: Settings
  readonly #pace: RestartPace
  readonly #slots = new Set<Slot<Job, Result>>()
  readonly #waiting: Pending<Job, Result>[] = []
  readonly #startTimers = new Set<NodeJS.Timeout>()
  readonly #stopping = new Set<Promise<void>>()
  readonly #readyListeners = new Set<() => void>()
  readonly #counts = { jobs: 0, timeouts: 0, failures: 0, overloads: 0, recycles: 0, starts: 0 }
  #running: { readonly pending: Pending<Job, Result>; readonly slot: Slot<Job, Result> } | null = null
  #closed = false

  constructor(deps: WorkerDeps, settings: Settings) {
    this.#deps = deps
    this.#settings = settings
    this.#pace = newRestartPace(() => deps.clock.monotonicUs() / 1_000, {
      burst: RESTART_BURST + THREADS,
      intervalMs: settings.restartIntervalMs,
    })
    this.#fill()
  }

  run(job: Job): Promise<WorkerAnswer<Result>> {
    if (this.#closed) return Promise.resolve({ ok: false, why: 'closed' })
    if (this.#waiting.length >= this.#settings.maxWaiting) return Promise.resolve(this.#overload())
    return new Promise((settle) => {
      const pending: Pending<Job, Result> = { id: ++this.#counts.jobs, job, settle, timer: null }
      this.#waiting.push(pending)
      this.#next()
      if (this.#running?.pending !== pending && this.#waiting.includes(pending))
        pending.timer = setTimeout(() => this.#tooLong(pending), this.#settings.waitMs)
    })
  }

  async ready(): Promise<void> {
    if (this.#closed) throw new SallyportError('INTERNAL', 'the worker pool is closed')
    if (this.#idle() !== null || this.#running !== null) return
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#readyListeners.delete(settle)
        if (!this.#closed) resolve()
        else reject(new SallyportError('INTERNAL', 'the worker pool was closed before a thread was ready'))
      }
      const timer = setTimeout(() => {
        this.#readyListeners.delete(settle)
        const message = `no worker thread was ready within ${this.#settings.startMs} ms; the events of the pool say why`
        reject(new SallyportError('INTERNAL', message, { fields: { limitMs: this.#settings.startMs } }))
      }, this.#settings.startMs)
      this.#readyListeners.add(settle)
    })
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      for (const timer of this.#startTimers) clearTimeout(timer)
      this.#finish({ ok: false, why: 'closed' })
      for (const pending of this.#waiting.splice(0)) settle(pending, { ok: false, why: 'closed' })
      for (const slot of [...this.#slots]) this.#drop(slot)
      for (const tell of [...this.#readyListeners]) tell()
    }
    await Promise.all(this.#stopping)
  }

  stats(): WorkerStats {
    const slots = [...this.#slots]
    return {
      ...this.#counts,
      waiting: this.#waiting.length,
      ready: slots.filter((slot) => slot.ready).length,
      heapBytes: Math.max(0, ...slots.map((slot) => slot.heapBytes)),
    }
  }

  /** Starts what is missing, at the pace that is allowed. */
  #fill(): void {
    while (!this.#closed && this.#slots.size + this.#startTimers.size < THREADS) {
      const delayMs = this.#pace.nextDelayMs()
      if (delayMs <= 0) this.#start()
      else {
        const timer = setTimeout(() => {
          this.#startTimers.delete(timer)
          this.#start()
        }, delayMs).unref()
        this.#startTimers.add(timer)
      }
    }
  }

  #start(): void {
    this.#counts.starts++
    const slot: Slot<Job, Result> = new Slot<Job, Result>(
      { ...this.#settings, maxHeapBytes: 4 * this.#settings.heapBytes },
      {
        ready: () => this.#warm(),
        answer: (message) => this.#answered(slot, message),
        gone: (error) => this.#gone(slot, error),
      },
    )
    this.#slots.add(slot)
  }

  #warm(): void {
    this.#pace.startSucceeded()
    this.#tell({ kind: 'ready' })
    for (const tell of [...this.#readyListeners]) tell()
    this.#recycle()
    this.#next()
  }

  /** Hands the first waiting job to a thread, if one is free. */
  #next(): void {
    while (this.#running === null) {
      const slot = this.#idle()
      const pending = slot === null ? undefined : this.#waiting.shift()
      if (slot === null || pending === undefined) return
      this.#hand(slot, pending)
    }
  }

  #hand(slot: Slot<Job, Result>, pending: Pending<Job, Result>): void {
    if (pending.timer !== null) clearTimeout(pending.timer)
    try {
      slot.send({ id: pending.id, job: pending.job })
    } catch (error) {
      this.#counts.failures++
      this.#tell({ kind: 'failed', error: error instanceof Error ? error.name : typeof error })
      return pending.settle({ ok: false, why: 'failed' })
    }
    pending.timer = setTimeout(() => this.#late(pending), this.#settings.deadlineMs)
    this.#running = { pending, slot }
  }

  #answered(slot: Slot<Job, Result>, message: FromWorker<Result> & { readonly id: number }): void {
    if (this.#running?.slot !== slot || this.#running.pending.id !== message.id) return
    if (message.kind === 'done') this.#finish({ ok: true, value: message.value })
    else this.#fail(slot, message.error)
    this.#recycle()
    this.#next()
  }

  #late(pending: Pending<Job, Result>): void {
    const slot = this.#running?.slot
    // after a long turn of this thread's own, an answer may already be there: then nothing was late
    slot?.poll()
    if (slot === undefined || this.#running?.pending !== pending) return
    this.#counts.timeouts++
    this.#tell({ kind: 'timeout', deadlineMs: this.#settings.deadlineMs })
    this.#finish({ ok: false, why: 'timeout' })
    this.#drop(slot)
    this.#next()
    this.#fill()
  }

  #gone(slot: Slot<Job, Result>, error: string): void {
    const wasRunning = this.#running?.slot === slot
    if (wasRunning) this.#fail(slot, error)
    else {
      this.#pace.startFailed()
      this.#tell({ kind: 'start-failed', error })
      this.#drop(slot)
    }
    this.#next()
    this.#fill()
  }

  /** The running job fails and its thread goes: what it holds can no longer be trusted. */
  #fail(slot: Slot<Job, Result>, error: string): void {
    this.#counts.failures++
    this.#tell({ kind: 'failed', error })
    this.#finish({ ok: false, why: 'failed' })
    this.#drop(slot)
    this.#fill()
  }

  /** Replaces an idle thread that has grown too large, as soon as the other one can take over. */
  #recycle(): void {
    for (const slot of this.#slots) {
      if (!slot.ready || this.#running?.slot === slot || slot.heapBytes <= this.#settings.heapBytes) continue
      const covered = [...this.#slots].some((other) => other !== slot && other.ready)
      if (!covered && slot.heapBytes <= 2 * this.#settings.heapBytes) continue
      this.#counts.recycles++
      this.#tell({ kind: 'recycled', heapBytes: slot.heapBytes })
      this.#drop(slot)
      this.#fill()
    }
  }

  #tooLong(pending: Pending<Job, Result>): void {
    const at = this.#waiting.indexOf(pending)
    if (at < 0) return
    this.#waiting.splice(at, 1)
    settle(pending, this.#overload())
  }

  #overload(): WorkerAnswer<Result> {
    this.#counts.overloads++
    this.#tell({ kind: 'overloaded', waiting: this.#waiting.length })
    return { ok: false, why: 'overloaded' }
  }

  #finish(answer: WorkerAnswer<Result>): void {
    const running = this.#running
    this.#running = null
    if (running !== null) settle(running.pending, answer)
  }

  #drop(slot: Slot<Job, Result>): void {
    this.#slots.delete(slot)
    const stopped = slot.stop().finally(() => this.#stopping.delete(stopped))
    this.#stopping.add(stopped)
  }

  #idle(): Slot<Job, Result> | null {
    for (const slot of this.#slots) if (slot.ready && this.#running?.slot !== slot) return slot
    return null
  }

  #tell(event: WorkerEvent): void {
    this.#deps.onEvent?.(event)
  }
}

function settle<Job, Result>(pending: Pending<Job, Result>, answer: WorkerAnswer<Result>): void {
  if (pending.timer !== null) clearTimeout(pending.timer)
  pending.settle(answer)
}
