import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** All have defaults. */
export type HeapGuardOptions = {
  /** Bytes after which a look is due. Default 4 MiB. */
  readonly lookEveryBytes?: number
  /** A look is taken only if those bytes came within this time: anything slower the engine keeps up with. Default 400 ms. */
  readonly burstMs?: number
  /** Bytes of buffers above what was alive after the last collection, from which on it is collected. Default 8 MiB. */
  readonly garbageBytes?: number
}

/** What a guard asks of the engine. */
export type Engine = {
  /** Monotonic. */
  nowMs(): number
  /** Bytes of all buffers outside the heap, dead ones included, as long as nobody has collected them. */
  bufferBytes(): number
  collect(kind: 'minor' | 'major'): void
  /** Runs it when nobody is in the middle of something. */
  later(run: () => void): void
}

/** Counts what is read, and collects when dead buffers have piled up. */
export type HeapGuard = { read(bytes: number): void }

/**
 * The engine feels its own heap, and buffers only from 64 MiB on; in a proxy, buffers are nearly everything. A burst that
 * lands in the system's socket buffers is read, written and dead within a second, and would stay as resident memory.
 * A full collection halts all streams for some 50 ms, so it is for bursts alone: tokens never come that fast.
 */
export function newHeapGuard(engine: Engine, options: HeapGuardOptions = {}): HeapGuard {
  const { lookEveryBytes = 4 * MIB, burstMs = 400, garbageBytes = 8 * MIB } = options
  let unseen = 0
  let sinceMs = engine.nowMs()
  let planned = false
  let alive = engine.bufferBytes()
  const look = (): void => {
    planned = false
    let now = engine.bufferBytes()
    if (now - alive >= garbageBytes) {
      engine.collect('minor')
      now = engine.bufferBytes()
    }
    if (now - alive >= garbageBytes) {
      engine.collect('major')
      alive = engine.bufferBytes()
    } else if (now < alive) alive = now
  }
  return {
    read: (bytes) => {
      unseen += bytes
      if (unseen < lookEveryBytes) return
      unseen = 0
      const beganMs = sinceMs
      sinceMs = engine.nowMs()
      if (planned || sinceMs - beganMs > burstMs) return
      planned = true
      engine.later(look)
    },
  }
}

/** The engine of this process. The collector is asked for at its first use. */
export function processEngine(): Engine {
  let gc: ((options: { readonly type: 'minor' | 'major' }) => void) | null = null
  return {
    nowMs: () => performance.now(),
    bufferBytes: () => process.memoryUsage().arrayBuffers,
    collect: (type) => {
      gc ??= collector()
      gc({ type })
    },
    later: (run) => {
      setImmediate(run)
    },
  }
}

function collector(): (options: { readonly type: 'minor' | 'major' }) => void {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return typeof found === 'function' ? (options) => found(options) : () => {}
}

const MIB = 1024 * 1024
