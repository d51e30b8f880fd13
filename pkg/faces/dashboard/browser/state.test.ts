import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordOf } from '../../../../test/fixtures/admin-source.ts'
import { newBuckets, outcomeOf } from './buckets.ts'
import { agentHref, viewOf } from './route.ts'
import { cut, durationText, visible } from './text.ts'
import { isWanted, NO_FILTER, newVerdictList } from './verdict-list.ts'

test('[DASH-04] the newest verdicts are kept, each once, and no more than the limit', () => {
  const list = newVerdictList(3)
  for (const number of [1, 2, 2, 3, 4, 3]) list.add(recordOf(number))
  assert.deepEqual(
    list.all().map(({ id }) => id),
    ['v_000004', 'v_000003', 'v_000002'],
  )
  for (let number = 5; number < 100; number += 1) assert.equal(list.add(recordOf(number)), true)
  assert.equal(list.add(recordOf(99)), false)
  assert.equal(list.all().length, 3)
})

test('[DASH-04] a pause holds what is shown and counts what comes, each once', () => {
  const list = newVerdictList(3)
  list.add(recordOf(1))
  assert.equal(list.waiting, null)
  list.pause()
  for (const number of [2, 3, 3, 4, 5]) list.add(recordOf(number))
  assert.deepEqual([list.waiting, list.shown().length, list.all().length], [4, 1, 3])
  list.resume()
  assert.deepEqual([list.waiting, list.shown()[0]?.id], [null, 'v_000005'])
})

test('[DASH-04] a filter wants all of what it names', () => {
  const record = recordOf(1)
  const rows: readonly (readonly [Partial<typeof NO_FILTER>, boolean])[] = [
    [{}, true],
    [{ agent: 'growth/marketing', action: 'Deny', reason: 'INTENT_SQL_DDL', tool: 'SQL' }, true],
    [{ agent: 'growth/other' }, false],
    [{ action: 'Allow' }, false],
    [{ reason: 'INTENT_SQL' }, false],
    [{ tool: 'docs' }, false],
  ]
  for (const [filter, wanted] of rows) assert.equal(isWanted(record, { ...NO_FILTER, ...filter }), wanted)
  assert.equal(isWanted(recordOf(1, { tool: null }), { ...NO_FILTER, tool: 'x' }), false)
})

test('[DASH-04] verdicts are counted by what became of them, in slices of ten seconds', () => {
  const buckets = newBuckets(10_000, 3)
  const at = (seconds: number): string => new Date(1_000_000_000_000 + seconds * 1_000).toISOString()
  const count = (seconds: number, more: Parameters<typeof recordOf>[1]): void =>
    buckets.add(recordOf(1, { time: at(seconds), ...more }))
  count(0, { action: 'Allow' })
  count(9.999, { action: 'Abort' })
  count(10, { action: 'Record' })
  count(11, { action: 'Deny', enforced: false })
  count(29, { action: 'Sever' })
  count(-1_000, { action: 'Deny' })
  buckets.add({ action: 'Deny', enforced: true, time: 'never' })
  const { starts, series } = buckets.read(1_000_000_000_000 + 29_000)
  assert.deepEqual(starts, [1_000_000_000, 1_000_000_010, 1_000_000_020])
  assert.deepEqual(series, { allowed: [1, 0, 0], recorded: [0, 2, 0], refused: [1, 0, 0], severed: [0, 0, 1] })
  assert.equal(outcomeOf({ action: 'Sever', enforced: false }), 'recorded')
  buckets.clear()
  assert.deepEqual(buckets.read(1_000_000_000_000).series.allowed, [0, 0, 0])
})

test('[DASH-03] addresses are made of DNS labels, and read as nothing else', () => {
  assert.equal(agentHref('growth/marketing'), '#/agents/growth/marketing')
  for (const key of ['growth', 'a/b/c', 'growth/Mark', 'growth/"><img', '../x', 'a/', `a/${'b'.repeat(64)}`])
    assert.equal(agentHref(key), null, key)
  assert.deepEqual(viewOf('#/agents/growth/marketing'), { name: 'agent', namespace: 'growth', agent: 'marketing' })
  assert.deepEqual(viewOf('#/verdicts'), { name: 'verdicts' })
  for (const hash of ['', '#', '#/', '#/agents/x', '#/agents/a/b/c', '#/agents/a/%3Cb', '#/verdicts/x', '#code=x'])
    assert.deepEqual(viewOf(hash), { name: 'overview' }, hash)
})

test('[DASH-03] what is unseen is written out, and long texts are cut between characters', () => {
  assert.equal(visible('a\u202eb\u0000\u200b\ud800\u2028<b>'), 'a\\u{202e}b\\u{0}\\u{200b}\\u{d800}\\u{2028}<b>')
  assert.equal(visible('日本 🙂 é'), '日本 🙂 é')
  assert.equal(cut('abcd', 4), 'abcd')
  assert.equal(cut('abcde', 4), 'abc…')
  assert.equal(cut('🙂🙂🙂🙂🙂', 4), '🙂🙂🙂…')
  assert.equal(cut('🙂'.repeat(100_000), 4), '🙂🙂🙂…')
  assert.deepEqual([59_001, 0, -5, 250_000, 7_260_000].map(durationText), [
    '1 min 0 s',
    '0 s',
    '0 s',
    '4 min 10 s',
    '2 h 1 min',
  ])
})
