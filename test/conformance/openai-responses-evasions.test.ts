import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeChecks, newPath, type Path, type Seen } from '../fixtures/path.ts'
import { DENY } from '../fixtures/policies.ts'
import {
  callItem,
  change,
  customItem,
  type Edit,
  type Item,
  isType,
  itemOf,
  outputOf,
  RESPONSES_REQUEST,
  type StreamOptions,
  streamOf,
  textItem,
  wholeItem,
  without,
} from '../fixtures/responses.ts'
import { rebuild } from './responses-assembler.ts'

const READ = JSON.stringify({ query: 'SELECT segment, count(*) FROM customers GROUP BY segment' })
const DROP = JSON.stringify({ query: 'DROP TABLE customers; SELECT 1' })
const SECRET = 'DROP TABLE customers'

let deny: Path
before(async () => {
  deny = await newPath(DENY)
})
after(closeChecks)

const ask = (path: Path, stream: string): Promise<Seen> =>
  path.ask(RESPONSES_REQUEST, { chunks: [stream] }, { path: '/responses' })

const reasonsOf = (seen: Seen): readonly string[] =>
  seen.verdicts.map((verdict) => verdict.reasons[0] ?? verdict.action)

/** The forbidden call must not be there for anybody, in any reading. */
function assertUnseen(seen: Seen): void {
  for (const call of rebuild(seen.text).calls) {
    assert.ok(!call.args.includes(SECRET), `rebuilt: ${call.name} ${call.args}`)
  }
  assert.ok(!seen.text.includes(SECRET), 'the forbidden text left')
}

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
      const seen = await ask(deny, text)
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
