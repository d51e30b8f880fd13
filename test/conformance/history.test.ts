/** What a request tells of its conversation: calls that were never released, in every dialect. WIRE.md §3. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Ask } from '#pkg/model'
import {
  CLAUDE,
  CLAUDE_DENY,
  CLAUDE_REQUEST,
  callBlock,
  claudeMessage,
  claudeStream,
  toolUse,
} from '../fixtures/anthropic.ts'
import { callDeltas, streamOf as chatStream } from '../fixtures/chat.ts'
import {
  AS_ARRAY,
  AS_EVENTS,
  AS_WHOLE,
  array,
  chunksOf,
  DENY as GEMINI_DENY,
  REQUEST as GEMINI_REQUEST,
  call as geminiCall,
  sse,
} from '../fixtures/gemini.ts'
import { closeChecks, JSON_TYPE, newPath, type Play, type Seen, SSE } from '../fixtures/path.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'
import { answerOf, callItem, RESPONSES_REQUEST, streamOf as responsesStream } from '../fixtures/responses.ts'

after(closeChecks)

const READ = { query: 'SELECT 1' }
const DROP = { query: 'DROP TABLE customers' }

/** How one dialect answers with a call, and how its clients send that call back. */
type Row = {
  readonly name: string
  readonly policy: string
  readonly ask: Partial<Ask>
  readonly request: object
  readonly play: (args: object) => Play
  /** The request that goes on; `id` is null for the provider's own. */
  readonly back: (args: object, id?: string) => object
}

const events = (body: string): Play => ({ chunks: [body], headers: SSE })
const whole = (body: object | string): Play => ({
  chunks: [typeof body === 'string' ? body : JSON.stringify(body)],
  headers: JSON_TYPE,
})

const chatBack = (args: object, id = 'call_0'): object => ({
  ...REQUEST,
  messages: [
    ...REQUEST.messages,
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name: 'run_sql', arguments: JSON.stringify(args, null, 1) } }],
    },
    { role: 'tool', tool_call_id: id, content: 'one' },
  ],
})
const claudeBack = (args: object, id = 'toolu_0'): object => ({
  ...CLAUDE_REQUEST,
  messages: [
    ...CLAUDE_REQUEST.messages,
    { role: 'assistant', content: [{ type: 'tool_use', id, name: 'run_sql', input: args }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'one' }] },
  ],
})
const responsesBack = (args: object, id = 'call_h'): object => ({
  ...RESPONSES_REQUEST,
  input: [
    { role: 'user', content: 'go on' },
    { type: 'function_call', call_id: id, name: 'run_sql', arguments: JSON.stringify(args) },
    { type: 'function_call_output', call_id: id, output: 'one' },
  ],
})
const geminiBack = (args: object, id?: string): object => ({
  ...GEMINI_REQUEST,
  contents: [
    ...GEMINI_REQUEST.contents,
    { role: 'model', parts: [{ functionCall: { name: 'run_sql', args, ...(id === undefined ? {} : { id }) } }] },
    { role: 'user', parts: [{ functionResponse: { name: 'run_sql', response: { output: 'one' } } }] },
  ],
})
const item = (args: object) => callItem('run_sql', JSON.stringify(args), 7, { call_id: 'call_h' })
const geminiParts = (args: object): readonly string[] => chunksOf([geminiCall('run_sql', args)])
const chatMessage = (args: object): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-5-mini',
  choices: [
    {
      index: 0,
      finish_reason: 'tool_calls',
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_0', type: 'function', function: { name: 'run_sql', arguments: JSON.stringify(args) } },
        ],
      },
    },
  ],
})

const chat = { policy: DENY, ask: {}, request: REQUEST, back: chatBack }
const claude = { policy: CLAUDE_DENY, ask: CLAUDE, request: CLAUDE_REQUEST, back: claudeBack }
const responses = { policy: DENY, ask: { path: '/responses' }, request: RESPONSES_REQUEST, back: responsesBack }
const gemini = { policy: GEMINI_DENY, request: GEMINI_REQUEST, back: geminiBack }
const streams = { stream: true }
const rows: readonly Row[] = [
  {
    name: 'Chat',
    ...chat,
    play: (args) => events(chatStream(callDeltas(0, 'run_sql', JSON.stringify(args)), 'tool_calls')),
  },
  { name: 'Chat, whole', ...chat, request: { ...REQUEST, stream: false }, play: (args) => whole(chatMessage(args)) },
  {
    name: 'Messages',
    ...claude,
    play: (args) => events(claudeStream(callBlock(0, 'run_sql', JSON.stringify(args)), 'tool_use')),
  },
  {
    name: 'Messages, whole',
    ...claude,
    request: { ...CLAUDE_REQUEST, stream: false },
    play: (args) => whole(claudeMessage([toolUse(0, 'run_sql', { input: args })], 'tool_use')),
  },
  {
    name: 'Responses',
    ...responses,
    request: { ...RESPONSES_REQUEST, ...streams },
    play: (args) => events(responsesStream([item(args)])),
  },
  {
    name: 'Responses, whole',
    ...responses,
    request: { ...RESPONSES_REQUEST, stream: false },
    play: (args) => whole(answerOf([item(args)])),
  },
  { name: 'Gemini', ...gemini, ask: AS_EVENTS, play: (args) => events(sse(geminiParts(args))) },
  { name: 'Gemini, an array', ...gemini, ask: AS_ARRAY, play: (args) => whole(array(geminiParts(args))) },
  { name: 'Gemini, whole', ...gemini, ask: AS_WHOLE, play: (args) => whole(geminiParts(args)[0] ?? '') },
]

const withRule = (policy: string, action: string, mode = 'Enforce'): string =>
  `${policy.replace('  role: marketing\n', `  role: marketing\n  mode: ${mode}\n`)}  onViolation: { rules: [{ name: known-calls, reasons: ["SESSION_*"], action: ${action} }] }\n`
const requests = (seen: Seen) =>
  seen.verdicts
    .filter(({ reasons }) => reasons.includes('SESSION_CALL_UNKNOWN'))
    .map(({ action, enforced, direction }) => `${action} ${enforced} ${direction}`)

for (const { name, policy, ask, request, play, back } of rows) {
  test(`[HISTORY-02] ${name}: a call that was released comes back without a finding, one that was not is on record`, async () => {
    const path = await newPath(policy)
    const first = await path.ask(request, play(READ), ask)
    assert.ok(first.verdicts.some(({ action, tool }) => action === 'Allow' && tool === 'run_sql'))
    const known = await path.ask(back(READ), play(READ), ask)
    assert.deepEqual([known.status, requests(known)], [200, []])
    const other = await path.ask(back({ query: 'SELECT 2' }), play(READ), ask)
    assert.deepEqual([other.status, requests(other)], [200, ['Record true ToModel']])
    assert.notEqual(other.upstream, null)
    await path.close()
  })

  test(`[HISTORY-02] ${name}: a rule may refuse it; Audit acts on nothing`, async () => {
    const path = await newPath(withRule(policy, 'Deny'))
    const seen = await path.ask(back(READ), play(READ), ask)
    assert.deepEqual([seen.status, requests(seen), seen.upstream], [403, ['Deny true ToModel'], null])
    const audit = await newPath(withRule(policy, 'Deny', 'Audit'))
    const passed = await audit.ask(back(READ), play(READ), ask)
    assert.deepEqual([passed.status, requests(passed)], [200, ['Deny false ToModel']])
    await path.close()
    await audit.close()
  })

  test(`[HISTORY-02] ${name}: a refused call is not released, and what restores it is ours`, async () => {
    const path = await newPath(withRule(policy, 'Deny'))
    const refused = await path.ask(request, play(DROP), ask)
    assert.equal(
      refused.verdicts.some(({ reasons }) => reasons.includes('INTENT_SQL_DDL')),
      true,
    )
    const forged = await path.ask(back(DROP), play(READ), ask)
    assert.deepEqual([forged.status, requests(forged)], [403, ['Deny true ToModel']])
    await path.close()
  })
}

test('[HISTORY-02] Chat: a call of another id was never released, and the refusal in a history is no call', async () => {
  const path = await newPath(withRule(DENY, 'Deny'))
  const [row] = rows
  assert.ok(row !== undefined)
  await path.ask(REQUEST, row.play(READ))
  assert.deepEqual(requests(await path.ask(chatBack(READ, 'call_9'), row.play(READ))), ['Deny true ToModel'])
  const refused = await path.ask({ ...REQUEST, stream: false }, whole(chatMessage(DROP)))
  const { message } = (JSON.parse(refused.text) as { choices: { message: object }[] }).choices[0] ?? {}
  const on = { ...REQUEST, messages: [...REQUEST.messages, message, { role: 'user', content: 'and now?' }] }
  const seen = await path.ask(on, row.play(READ))
  assert.deepEqual([seen.status, requests(seen)], [200, []])
  assert.match(Buffer.from(seen.upstream?.body ?? []).toString(), /DROP TABLE/, 'the provider got its call back')
  await path.close()
})

test('[HISTORY-02] a call that is cut before it leaves is not released', async () => {
  const path = await newPath(withRule(DENY, 'Deny'))
  const [row] = rows
  assert.ok(row !== undefined)
  const text = String(row.play(READ).chunks[0])
  const cut = text.indexOf('"finish_reason":"tool_calls"') - 200
  const at = text.lastIndexOf('data: ', cut)
  await path.ask(REQUEST, {
    chunks: [text.slice(0, at), text.slice(at)],
    before: (index) => void (index === 1 && path.move('Suspended')),
  })
  path.move('Active')
  assert.deepEqual(requests(await path.ask(chatBack(READ), row.play(READ))), ['Deny true ToModel'])
  await path.close()
})
