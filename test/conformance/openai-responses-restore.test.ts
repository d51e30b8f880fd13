import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeChecks, JSON_TYPE, newPath, PATIENT, type Path, type Seen } from '../fixtures/path.ts'
import { DENY } from '../fixtures/policies.ts'
import {
  answerOf,
  callItem,
  customItem,
  type Item,
  RESPONSES_REQUEST,
  reasoningItem,
  streamOf,
  textItem,
  wholeItem,
} from '../fixtures/responses.ts'
import { rebuild } from './responses-assembler.ts'

const READ = JSON.stringify({ query: 'SELECT 1' })
const DROP = JSON.stringify({ query: 'DROP TABLE customers' })

type Json = Record<string, unknown>

let path: Path
before(async () => {
  path = await newPath(DENY)
})
after(closeChecks)

const ask = (request: object, items: readonly Item[], more: Json = {}, on: Path = path): Promise<Seen> =>
  on.ask(request, { chunks: [streamOf(items, { more })] }, { path: '/responses' })

const bodyOf = (seen: Seen): Json => JSON.parse(Buffer.from(seen.upstream?.body ?? []).toString()) as Json
const inputOf = (seen: Seen): Json[] => bodyOf(seen)['input'] as Json[]

/** The output of an answer as its client has it. */
function outputOf(seen: Seen): Json[] {
  const events = [...seen.text.matchAll(/^data: ?(.*)$/gm)].map(([, data = '']) => JSON.parse(data) as Json)
  const { response } = events.at(-1) ?? {}
  return (response as { output: Json[] }).output
}

const goOn = (items: readonly unknown[]): object => ({
  ...RESPONSES_REQUEST,
  store: false,
  input: [{ role: 'user', content: 'go on' }, ...items, { role: 'user', content: 'go on without' }],
})

test('[RESP-10] the client sends its items again: the call is at its place, its result behind the turn', async () => {
  const items = [reasoningItem('hm'), textItem('Doing it.'), callItem('run_sql', DROP), callItem('run_sql', READ)]
  const first = await ask(RESPONSES_REQUEST, items)
  const output = outputOf(first)
  const result = { type: 'function_call_output', call_id: items[3]?.done['call_id'], output: '1' }
  const second = await ask(goOn([...output, result]), [textItem('Fine.')])
  assert.equal(second.status, 200)
  const sent = inputOf(second)
  assert.deepEqual(sent.slice(1, 5), [items[0]?.done, items[1]?.done, items[2]?.done, items[3]?.done])
  assert.equal(sent[5]?.['call_id'], items[2]?.done['call_id'])
  assert.match(String(sent[5]?.['output']), /^sallyport: INTENT_SQL_DDL/)
  assert.deepEqual(sent.slice(6), [result, { role: 'user', content: 'go on without' }])
})

test('[RESP-10] bytes outside of the restored items stay as the client sent them', async () => {
  const first = await ask(RESPONSES_REQUEST, [callItem('run_sql', DROP)])
  const [message] = outputOf(first)
  const head =
    '{ "model":"gpt-5-mini",  "stream": true, "temperature":1.0, "input": [\n  {"role":"user","content":"a\\u0062"},\n  '
  const tail = ' , {"role":"user","content":"x"}  ],"metadata":{ } }'
  const body = Buffer.from(`${head}${JSON.stringify(message)}${tail}`)
  const seen = await path.ask({}, { chunks: [streamOf([textItem('ok')])] }, { path: '/responses', body })
  const sent = Buffer.from(seen.upstream?.body ?? []).toString()
  assert.ok(sent.startsWith(head))
  assert.ok(sent.endsWith(tail))
  assert.match(sent, /DROP TABLE/)
})

test('[RESP-10] a message that a framework joined with others is taken apart again', async () => {
  const first = await ask(RESPONSES_REQUEST, [callItem('run_sql', DROP)])
  const [{ content } = {}] = outputOf(first)
  const [{ text } = {}] = content as Json[]
  const second = await ask(goOn([{ role: 'assistant', content: `I will.\n\n${text}` }]), [textItem('Fine.')])
  const [, assistant, call, result] = inputOf(second)
  assert.deepEqual(assistant, { role: 'assistant', content: 'I will.' })
  assert.equal(call?.['arguments'], DROP)
  assert.equal(result?.['type'], 'function_call_output')
})

test('[RESP-10] a reference to the refusal becomes the call and its result', async () => {
  const first = await ask(RESPONSES_REQUEST, [reasoningItem('hm'), callItem('run_sql', DROP)])
  const references = outputOf(first).map(({ id }) => ({ type: 'item_reference', id }))
  const sent = inputOf(await ask(goOn(references), [textItem('Fine.')]))
  assert.deepEqual(sent[1], references[0])
  assert.equal(sent[2]?.['arguments'], DROP)
  assert.equal(sent[3]?.['type'], 'function_call_output')
})

const kinds: readonly {
  readonly item: () => Item
  readonly type: string
  readonly tells: (result: Json) => unknown
}[] = [
  { item: () => customItem('send_mail', 'x'), type: 'custom_tool_call_output', tells: ({ output }) => output },
  {
    item: () => wholeItem('shell_call', { action: { commands: ['ls'] } }),
    type: 'shell_call_output',
    tells: ({ output }) => (output as Json[])[0]?.['stderr'],
  },
  {
    item: () => wholeItem('local_shell_call', { action: { type: 'exec', command: ['ls'] } }),
    type: 'local_shell_call_output',
    tells: ({ output }) => output,
  },
  {
    item: () => wholeItem('apply_patch_call', { operation: { type: 'delete_file', path: 'x' } }),
    type: 'apply_patch_call_output',
    tells: ({ output }) => output,
  },
  {
    item: () => wholeItem('mcp_approval_request', { name: 'send_mail', arguments: '{}', server_label: 's' }),
    type: 'mcp_approval_response',
    tells: ({ reason }) => reason,
  },
  {
    item: () => wholeItem('computer_call', { action: { type: 'click', x: 1, y: 1 } }),
    type: 'computer_call_output',
    tells: () => 'sallyport: TOOL',
  },
]

for (const { item, type, tells } of kinds)
  test(`[RESP-10] the provider keeps the answer and waits for ${type}: it comes in front of the input`, async () => {
    const id = `resp_${type}`
    await ask(RESPONSES_REQUEST, [item()], { id })
    const request = { ...RESPONSES_REQUEST, previous_response_id: id, input: 'and now?' }
    const sent = inputOf(await ask(request, [textItem('Fine.')]))
    assert.equal(sent[0]?.['type'], type)
    assert.match(String(tells(sent[0] ?? {})), /^sallyport: TOOL/)
    assert.deepEqual(sent.at(-1), { type: 'message', role: 'user', content: 'and now?' })
  })

test('[RESP-10] an answer may be gone on from twice; only its own refused calls are answered, each once', async () => {
  const items = [callItem('run_sql', DROP), callItem('run_sql', READ), callItem('send_mail', '{}')]
  await ask(RESPONSES_REQUEST, items, { id: 'resp_two' })
  const result = { type: 'function_call_output', call_id: items[1]?.done['call_id'], output: '1' }
  for (let turn = 0; turn < 2; turn += 1) {
    const request = { ...RESPONSES_REQUEST, previous_response_id: 'resp_two', input: [result] }
    const sent = inputOf(await ask(request, [textItem('Fine.')], { id: `resp_next_${turn}` }))
    assert.deepEqual(
      sent.map((item) => item['call_id']),
      [items[0], items[2], items[1]].map((item) => item?.done['call_id']),
    )
  }
  const other = { ...RESPONSES_REQUEST, previous_response_id: 'resp_next_0', input: [result] }
  assert.deepEqual(inputOf(await ask(other, [textItem('Fine.')])), [result])
})

test('[RESP-10] a conversation of the provider: its refused calls are answered by the next request, and by no later one', async () => {
  const more = { conversation: { id: 'conv_1' } }
  await ask({ ...RESPONSES_REQUEST, conversation: 'conv_1' }, [callItem('run_sql', DROP)], { ...more, id: 'resp_c1' })
  const next = { ...RESPONSES_REQUEST, conversation: { id: 'conv_1' }, input: [] }
  const failed = await path.ask(
    next,
    { chunks: ['{"error":{"message":"later"}}'], status: 503, headers: JSON_TYPE },
    { path: '/responses' },
  )
  assert.equal(inputOf(failed).length, 1)
  assert.equal(inputOf(await ask(next, [textItem('Fine.')], more)).length, 1)
  assert.equal(inputOf(await ask(next, [textItem('Fine.')], more)).length, 0)
})

test('[RESP-10] what is forgotten: ids and thoughts of that turn go, and what the provider waits for is a conflict', async () => {
  const small = await newPath(DENY, { ...PATIENT, restoreBytesPerAgent: 64 })
  const first = await ask(
    RESPONSES_REQUEST,
    [reasoningItem('hm'), callItem('run_sql', DROP)],
    { id: 'resp_lost' },
    small,
  )
  const [thought, message] = outputOf(first)
  const sent = inputOf(await ask(goOn([thought, message]), [textItem('Fine.')], {}, small))
  assert.equal(sent.length, 3)
  assert.equal(sent[1]?.['id'], undefined)
  assert.match(JSON.stringify(sent[1]), /INTENT_SQL_DDL/)
  for (const request of [
    { ...RESPONSES_REQUEST, previous_response_id: 'resp_lost', input: 'go on' },
    goOn([{ type: 'item_reference', id: message?.['id'] }]),
  ]) {
    const seen = await ask(request, [textItem('never')], {}, small)
    assert.equal(seen.status, 409)
    assert.equal(seen.headers['x-should-retry'], 'false')
    assert.match(seen.text, /"code":"WIRE_RESTORE_LOST"/)
    assert.equal(seen.upstream, null)
  }
})

test('[RESP-11] a response that is fetched is judged like a first delivery', async () => {
  const items = [textItem('hi'), callItem('run_sql', DROP)]
  const got = { method: 'GET', path: '/responses/resp_1', headers: {}, body: new Uint8Array(0) }
  const asked = await path.ask({}, { chunks: [answerOf(items)], headers: JSON_TYPE }, got)
  assert.equal(asked.status, 200)
  assert.deepEqual(rebuild(asked.text).calls, [])
  assert.equal(asked.upstream?.path, '/responses/resp_1')
  assert.equal(asked.upstream?.body, null)
  const cancel = { ...got, method: 'POST', path: '/responses/resp_1/cancel' }
  const cancelled = await path.ask(
    {},
    { chunks: [answerOf(items, { status: 'cancelled' })], headers: JSON_TYPE },
    cancel,
  )
  assert.deepEqual(rebuild(cancelled.text).calls, [])
  assert.equal(cancelled.upstream?.method, 'POST')
})

test('[RESP-11] a call of an answer that is still being made is not told yet, and is no violation', async () => {
  const half = callItem('run_sql', DROP)
  const items = [textItem('hi'), { ...half, done: { ...half.done, status: 'in_progress', arguments: '{"query":"DR' } }]
  const got = { method: 'GET', path: '/responses/resp_1', headers: {}, body: new Uint8Array(0) }
  const body = answerOf(items, { status: 'in_progress' })
  const seen = await path.ask({}, { chunks: [body], headers: JSON_TYPE }, got)
  const { output } = JSON.parse(seen.text) as { output: Json[] }
  assert.deepEqual(output, [items[0]?.done])
  assert.deepEqual(seen.verdicts, [])
})

test('[RESP-11] a stream that is taken up again is asked for whole, numbered as before, and sent from there on', async () => {
  const items = [callItem('run_sql', DROP), textItem('and so on'), callItem('run_sql', READ)]
  const stream = streamOf(items)
  const first = await path.ask(RESPONSES_REQUEST, { chunks: [stream] }, { path: '/responses' })
  const strip = (text: string): string => text.replace(/v_test\d+/g, 'v')
  const events = strip(first.text).split(/(?<=\n\n)/)
  for (const after of [0, 3, 7, 11, events.length - 2]) {
    const query = `?stream=true&starting_after=${after}&include%5B%5D=reasoning.encrypted_content`
    const seen = await path.ask(
      {},
      { chunks: [stream] },
      { method: 'GET', path: '/responses/resp_1', query, headers: {}, body: new Uint8Array(0) },
    )
    assert.equal(seen.upstream?.path, '/responses/resp_1?stream=true&include%5B%5D=reasoning.encrypted_content')
    assert.equal(strip(seen.text), events.slice(after + 1).join(''), `after ${after}`)
  }
})

const NO_BODY = { headers: {}, body: new Uint8Array(0) }
const endpoints: readonly { readonly ask: object; readonly status: number; readonly answer?: string }[] = [
  { ask: { method: 'DELETE', path: '/responses/resp_1', ...NO_BODY }, status: 200, answer: '{"deleted":true}' },
  {
    ask: { method: 'GET', path: '/responses/resp_1/input_items', query: '?limit=3', ...NO_BODY },
    status: 200,
    answer: `{"data":[{"type":"function_call","name":"run_sql","arguments":${JSON.stringify(DROP)}}]}`,
  },
  { ask: { path: '/responses/input_tokens' }, status: 200, answer: '{"input_tokens":3}' },
  { ask: { path: '/responses/compact' }, status: 200, answer: '{"object":"response.compaction","output":[]}' },
  { ask: { path: '/responses/resp_1' }, status: 403 },
  { ask: { path: '/responses/resp_1/cancel', body: Buffer.from('{"x":1}') }, status: 403 },
  { ask: { path: '/responses', query: '?beta=1' }, status: 403 },
  { ask: { method: 'GET', path: '/responses', ...NO_BODY }, status: 403 },
  { ask: { method: 'GET', path: '/responses/resp_1', query: '?stream=1', ...NO_BODY }, status: 403 },
  {
    ask: { method: 'GET', path: '/responses/resp_1', query: '?starting_after=1&starting_after=2', ...NO_BODY },
    status: 403,
  },
  { ask: { method: 'GET', path: '/responses/resp_1', query: '?other=1', ...NO_BODY }, status: 403 },
  { ask: { method: 'GET', path: '/responses/a%2Fb', ...NO_BODY }, status: 403 },
  { ask: { method: 'GET', path: '/responses/resp_1', headers: {}, body: Buffer.from('{}') }, status: 403 },
  { ask: { method: 'GET', path: '/conversations/conv_1/items', ...NO_BODY }, status: 403 },
]

for (const { ask: given, status, answer = '{}' } of endpoints)
  test(`[RESP-12] ${JSON.stringify(given).slice(0, 110)}: ${status}`, async () => {
    const seen = await path.ask(RESPONSES_REQUEST, { chunks: [answer], headers: JSON_TYPE }, given)
    assert.equal(seen.status, status, seen.text)
    if (status === 200) assert.equal(seen.text, answer)
    else assert.equal(seen.upstream, null)
  })

const HOSTED = DENY.replace(
  'models: ["gpt-5*"]',
  'models: ["gpt-5*"], hostedTools: [web_search, { name: mcp, serverUrls: ["https://docs.example/mcp"] }]',
)
const always = { type: 'mcp', server_label: 'd', server_url: 'https://docs.example/mcp', require_approval: 'always' }

const hosted: readonly { readonly name: string; readonly more: object; readonly passes: boolean }[] = [
  { name: 'a granted search', more: { tools: [{ type: 'web_search' }] }, passes: true },
  { name: 'a search that is not granted', more: { tools: [{ type: 'file_search' }] }, passes: false },
  { name: 'a server that asks always', more: { tools: [always] }, passes: true },
  { name: 'a server that asks never', more: { tools: [{ ...always, require_approval: 'never' }] }, passes: false },
  {
    name: 'a server that asks for some',
    more: { tools: [{ ...always, require_approval: { never: {} } }] },
    passes: false,
  },
  { name: 'a server by default', more: { tools: [{ ...always, require_approval: undefined }] }, passes: false },
  { name: 'another server', more: { tools: [{ ...always, server_url: 'https://evil.example' }] }, passes: false },
  { name: 'a connector', more: { tools: [{ ...always, connector_id: 'connector_gmail' }] }, passes: false },
  {
    name: 'a shell of the provider',
    more: { tools: [{ type: 'shell', environment: { type: 'container_auto' } }] },
    passes: false,
  },
  { name: 'a shell of the client', more: { tools: [{ type: 'shell', environment: { type: 'local' } }] }, passes: true },
  { name: 'programs that call tools', more: { tools: [{ type: 'programmatic_tool_calling' }] }, passes: false },
  { name: 'a tool of a type that nobody defines', more: { tools: [{ type: 'teleport' }] }, passes: false },
  {
    name: 'a hosted tool in a namespace',
    more: { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'file_search' }] }] },
    passes: false,
  },
  {
    name: 'a hosted tool in the input',
    more: { input: [{ type: 'additional_tools', role: 'developer', tools: [{ type: 'code_interpreter' }] }] },
    passes: false,
  },
  { name: 'a template whose tools nobody sees', more: { prompt: { id: 'pmpt_1' } }, passes: false },
]

for (const { name, more, passes } of hosted)
  test(`[RESP-13] the request turns on ${name}: ${passes ? 'passes' : 'refused'}`, async () => {
    const granted = await newPath(HOSTED)
    const seen = await ask({ ...RESPONSES_REQUEST, ...more }, [textItem('hi')], {}, granted)
    assert.equal(seen.status, passes ? 200 : 403, seen.text)
    if (!passes) assert.deepEqual(seen.verdicts[0]?.reasons[0], 'TOOL_HOSTED_NOT_GRANTED')
  })

const badRequests: readonly { readonly name: string; readonly body: string }[] = [
  { name: 'no model', body: '{"input":"x"}' },
  { name: 'two models', body: '{"model":"gpt-5","model":"gpt-4","input":"x"}' },
  { name: 'an input that is a number', body: '{"model":"gpt-5","input":3}' },
  { name: 'an item that is a text', body: '{"model":"gpt-5","input":["x"]}' },
  { name: 'a stream that is a text', body: '{"model":"gpt-5","input":"x","stream":"true"}' },
  { name: 'tools that are an object', body: '{"model":"gpt-5","input":"x","tools":{"0":{}}}' },
  { name: 'a namespace of texts', body: '{"model":"gpt-5","input":"x","tools":[{"type":"namespace","tools":["x"]}]}' },
  { name: 'an answer named by a number', body: '{"model":"gpt-5","input":"x","previous_response_id":7}' },
  { name: 'a conversation without an id', body: '{"model":"gpt-5","input":"x","conversation":{}}' },
  { name: 'no JSON', body: '{"model":"gpt-5",' },
]

for (const { name, body } of badRequests)
  test(`[RESP-12] a request with ${name} is refused`, async () => {
    const seen = await path.ask({}, { chunks: [streamOf([])] }, { path: '/responses', body: Buffer.from(body) })
    assert.equal(seen.status, 403)
    assert.equal(seen.upstream, null)
  })
