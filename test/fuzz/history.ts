/** Arguments of calls in a history: whatever a client sends is compared without a throw, and the same call is always known. */
import assert from 'node:assert/strict'
import { agentKeyOf, type HistoryCall } from '#pkg/model'
import { newReleasedCalls } from '#pkg/path/session'
import type { Target } from './runner/target.ts'

const agent = agentKeyOf({ namespace: 'fuzz', name: 'fuzz' })
const key = new Uint8Array(32)

export const target: Target = {
  name: 'history',
  words: ['{"a":', '[', ']', '}', '"\\u0061"', '1e3', '-0', '__proto__', 'null', ','],
  run(bytes) {
    const text = Buffer.from(bytes).toString('utf8')
    const calls = newReleasedCalls({ clock: { nowMs: () => 0 }, key }, { callsPerAgent: 4 })
    const call: HistoryCall = { id: 'c', name: 'run_sql', form: 'json', arguments: text }
    assert.equal(calls.unknown(agent, [call]), 1)
    calls.note(agent, call)
    assert.equal(calls.unknown(agent, [call]), 0)
    assert.equal(calls.unknown(agent, [{ ...call, form: 'text' }]), 1)
    const parsed = parse(text)
    if (parsed === undefined) return text === '' ? 'empty' : 'no JSON'
    const anew = [parsed, JSON.stringify(parsed), JSON.stringify(parsed, null, 2)]
    const isObject = typeof parsed === 'object' && parsed !== null
    if (isObject)
      assert.equal(
        calls.unknown(
          agent,
          anew.map((given) => ({ ...call, arguments: given })),
        ),
        0,
      )
    return `${typeof parsed} ${Array.isArray(parsed)} ${text.length > 40}`
  },
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
