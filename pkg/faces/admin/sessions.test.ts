import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { SallyportError } from '#pkg/model/errors'
import { newManualClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { newSessions, type SessionOptions } from './sessions.ts'

function bench(options: SessionOptions = {}) {
  const clock = newManualClock(Date.UTC(2026, 0, 2))
  const sessions = newSessions({ clock, log: silentLog, random: randomBytes }, options)
  const outcome = (code: string): string => {
    try {
      return sessions.redeem(code).token
    } catch (error) {
      return error instanceof SallyportError ? error.code : String(error)
    }
  }
  return { clock, sessions, outcome }
}

test('[DASH-01] a code opens one session, once', () => {
  const { sessions, outcome } = bench()
  const code = sessions.issue()
  assert.match(code, /^sp_dc_[A-Za-z0-9_-]{43}$/)
  const { token, expires } = sessions.redeem(code)
  assert.match(token, /^sp_das_[A-Za-z0-9_-]{43}$/)
  assert.equal(expires, '2026-01-02T12:00:00.000Z')
  assert.equal(sessions.opens(token), true)
  assert.equal(outcome(code), 'ADMIN_UNAUTHORIZED')
  for (const wrong of ['', code, token.slice(0, -1), `${token}x`, token.toUpperCase()])
    assert.equal(sessions.opens(wrong), false, wrong)
})

test('[DASH-01] a code ends after its minute and a session after its hours, whatever the wall clock says', () => {
  const { clock, sessions, outcome } = bench({ codeLifeMs: 60_000, sessionLifeMs: 1_000_000 })
  const [late, intime] = [sessions.issue(), sessions.issue()]
  clock.advanceMs(59_999)
  clock.setMs(0)
  const { token } = sessions.redeem(intime)
  clock.advanceMs(1)
  assert.equal(outcome(late), 'ADMIN_UNAUTHORIZED')
  clock.advanceMs(999_998)
  assert.equal(sessions.opens(token), true)
  clock.advanceMs(1)
  assert.equal(sessions.opens(token), false)
})

test('[DASH-01] codes and sessions are bounded: one more takes the place of the oldest', () => {
  const { sessions, outcome } = bench({ maxCodes: 2, maxSessions: 2 })
  const codes = [sessions.issue(), sessions.issue(), sessions.issue()]
  assert.equal(outcome(codes[0] ?? ''), 'ADMIN_UNAUTHORIZED')
  const tokens = [outcome(codes[1] ?? ''), outcome(codes[2] ?? ''), outcome(sessions.issue())]
  assert.deepEqual(
    tokens.map((token) => sessions.opens(token)),
    [false, true, true],
  )
})

test('[DASH-01] after ten wrong codes in a minute none is looked at, not even a right one', () => {
  const { clock, sessions, outcome } = bench()
  const right = sessions.issue()
  for (let tries = 0; tries < 10; tries += 1) assert.equal(outcome(`wrong${tries}`), 'ADMIN_UNAUTHORIZED')
  clock.advanceMs(30_000)
  assert.equal(outcome(right), 'ADMIN_TOO_OFTEN')
  clock.advanceMs(29_999)
  assert.equal(outcome(right), 'ADMIN_TOO_OFTEN')
  clock.advanceMs(1)
  assert.match(outcome(sessions.issue()), /^sp_das_/)
})
