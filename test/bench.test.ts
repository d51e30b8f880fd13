import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DIALECTS, stampedIn } from './bench/dialects.ts'
import { measureIdentity } from './bench/identity.ts'
import { goalsOf, row, tableOf } from './bench/report.ts'
import { quantile } from './bench/stats.ts'
import {
  argumentPieces,
  CALL,
  POLICY_RULES,
  policyFile,
  SALT_MARK,
  SQL,
  STAMP,
  STAMP_DIGITS,
  TEXT_EVENTS,
} from './bench/workload.ts'

for (const [name, dialect] of Object.entries(DIALECTS))
  test(`[BENCH-01] the stream of ${name} is what docs/performance.md says: stamped events, one call`, () => {
    const { events, end } = dialect
    assert.equal(STAMP.length, STAMP_DIGITS + 2)
    assert.ok(events.slice(0, TEXT_EVENTS + 1).every((event) => event.split(STAMP).length === 2))
    assert.equal(events.at(-1)?.split(STAMP).length, 2)
    assert.ok(stampedIn(dialect) >= TEXT_EVENTS + 2 && !end.includes(STAMP))
    for (const event of events.join('').split('\n\n').slice(0, -1)) {
      assert.doesNotThrow(() => JSON.parse(event.slice(event.indexOf('data: ') + 'data: '.length)), event)
    }
  })

test('[BENCH-01] SQL and arguments have the stated sizes', () => {
  assert.ok(SQL.length <= 1_024 && SQL.length > 900, `${SQL.length} bytes of SQL`)
  const args = JSON.stringify(CALL)
  assert.equal(argumentPieces().join(''), args)
  assert.match(argumentPieces().find((piece) => piece.includes(SALT_MARK)) ?? '', /~s0{19}/)
  assert.ok(args.length <= 4_096, `${args.length} bytes of arguments`)
})

test('[BENCH-01] the policy has the rules that it is said to have', () => {
  assert.equal(policyFile(1).match(/"expression"/g)?.length, POLICY_RULES)
})

test('[BENCH-02] a quantile lies between the least and the greatest sample, and rises with its share', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (samples, share) => {
        const value = quantile(samples, share)
        assert.ok(value >= Math.min(...samples) - 1e-9 && value <= Math.max(...samples) + 1e-9)
        assert.ok(quantile(samples, 0) <= value && value <= quantile(samples, 1) + 1e-9)
      },
    ),
  )
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5)
  assert.ok(Number.isNaN(quantile([], 0.5)))
})

test('[BENCH-02] a goal is told as reached, missed, or not measured, with its number', () => {
  const rows = [
    row('sallyport', '16', 'ttft_added_p50', 0.41234),
    row('sallyport', '32', 'rps', 700),
    row('node', '32', 'rps', 1_000),
  ]
  assert.deepEqual(rows[0], {
    bench: 'path',
    system: 'sallyport',
    case: '16',
    metric: 'ttft_added_p50',
    value: 0.412,
    unit: 'ms',
  })
  const goals = goalsOf(rows)
  assert.match(goals[0] ?? '', /^✓ .*0\.412 \(goal ≤ 0\.5\)$/)
  assert.match(goals[4] ?? '', /^✗ .*0\.7 \(goal ≥ 0\.8\)$/)
  assert.match(goals[1] ?? '', /^\? .*not measured$/)
  assert.match(goalsOf([row('sallyport', '16', 'ttft_added_p99', 1)], true)[1] ?? '', /^\? .*not judged/)
  assert.match(tableOf(rows, ['node', 'sallyport']), /rps +32 +1\/s +1,000 +700/)
})

test('[BENCH-03] what identities cost is told beside node:crypto, each with rate, quantiles and ratio', async () => {
  const rows = await measureIdentity({ rounds: 1, turnMs: 5 })
  const cases = ['x509-svid', 'jwt-svid', 'jwt-svid-verify', 'proof-sign', 'proof-verify-cold', 'proof-verify']
  assert.deepEqual([...new Set(rows.map((each) => each.case))], cases)
  for (const name of cases) {
    const of = rows.filter((each) => each.case === name)
    assert.deepEqual(
      of.map(({ system, metric, unit }) => `${system} ${metric} ${unit}`),
      [
        ...['crypto', 'sallyport'].flatMap((system) => [
          `${system} op_rate 1/s`,
          `${system} op_p50 us`,
          `${system} op_p99 us`,
        ]),
        'sallyport op_ratio x',
      ],
    )
    for (const { bench, value, metric } of of) {
      assert.equal(bench, 'identity')
      assert.ok(value > 0 && Number.isFinite(value), `${name} ${metric} ${value}`)
    }
  }
  assert.match(tableOf(rows, ['crypto', 'sallyport']), /op_ratio +proof-verify +x +- +\d/)
})
