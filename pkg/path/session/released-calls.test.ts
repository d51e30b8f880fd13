import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { agentKeyOf, type HistoryCall } from '#pkg/model'
import { newReleasedCalls } from './index.ts'

const one = agentKeyOf({ namespace: 'a', name: 'one' })
const two = agentKeyOf({ namespace: 'a', name: 'two' })
const key = new Uint8Array(32)
const call = (given: unknown, more: Partial<HistoryCall> = {}): HistoryCall => ({
  id: 'c1',
  name: 'run_sql',
  form: 'json',
  arguments: given,
  ...more,
})

function newBench(options: { callsPerAgent?: number; agents?: number } = {}) {
  let now = 0
  const calls = newReleasedCalls({ clock: { nowMs: () => now }, key }, { callsPerAgent: 4, ...options })
  return { calls, pass: (ms: number) => (now += ms) }
}

const rows: readonly (readonly [name: string, released: HistoryCall, back: HistoryCall, unknown: number])[] = [
  ['as it was', call('{"a":1,"b":"x"}'), call('{"a":1,"b":"x"}'), 0],
  ['in another order and spacing', call('{"a":1,"b":"x"}'), call('{ "b": "\\u0078", "a": 1.0 }'), 0],
  ['parsed', call('{"a":{"d":[1,2],"c":null}}'), call({ a: { c: null, d: [1, 2] } }), 0],
  ['nothing at all is an empty object', call(''), call({}), 0],
  ['absent arguments are an empty object', call('{}'), call(undefined), 0],
  ['one value differs', call('{"a":1}'), call('{"a":2}'), 1],
  ['a list in another order', call('[1,2]'), call('[2,1]'), 1],
  ['another name', call('{}'), call('{}', { name: 'drop' }), 1],
  ['another id', call('{}'), call('{}', { id: 'c2' }), 1],
  ['no id where the provider gave one', call('{}'), call('{}', { id: null }), 1],
  ['an id that the client made up', call('{}', { id: null }), call('{}', { id: 'mine' }), 0],
  ['text is not read as JSON', call('{ }', { form: 'text' }), call('{}', { form: 'text' }), 1],
  ['text is no JSON string', call('"x"', { form: 'json' }), call('x', { form: 'text' }), 1],
  ['what is no JSON stands for itself', call('{'), call('{'), 0],
]
for (const [name, released, back, unknown] of rows)
  test(`[HISTORY-01] a released call comes back: ${name}`, () => {
    const { calls } = newBench()
    calls.note(one, released)
    assert.equal(calls.unknown(one, [back]), unknown)
    assert.equal(calls.unknown(two, [back]), 1, 'another agent was never given it')
  })

test('[HISTORY-01] nesting without end is unknown, and no more than that', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  assert.equal(newBench().calls.unknown(one, [call(deep)]), 1)
  const { calls } = newBench()
  calls.note(one, call('{}'))
  assert.equal(calls.unknown(one, [call(deep), call('{}')]), 1)
})

test('[HISTORY-01] the longest unused goes first, and a day without use forgets', () => {
  const { calls, pass } = newBench()
  const at = (id: number): HistoryCall => call('{}', { id: `c${id}` })
  for (const id of [1, 2, 3, 4]) calls.note(one, at(id))
  pass(2 * 60_000)
  assert.equal(calls.unknown(one, [at(1)]), 0)
  calls.note(one, at(5))
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((id) => calls.unknown(one, [at(id)])),
    [0, 1, 0, 0, 0],
  )
  pass(23 * 3_600_000)
  assert.equal(calls.unknown(one, [at(3)]), 0)
  pass(2 * 3_600_000)
  assert.deepEqual(
    [3, 4].map((id) => calls.unknown(one, [at(id)])),
    [0, 1],
  )
})

test('[HISTORY-01] of too many agents the longest unused goes first', () => {
  const { calls } = newBench({ agents: 1 })
  calls.note(one, call('{}'))
  calls.note(two, call('{}'))
  assert.deepEqual([calls.unknown(one, [call('{}')]), calls.unknown(two, [call('{}')])], [1, 0])
})

test('[HISTORY-01] whatever is released is known, however its members are ordered', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (args, name) => {
      const { calls } = newBench()
      calls.note(one, call(JSON.stringify(args), { name }))
      const turned = Object.fromEntries(Object.entries(args).reverse())
      assert.equal(calls.unknown(one, [call(turned, { name }), call(JSON.stringify(turned, null, 2), { name })]), 0)
    }),
  )
})
