/** Wall time for people and records, monotonic time for durations: neither stands in for the other. */
export type Clock = {
  /** Milliseconds since 1970-01-01T00:00:00Z. It may jump, also backwards, when the machine's clock is set. */
  nowMs(): number
  /** Whole microseconds since some fixed moment of this process. It never goes back. */
  monotonicUs(): number
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicUs: () => Math.floor(performance.now() * 1_000),
}

/** A clock that stands still until a test moves it. */
export type ManualClock = Clock & {
  /** Moves both times forward. */
  advanceMs(ms: number): void
  /** Sets the wall time alone, as an operator or NTP would. */
  setMs(ms: number): void
}

/** A {@link ManualClock} whose wall time is `startMs` and whose monotonic time is 0. */
export function newManualClock(startMs = 0): ManualClock {
  let wallMs = startMs
  let sinceStartUs = 0
  return {
    nowMs: () => wallMs,
    monotonicUs: () => Math.floor(sinceStartUs),
    advanceMs: (ms) => {
      wallMs += ms
      sinceStartUs += ms * 1_000
    },
    setMs: (ms) => {
      wallMs = ms
    },
  }
}

/** RFC 3339 in UTC with milliseconds: `2026-01-31T08:00:00.000Z`. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString()
}
