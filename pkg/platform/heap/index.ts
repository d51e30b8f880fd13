/**
 * heap: keeps the resident memory of a proxy near what is alive.
 *
 * In:  bytes read, as they are read.
 * Out: a collection by the engine, when dead buffers have piled up.
 * Never: holds bytes, runs in mid-read, decides anything.
 */
export { type Engine, type HeapGuard, type HeapGuardOptions, newHeapGuard, processEngine } from './heap.ts'
