/** When the next thread may be started. */
export type RestartPace = {
  /** Takes a start and answers how long to wait before it. */
  nextDelayMs(): number
  /** A thread ended before it was ready. */
  startFailed(): void
  /** A thread is ready. */
  startSucceeded(): void
}

const LONGEST_MS = 10_000

/**
 * Starts cost 60 to 100 ms of a core, so they are paced: `burst` at once, then one per `intervalMs`; after a start that
 * failed the interval doubles with each failure in a row, up to 10 s.
 */
export function newRestartPace(
  nowMs: () => number,
  options: { readonly burst: number; readonly intervalMs: number },
): RestartPace {
  let failures = 0
  let nextFreeMs = Number.NEGATIVE_INFINITY
  return {
    nextDelayMs() {
      const now = nowMs()
      if (failures > 0) {
        nextFreeMs = Math.max(nextFreeMs, now) // no burst is left over for the time after a failure
        return Math.min(options.intervalMs * 2 ** Math.min(failures - 1, 16), LONGEST_MS)
      }
      nextFreeMs = Math.max(nextFreeMs, now - options.burst * options.intervalMs) + options.intervalMs
      return Math.max(0, nextFreeMs - now)
    },
    startFailed: () => {
      failures++
    },
    startSucceeded: () => {
      failures = 0
    },
  }
}
