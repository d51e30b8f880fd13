/**
 * The shapes of a hostile or broken provider that some client of the Messages API could rebuild a call from. Every row
 * hides the same forbidden call; nobody may be able to rebuild it, however the stream is cut. The benign twins have the
 * same shape, where the shape itself is legal, and pass as they came.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Reason } from '#pkg/model'
import {
  blockStart,
  blockStop,
  CLAUDE,
  CLAUDE_DENY,
  CLAUDE_FRAMINGS,
  CLAUDE_REQUEST,
  CLAUDE_TEXT_TOOLS,
  callBlock,
  claudeMessage,
  claudeStream,
  delta,
  type Event,
  finish,
  input,
  lf,
  ping,
  searchBlocks,
  start,
  textBlock,
  thinkingBlock,
  toolUse,
  written,
} from '../fixtures/anthropic.ts'
import { cutsOf, seeded } from '../fixtures/chat.ts'
import { closeChecks, JSON_TYPE, newPath, type Path, type Seen } from '../fixtures/path.ts'
import { rebuildClaude } from './claude-assembler.ts'
import { mutated, someMessage } from './claude-mutations.ts'

let deny: Path
let textTools: Path
before(async () => {
  deny = await newPath(CLAUDE_DENY)
  textTools = await newPath(CLAUDE_TEXT_TOOLS)
})
after(closeChecks)

const SQL = 'DROP TABLE customers'
const DROP = JSON.stringify({ query: SQL })
const GIVEN = { input: { query: SQL } }
const reasonsOf = (seen: Seen): readonly string[] => seen.verdicts.flatMap((verdict) => verdict.reasons)

function assertUnseen(seen: Seen, label: string): void {
  assert.ok(!seen.text.includes(SQL), `${label}: ${seen.text}`)
  assert.ok(!rebuildClaude(seen.text).calls.some((call) => call.args.includes(SQL)), label)
}

const call = (index: unknown, more: object = {}): Event => blockStart(index, toolUse(1, 'run_sql', more))
const streamed = (...events: readonly Event[]): string => written([start(), ...events, ...finish('tool_use')])
const hello = textBlock(0, 'hello')

type Row = readonly [name: string, stream: string, reason: Reason | 'any']

const rows: readonly Row[] = [
  // where a call can stand
  ['the input in the start of the block', streamed(call(0, GIVEN), blockStop(0)), 'INTENT_SQL_DDL'],
  ['the input in one delta', streamed(call(0), input(0, DROP), blockStop(0)), 'INTENT_SQL_DDL'],
  ['without an empty first delta, one unit at a time', streamed(...callBlock(0, 'run_sql', DROP, 1)), 'INTENT_SQL_DDL'],
  [
    'no input in the start',
    streamed(blockStart(0, { type: 'tool_use', id: 't', name: 'run_sql' }), input(0, DROP), blockStop(0)),
    'INTENT_SQL_DDL',
  ],
  [
    'a message that starts with a call',
    written([start([toolUse(0, 'run_sql', GIVEN)], 'tool_use'), { type: 'message_stop' }]),
    'INTENT_SQL_DDL',
  ],
  [
    'a message that starts with text and a call, and goes on',
    written([
      start([{ type: 'text', text: 'a' }, toolUse(0, 'run_sql', GIVEN), { type: 'text', text: 'b' }]),
      ...textBlock(3, 'c'),
      ...finish('end_turn'),
    ]),
    'INTENT_SQL_DDL',
  ],
  [
    'a second message in the same stream',
    written([
      start(),
      ...hello,
      ...finish('end_turn'),
      start(),
      ...callBlock(0, 'run_sql', DROP),
      ...finish('tool_use'),
    ]),
    'INTENT_SQL_DDL',
  ],
  [
    'a call of a program that runs at the provider',
    streamed(...callBlock(0, 'run_sql', DROP, 7, { caller: { type: 'code_execution_20260120', tool_id: 's' } })),
    'INTENT_SQL_DDL',
  ],
  // start and deltas disagree
  [
    'a start that deltas replace',
    streamed(call(0, { input: { query: 'SELECT 1' } }), input(0, DROP), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a start that deltas go on from',
    streamed(call(0, { input: '{"query":"DROP TABLE' }), input(0, ' customers"}'), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a start that is more than its deltas',
    streamed(call(0, GIVEN), input(0, '{"query":"SELECT 1"}'), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['an input that is a string', streamed(call(0, { input: DROP }), blockStop(0)), 'WIRE_UNKNOWN_SHAPE'],
  ['arguments beside an empty input', streamed(call(0, { arguments: DROP }), blockStop(0)), 'WIRE_UNKNOWN_SHAPE'],
  [
    'a second name in the block',
    streamed(blockStart(0, toolUse(0, 'search_docs', { tool_name: 'run_sql' })), input(0, DROP), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a name in a delta',
    streamed(
      blockStart(0, toolUse(0, 'search_docs')),
      delta(0, { type: 'input_json_delta', partial_json: DROP, name: 'run_sql' }),
      blockStop(0),
    ),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'input in a member of its own in a delta',
    streamed(call(0), delta(0, { type: 'input_json_delta', partial_json: '{}', input: { query: SQL } }), blockStop(0)),
    'any',
  ],
  [
    'input as a text delta',
    streamed(call(0), delta(0, { type: 'text_delta', text: DROP }), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'input as a delta of an unknown type',
    streamed(call(0), delta(0, { type: 'tool_input_delta', partial_json: DROP }), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'no name',
    streamed(blockStart(0, { type: 'tool_use', id: 't', input: {} }), input(0, DROP), blockStop(0)),
    'WIRE_NAME_MISSING',
  ],
  [
    'a name that is no text',
    streamed(blockStart(0, { type: 'tool_use', id: 't', name: ['run_sql'], input: {} }), input(0, DROP), blockStop(0)),
    'any',
  ],
  ['zero-width in the name', streamed(...callBlock(0, 'run\u200b_sql', DROP)), 'WIRE_INVISIBLE_TEXT'],
  [
    'the id of another call',
    streamed(
      ...callBlock(0, 'search_docs', '{}', 7, { id: 'x' }),
      ...callBlock(1, 'search_docs', DROP, 7, { id: 'x' }),
    ),
    'WIRE_ID_CHANGED',
  ],
  // indices
  ['an index gap', streamed(call(5), input(5, DROP), blockStop(5)), 'WIRE_INDEX_INVALID'],
  ['a negative index', streamed(call(-1), input(-1, DROP), blockStop(-1)), 'WIRE_FRAME_MALFORMED'],
  ['a huge index', streamed(call(1e9), input(1e9, DROP), blockStop(1e9)), 'WIRE_FRAME_MALFORMED'],
  ['an index that is a string', streamed(call('0'), input('0', DROP), blockStop('0')), 'WIRE_FRAME_MALFORMED'],
  ['no index', streamed(call(undefined), input(undefined, DROP), blockStop(undefined)), 'WIRE_FRAME_MALFORMED'],
  [
    'a block at the index of another, whose deltas some clients give to the first',
    streamed(
      ...callBlock(0, 'run_sql', '{"query":"SELECT 1"}'),
      blockStart(0, toolUse(9, 'search_docs')),
      input(0, DROP),
      blockStop(0),
    ),
    'any',
  ],
  [
    'a gap through which the deltas of one block reach another by its place',
    streamed(...hello, blockStart(2, { type: 'text', text: '' }), call(1), input(1, DROP), blockStop(1)),
    'any',
  ],
  ['deltas for no block', streamed(...hello, input(7, DROP)), 'WIRE_FRAME_MALFORMED'],
  [
    'input for a block of text behind a call',
    streamed(...callBlock(0, 'run_sql', ''), blockStart(1, { type: 'text', text: '' }), input(1, DROP), blockStop(1)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'input for a block of thinking',
    streamed(blockStart(0, { type: 'thinking', thinking: '', signature: '' }), input(0, DROP), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  // pieces that cross, for clients that give them to the call that came last
  [
    'pieces of what the provider runs complete the call that came last',
    streamed(
      blockStart(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
      call(1),
      input(1, '{"query":"'),
      input(0, 'DROP TABLE '),
      input(0, 'customers'),
      input(1, '"}'),
      blockStop(1),
      blockStop(0),
    ),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'the input of what the provider runs comes behind a call without one',
    streamed(
      blockStart(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
      call(1),
      blockStop(1),
      input(0, '{"query":"DROP TABLE '),
      input(0, 'customers"}'),
      blockStop(0),
    ),
    'WIRE_UNKNOWN_SHAPE',
  ],
  // order
  [
    'a closed call goes on',
    streamed(...callBlock(0, 'run_sql', '{"query":"SELECT 1"}'), input(0, DROP)),
    'WIRE_CALL_REOPENED',
  ],
  [
    'a call after the stop reason',
    written([
      start(),
      ...hello,
      ...finish('end_turn').slice(0, 1),
      ...callBlock(1, 'run_sql', DROP),
      { type: 'message_stop' },
    ]),
    'WIRE_CALL_REOPENED',
  ],
  [
    'a call after the end',
    written([start(), ...hello, ...finish('end_turn'), ...callBlock(1, 'run_sql', DROP)]),
    'WIRE_AFTER_DONE',
  ],
  [
    'a call before the start',
    written([...callBlock(0, 'run_sql', DROP), start(), ...finish('tool_use')]),
    'WIRE_FRAME_MALFORMED',
  ],
  [
    'a second start inside a message',
    written([start(), ...hello, start([toolUse(0, 'run_sql', GIVEN)]), ...finish('tool_use')]),
    'WIRE_FRAME_MALFORMED',
  ],
  ['a block that never stops', streamed(call(0), input(0, DROP.slice(0, -2))), 'any'],
  [
    'a call that never stops, its input whole',
    streamed(blockStart(0, toolUse(0, 'search_docs')), input(0, '{"query":"x"}')),
    'WIRE_CALL_TRUNCATED',
  ],
  [
    'max_tokens inside the call',
    written([start(), blockStart(0, toolUse(0, 'search_docs')), input(0, '{"query":"x"'), ...finish('max_tokens')]),
    'WIRE_CALL_TRUNCATED',
  ],
  [
    'an entity that ends inside the call',
    written([start(), blockStart(0, toolUse(0, 'search_docs')), input(0, '{"query":"x"}')]),
    'WIRE_CALL_TRUNCATED',
  ],
  // other shapes
  [
    'a block of an unknown type with a name and an input',
    streamed(blockStart(0, { type: 'action', name: 'run_sql', ...GIVEN }), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'another kind of tool use',
    streamed(blockStart(0, { type: 'shell_tool_use', name: 'run_sql', ...GIVEN }), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a tool use in other letters',
    streamed(blockStart(0, { type: 'Tool_Use', name: 'run_sql', ...GIVEN }), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a function call',
    streamed(blockStart(0, { type: 'function_call', function: { name: 'run_sql', arguments: DROP } }), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a server tool use with the name of a tool of the client',
    streamed(blockStart(0, { ...toolUse(0, 'run_sql', GIVEN), type: 'server_tool_use' }), blockStop(0)),
    'INTENT_SQL_DDL',
  ],
  [
    'an mcp tool use with the name of a tool of the client',
    streamed(
      blockStart(0, { ...toolUse(0, 'run_sql'), type: 'mcp_tool_use', server_name: 'db' }),
      input(0, DROP),
      blockStop(0),
    ),
    'INTENT_SQL_DDL',
  ],
  [
    'a call in a block of text',
    streamed(blockStart(0, { type: 'text', text: '', tool_use: { name: 'run_sql', ...GIVEN } }), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call among citations',
    streamed(blockStart(0, { type: 'text', text: '', citations: [toolUse(0, 'run_sql', GIVEN)] }), blockStop(0)),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call as a citation',
    streamed(
      blockStart(0, { type: 'text', text: '' }),
      delta(0, { type: 'citations_delta', citation: toolUse(0, 'run_sql', GIVEN) }),
      blockStop(0),
    ),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call beside the block',
    streamed(
      {
        ...blockStart(0, { type: 'text', text: '' }),
        tool_calls: [{ function: { name: 'run_sql', arguments: DROP } }],
      },
      blockStop(0),
    ),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in a ping',
    written([start(), ...hello, { ...ping, tool_use: { name: 'run_sql', ...GIVEN } }, ...finish('end_turn')]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in an event of another type',
    streamed(...hello, { type: 'content_block', content_block: toolUse(1, 'run_sql', GIVEN) }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the stop of a block',
    streamed(...hello.slice(0, -1), { ...blockStop(0), content_block: toolUse(1, 'run_sql', GIVEN) }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the message delta',
    written([
      start(),
      ...hello,
      {
        type: 'message_delta',
        delta: { stop_reason: 'tool_use', tool_calls: [{ name: 'run_sql', ...GIVEN }] },
        usage: {},
      },
      { type: 'message_stop' },
    ]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the usage',
    written([
      start(),
      ...hello,
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { tool_use: { name: 'run_sql', ...GIVEN } } },
      { type: 'message_stop' },
    ]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the note on the context',
    written([
      start(),
      ...hello,
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: {},
        context_management: {
          applied_edits: [{ type: 'clear_tool_uses_20250919', call: { name: 'run_sql', ...GIVEN } }],
        },
      },
      { type: 'message_stop' },
    ]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the message stop',
    written([
      start(),
      ...hello,
      finish('end_turn')[0] ?? ping,
      { type: 'message_stop', message: { content: [toolUse(0, 'run_sql', GIVEN)] } },
    ]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call beside the content of the start',
    written([
      {
        type: 'message_start',
        message: { ...claudeMessage([], 'tool_use'), tool_calls: [{ name: 'run_sql', ...GIVEN }] },
      },
      { type: 'message_stop' },
    ]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a toolset that the request does not declare',
    streamed(...callBlock(0, 'run_sql', DROP, 7, { toolset_name: 'computer' })),
    'WIRE_UNKNOWN_SHAPE',
  ],
  // JSON
  ['the same key twice', streamed(...callBlock(0, 'run_sql', `{"query":"SELECT 1","query":"${SQL}"}`)), 'any'],
  [
    'the same key twice in the start',
    streamed(call(0), blockStop(0)).replace('"input":{}', `"input":{"query":"SELECT 1","query":"${SQL}"}`),
    'any',
  ],
  [
    'two inputs in the start',
    streamed(call(0), blockStop(0)).replace('"input":{}', `"input":{},"input":{"query":"${SQL}"}`),
    'any',
  ],
  [
    'two types',
    streamed(...hello).replace(
      '"type":"text"',
      `"type":"text","type":"tool_use","name":"run_sql","input":{"query":"${SQL}"}`,
    ),
    'any',
  ],
  [
    'escaped SQL',
    streamed(...callBlock(0, 'run_sql', '{"query":"\\u0044\\u0052OP TABLE customers"}', 1)),
    'INTENT_SQL_DDL',
  ],
  ['a list in place of the object', streamed(...callBlock(0, 'search_docs', `["${SQL}"]`)), 'any'],
  [
    'a number that clients round, in the start',
    streamed(blockStart(0, toolUse(0, 'search_docs')), blockStop(0)).replace(
      '"input":{}',
      '"input":{"id":9007199254740993}',
    ),
    'WIRE_NUMBER_RANGE',
  ],
  ['not JSON in the end', streamed(...callBlock(0, 'search_docs', '{"query": x}')), 'WIRE_INVALID_JSON'],
  ['a whole value and more', streamed(...callBlock(0, 'search_docs', '{}{"query":"x"}')), 'any'],
  // wire
  [
    'an event name that is not the type',
    `${written([start()])}event: ping\ndata: ${JSON.stringify(call(0, GIVEN))}\n\n`,
    'WIRE_FRAME_MALFORMED',
  ],
  [
    'an error that is none',
    `${written([start()])}event: error\ndata: ${JSON.stringify(call(0, GIVEN))}\n\n`,
    'WIRE_FRAME_MALFORMED',
  ],
  [
    'an event without a name among those with one',
    `${written([start()])}data: ${JSON.stringify(call(0, GIVEN))}\n\n${lf(blockStop(0))}`,
    'WIRE_FRAME_MALFORMED',
  ],
  [
    'a stream without names',
    `data: ${JSON.stringify(start())}\n\ndata: ${JSON.stringify(call(0, GIVEN))}\n\ndata: ${JSON.stringify(blockStop(0))}\n\n`,
    'INTENT_SQL_DDL',
  ],
  [
    'an event without a type',
    `${written([start()])}event: content_block_start\ndata: ${JSON.stringify({ index: 0, content_block: toolUse(0, 'run_sql', GIVEN) })}\n\n`,
    'WIRE_FRAME_MALFORMED',
  ],
  [
    'two events in one',
    `${written([start()])}event: ping\ndata: {"type":"ping"}\ndata: ${JSON.stringify(call(0, GIVEN))}\n\n`,
    'any',
  ],
  [
    'a list of events',
    `${written([start()])}event: content_block_start\ndata: [${JSON.stringify(call(0, GIVEN))}]\n\n`,
    'WIRE_FRAME_MALFORMED',
  ],
  ['no blank line at the end', streamed(call(0, GIVEN)).trimEnd(), 'INTENT_SQL_DDL'],
  [
    'a call after [DONE]',
    `${streamed(...hello)}data: [DONE]\n\n${written(callBlock(1, 'run_sql', DROP))}`,
    'WIRE_AFTER_DONE',
  ],
]

for (const [name, stream, reason] of rows)
  test(`[ANTHROPIC-03] ${name}`, async () => {
    let first: readonly string[] | null = null
    for (const cut of cutsOf(stream)) {
      const seen = await deny.ask(CLAUDE_REQUEST, { chunks: cut.chunks }, CLAUDE)
      assertUnseen(seen, cut.name)
      const reasons = reasonsOf(seen)
      assert.ok(
        seen.verdicts.some((verdict) => verdict.action !== 'Allow'),
        `${cut.name}: nothing was refused: ${seen.text}`,
      )
      if (reason !== 'any') assert.ok(reasons.includes(reason), `${cut.name}: ${reasons}`)
      first ??= reasons
      assert.deepEqual(reasons, first, cut.name)
      if (!seen.text.includes('event: error')) assertReadable(seen.text)
    }
  })

/** Blocks stand at the places that their indices say, each starts once and stops once, and only then the message ends. */
function assertReadable(text: string): void {
  const open = new Set<unknown>()
  let next = 0
  for (const [, json = ''] of text.matchAll(/^data: (\{.*)$/gm)) {
    const event = JSON.parse(json) as Event
    if (event.type === 'message_start') next = (event['message'] as { content: unknown[] }).content.length // as Claude writes it
    if (event.type === 'content_block_start') {
      assert.equal(event['index'], next, text)
      open.add(next)
      next += 1
    } else if (event.type === 'content_block_delta') assert.ok(open.has(event['index']), text)
    else if (event.type === 'content_block_stop') open.delete(event['index'])
  }
}

test('[ANTHROPIC-03] whatever goes wrong in a stream: nobody can rebuild the forbidden call', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.boolean(), async (seed, named) => {
      const random = seeded(seed)
      const stream = written(mutated(random, someMessage(random, SQL), SQL), named ? lf : CLAUDE_FRAMINGS['nameless'])
      const seen = await deny.ask(CLAUDE_REQUEST, { chunks: [stream] }, CLAUDE)
      const rebuilt = rebuildClaude(seen.text).calls.find((call) => call.args.includes(SQL))
      assert.equal(rebuilt, undefined, `${stream}\n---\n${seen.text}`)
    }),
    { numRuns: 1500 },
  )
})

const twins: readonly (readonly [name: string, stream: string])[] = [
  [
    'a start that holds all of the input',
    streamed(blockStart(0, toolUse(0, 'search_docs', { input: { query: 'x' } })), input(0, ''), blockStop(0)),
  ],
  ['a call without any input', streamed(blockStart(0, toolUse(0, 'search_docs')), blockStop(0))],
  [
    'a message that starts with calls',
    written([start([toolUse(0, 'search_docs', { input: { query: 'x' } })], 'tool_use'), { type: 'message_stop' }]),
  ],
  [
    'messages one after the other',
    written([
      start(),
      ...callBlock(0, 'search_docs', '{}'),
      ...finish('tool_use'),
      start(),
      ...hello,
      ...finish('end_turn'),
    ]),
  ],
  ['an event that nobody knows', streamed(...hello, { type: 'content_block_note', index: 0, note: 'fine' })],
  [
    'a block that nobody knows',
    streamed(blockStart(0, { type: 'picture', url: 'https://example.com/' }), blockStop(0)),
  ],
  [
    'redacted thinking',
    streamed(blockStart(0, { type: 'redacted_thinking', data: 'EmwKAhgBEgy3' }), blockStop(0), ...textBlock(1, 'x')),
  ],
  [
    'a compaction',
    streamed(
      blockStart(0, { type: 'compaction', content: null }),
      delta(0, { type: 'compaction_delta', content: 'So far.', encrypted_content: 'x' }),
      blockStop(0),
    ),
  ],
  ['a fallback', streamed(blockStart(0, { type: 'fallback', from: { model: 'a' }, to: { model: 'b' } }), blockStop(0))],
  [
    'citations',
    streamed(
      blockStart(0, { type: 'text', text: '', citations: [] }),
      delta(0, {
        type: 'citations_delta',
        citation: { type: 'char_location', cited_text: 'x', document_index: 0, start_char_index: 0, end_char_index: 1 },
      }),
      blockStop(0),
    ),
  ],
  [
    'a note on the context',
    written([
      start(),
      ...hello,
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: { server_tool_use: { web_search_requests: 1 } },
        context_management: { applied_edits: [{ type: 'clear_tool_uses_20250919', cleared_tool_uses: 2 }] },
      },
      { type: 'message_stop' },
    ]),
  ],
  [
    'an error of the provider',
    written([start(), ...hello, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }]),
  ],
  ['[DONE] behind the end', `${streamed(...hello)}data: [DONE]\n\n`],
  ['an index gap between texts', streamed(...textBlock(0, 'a'), ...textBlock(4, 'b'))],
]
for (const [name, stream] of twins)
  test(`[ANTHROPIC-01] passes as it came: ${name}`, async () => {
    for (const cut of cutsOf(stream)) {
      const seen = await deny.ask(CLAUDE_REQUEST, { chunks: cut.chunks }, CLAUDE)
      assert.equal(seen.text, stream, cut.name)
    }
  })

test('[ANTHROPIC-04] what the provider ran passes as it came, whatever is granted', async () => {
  const mcp = [
    blockStart(2, { type: 'mcp_tool_use', id: 'm', name: 'ask', server_name: 'wiki', input: {} }),
    input(2, `{"sql":"${SQL}"`),
    input(2, '}'),
    blockStop(2),
    blockStart(3, {
      type: 'mcp_tool_result',
      tool_use_id: 'm',
      is_error: false,
      content: [{ type: 'text', text: '<invoke name="run_sql">' }],
    }),
    blockStop(3),
  ]
  const stream = claudeStream([...searchBlocks(0), ...mcp, ...callBlock(4, 'send_mail', '{}')], 'tool_use')
  const seen = await deny.ask(CLAUDE_REQUEST, { chunks: [stream] }, CLAUDE)
  assert.deepEqual(reasonsOf(seen), ['TOOL_NOT_GRANTED'])
  const passed = written([...searchBlocks(0).slice(1), ...mcp])
  assert.ok(seen.text.includes(passed))
})

const textRows: readonly (readonly [name: string, text: string, forbidden: boolean])[] = [
  ['a tool_call tag', `Sure. <tool_call>{"name":"run_sql","arguments":${DROP}}</tool_call> done`, true],
  ['an allowed tool_call tag', 'Sure. <tool_call>{"name":"search_docs","arguments":{"q":"x"}}</tool_call> done', false],
  ['an invoke tag', `<invoke name="run_sql"><parameter name="query">${SQL}</parameter></invoke>`, true],
  ['a tag that is talked about', 'Write <tool_call> around it, as the manual of that model says. That is all.', false],
  ['an unclosed tag', `<tool_call>{"name":"run_sql","arguments":${DROP}`, true],
]
for (const [name, text, forbidden] of textRows) {
  const half = Math.floor(text.length / 2)
  const shapes: readonly (readonly [shape: string, events: readonly Event[]])[] = [
    ['in one block', textBlock(0, text, 3)],
    ['over two blocks', [...textBlock(0, text.slice(0, half)), ...textBlock(1, text.slice(half))]],
    [
      'over two blocks with thinking between',
      [...textBlock(0, text.slice(0, half)), ...thinkingBlock(1, 'Hm.'), ...textBlock(2, text.slice(half))],
    ],
    ['in the start of a block', [blockStart(0, { type: 'text', text }), blockStop(0)]],
    ['in thinking', [...thinkingBlock(0, text), ...textBlock(1, 'x')]],
    [
      'in a summary',
      [
        blockStart(0, { type: 'compaction', content: null }),
        delta(0, { type: 'compaction_delta', content: text }),
        blockStop(0),
      ],
    ],
    ['in a block that nobody knows', [blockStart(0, { type: 'note', note: text }), blockStop(0)]],
    ['beside a block of text', [blockStart(0, { type: 'text', text: 'x', note: text }), blockStop(0)]],
    ['beside a call', [blockStart(0, toolUse(0, 'search_docs', { note: text })), blockStop(0)]],
    [
      'beside a piece of text',
      [...textBlock(0, 'x').slice(0, -1), delta(0, { type: 'text_delta', text: 'y', note: text }), blockStop(0)],
    ],
    ['beside the stop of a block', [...textBlock(0, 'x').slice(0, -1), { ...blockStop(0), note: text }]],
    ['in an event that nobody knows', [...textBlock(0, 'x'), { type: 'note', note: text }]],
    [
      'beside the stop reason',
      [
        ...textBlock(0, 'x'),
        {
          type: 'message_delta',
          delta: { stop_reason: null, stop_details: { explanation: text } },
          usage: { output_tokens: 1 },
        },
      ],
    ],
  ]
  for (const [shape, events] of shapes)
    test(`[ANTHROPIC-03] calls written as text: ${name}, ${shape}`, async () => {
      const stream = written([start(), ...events, ...finish('end_turn')])
      for (const cut of cutsOf(stream).slice(0, 3)) {
        const seen = await deny.ask(CLAUDE_REQUEST, { chunks: cut.chunks }, CLAUDE)
        if (forbidden) assert.ok(!seen.text.includes(SQL), seen.text)
        else assert.equal(seen.text, stream)
        assertReadable(seen.text)
      }
    })
  test(`[ANTHROPIC-03] calls written as text: ${name}, in a whole answer`, async () => {
    const content = [
      { type: 'text', text: 'First. ', citations: null },
      { type: 'text', text: text.slice(0, half) },
      { type: 'thinking', thinking: 'Hm.', signature: 'abc' },
      { type: 'text', text: text.slice(half) },
      { type: 'text', text: ' Last.' },
    ]
    for (const [list, where] of [
      [content, 'text'],
      [
        [
          { type: 'thinking', thinking: text, signature: 'abc' },
          { type: 'text', text: ' Last.' },
        ],
        'thinking',
      ],
    ] as const) {
      const body = JSON.stringify(claudeMessage(list, 'end_turn'))
      const seen = await deny.ask({ ...CLAUDE_REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE }, CLAUDE)
      if (!forbidden) assert.equal(seen.text, body)
      else {
        assert.ok(!rebuildClaude(seen.text).text.includes(SQL), `${where}: ${seen.text}`)
        assert.match(seen.text, /sallyport: /)
        assert.ok(seen.text.includes(' Last.') || name === 'an unclosed tag')
      }
    }
  })
}

test('[ANTHROPIC-03] declared fences are calls', async () => {
  const stream = claudeStream(textBlock(0, 'Now:\n```bash\nrm -rf /\n```\nafter', 2), 'end_turn')
  const seen = await textTools.ask(CLAUDE_REQUEST, { chunks: [stream] }, CLAUDE)
  const { text } = rebuildClaude(seen.text)
  assert.ok(!text.includes('rm -rf'), text)
  assert.match(text, /after/)
})

const wholes: readonly (readonly [name: string, body: string, reason: Reason | 'any'])[] = [
  [
    'a call beside the content',
    JSON.stringify({ ...claudeMessage([], 'tool_use'), tool_calls: [{ name: 'run_sql', ...GIVEN }] }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the usage',
    JSON.stringify({ ...claudeMessage([], 'tool_use'), usage: { tool_use: { name: 'run_sql', ...GIVEN } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in an unknown block',
    JSON.stringify(claudeMessage([{ type: 'action', name: 'run_sql', ...GIVEN }], 'tool_use')),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a message in a message',
    JSON.stringify({ message: claudeMessage([toolUse(0, 'run_sql', GIVEN)], 'tool_use') }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'two contents',
    JSON.stringify(claudeMessage([toolUse(0, 'run_sql', GIVEN)], 'tool_use')).replace(
      '"content":',
      '"content":[],"content":',
    ),
    'any',
  ],
  [
    'content that is an object',
    JSON.stringify({ ...claudeMessage([], 'tool_use'), content: toolUse(0, 'run_sql', GIVEN) }),
    'WIRE_FRAME_MALFORMED',
  ],
  [
    'a number that clients round',
    JSON.stringify(claudeMessage([toolUse(0, 'search_docs')], 'tool_use')).replace(
      '"input":{}',
      '"input":{"id":9007199254740993}',
    ),
    'WIRE_NUMBER_RANGE',
  ],
]
for (const [name, body, reason] of wholes)
  test(`[ANTHROPIC-03] a whole answer: ${name}`, async () => {
    const seen = await deny.ask({ ...CLAUDE_REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE }, CLAUDE)
    assertUnseen(seen, name)
    if (reason !== 'any') assert.deepEqual(reasonsOf(seen), [reason])
    assert.notEqual(seen.text, body)
  })

test('[ANTHROPIC-05] a request is refused before anything is dialled', async () => {
  const tool = (type: string, more: object = {}): object => ({
    ...CLAUDE_REQUEST,
    tools: [{ type, name: 'x', ...more }],
  })
  const refused: readonly (readonly [request: object, given: object, reason: Reason])[] = [
    [{ ...CLAUDE_REQUEST, model: 'gpt-5' }, {}, 'MODEL_NOT_GRANTED'],
    [tool('web_fetch_20260318'), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [tool('code_execution_20260521'), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [tool('advisor_20260301', { model: 'claude-x' }), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [tool('something_new'), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [tool('mcp_toolset', { mcp_server_name: 'wiki' }), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [
      { ...CLAUDE_REQUEST, mcp_servers: [{ type: 'url', name: 'wiki', url: 'https://wiki.example/' }] },
      {},
      'TOOL_HOSTED_NOT_GRANTED',
    ],
    [{ ...CLAUDE_REQUEST, fallbacks: [{ model: 'claude-other' }] }, {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [
      { ...CLAUDE_REQUEST, container: { skills: [{ type: 'anthropic', skill_id: 'xlsx' }] } },
      {},
      'TOOL_HOSTED_NOT_GRANTED',
    ],
    [
      {
        ...CLAUDE_REQUEST,
        messages: [
          {
            role: 'system',
            content: [
              {
                type: 'tool_addition',
                tool: { type: 'tool_definition', definition: { type: 'web_fetch_20260318', name: 'web_fetch' } },
              },
            ],
          },
        ],
      },
      {},
      'TOOL_HOSTED_NOT_GRANTED',
    ],
    [CLAUDE_REQUEST, { path: '/v1/messages/batches' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [CLAUDE_REQUEST, { path: '/v1/complete' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [CLAUDE_REQUEST, { path: '/v1/files' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [CLAUDE_REQUEST, { query: '?stream=true' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [CLAUDE_REQUEST, { token: null }, 'IDENTITY_TOKEN_UNKNOWN'],
    [
      CLAUDE_REQUEST,
      { body: new TextEncoder().encode('{"model":"claude-1","model":"claude-2","messages":[{}]}') },
      'WIRE_DUPLICATE_KEY',
    ],
    [{ model: 'claude-1' }, {}, 'WIRE_REQUEST_MALFORMED'],
    [{ ...CLAUDE_REQUEST, messages: [{ role: 'user', content: [1] }] }, {}, 'WIRE_REQUEST_MALFORMED'],
    [{ ...CLAUDE_REQUEST, tools: [{ type: ['web_search'] }] }, {}, 'WIRE_REQUEST_MALFORMED'],
  ]
  for (const [request, given, reason] of refused) {
    const seen = await deny.ask(request, { chunks: [] }, { ...CLAUDE, ...given })
    assert.equal(seen.status, 403, reason)
    assert.equal(seen.upstream, null)
    assert.deepEqual(reasonsOf(seen), [reason])
    const body = JSON.parse(seen.text) as { error: { type: string; message: string } }
    assert.equal(body.error.type, 'permission_error')
    assert.ok(body.error.message.startsWith(`sallyport: ${reason}: `))
  }
})

test('[ANTHROPIC-04] granted hosted tools, and tools of Anthropic that the client runs, are no hindrance', async () => {
  const tools = [
    { type: 'web_search_20260318', name: 'web_search' },
    { type: 'bash_20250124', name: 'bash' },
    { type: 'computer_toolset_20260801' },
    ...CLAUDE_REQUEST.tools,
  ]
  const stream = claudeStream(
    [...callBlock(0, 'bash', '{"command":"ls"}'), ...callBlock(1, 'left_click', '{}', 7, { toolset_name: 'computer' })],
    'tool_use',
  )
  const seen = await deny.ask({ ...CLAUDE_REQUEST, tools }, { chunks: [stream] }, { ...CLAUDE, query: '?beta=true' })
  assert.equal(seen.status, 200)
  assert.equal(seen.upstream?.path, '/v1/messages?beta=true')
  assert.deepEqual(reasonsOf(seen), ['TOOL_NOT_GRANTED', 'TOOL_NOT_GRANTED'])
})
