/** Ways in which a stream of the Messages API could hold one and the same forbidden call: blocks, their order, their places. */
import type { Reason } from '#pkg/model'
import {
  blockStart,
  blockStop,
  callBlock,
  delta,
  type Event,
  finish,
  input,
  start,
  textBlock,
  toolUse,
  written,
} from '../fixtures/anthropic.ts'

export const SQL = 'DROP TABLE customers'
export const DROP: string = JSON.stringify({ query: SQL })
export const GIVEN = { input: { query: SQL } }

/** A shape, and what it is refused for. */
export type Shape = readonly [name: string, stream: string, reason: Reason | 'any']

export const call = (index: unknown, more: object = {}): Event => blockStart(index, toolUse(1, 'run_sql', more))
export const streamed = (...events: readonly Event[]): string => written([start(), ...events, ...finish('tool_use')])
export const hello: readonly Event[] = textBlock(0, 'hello')

export const BLOCK_SHAPES: readonly Shape[] = [
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
]
