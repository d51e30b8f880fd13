import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { cutsOf, seeded } from '../fixtures/chat.ts'
import { closeChecks, JSON_TYPE, newPath, type Path, type Play, type Seen } from '../fixtures/path.ts'
import { ABORT, DENY, SEVER, TEXT_TOOLS } from '../fixtures/policies.ts'
import {
  answerOf,
  callItem,
  customItem,
  eventsOf,
  FRAMINGS,
  framed,
  type Item,
  RESPONSES_REQUEST,
  reasoningItem,
  type StreamOptions,
  streamOf,
  textItem,
  wholeItem,
} from '../fixtures/responses.ts'
import { rebuild } from './responses-assembler.ts'

const READ = JSON.stringify({ query: 'SELECT segment, count(*) FROM customers GROUP BY segment' })
const DROP = JSON.stringify({ query: 'DROP TABLE customers; SELECT 1' })
const SECRET = 'DROP TABLE customers'

let deny: Path
let abort: Path
before(async () => {
  deny = await newPath(DENY)
  abort = await newPath(ABORT)
})
after(closeChecks)

const ask = (path: Path, play: Play | string, request: object = RESPONSES_REQUEST): Promise<Seen> =>
  path.ask(request, typeof play === 'string' ? { chunks: [play] } : play, { path: '/responses' })

const whole = (body: string): Play => ({ chunks: [body], headers: JSON_TYPE })

const reasonsOf = (seen: Seen): readonly string[] =>
  seen.verdicts.map((verdict) => verdict.reasons[0] ?? verdict.action)

const eventsIn = (text: string): Record<string, unknown>[] =>
  [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data = '']) => JSON.parse(data) as Record<string, unknown>)

/** The forbidden call must not be there for anybody, in any reading. */
function assertUnseen(seen: Seen, secret = SECRET): void {
  for (const call of rebuild(seen.text).calls) {
    assert.ok(!call.args.includes(secret), `rebuilt: ${call.name} ${call.args}`)
  }
  assert.ok(!seen.text.includes(secret), 'the forbidden text left')
}

/** Numbers without a gap, items that begin once and end once, and a last snapshot that tells what they told. */
function assertWellFormed(text: string): void {
  const events = eventsIn(text)
  assert.deepEqual(
    events.map((event) => event['sequence_number']),
    events.map((_, index) => index),
  )
  const done = new Map<unknown, unknown>()
  const open = new Set<unknown>()
  for (const event of events) {
    const index = event['output_index']
    if (event['type'] === 'response.output_item.added') {
      assert.ok(!open.has(index) && !done.has(index), `item ${index} begins twice`)
      open.add(index)
    } else if (event['type'] === 'response.output_item.done') {
      assert.ok(open.delete(index), `item ${index} ends without a beginning`)
      done.set(index, event['item'])
    } else if (index !== undefined) assert.ok(open.has(index), `${event['type']} outside of its item`)
  }
  const last = events.at(-1)?.['response'] as { output: unknown[] } | undefined
  assert.deepEqual(
    last?.output,
    [...done].sort(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item),
  )
}

test('[RESP-01] an allowed stream is byte-identical in every framing and every cut', async () => {
  const items = [
    reasoningItem('First look, then count.'),
    textItem('Let me look — 日本 🙂 at that.'),
    callItem('search_docs', '{"query":"tulips"}'),
    callItem('run_sql', READ),
    customItem('note_add', '{"query":"a"}'),
  ]
  for (const [name, framing] of Object.entries(FRAMINGS)) {
    const stream = streamOf(items, {}, framing)
    for (const cut of cutsOf(stream)) {
      if (cut.name === 'byte by byte' && name !== 'named' && name !== 'cr') continue
      const seen = await ask(deny, { chunks: cut.chunks })
      assert.equal(seen.status, 200)
      assert.equal(seen.text.replaceAll(': keep\n', ''), stream.replaceAll(': keep\n', ''), `${name}, ${cut.name}`)
      assert.deepEqual(reasonsOf(seen), ['Allow', 'Allow', 'Allow'])
    }
  }
})

const positions = [0, 1, 2] as const
for (const position of positions)
  for (const size of [1, 5, 1000])
    test(`[RESP-02] forbidden call at place ${position}, deltas of ${size}`, async () => {
      for (const interleave of [false, true])
        for (const [name, framing] of Object.entries(FRAMINGS)) {
          const items = positions.map((place) => callItem('run_sql', place === position ? DROP : READ, size))
          for (const cut of cutsOf(`\uFEFF${streamOf(items, { interleave }, framing)}`).filter(
            (cut) => cut.name !== 'byte by byte' || (name === 'named' && size > 1),
          )) {
            const seen = await ask(deny, { chunks: cut.chunks })
            const label = `${name}, ${cut.name}`
            assertUnseen(seen)
            const expected = positions.map((place) => (place === position ? 'INTENT_SQL_DDL' : 'Allow'))
            assert.deepEqual([...reasonsOf(seen)].sort(), [...expected].sort(), label)
            assert.equal(seen.how, 'end', label)
            const { calls, text } = rebuild(seen.text)
            assert.ok(
              calls.some((call) => call.name === 'run_sql' && call.args === READ),
              label,
            )
            assert.match(text, /sallyport: INTENT_SQL_DDL: tool "run_sql"/)
            if (name === 'named') assertWellFormed(seen.text)
          }
        }
    })

test('[RESP-02] a refused call is a whole message at its place, and the last snapshot tells the same', async () => {
  const seen = await ask(deny, streamOf([reasoningItem('hm'), callItem('run_sql', DROP), callItem('run_sql', READ)]))
  assertWellFormed(seen.text)
  const events = eventsIn(seen.text).filter((event) => event['output_index'] === 1)
  assert.deepEqual(
    events.map((event) => event['type']),
    [
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
    ],
  )
  const { item } = events.at(-1) as { item: { id: string } }
  assert.match(item.id, /^msg_sp_v_test\d+$/)
  assert.match(seen.text, /^event: response\.output_text\.delta$/m)
})

test('[RESP-02] where the text has a format, the refusal is a refusal', async () => {
  for (const request of [
    { ...RESPONSES_REQUEST, text: { format: { type: 'json_schema', name: 'x', schema: {} } } },
    {
      ...RESPONSES_REQUEST,
      input: [{ type: 'configuration_update', text: { format: { type: 'json_schema', name: 'x', schema: {} } } }],
    },
  ]) {
    const format = { text: { format: { type: 'json_schema', name: 'x', schema: {} } } }
    const seen = await ask(deny, streamOf([callItem('run_sql', DROP)], { more: format }), request)
    assert.match(seen.text, /"type":"response\.refusal\.delta"/)
    assert.doesNotMatch(seen.text, /"type":"output_text"/)
    assertWellFormed(seen.text)
  }
})

test('[RESP-03] verdicts and released bytes are the same at every split of the entity', async () => {
  const stream = streamOf([textItem('ok '), callItem('run_sql', READ, 20), callItem('run_sql', DROP, 9)])
  const bytes = Buffer.from(stream)
  const strip = (text: string): string => text.replace(/v_test\d+/g, 'v')
  const first = await ask(deny, stream)
  for (let at = 1; at < bytes.length; at += 19) {
    const seen = await ask(deny, { chunks: [bytes.subarray(0, at), bytes.subarray(at)] })
    assert.equal(strip(seen.text), strip(first.text), `cut at ${at}`)
    assert.deepEqual(reasonsOf(seen), reasonsOf(first))
  }
})

test('[RESP-04] Abort ends the stream with an error event that has both shapes, and cancels the provider', async () => {
  const seen = await ask(abort, streamOf([textItem('Before the call. '), callItem('run_sql', DROP, 5)]))
  assertUnseen(seen)
  assert.equal(seen.upstreamCancelled, true)
  const last = seen.text.trim().split('\n\n').at(-1) ?? ''
  const [name, data = ''] = last.split('\n')
  assert.equal(name, 'event: error')
  const event = JSON.parse(data.slice('data: '.length)) as Record<string, unknown>
  const { message, ...rest } = event
  assert.match(String(message), /INTENT_SQL_DDL/)
  assert.deepEqual(rest, {
    type: 'error',
    sequence_number: 0,
    code: 'INTENT_SQL_DDL',
    param: null,
    error: { message, type: 'sallyport', param: null, code: 'INTENT_SQL_DDL' },
  })
})

test('[RESP-04] Sever quarantines', async () => {
  const path = await newPath(SEVER)
  const seen = await ask(path, streamOf([callItem('run_sql', DROP)]))
  assertUnseen(seen)
  assert.equal(path.standing.state, 'Quarantined')
  const next = await ask(path, streamOf([]))
  assert.equal(next.status, 403)
  assert.match(next.text, /"code":"IDENTITY_AGENT_QUARANTINED"/)
})

type Edit = NonNullable<StreamOptions['edit']>
const isType = (event: Record<string, unknown>, type: string): boolean => event['type'] === `response.${type}`

/** Changes every event of a type. */
const change =
  (type: string, to: (event: Record<string, unknown>) => Record<string, unknown>): Edit =>
  (events) =>
    events.map((event) => (isType(event, type) ? to(event) : event))

const itemOf = (event: Record<string, unknown>, more: object): Record<string, unknown> => ({
  ...event,
  item: { ...(event['item'] as object), ...more },
})

const outputOf = (event: Record<string, unknown>, output: readonly unknown[]): Record<string, unknown> => ({
  ...event,
  response: { ...(event['response'] as object), output },
})

const forbidden = (more: object = {}): object => ({
  id: 'fc_x',
  type: 'function_call',
  call_id: 'call_x',
  name: 'run_sql',
  arguments: DROP,
  status: 'completed',
  ...more,
})

type Hostile = {
  readonly name: string
  readonly reason: string
  readonly items?: readonly Item[]
  readonly edit?: Edit
}

/** What a lenient client could read a forbidden call out of, although the deltas tell a harmless one. */
const hostile: readonly Hostile[] = [
  {
    name: 'arguments.done tells other arguments than the deltas',
    reason: 'INTENT_SQL_DDL',
    edit: change('function_call_arguments.done', (event) => ({ ...event, arguments: DROP })),
  },
  {
    name: 'item.done tells other arguments than the deltas',
    reason: 'INTENT_SQL_DDL',
    edit: change('output_item.done', (event) => itemOf(event, { arguments: DROP })),
  },
  {
    name: 'the last snapshot tells other arguments',
    reason: 'INTENT_SQL_DDL',
    edit: (events) =>
      events.map((event) =>
        isType(event, 'completed')
          ? outputOf(event, [{ ...((event['response'] as { output: object[] }).output[0] ?? {}), arguments: DROP }])
          : event,
      ),
  },
  {
    name: 'a call stands in the last snapshot alone',
    reason: 'INTENT_SQL_DDL',
    edit: change('completed', (event) =>
      outputOf(event, [...(event['response'] as { output: object[] }).output, forbidden()]),
    ),
  },
  {
    name: 'a call stands in the first snapshot alone',
    reason: 'WIRE_CALL_REOPENED',
    edit: change('created', (event) => outputOf(event, [forbidden()])),
  },
  {
    name: 'the item begins with arguments of its own',
    reason: 'INTENT_SQL_DDL',
    edit: change('output_item.added', (event) => itemOf(event, { arguments: DROP })),
  },
  {
    name: 'the item ends under another name',
    reason: 'WIRE_NAME_SPLIT',
    edit: change('output_item.done', (event) => itemOf(event, { name: 'send_mail', arguments: DROP })),
  },
  {
    name: 'the arguments end under another name',
    reason: 'WIRE_NAME_SPLIT',
    edit: change('function_call_arguments.done', (event) => ({ ...event, name: 'send_mail' })),
  },
  {
    name: 'the item ends under another id',
    reason: 'WIRE_ID_CHANGED',
    edit: change('output_item.done', (event) => itemOf(event, { call_id: 'call_other', arguments: DROP })),
  },
  {
    name: 'the item ends as one of another type',
    reason: 'WIRE_FRAME_MALFORMED',
    edit: change('output_item.done', (event) =>
      itemOf(event, { type: 'custom_tool_call', input: DROP, arguments: undefined }),
    ),
  },
  {
    name: 'a message ends as a call',
    reason: 'WIRE_FRAME_MALFORMED',
    items: [textItem('hi')],
    edit: change('output_item.done', (event) => ({ ...event, item: forbidden() })),
  },
  {
    name: 'arguments are an object',
    reason: 'WIRE_UNKNOWN_SHAPE',
    edit: change('output_item.done', (event) => itemOf(event, { arguments: JSON.parse(DROP) })),
  },
  {
    name: 'a delta is an object',
    reason: 'WIRE_UNKNOWN_SHAPE',
    edit: change('function_call_arguments.delta', (event) => ({ ...event, delta: JSON.parse(DROP) })),
  },
  {
    name: 'deltas come after the item has ended',
    reason: 'WIRE_CALL_REOPENED',
    edit: (events) => [
      ...events.slice(0, -1),
      { type: 'response.function_call_arguments.delta', output_index: 0, item_id: 'fc_0', delta: DROP },
      ...events.slice(-1),
    ],
  },
  {
    name: 'the item begins again',
    reason: 'WIRE_CALL_REOPENED',
    edit: (events) => [
      ...events.slice(0, -1),
      { type: 'response.output_item.added', output_index: 0, item: forbidden() },
      ...events.slice(-1),
    ],
  },
  {
    name: 'the item ends again, otherwise',
    reason: 'INTENT_SQL_DDL',
    edit: (events) => [
      ...events.slice(0, -1),
      ...events.filter((event) => isType(event, 'output_item.done')).map((event) => itemOf(event, { arguments: DROP })),
      ...events.slice(-1),
    ],
  },
  {
    name: 'the item ends again, otherwise, and the last snapshot says so too',
    reason: 'INTENT_SQL_DDL',
    edit: (events) => {
      const again = events
        .filter((event) => isType(event, 'output_item.done'))
        .map((event) => itemOf(event, { arguments: DROP }))
      return [
        ...events.slice(0, -1),
        ...again,
        ...events.slice(-1).map((event) =>
          outputOf(
            event,
            again.map(({ item }) => item),
          ),
        ),
      ]
    },
  },
  {
    name: 'a call of a type that nobody defines, in a member that nobody defines',
    reason: 'WIRE_UNKNOWN_SHAPE',
    edit: change('in_progress', (event) => ({ ...event, next: { type: 'robot_call', action: { query: SECRET } } })),
  },
  {
    name: 'a call stands in a member that nobody defines',
    reason: 'WIRE_UNKNOWN_SHAPE',
    edit: change('in_progress', (event) => ({ ...event, tool_calls: [forbidden()] })),
  },
  {
    name: 'a call stands in a member of the response that nobody defines',
    reason: 'WIRE_UNKNOWN_SHAPE',
    edit: change('completed', (event) => ({
      ...event,
      response: { ...(event['response'] as object), pending: [forbidden()] },
    })),
  },
  {
    name: 'a call stands in an event that nobody defines',
    reason: 'WIRE_UNKNOWN_SHAPE',
    edit: (events) => [...events.slice(0, 2), { type: 'response.tool', call: forbidden() }, ...events.slice(2)],
  },
  {
    name: 'an event that nobody defines tells of an open call',
    reason: 'WIRE_UNKNOWN_SHAPE',
    edit: (events) => [
      ...events.slice(0, 3),
      { type: 'response.function_call.patch', output_index: 0, patch: DROP },
      ...events.slice(3),
    ],
  },
  {
    name: 'a call stands in the part of a message',
    reason: 'WIRE_UNKNOWN_SHAPE',
    items: [textItem('hi')],
    edit: change('content_part.done', (event) => ({
      ...event,
      part: { type: 'tool_use', name: 'run_sql', input: DROP },
    })),
  },
  {
    name: 'a call stands beside the text of a message',
    reason: 'WIRE_UNKNOWN_SHAPE',
    items: [textItem('hi')],
    edit: change('output_item.done', (event) => itemOf(event, { tool_calls: [forbidden()] })),
  },
  {
    name: 'a call stands in an annotation',
    reason: 'WIRE_UNKNOWN_SHAPE',
    items: [textItem('hi')],
    edit: (events) => [
      ...events.slice(0, 5),
      {
        type: 'response.output_text.annotation.added',
        output_index: 0,
        content_index: 0,
        annotation_index: 0,
        annotation: forbidden(),
      },
      ...events.slice(5),
    ],
  },
  {
    name: 'a call of a type that nobody defines',
    reason: 'WIRE_UNKNOWN_SHAPE',
    items: [wholeItem('robot_arm_call', { action: { query: SECRET } })],
  },
  {
    name: 'a call written as XML with its arguments in another member',
    reason: 'WIRE_UNKNOWN_SHAPE',
    items: [callItem('run_sql', READ, 7, { parameters: { query: SECRET } })],
  },
  {
    name: 'two items of one call id',
    reason: 'WIRE_ID_CHANGED',
    items: [
      callItem('run_sql', READ, 7, { call_id: 'call_same' }),
      callItem('run_sql', READ, 7, { call_id: 'call_same' }),
    ],
  },
  {
    name: 'a delta under the item id of another call',
    reason: 'WIRE_ID_CHANGED',
    items: [callItem('run_sql', READ, 7, { id: 'fc_one' }), callItem('run_sql', READ, 7, { id: 'fc_two' })],
    edit: (events) => events.map((event) => (event['item_id'] === 'fc_two' ? { ...event, item_id: 'fc_one' } : event)),
  },
  {
    name: 'calls packed into one',
    reason: 'TOOL_NOT_GRANTED',
    items: [
      callItem(
        'parallel',
        JSON.stringify({ tool_uses: [{ recipient_name: 'functions.run_sql', parameters: { query: SECRET } }] }),
      ),
    ],
  },
  {
    name: 'an allowed name in a namespace',
    reason: 'TOOL_NOT_GRANTED',
    items: [callItem('run_sql', DROP, 7, { namespace: 'admin' })],
  },
  {
    name: 'a duplicate key',
    reason: 'WIRE_DUPLICATE_KEY',
    items: [callItem('search_docs', `{"query":"x","query":"${SECRET}"}`)],
  },
  { name: 'a name that is not granted', reason: 'TOOL_NOT_GRANTED', items: [callItem('send_mail', DROP)] },
  { name: 'a custom call', reason: 'TOOL_NOT_GRANTED', items: [customItem('send_mail', SECRET)] },
  {
    name: 'a shell',
    reason: 'TOOL_NOT_GRANTED',
    items: [wholeItem('local_shell_call', { action: { type: 'exec', command: [SECRET] } })],
  },
  {
    name: 'a shell of the new kind',
    reason: 'TOOL_NOT_GRANTED',
    items: [wholeItem('shell_call', { action: { commands: [SECRET] } })],
  },
  {
    name: 'a shell that says it runs elsewhere, where the request has none that does',
    reason: 'TOOL_NOT_GRANTED',
    items: [wholeItem('shell_call', { action: { commands: [SECRET] }, environment: { type: 'container_reference' } })],
  },
  {
    name: 'a patch',
    reason: 'TOOL_NOT_GRANTED',
    items: [wholeItem('apply_patch_call', { operation: { type: 'delete_file', path: SECRET } })],
  },
  {
    name: 'a computer',
    reason: 'TOOL_NOT_GRANTED',
    items: [wholeItem('computer_call', { action: { type: 'type', text: SECRET } })],
  },
  {
    name: 'a search for tools',
    reason: 'TOOL_NOT_GRANTED',
    items: [wholeItem('tool_search_call', { arguments: { goal: SECRET }, execution: 'client' })],
  },
  {
    name: 'an approval that a hosted tool asks for',
    reason: 'TOOL_NOT_GRANTED',
    items: [wholeItem('mcp_approval_request', { name: 'send_mail', arguments: DROP, server_label: 'x' })],
  },
]

for (const row of hostile)
  test(`[RESP-05] ${row.name}: nobody gets it`, async () => {
    const stream = streamOf(row.items ?? [callItem('run_sql', READ)], row.edit === undefined ? {} : { edit: row.edit })
    for (const framing of ['named', 'crlf', 'cr'] as const) {
      const text = framing === 'named' ? stream : stream.replaceAll('\n', framing === 'cr' ? '\r' : '\r\n')
      const seen = await ask(deny, { chunks: [text] })
      assert.ok(reasonsOf(seen).includes(row.reason), `${reasonsOf(seen)}`)
      assertUnseen(seen)
      assert.ok(!rebuild(seen.text).calls.some(({ name }) => name === 'send_mail'))
    }
  })

const malformed: readonly { readonly name: string; readonly edit: Edit; readonly reason?: string }[] = [
  { name: 'no type', edit: (events) => [...events.slice(0, 2), { delta: 'x' }, ...events.slice(2)] },
  { name: 'an item without a place', edit: change('output_item.added', ({ output_index: _, ...event }) => event) },
  { name: 'a negative place', edit: change('output_item.added', (event) => ({ ...event, output_index: -1 })) },
  { name: 'a huge place', edit: change('output_item.added', (event) => ({ ...event, output_index: 2 ** 40 })) },
  { name: 'a place as text', edit: change('output_item.added', (event) => ({ ...event, output_index: '0' })) },
  { name: 'an item that is a list', edit: change('output_item.added', (event) => ({ ...event, item: [] })) },
  { name: 'an output that is an object', edit: change('completed', (event) => outputOf(event, { 0: 'x' } as never)) },
  {
    name: 'text after the end',
    reason: 'WIRE_AFTER_DONE',
    edit: (events) => [
      ...events,
      { type: 'response.output_text.delta', output_index: 1, content_index: 0, item_id: 'm', delta: 'more' },
    ],
  },
]

for (const { name, edit, reason = 'WIRE_FRAME_MALFORMED' } of malformed)
  test(`[RESP-05] ${name} ends the stream`, async () => {
    const seen = await ask(deny, streamOf([callItem('run_sql', DROP)], { edit }))
    assert.ok(reasonsOf(seen).includes(reason), `${reasonsOf(seen)}`)
    assert.match(seen.text, /event: error\ndata: /)
    assertUnseen(seen)
  })

test('[RESP-05] an event whose name and type disagree ends the stream', async () => {
  const stream = streamOf([callItem('run_sql', DROP)]).replace('event: response.created', 'event: response.done')
  assert.deepEqual(reasonsOf(await ask(deny, stream)), ['WIRE_FRAME_MALFORMED'])
})

const benign: readonly { readonly name: string; readonly items: readonly Item[]; readonly options?: StreamOptions }[] =
  [
    {
      name: 'item ids of their own for every event',
      items: [callItem('run_sql', READ), textItem('hi')],
      options: { edit: rotateIds },
    },
    {
      name: 'no deltas, only their end',
      items: [callItem('run_sql', READ)],
      options: { edit: without('function_call_arguments.delta') },
    },
    {
      name: 'neither deltas nor their end',
      items: [callItem('run_sql', READ)],
      options: {
        edit: (events) =>
          without('function_call_arguments.delta')([...without('function_call_arguments.done')(events)]),
      },
    },
    {
      name: 'no end of the deltas',
      items: [callItem('run_sql', READ)],
      options: { edit: without('function_call_arguments.done') },
    },
    {
      name: 'an empty last snapshot',
      items: [callItem('run_sql', READ)],
      options: { edit: change('completed', (event) => outputOf(event, [])) },
    },
    {
      name: 'what the provider ran itself',
      items: [
        wholeItem('web_search_call', { action: { type: 'search', query: 'x' } }),
        wholeItem('mcp_call', { name: 'send_mail', arguments: '{}', output: 'ok', server_label: 'x' }),
        wholeItem('code_interpreter_call', { code: 'rm -rf /' }),
        wholeItem('tool_search_output', { tools: [{ type: 'function', name: 'x', parameters: {} }] }),
        wholeItem('mcp_list_tools', { tools: [{ name: 'x', input_schema: {} }] }),
        wholeItem('program', { code: 'tools.run_sql()' }),
        wholeItem('tool_search_call', { arguments: {} }, { execution: 'server' }),
      ],
    },
    {
      name: 'log probabilities of a long text',
      items: [textItem('word '.repeat(200))],
      options: { edit: withLogprobs },
    },
    {
      name: 'keepalive',
      items: [textItem('hi')],
      options: { edit: (events) => [...events.slice(0, 3), { type: 'keepalive' }, ...events.slice(3)] },
    },
  ]

function without(type: string): Edit {
  return (events) => events.filter((event) => !isType(event, type))
}

function rotateIds(events: Record<string, unknown>[]): readonly Record<string, unknown>[] {
  let serial = 0
  return JSON.parse(JSON.stringify(events), (key, value: unknown) => {
    serial += 1
    return key === 'item_id' || key === 'id' ? `id_${serial}` : value
  }) as Record<string, unknown>[]
}

function withLogprobs(events: Record<string, unknown>[]): readonly Record<string, unknown>[] {
  const token = {
    token: 'w',
    logprob: -0.25,
    bytes: [119],
    top_logprobs: [{ token: 'w', logprob: -0.25, bytes: [119] }],
  }
  return events.map((event) =>
    isType(event, 'output_text.done') ? { ...event, logprobs: Array(1200).fill(token) } : event,
  )
}

for (const { name, items, options } of benign)
  test(`[RESP-01] ${name}: byte-identical`, async () => {
    const stream = streamOf(items, options)
    const seen = await ask(deny, stream)
    assert.equal(seen.text, stream)
    assert.ok(
      reasonsOf(seen).every((reason) => reason === 'Allow'),
      `${reasonsOf(seen)}`,
    )
  })

test('[RESP-01] an answer that ends in an error of the provider passes as it came', async () => {
  const events = [
    ...eventsOf([textItem('hi')]).slice(0, 4),
    { type: 'error', sequence_number: 4, error: { type: 'x', code: 'insufficient_quota', message: 'no', param: null } },
    { type: 'response.failed', sequence_number: 5, response: { id: 'resp_1', status: 'failed', output: [] } },
  ]
  const stream = framed(events)
  assert.equal((await ask(deny, stream)).text, stream)
})

test('[RESP-06] a call that is broken off is refused: by its status, by the end of the answer, by the end of the entity', async () => {
  const cut = callItem('search_docs', '{"query":"x"}')
  const items = [{ ...cut, done: { ...cut.done, status: 'incomplete' } }]
  const byStatus = await ask(deny, streamOf(items, { end: 'response.incomplete' }))
  const noDone: StreamOptions = { end: 'response.incomplete', edit: without('output_item.done') }
  const byAnswer = await ask(deny, streamOf([callItem('search_docs', '{"query":"x"}')], noDone))
  const byEntity = await ask(deny, framed(eventsOf([callItem('search_docs', '{"query":"x"}')]).slice(0, 4)))
  for (const seen of [byStatus, byAnswer, byEntity]) {
    assert.deepEqual(reasonsOf(seen), ['WIRE_CALL_TRUNCATED'])
    assert.equal(rebuild(seen.text).calls.length, 0, seen.text)
    assert.match(seen.text, /WIRE_CALL_TRUNCATED/)
  }
})

test('[RESP-07] the whole answer: untouched bytes, or the call as a message', async () => {
  const fine = answerOf([reasoningItem('hm'), textItem('hi'), callItem('run_sql', READ)])
  assert.equal((await ask(deny, whole(fine), { ...RESPONSES_REQUEST, stream: false })).text, fine)
  const body = answerOf([textItem('hi'), callItem('run_sql', DROP), callItem('run_sql', READ)], { output_text: 'hi' })
  const seen = await ask(deny, whole(body), { ...RESPONSES_REQUEST, stream: false })
  assertUnseen(seen)
  const { output, output_text: joined } = JSON.parse(seen.text) as { output: { type: string }[]; output_text?: string }
  assert.deepEqual(
    output.map(({ type }) => type),
    ['message', 'message', 'function_call'],
  )
  assert.equal(joined, undefined)
  const stopped = await ask(abort, whole(body), { ...RESPONSES_REQUEST, stream: false })
  assert.equal(stopped.status, 403)
  assert.equal(stopped.headers['x-should-retry'], 'false')
})

test('[RESP-08] a call that is written as text is cut out of every member that tells it', async () => {
  const path = await newPath(TEXT_TOOLS)
  const call = '<tool_call>{"name":"send_mail","arguments":{"to":"everyone"}}</tool_call>'
  for (const size of [1, 4, 500]) {
    const seen = await ask(path, streamOf([textItem(`Well. ${call} Done.`, size), textItem('More.')]))
    assert.ok(reasonsOf(seen).includes('TOOL_NOT_GRANTED'), `${reasonsOf(seen)}`)
    for (const thread of rebuild(seen.text).threads) assert.ok(!thread.includes('everyone'), thread)
    assertWellFormed(seen.text)
  }
  const body = await ask(path, whole(answerOf([textItem(`Well. ${call} Done.`), textItem('More.')])))
  assert.ok(!body.text.includes('everyone'), body.text)
  assert.match(body.text, /More\./)
})

test('[RESP-08] a call in text does not hide behind the border of two parts, or in an echo alone', async () => {
  const path = await newPath(TEXT_TOOLS)
  const call = '<tool_call>{"name":"send_mail","arguments":{"to":"everyone"}}</tool_call>'
  const split = await ask(path, streamOf([textItem(call.slice(0, 9)), textItem(call.slice(9))]))
  assert.ok(reasonsOf(split).includes('TOOL_NOT_GRANTED'), `${reasonsOf(split)}`)
  assert.ok(!rebuild(split.text).threads.some((thread) => thread.includes('everyone')))
  for (const type of ['output_text.done', 'content_part.done', 'output_item.done']) {
    const edit: Edit = (events) =>
      events.map((event) =>
        isType(event, type)
          ? (JSON.parse(JSON.stringify(event).replaceAll('plain words', call.replaceAll('"', '\\"'))) as typeof event)
          : event,
      )
    const seen = await ask(path, streamOf([textItem('plain words')], { edit }))
    assert.ok(reasonsOf(seen).includes('TOOL_NOT_GRANTED'), `${type} ${reasonsOf(seen)}`)
    assert.ok(!seen.text.includes('everyone'), type)
  }
  const thought = await ask(path, streamOf([reasoningItem(`I could ${call}`)]))
  assert.ok(!rebuild(thought.text).threads.some((thread) => thread.includes('everyone')))
})

test('[RESP-02] any mix of calls, kinds and cuts: nothing forbidden can be rebuilt, everything allowed can', async () => {
  const piece = fc.record({ forbidden: fc.boolean(), size: fc.integer({ min: 1, max: 40 }), text: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.integer(),
      async (pieces, mixed, seed) => {
        const args = pieces.map(({ forbidden: bad }, serial) =>
          JSON.stringify({ query: bad ? `DELETE FROM t${serial}` : `SELECT ${serial} FROM t` }),
        )
        const items = pieces.flatMap(({ size, text }, serial) => [
          ...(text && !mixed ? [textItem(`words ${serial}`)] : []),
          callItem('run_sql', args[serial] ?? '', size),
        ])
        const cuts = cutsOf(streamOf(items, { interleave: mixed }), seeded(seed))
        const seen = await ask(deny, { chunks: cuts[Math.abs(seed) % cuts.length]?.chunks ?? [] })
        const { calls } = rebuild(seen.text)
        for (const [serial, { forbidden: bad }] of pieces.entries())
          assert.equal(
            calls.some((call) => call.args === args[serial]),
            !bad,
            args[serial],
          )
        assertWellFormed(seen.text)
      },
    ),
    { numRuns: 40 },
  )
})

test('[RESP-09] 200 streams at once: each client gets its own canary, and no other', async () => {
  const streams = await Promise.all(
    Array.from({ length: 200 }, async (_, serial) => {
      const path = await newPath(DENY)
      const canary = `canary-${serial}-end`
      const bad = serial % 2 === 0
      const args = JSON.stringify({ query: bad ? `DROP TABLE t; -- ${canary}` : `SELECT 1 -- ${canary}` })
      const stream = streamOf([textItem(canary), callItem('run_sql', args, 3)])
      const chunks = cutsOf(stream, seeded(serial))[2]?.chunks ?? []
      return { canary, bad, args, seen: await ask(path, { chunks }) }
    }),
  )
  for (const { canary, bad, args, seen } of streams) {
    const found = new Set([...seen.text.matchAll(/canary-\d+-end/g)].map(([match]) => match))
    assert.deepEqual([...found], [canary])
    assert.equal(
      rebuild(seen.text).calls.some((call) => call.args === args),
      !bad,
    )
  }
})
