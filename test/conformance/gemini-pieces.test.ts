/** Forbidden calls whose arguments come in pieces, that are written as text, or that hide in the JSON itself. */
import { after, before } from 'node:test'
import { call, chunkOf, DENY } from '../fixtures/gemini.ts'
import { closeChecks, newPath, type Path } from '../fixtures/path.ts'
import { ARGS, candidate, chunks, DROP, type Row, raw, SQL, testHidden } from './gemini-hidden.ts'

let deny: Path
before(async () => {
  deny = await newPath(DENY)
})
after(closeChecks)

const pieces = (...list: readonly object[]): object => ({ functionCall: { partialArgs: list, willContinue: true } })
const opened = { functionCall: { name: 'run_sql', willContinue: true } }
const closed = { functionCall: {} }
const sql = { jsonPath: '$.query', stringValue: SQL }

const rows: readonly Row[] = [
  ['pieces', chunks(opened, pieces(sql), closed), 'INTENT_SQL_DDL'],
  [
    'pieces in snake case',
    chunks(
      { function_call: { name: 'run_sql', will_continue: true } },
      { function_call: { partial_args: [{ json_path: '$.query', string_value: SQL }], will_continue: true } },
      { function_call: {} },
    ),
    'INTENT_SQL_DDL',
  ],
  [
    'pieces under both spellings',
    chunks(opened, { functionCall: { partialArgs: [sql], partial_args: [sql], willContinue: true } }, closed),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['pieces without a call', chunks(pieces(sql), closed), 'WIRE_NAME_MISSING'],
  ['pieces that never end', chunks(opened, pieces(sql)), 'WIRE_CALL_TRUNCATED'],
  [
    'pieces that the end of the candidate cuts',
    [...chunks(opened, pieces(sql)), chunkOf([{ text: '' }], 'MAX_TOKENS')],
    'WIRE_CALL_TRUNCATED',
  ],
  ['pieces that another call cuts', chunks(opened, pieces(sql), call('search_docs', {})), 'WIRE_CALL_TRUNCATED'],
  ['a string that never ends', chunks(opened, pieces({ ...sql, willContinue: true }), closed), 'WIRE_CALL_TRUNCATED'],
  [
    'pieces and arguments',
    chunks({ functionCall: { name: 'run_sql', args: ARGS, willContinue: true } }, closed),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['arguments in the last piece', chunks(opened, { functionCall: { args: ARGS } }), 'WIRE_UNKNOWN_SHAPE'],
  [
    'a string said twice',
    chunks(opened, pieces({ ...sql, stringValue: 'SELECT 1' }, sql), closed),
    'WIRE_ARGUMENT_SHAPE',
  ],
  [
    'two strings that grow in turns',
    chunks(
      opened,
      pieces(
        { jsonPath: '$.a', stringValue: 'DROP TABLE', willContinue: true },
        { jsonPath: '$.b', stringValue: 'x' },
        { jsonPath: '$.a', stringValue: ' customers' },
      ),
      closed,
    ),
    'WIRE_ARGUMENT_SHAPE',
  ],
  [
    'an object that is entered twice',
    chunks(
      opened,
      pieces(
        { jsonPath: '$.a.x', numberValue: 1 },
        { jsonPath: '$.b', numberValue: 1 },
        { jsonPath: '$.a.y', stringValue: SQL },
      ),
      closed,
    ),
    'WIRE_ARGUMENT_SHAPE',
  ],
  ['a gap in a list', chunks(opened, pieces({ jsonPath: '$.a[1]', stringValue: SQL }), closed), 'WIRE_ARGUMENT_SHAPE'],
  [
    'a name in a list',
    chunks(
      opened,
      pieces({ jsonPath: '$.a[0]', numberValue: 1 }, { jsonPath: '$.a.length', stringValue: SQL }),
      closed,
    ),
    'WIRE_ARGUMENT_SHAPE',
  ],
  [
    'a value in a value',
    chunks(opened, pieces({ jsonPath: '$.a', numberValue: 1 }, { jsonPath: '$.a.b', stringValue: SQL }), closed),
    'WIRE_ARGUMENT_SHAPE',
  ],
  [
    'a path to everything',
    chunks(opened, pieces({ jsonPath: '$..query', stringValue: SQL }), closed),
    'WIRE_ARGUMENT_SHAPE',
  ],
  ['a path to the root', chunks(opened, pieces({ jsonPath: '$', stringValue: SQL }), closed), 'WIRE_ARGUMENT_SHAPE'],
  ['no path', chunks(opened, pieces({ stringValue: SQL }), closed), 'WIRE_ARGUMENT_SHAPE'],
  ['two values in one piece', chunks(opened, pieces({ ...sql, numberValue: 1 }), closed), 'WIRE_ARGUMENT_SHAPE'],
  [
    'an unknown value in a piece',
    chunks(opened, pieces({ jsonPath: '$.query', structValue: SQL }), closed),
    'WIRE_ARGUMENT_SHAPE',
  ],
  [
    'a prototype key in a path',
    chunks(opened, pieces({ jsonPath: '$.__proto__.x', stringValue: SQL }), closed),
    'WIRE_KEY_FORBIDDEN',
  ],
  [
    'names that differ in case',
    chunks(
      opened,
      pieces({ jsonPath: '$.query', stringValue: 'SELECT 1' }, { jsonPath: '$.Query', stringValue: SQL }),
      closed,
    ),
    'WIRE_DUPLICATE_KEY',
  ],
  ['a number beyond range', chunks(opened, pieces({ jsonPath: '$.n', numberValue: 2 ** 60 }, sql), closed), 'any'],
  [
    'the name again in a piece',
    chunks(opened, { functionCall: { name: 'search_docs', partialArgs: [sql] } }),
    'WIRE_CALL_TRUNCATED',
  ],
  [
    'the id changes in a piece',
    chunks(
      { functionCall: { name: 'run_sql', id: 'a', willContinue: true } },
      { functionCall: { id: 'b', partialArgs: [sql] } },
    ),
    'WIRE_ID_CHANGED',
  ],
]

const inTextAndJson: readonly Row[] = [
  // text
  [
    'a call in the text',
    chunks({ text: '<tool_call>{"name":"run_sql",' }, { text: `"arguments":{"query":"${SQL}"}}</tool_call>` }),
    'INTENT_SQL_DDL',
  ],
  [
    'a call in the thoughts',
    chunks({ text: `<tool_call>{"name":"run_sql","arguments":{"query":"${SQL}"}}</tool_call>`, thought: true }),
    'INTENT_SQL_DDL',
  ],
  [
    'a call half in thoughts, half in text',
    chunks(
      { text: 'So: <tool_', thought: true },
      { text: `call>{"name":"run_sql","arguments":{"query":"${SQL}"}}</tool_call>` },
    ),
    'INTENT_SQL_DDL',
  ],
  [
    'a call in text with thoughts between',
    chunks(
      { text: '<tool_call>{"name":"run_sql",' },
      { text: 'hm', thought: true },
      { text: `"arguments":{"query":"${SQL}"}}</tool_call>` },
    ),
    'INTENT_SQL_DDL',
  ],
  [
    'a call in the output of code',
    chunks({
      codeExecutionResult: { output: `<tool_call>{"name":"run_sql","arguments":{"query":"${SQL}"}}</tool_call>` },
    }),
    'INTENT_SQL_DDL',
  ],
  [
    'a call in the finish message',
    candidate({
      finishMessage: `<tool_call>{"name":"run_sql","arguments":{"query":"${SQL}"}}</tool_call>`,
      finishReason: 'STOP',
    }),
    'INTENT_SQL_DDL',
  ],
  // B: JSON
  [
    'an escaped key',
    [`{"candidates":[{"content":{"parts":[{"function\\u0043all":{"name":"run_sql","args":${raw(ARGS)}}}]}}]}`],
    'INTENT_SQL_DDL',
  ],
  [
    'duplicate keys',
    [
      `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"search_docs","name":"run_sql","args":${raw(ARGS)}}}]}}]}`,
    ],
    'any',
  ],
  ['duplicate candidates', [`{"candidates":[],"candidates":[{"content":{"parts":[${raw(DROP)}]}}]}`], 'any'],
  [
    'duplicate argument keys',
    [
      `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"run_sql","args":{"query":"SELECT 1","query":"${SQL}"}}}]}}]}`,
    ],
    'any',
  ],
  [
    'a number that rounds',
    ['{"candidates":[{"content":{"parts":[{"functionCall":{"name":"search_docs","args":{"a":9007199254740993}}}]}}]}'],
    'WIRE_NUMBER_RANGE',
  ],
  [
    'a prototype key',
    ['{"candidates":[{"content":{"parts":[{"functionCall":{"name":"search_docs","args":{"constructor":{"x":1}}}}]}}]}'],
    'WIRE_KEY_FORBIDDEN',
  ],
  [
    'a lone surrogate',
    ['{"candidates":[{"content":{"parts":[{"functionCall":{"name":"search_docs","args":{"a":"\\ud800"}}}]}}]}'],
    'WIRE_INVALID_UTF8',
  ],
  [
    'escaped SQL',
    [
      `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"run_sql","args":{"query":"\\u0044ROP TABLE customers"}}}]}}]}`,
    ],
    'INTENT_SQL_DDL',
  ],
  ['JSON in a string', chunks(call('search_docs', { q: raw({ sql: SQL }) })), 'INTENT_SQL_DDL'],
  ['a look-alike name', chunks(call('search_d\u043ecs', {})), 'any'],
  ['zero-width in the name', chunks(call('run\u200b_sql', ARGS)), 'WIRE_INVISIBLE_TEXT'],
  ['no JSON', ['{"candidates":[{"content":{"parts":[{"functionCall":{"name":"run_sql"'], 'any'],
]

testHidden([...rows, ...inTextAndJson], () => deny)
