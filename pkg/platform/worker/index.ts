/**
 * worker: work that could take long, done in a thread that can be killed.
 *
 * In:  jobs (plain data), and the entry script of a thread, which calls `serve`.
 * Out: for each job a value, or why there is none: it was late, its thread failed, too many waited, the pool is closed.
 * One thread works and one stands warm beside it. A job past its deadline ends with its thread, and the next job goes to
 * the other at once; a thread that grew past `heapBytes` is replaced between two jobs.
 *
 * Never: a rejected `run`, a thread that keeps the process alive, a log line, the content of a job in an event.
 */
export type { WorkerAnswer, WorkerDeps, WorkerEvent, WorkerOptions, WorkerPool, WorkerStats } from './contract.ts'
export { newWorkerPool } from './pool.ts'
export { serve, type WorkerWork } from './serve.ts'
