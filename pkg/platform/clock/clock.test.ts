import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newManualClock, rfc3339, systemClock } from './index.ts'

test('[SET-01] the manual clock stands still until it is moved, and setting the wall time leaves durations alone', () => {
  const clock = newManualClock(1_000)
  assert.deepEqual([clock.nowMs(), clock.monotonicUs()], [1_000, 0])
  clock.advanceMs(2.5)
  assert.deepEqual([clock.nowMs(), clock.monotonicUs()], [1_002.5, 2_500])
  clock.setMs(0)
  assert.deepEqual([clock.nowMs(), clock.monotonicUs()], [0, 2_500])
})

test('[SET-01] the system clock counts whole microseconds that never go back', () => {
  let last = systemClock.monotonicUs()
  for (let at = 0; at < 1_000; at += 1) {
    const now = systemClock.monotonicUs()
    assert.ok(Number.isInteger(now) && now >= last)
    last = now
  }
  assert.ok(Math.abs(systemClock.nowMs() - Date.now()) < 1_000)
})

test('[SET-01] times are printed as RFC 3339 in UTC', () => {
  assert.equal(rfc3339(Date.UTC(2026, 0, 31, 8)), '2026-01-31T08:00:00.000Z')
})
