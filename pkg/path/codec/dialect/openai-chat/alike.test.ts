import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS, type Decided, type Frame, type Message } from '#pkg/model'
import { openaiChat } from './index.ts'

const encoder = new TextEncoder()
const endpoint = openaiChat.endpointOf('POST', '/chat/completions', '')
assert.ok(endpoint !== null)
const work = { limits: DEFAULT_LIMITS, yieldTurn: async () => {} }
const asked = { model: 'm', stream: true, n: 2, messages: [{ role: 'user', content: 'hi' }] }
const reading = await openaiChat.readRequest(endpoint, encoder.encode(JSON.stringify(asked)), work, {})
assert.ok(reading.ok)
const view = reading.value

const text = fc.constantFrom(
  '',
  'a',
  ' b',
  '"',
  '\\',
  '{"q":',
  '1}',
  '\n',
  'é',
  '😀',
  '\ud83d',
  '\\u0041',
  '<tool_call>',
)
const index = fc.constantFrom(0, 0, 0, 1, 2, null, -1)
const textDelta = fc.record(
  { role: fc.constant('assistant'), content: text, refusal: text, reasoning_content: text, thinking: text },
  { requiredKeys: [] },
)
const element = fc.record(
  {
    index,
    id: fc.constantFrom('c1', 'c2', '', null),
    type: fc.constantFrom('function', 'custom', null),
    function: fc.record({ name: fc.constantFrom('f', '', null), arguments: text }, { requiredKeys: [] }),
    custom: fc.record({ name: fc.constantFrom('f', ''), input: text }, { requiredKeys: [] }),
    signature: text,
  },
  { requiredKeys: [] },
)
const plainElement = fc.record({ index, function: fc.record({ arguments: text }) })
const plainCustom = fc.record({ index, custom: fc.record({ input: text }) })
const delta = fc.oneof(
  { weight: 3, arbitrary: fc.record({ content: text }) },
  textDelta,
  { weight: 4, arbitrary: plainElement.map((one) => ({ tool_calls: [one] })) },
  { weight: 2, arbitrary: plainCustom.map((one) => ({ tool_calls: [one] })) },
  fc.array(element, { maxLength: 2 }).map((list) => ({ tool_calls: list })),
  fc.record({ function_call: fc.record({ name: fc.constantFrom('f', ''), arguments: text }, { requiredKeys: [] }) }),
)
const choice = fc.record(
  {
    index: fc.constantFrom(0, 0, 0, 1, 2),
    delta,
    finish_reason: fc.constantFrom(null, null, null, null, null, null, 'stop', 'tool_calls'),
    logprobs: fc.constantFrom(null, { content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }] }),
    text,
  },
  { requiredKeys: ['index', 'delta', 'finish_reason'] },
)
const chunk = fc.record(
  {
    choices: fc.oneof({ weight: 6, arbitrary: fc.tuple(choice) }, fc.array(choice, { maxLength: 2 })),
    obfuscation: text,
  },
  { requiredKeys: ['choices'] },
)
const chunks = fc.array(chunk, { maxLength: 14 })

const released: Decided = { outcome: () => ({ kind: 'released' }), text: () => undefined }
const refused: Decided = { outcome: () => ({ kind: 'refused', text: 'no' }), text: () => 'cut' }

/** What a stream says, and what leaves when all is released, or all refused. `alone`: no chunk is like another. */
function told(list: readonly object[], alone: boolean, decided: Decided) {
  const stream = openaiChat.openStream(view, DEFAULT_LIMITS)
  const messages: Message[][] = []
  const out: string[] = []
  for (const [at, one] of list.entries()) {
    const data = JSON.stringify({ ...one, created: alone ? at : 0 })
    const raw = encoder.encode(`data: ${data}\n\n`)
    const frame: Frame = { kind: 'event', raw, at, event: null, data }
    messages.push([...stream.read(frame)])
    for (const bytes of stream.write(frame, decided)) out.push(Buffer.from(bytes).toString('utf8'))
  }
  return { messages: [...messages, [...stream.end()]], out: out.map((one) => one.replace(/"created":\d+/, '')) }
}

test('[CHAT-02] a chunk that is like one before it says the same as it says alone', () => {
  fc.assert(
    fc.property(chunks, (list) => {
      for (const decided of [released, refused]) assert.deepEqual(told(list, false, decided), told(list, true, decided))
    }),
    { numRuns: 1500 },
  )
})
