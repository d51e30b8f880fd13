import { SallyportError } from '#pkg/model/errors'
import {
  WORKER_DEFAULTS,
  type WorkerAnswer,
  type WorkerDeps,
  type WorkerEvent,
  type WorkerOptions,
  type WorkerPool,
  type WorkerSettings,
  type WorkerStats,
} from './contract.ts'
import { newRestartPace, type RestartPace } from './restart-pace.ts'
import { Slot, type SlotAnswer } from './slot.ts'

const RESTART_BURST = 8
/** The working thread and its spare. */
const THREADS = 2
/** The spare starts once the first requests had their turn. */
const SPARE_AFTER_MS = 300

/** Makes a pool and starts its threads. */
export function newWorkerPool<Job, Result>(deps: WorkerDeps, options: WorkerOptions): WorkerPool<Job, Result> {
  const pool = new Pool<Job, Result>(deps, { ...WORKER_DEFAULTS, ...options })
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
  waits: boolean
  /** While it waits, the end of its waiting; while it runs, its deadline. Keeps the process alive, as the threads do not. */
  timer: NodeJS.Timeout | null
}

class Pool<Job, Result> {
  readonly #deps: WorkerDeps
  readonly #settings: WorkerSettings
  readonly #pace: RestartPace
  readonly #slots = new Set<Slot<Job, Result>>()
  readonly #waiting: Pending<Job, Result>[] = []
  readonly #startTimers = new Set<NodeJS.Timeout>()
  readonly #stopping = new Set<Promise<void>>()
  readonly #readyListeners = new Set<() => void>()
  readonly #counts = { jobs: 0, timeouts: 0, failures: 0, overloads: 0, recycles: 0, starts: 0 }
  #running: { readonly pending: Pending<Job, Result>; readonly slot: Slot<Job, Result> } | null = null
  #closed = false
  #warmed = false

  constructor(deps: WorkerDeps, settings: WorkerSettings) {
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
      const pending: Pending<Job, Result> = { id: ++this.#counts.jobs, job, settle, waits: true, timer: null }
      this.#waiting.push(pending)
      this.#next()
      if (pending.waits) pending.timer = setTimeout(() => this.#tooLong(pending), this.#settings.waitMs)
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
    const wanted = this.#warmed && this.#settings.spare ? THREADS : 1 // two threads that warm up side by side make the first one late
    while (!this.#closed && this.#slots.size + this.#startTimers.size < wanted) {
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
        gone: (error, wasReady) => this.#gone(slot, error, wasReady),
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
    if (this.#warmed) return
    this.#warmed = true
    setTimeout(() => this.#fill(), SPARE_AFTER_MS).unref()
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
    pending.waits = false
    if (pending.timer !== null) clearTimeout(pending.timer)
    try {
      slot.send({ id: pending.id, job: pending.job })
    } catch (error) {
      this.#counts.failures++
      this.#tell({ kind: 'failed', error: error instanceof Error ? error.name : typeof error })
      pending.settle({ ok: false, why: 'failed' })
      return
    }
    pending.timer = setTimeout(() => this.#late(pending), this.#settings.deadlineMs)
    this.#running = { pending, slot }
  }

  #answered(slot: Slot<Job, Result>, message: SlotAnswer<Result>): void {
    if (this.#running?.slot !== slot || this.#running.pending.id !== message.id) return
    if (message.kind === 'failed') this.#fail(slot, message.error)
    else {
      this.#finish({ ok: true, value: message.value })
      this.#recycle()
      this.#next()
    }
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

  #gone(slot: Slot<Job, Result>, error: string, wasReady: boolean): void {
    if (this.#running?.slot === slot) this.#fail(slot, error)
    else {
      if (!wasReady) this.#pace.startFailed()
      this.#tell({ kind: wasReady ? 'failed' : 'start-failed', error })
      this.#drop(slot)
      this.#fill()
    }
  }

  /** The running job fails and its thread goes: what it holds can no longer be trusted. */
  #fail(slot: Slot<Job, Result>, error: string): void {
    this.#counts.failures++
    this.#tell({ kind: 'failed', error })
    this.#finish({ ok: false, why: 'failed' })
    this.#drop(slot)
    this.#next()
    this.#fill()
  }

  /** Replaces an idle thread that has grown too large, as soon as the other one can take over. */
  #recycle(): void {
    for (const slot of this.#slots) {
      // one that did nothing yet would only be followed by another as large
      const idle = slot.ready && slot.answered > 0 && this.#running?.slot !== slot
      if (!idle || slot.heapBytes <= this.#settings.heapBytes) continue
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
