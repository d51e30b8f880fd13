import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIFECYCLE_STATES, type LifecycleState } from '#pkg/model'
import { moveOf } from './index.ts'

/** `=` the same state, `+` allowed, `!` only as the emergency with force and reason, `-` never. */
const TABLE: Readonly<Record<LifecycleState, string>> = {
  // into:      P A Q S T
  Provisioned: '= + - - !',
  Active: '     - = + + !',
  Quarantined: '- + = + !',
  Suspended: '  - + - = +',
  Terminated: ' - - - - =',
}

for (const from of LIFECYCLE_STATES)
  for (const [at, to] of LIFECYCLE_STATES.entries()) {
    const mark = TABLE[from].trim().split(' ')[at]
    test(`[LIFE-14] ${from} → ${to}: ${mark}`, () => {
      const plain = moveOf(from, { to })
      const forced = moveOf(from, { to, force: true, reason: 'leaked' })
      const unsaid = moveOf(from, { to, force: true, reason: ' ' })
      const brief = [plain, forced, unsaid].map((one) => (one.kind === 'refused' ? one.why : one.kind))
      const never = from === 'Terminated' ? 'Terminated' : 'NotAllowed'
      const expected: Readonly<Record<string, readonly string[]>> = {
        '=': ['self', 'self', 'self'],
        '+': ['allowed', 'allowed', 'allowed'],
        '!': ['NeedsForce', 'allowed', 'NeedsReason'],
        '-': [never, never, never],
      }
      assert.deepEqual(brief, expected[mark ?? ''])
    })
  }

test('[LIFE-14] a refusal says where one may go', () => {
  const answer = moveOf('Suspended', { to: 'Quarantined' })
  assert.deepEqual(answer, { kind: 'refused', why: 'NotAllowed', allowed: ['Active', 'Terminated'] })
})
