/** Further ways: what nobody defines, JSON that is read in two ways, and the wire; and shapes that are odd and harmless. */
import {
  blockStart,
  blockStop,
  callBlock,
  claudeMessage,
  delta,
  finish,
  input,
  lf,
  ping,
  start,
  textBlock,
  toolUse,
  written,
} from '../fixtures/anthropic.ts'
import { call, DROP, GIVEN, hello, type Shape, SQL, streamed } from './claude-shapes.ts'

export const OTHER_SHAPES: readonly Shape[] = [
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

/** Odd, and nothing in them is forbidden. */
export const TWINS: readonly (readonly [name: string, stream: string])[] = [
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
