import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { agentKeyOf, type RestoreRecord } from '#pkg/model'
import { newRestoreRecords } from './index.ts'

const one = agentKeyOf({ namespace: 'a', name: 'one' })
const two = agentKeyOf({ namespace: 'a', name: 'two' })
const record = (verdictId: string, size = 10, answerId: string | null = null): RestoreRecord => ({
  verdictId,
  text: 'refused',
  original: 'x'.repeat(size),
  answerId,
})

test('a record is found by the agent that got the refusal, and by no other', () => {
  const records = newRestoreRecords({ bytesPerAgent: 1_000 })
  records.keep(one, record('v_1'))
  assert.equal(records.of(one).byVerdict('v_1')?.verdictId, 'v_1')
  assert.equal(records.of(two).byVerdict('v_1'), null)
  assert.equal(records.of(one).byVerdict('v_2'), null)
})

test('[PROMISE-BOUNDED] the oldest record goes first, and a record larger than the share is not kept', () => {
  const records = newRestoreRecords({ bytesPerAgent: 300 })
  records.keep(one, record('v_1', 100))
  records.keep(one, record('v_2', 100))
  assert.deepEqual([records.of(one).byVerdict('v_1'), records.of(one).byVerdict('v_2')?.verdictId], [null, 'v_2'])
  records.keep(one, record('v_3', 1_000))
  assert.deepEqual([records.of(one).byVerdict('v_3'), records.of(one).byVerdict('v_2')?.verdictId], [null, 'v_2'])
})

test('[PROMISE-BOUNDED] of too many agents the one that was longest unused goes first', () => {
  const records = newRestoreRecords({ bytesPerAgent: 1_000, agents: 2 })
  const three = agentKeyOf({ namespace: 'a', name: 'three' })
  records.keep(one, record('v_1'))
  records.keep(two, record('v_2'))
  records.keep(one, record('v_3'))
  records.keep(three, record('v_4'))
  assert.equal(records.of(two).byVerdict('v_2'), null)
  assert.equal(records.of(one).byVerdict('v_1')?.verdictId, 'v_1')
})

test('[PROMISE-BOUNDED] whatever is kept, the share of an agent is not exceeded', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ id: fc.nat(8), size: fc.nat(120) })), (steps) => {
      const records = newRestoreRecords({ bytesPerAgent: 400 })
      for (const { id, size } of steps) records.keep(one, record(`v_${id}`, size))
      let bytes = 0
      for (let id = 0; id <= 8; id += 1) {
        const found = records.of(one).byVerdict(`v_${id}`)
        if (found !== null) bytes += 2 * (found.text.length + found.original.length + found.verdictId.length)
      }
      assert.ok(bytes <= 400)
    }),
  )
})

test("[PROMISE-SIBLINGS] an answer by its id: all its refused calls, or lost once one is gone; never another agent's", () => {
  const records = newRestoreRecords({ bytesPerAgent: 400 })
  records.keep(one, record('v_1', 40, 'resp_1'))
  records.keep(one, record('v_2', 41, 'resp_1'))
  const idsOf = (answer: string) => {
    const found = records.of(one).inAnswer(answer)
    return found === 'lost' ? found : found.map(({ verdictId }) => verdictId)
  }
  assert.deepEqual(idsOf('resp_1'), ['v_1', 'v_2'])
  assert.deepEqual(idsOf('resp_2'), [])
  assert.deepEqual(records.of(two).inAnswer('resp_1'), [])
  records.keep(one, record('v_3', 100))
  assert.equal(idsOf('resp_1'), 'lost')
  records.keep(one, record('v_4', 1_000, 'resp_4'))
  assert.equal(idsOf('resp_4'), 'lost')
})

test('[PROMISE-SIBLINGS] an answer that is fetched again does not count its refused calls twice', () => {
  const records = newRestoreRecords({ bytesPerAgent: 600 })
  for (let poll = 0; poll < 50; poll += 1) records.keep(one, record(`v_${poll}`, 40, 'resp_1'))
  const found = records.of(one).inAnswer('resp_1')
  assert.deepEqual(found === 'lost' ? found : found.map(({ verdictId }) => verdictId), ['v_49'])
})

test('[PROMISE-SIBLINGS] what a request answers of a conversation is told until the provider has taken it', () => {
  const records = newRestoreRecords({ bytesPerAgent: 400 })
  records.keep(one, record('v_1', 40, 'conv_1'))
  const first = records.of(one)
  first.answering?.('conv_1')
  assert.equal(records.of(one).inAnswer('conv_1').length, 1)
  first.taken()
  assert.deepEqual(records.of(one).inAnswer('conv_1'), [])
})

test('[PROMISE-BOUNDED] refused calls are remembered by answer up to a number; the oldest answers go first', () => {
  const records = newRestoreRecords({ bytesPerAgent: 100_000_000 })
  for (let answer = 0; answer < 200; answer += 1)
    for (let call = 0; call < 100; call += 1)
      records.keep(one, record(`v_${answer}_${call}`, call + 1, `resp_${answer}`))
  const known = records.of(one)
  assert.deepEqual(known.inAnswer('resp_0'), [])
  assert.equal(known.inAnswer('resp_199').length, 100)
  let calls = 0
  for (let answer = 0; answer < 200; answer += 1) calls += known.inAnswer(`resp_${answer}`).length
  assert.ok(calls > 16_000 && calls <= 16_384, String(calls))
})
