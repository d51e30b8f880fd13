import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ALL_RELEASED, type Message, type RefusedCalls, type RestoreRecord } from '#pkg/model'
import { atOnce, LIMITS, REQUEST, refusing, through, viewOf, WORK } from './dialect.fixture.ts'
import { openaiResponses } from './index.ts'
import { callIn } from './item.ts'
import { namesOf } from './names.ts'
import { editsOf, Texts } from './texts.ts'
import { toolsOf } from './tools.ts'

type Json = Record<string, unknown>

const call = (index: number, name: string, args: string, size: number): Json[] => {
  const base = { id: `fc_${index}`, type: 'function_call', call_id: `call_${index}`, name }
  const place = { output_index: index, item_id: base.id }
  const deltas = args.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
  return [
    {
      type: 'response.output_item.added',
      output_index: index,
      item: { ...base, status: 'in_progress', arguments: '' },
    },
    ...deltas.map((delta) => ({ type: 'response.function_call_arguments.delta', ...place, delta })),
    { type: 'response.function_call_arguments.done', ...place, arguments: args },
    { type: 'response.output_item.done', output_index: index, item: { ...base, status: 'completed', arguments: args } },
  ]
}

const itemsOf = (events: readonly Json[]): unknown[] =>
  events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item)

const streamOf = (events: readonly Json[]): Uint8Array =>
  Buffer.from(
    [
      { type: 'response.created', response: { id: 'resp_1', output: [] } },
      ...events,
      { type: 'response.completed', response: { id: 'resp_1', output: itemsOf(events) } },
    ]
      .map(
        (event, number) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: number })}\n\n`,
      )
      .join(''),
  )

test('[RESP-03] the same messages and bytes whole, byte by byte, and at every split', () => {
  const bytes = streamOf([...call(0, 'run_sql', '{"query":"é"}', 3), ...call(1, 'send_mail', '{}', 1)])
  const decide = (messages: readonly Message[]) => refusing(messages, ['send_mail'])
  const whole = through(bytes, [], decide)
  assert.deepEqual(through(bytes, [...bytes.keys()].slice(1), decide), whole)
  for (let at = 1; at < bytes.length; at += 1) assert.deepEqual(through(bytes, [at], decide), whole)
  assert.equal(through(bytes, [], () => ALL_RELEASED).out, Buffer.from(bytes).toString())
})

test('[RESP-02] whatever is refused, numbers have no gap and each item of the last snapshot was told', () => {
  const piece = fc.record({ bad: fc.boolean(), args: fc.json({ maxDepth: 2 }), size: fc.integer({ min: 1, max: 9 }) })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
      const events = pieces.flatMap(({ bad, args, size }, index) =>
        call(index, bad ? 'send_mail' : 'run_sql', args, size),
      )
      const { out, messages } = through(streamOf(events), [], (all) => refusing(all, ['send_mail']))
      const told = [...out.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as Json)
      assert.deepEqual(
        told.map((event) => event['sequence_number']),
        told.map((_, number) => number),
      )
      const { response } = told.at(-1) ?? {}
      assert.deepEqual((response as { output: unknown[] }).output, itemsOf(told))
      assert.equal(out.includes('send_mail'), false)
      assert.equal(messages.filter(({ kind }) => kind === 'call-close').length, pieces.length)
    }),
    { numRuns: 100 },
  )
})

const faces: readonly { readonly name: string; readonly item: Json; readonly is: 'call' | 'fault' | 'evidence' }[] = [
  { name: 'a function call', item: { type: 'function_call', name: 'x', arguments: '{}' }, is: 'call' },
  { name: 'arguments that are an object', item: { type: 'function_call', name: 'x', arguments: {} }, is: 'fault' },
  {
    name: 'arguments under a second name',
    item: { type: 'function_call', name: 'x', arguments: '{}', args: '{}' },
    is: 'fault',
  },
  {
    name: 'a second function inside',
    item: { type: 'function_call', name: 'x', arguments: '{}', function: {} },
    is: 'fault',
  },
  { name: 'a name that is a list', item: { type: 'function_call', name: ['x'], arguments: '{}' }, is: 'fault' },
  { name: 'a custom call', item: { type: 'custom_tool_call', name: 'x', input: 'y' }, is: 'call' },
  { name: 'a shell command that is a text', item: { type: 'local_shell_call', action: 'ls' }, is: 'fault' },
  { name: 'a computer call', item: { type: 'computer_call', action: { type: 'wait' } }, is: 'call' },
  {
    name: 'a search by the client',
    item: { type: 'tool_search_call', execution: 'client', arguments: {} },
    is: 'call',
  },
  { name: 'a search by nobody', item: { type: 'tool_search_call', arguments: {} }, is: 'call' },
  { name: 'a search by the provider', item: { type: 'tool_search_call', execution: 'server' }, is: 'evidence' },
  { name: 'a web search', item: { type: 'web_search_call', name: 'web_search', arguments: '{}' }, is: 'evidence' },
  { name: 'an item without a type', item: { name: 'x', arguments: '{}' }, is: 'fault' },
  { name: 'an unknown call', item: { type: 'robot_call' }, is: 'fault' },
  { name: 'an unknown item that is no call', item: { type: 'weather_report', degrees: 3 }, is: 'evidence' },
  {
    name: 'an unknown item that hides one',
    item: { type: 'weather', next: { name: 'x', arguments: '{}' } },
    is: 'fault',
  },
]

for (const { name, item, is } of faces)
  test(`[RESP-05] ${name}: ${is}`, () => {
    const face = callIn(item, { computer: 'computer', hostedShell: false })
    assert.equal(face === null ? 'evidence' : face.fault === null ? 'call' : 'fault', is)
  })

const spaces: readonly {
  readonly declared: readonly string[]
  readonly namespace: string | null
  readonly names: readonly string[]
}[] = [
  { declared: ['find'], namespace: null, names: ['find'] },
  { declared: ['crm.find'], namespace: 'crm', names: ['crm.find'] },
  { declared: ['crm.find', 'find'], namespace: 'crm', names: ['crm.find', 'find'] },
  { declared: ['crm.find', 'erp.find'], namespace: 'crm', names: ['crm.find', 'find'] },
  { declared: [], namespace: 'crm', names: ['crm.find', 'find'] },
  { declared: ['find'], namespace: 'find', names: ['find'] },
]

for (const { declared, namespace, names } of spaces)
  test(`[RESP-05] "find" of namespace ${namespace} where ${declared.join(', ') || 'nothing'} is declared`, () => {
    const face = callIn(
      { type: 'function_call', name: 'find', namespace, arguments: '{}' },
      { computer: '', hostedShell: false },
    )
    assert.ok(face !== null)
    assert.deepEqual(namesOf(face, declared), names)
  })

test('[RESP-13] tools by who runs them', () => {
  const { tools, hosted } = toolsOf({
    tools: [
      { type: 'function', name: 'a' },
      { type: 'namespace', name: 'n', tools: [{ type: 'custom', name: 'b' }] },
      { type: 'local_shell' },
      { type: 'shell' },
      { type: 'shell', environment: { type: 'container_reference' } },
      { type: 'tool_search' },
      { type: 'tool_search', execution: 'client' },
      { type: 'mcp', server_url: 'https://a', require_approval: 'always' },
      { type: 'mcp', server_url: 'https://a', tunnel_id: 't' },
    ],
    input: [{ type: 'tool_search_output', tools: [{ type: 'function', name: 'c' }] }],
    prompt: { id: 'p' },
  })
  assert.deepEqual(tools, ['a', 'n.b', 'local_shell', 'shell', 'tool_search', 'c'])
  assert.deepEqual(
    hosted.map(({ name, serverUrl, asksAlways }) => [name, serverUrl, asksAlways === true]),
    [
      ['shell', null, false],
      ['tool_search', null, false],
      ['mcp', 'https://a', true],
      ['mcp', null, false],
      ['prompt', null, false],
    ],
  )
})

test('[RESP-08] texts: an edit of a part is told again by every echo of it', () => {
  const thread = { kind: 'text', member: 'output_text' } as const
  const texts = new Texts()
  const out: Message[] = []
  const first = texts.delta({ thread, item: 0, part: 0, path: ['delta'], text: 'ab' }, 0, out)
  const second = texts.delta({ thread, item: 0, part: 0, path: ['delta'], text: 'cd' }, 1, out)
  const echo = texts.whole([{ thread, item: 0, part: 0, path: ['text'], text: 'abcd' }], 2, out)
  assert.ok(first !== null && second !== null && echo !== null)
  assert.deepEqual(editsOf([first], ALL_RELEASED), [])
  assert.deepEqual(editsOf([second], { ...ALL_RELEASED, text: () => 'X' }), [{ path: ['delta'], text: 'X' }])
  assert.deepEqual(editsOf(echo, ALL_RELEASED), [{ path: ['text'], text: 'abX' }])
  assert.equal(out.length, 2)
})

test('[RESP-05] texts: an earlier part cannot go on once a later one has begun', () => {
  const thread = { kind: 'text', member: 'output_text' } as const
  const texts = new Texts()
  const at = (item: number) => texts.delta({ thread, item, part: 0, path: ['delta'], text: 'x' }, 0, [])
  assert.notEqual(at(0), null)
  assert.notEqual(at(1), null)
  assert.equal(at(0), null)
})

const restored = (input: unknown, records: readonly RestoreRecord[], more: object = {}): Json | null | 'lost' => {
  const refused: RefusedCalls = {
    byVerdict: (id) => records.find(({ verdictId }) => verdictId === id) ?? null,
    inAnswer: (id) => records.filter(({ answerId }) => answerId === id),
  }
  const body = openaiResponses.restore(viewOf({ ...REQUEST, input, ...more }), refused, LIMITS.requestBytes)
  return body === null || body === 'lost' ? body : (JSON.parse(Buffer.from(body).toString()) as Json)
}

const refusalOf = (id: string): string => `sallyport: no. Verdict ${id}. Ask: sallyctl policy explain ${id}`
const recordOf = (id: string, answerId: string | null = null): RestoreRecord => ({
  verdictId: id,
  text: refusalOf(id),
  original: JSON.stringify({
    index: 0,
    item: { type: 'function_call', call_id: `call_${id}`, name: 'x', arguments: '{}' },
  }),
  answerId,
})

test('[RESP-10] only a message of the assistant, word for word, known and once, is put back', () => {
  const message = (text: string, role = 'assistant') => ({ role, content: text })
  assert.equal(restored([message(refusalOf('v_1'), 'user')], [recordOf('v_1')]), null)
  assert.equal(restored([message(refusalOf('v_2'))], [recordOf('v_1')]), null)
  assert.equal(restored([message(refusalOf('v_1').replace('no', 'yes'))], [recordOf('v_1')]), null)
  const twice = restored([message(refusalOf('v_1')), message(refusalOf('v_1'))], [recordOf('v_1')])
  assert.ok(twice !== null && twice !== 'lost')
  const input = twice['input'] as Json[]
  assert.equal(input.filter(({ type }) => type === 'function_call').length, 1)
})

test('[RESP-10] whatever the input, the restored body is JSON, and all that was there before is there still', () => {
  const other = fc.oneof(
    fc.constant({ role: 'user', content: 'x' }),
    fc.constant({ type: 'reasoning', id: 'rs_1', summary: [] }),
    fc.record({ type: fc.constant('function_call_output'), call_id: fc.string(), output: fc.string() }),
  )
  const ours = fc.record({
    role: fc.constant('assistant'),
    id: fc.constant('msg_sp_v_1'),
    content: fc.constant(refusalOf('v_1')),
  })
  fc.assert(
    fc.property(fc.array(fc.oneof(other, ours), { maxLength: 6 }), fc.boolean(), (input, byId) => {
      const more = byId ? { previous_response_id: 'resp_1' } : {}
      const found = restored(input, [recordOf('v_1'), recordOf('v_2', 'resp_1')], more)
      assert.notEqual(found, 'lost')
      const left = found === null || found === 'lost' ? input : (found['input'] as Json[])
      const texts = left.map((item) => JSON.stringify(item))
      for (const item of input)
        if (!('id' in item && item.id === 'msg_sp_v_1')) assert.ok(texts.includes(JSON.stringify(item)))
      assert.equal(texts.filter((text) => text.includes('"call_v_2"')).length, byId ? 1 : 0)
    }),
    { numRuns: 200 },
  )
})

test('[RESP-10] no input, an empty one, a text: results stand in front', () => {
  const records = [recordOf('v_1', 'resp_1')]
  const more = { previous_response_id: 'resp_1' }
  for (const input of [undefined, null, [], 'text']) {
    const found = restored(input, records, more)
    assert.ok(found !== null && found !== 'lost')
    const [first] = found['input'] as Json[]
    assert.equal(first?.['call_id'], 'call_v_1')
  }
})

test('[RESP-12] bodies that are read in turns are read alike', async () => {
  const large = { ...REQUEST, input: 'x'.repeat(300_000) }
  const endpoint = openaiResponses.endpointOf('POST', '/responses', '')
  assert.ok(endpoint !== null)
  const read = await openaiResponses.readRequest(endpoint, Buffer.from(JSON.stringify(large)), WORK)
  assert.ok(read.ok)
  assert.deepEqual(read.value.tools, ['run_sql'])
  const body = Buffer.from(
    JSON.stringify({
      id: 'resp_1',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'x'.repeat(300_000) }] }],
    }),
  )
  const answer = await openaiResponses.readAnswer(read.value, body, WORK)
  assert.ok(answer.ok)
  assert.equal(answer.value.answerId(), 'resp_1')
  assert.deepEqual(Buffer.from(answer.value.write(ALL_RELEASED)), body)
})

test('[RESP-07] an answer that is no object, or whose output is no list, has no reading', () => {
  for (const text of [
    '[]',
    '"x"',
    '{"output":{"0":{}}}',
    '{"output":[3]}',
    '{"output":[{"type":"message","content":{"a":1}}]}',
    '{',
  ])
    assert.equal(atOnce(openaiResponses.readAnswer(viewOf(REQUEST), Buffer.from(text), WORK)).ok, false, text)
})
