import { getHeapStatistics } from 'node:v8'
import { MessagePort, workerData } from 'node:worker_threads'
import type { FromWorker, ToWorker } from './protocol.ts'

/** What an entry script does. */
export type WorkerWork<Job, Result> = {
  /** Done once, before the thread counts as ready: load and run once what is slow the first time. */
  warm?(): Promise<void> | void
  /**
   * Answers one job; a pure function of it. Faults that are expected are results: a throw means that the state of this
   * thread can no longer be trusted, so the job fails and the thread is replaced.
   */
  handle(job: Job): Result | Promise<Result>
}

/**
 * To be called once by the entry script of a pool. Jobs come one at a time.
 * @throws Error where the script was not started by a pool.
 */
export function serve<Job, Result>(work: WorkerWork<Job, Result>): void {
  const port: unknown = workerData
  if (!(port instanceof MessagePort)) throw new Error('serve() is for the entry script of a worker pool')
  let warmBytes = 0
  const grownBytes = (): number => Math.max(0, heapBytes() - warmBytes)
  const send = (message: FromWorker<Result>): void => port.postMessage(message)

  const answer = async ({ id, job }: ToWorker<Job>): Promise<void> => {
    try {
      send({ kind: 'done', id, value: await work.handle(job), heapBytes: grownBytes() })
    } catch (error) {
      send({ kind: 'failed', id, error: nameOf(error) })
    }
  }

  const start = async (): Promise<void> => {
    port.on('message', answer) // before the warm-up, which may wait for what does not keep a thread alive
    await work.warm?.()
    warmBytes = heapBytes() // what a library needs to stand there is no growth: a WASM module may reserve 128 MiB
    send({ kind: 'ready', heapBytes: 0 })
  }
  // a rejection ends the thread with an 'error' event: the pool counts it as a failed start
  void start()
}

/** V8 counts the memory of WASM modules and buffers as external. Two microseconds, where `process.memoryUsage` takes 30. */
function heapBytes(): number {
  const heap = getHeapStatistics()
  return heap.used_heap_size + heap.external_memory
}

/** The class of an error, never its message: that may quote the job. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
