/**
 * The shapes of a hostile or broken provider that a Gemini client could rebuild a call from. Every row hides the same
 * forbidden call; nobody may be able to rebuild it, however the stream is cut and framed.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Reason } from '#pkg/model'
import { cutsOf, lf } from '../fixtures/chat.ts'
import { AS_ARRAY, AS_EVENTS, AS_WHOLE, array, call, chunkOf, DENY, REQUEST, sse } from '../fixtures/gemini.ts'
import { closeChecks, JSON_TYPE, newPath, type Path, type Seen, SSE } from '../fixtures/path.ts'
import { rebuild } from './gemini-assembler.ts'

let deny: Path
before(async () => {
  deny = await newPath(DENY)
})
after(closeChecks)

const SQL = 'DROP TABLE customers'
const ARGS = { query: SQL }
const DROP = call('run_sql', ARGS)
/** Asks for two candidates: all that a second one could hide counts. */
const TWO = { ...REQUEST, generationConfig: { candidateCount: 2 } }
const raw = (value: object): string => JSON.stringify(value)
const pieces = (...list: readonly object[]): object => ({ functionCall: { partialArgs: list, willContinue: true } })
const opened = { functionCall: { name: 'run_sql', willContinue: true } }
const closed = { functionCall: {} }
const sql = { jsonPath: '$.query', stringValue: SQL }
const chunks = (...parts: readonly object[]): readonly string[] => parts.map((part) => chunkOf([part]))
const candidate = (value: object): readonly string[] => [raw({ candidates: [{ index: 0, ...value }] })]

type Row = readonly [name: string, chunks: readonly string[], reason: Reason | 'any']

const rows: readonly Row[] = [
  // A: parts and pieces
  ['text and call in one part', chunks({ text: 'hi', ...DROP }), 'INTENT_SQL_DDL'],
  ['text and call in one chunk', [chunkOf([{ text: 'hi' }, DROP])], 'INTENT_SQL_DDL'],
  ['snake case', chunks({ function_call: { name: 'run_sql', args: ARGS } }), 'INTENT_SQL_DDL'],
  [
    'both spellings',
    chunks({ ...call('search_docs', {}), function_call: { name: 'run_sql', args: ARGS } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['another case', chunks({ FunctionCall: { name: 'run_sql', args: ARGS } }), 'WIRE_UNKNOWN_SHAPE'],
  ['the call marked as a thought', chunks({ ...DROP, thought: true }), 'INTENT_SQL_DDL'],
  ['a call of the user role', candidate({ content: { role: 'user', parts: [DROP] } }), 'INTENT_SQL_DDL'],
  ['a call in candidate 1', [raw({ candidates: [{ index: 1, content: { parts: [DROP] } }] })], 'INTENT_SQL_DDL'],
  ['a candidate without an index', [raw({ candidates: [{ content: { parts: [DROP] } }] })], 'INTENT_SQL_DDL'],
  [
    'a candidate that nobody asked for',
    [raw({ candidates: [{ index: 2, content: { parts: [DROP] } }] })],
    'WIRE_FRAME_MALFORMED',
  ],
  ['an index as text', [raw({ candidates: [{ index: '0', content: { parts: [DROP] } }] })], 'WIRE_FRAME_MALFORMED'],
  [
    'the same candidate twice',
    [
      raw({
        candidates: [
          { index: 0, content: { parts: [{ text: 'x' }] } },
          { index: 0, content: { parts: [DROP] } },
        ],
      }),
    ],
    'WIRE_FRAME_MALFORMED',
  ],
  ['candidates as an object', [raw({ candidates: { index: 0, content: { parts: [DROP] } } })], 'WIRE_FRAME_MALFORMED'],
  ['parts as an object', candidate({ content: { parts: DROP } }), 'WIRE_UNKNOWN_SHAPE'],
  ['content as a list', candidate({ content: [DROP] }), 'WIRE_UNKNOWN_SHAPE'],
  ['the call beside the parts', candidate({ content: { parts: [{ text: 'x' }], ...DROP } }), 'WIRE_UNKNOWN_SHAPE'],
  ['the call beside the content', candidate({ content: { parts: [{ text: 'x' }] }, ...DROP }), 'WIRE_UNKNOWN_SHAPE'],
  ['the call beside the candidates', [raw({ candidates: [], ...DROP })], 'WIRE_UNKNOWN_SHAPE'],
  [
    'a list of calls beside the candidates',
    [raw({ candidates: [], functionCalls: [{ name: 'run_sql', args: ARGS }] })],
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a history of automatic calls',
    [raw({ automaticFunctionCallingHistory: [{ role: 'model', parts: [DROP] }] })],
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['a list of calls in a part', chunks({ functionCalls: [{ name: 'run_sql', args: ARGS }] }), 'WIRE_UNKNOWN_SHAPE'],
  [
    'a list in the place of the call',
    chunks({ functionCall: [{ name: 'run_sql', args: ARGS }] }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in a call',
    chunks({ functionCall: { name: 'search_docs', args: {}, functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    "another dialect's call",
    chunks({ tool_calls: [{ function: { name: 'run_sql', arguments: raw(ARGS) } }] }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['a tool_use part', chunks({ type: 'tool_use', name: 'run_sql', input: ARGS }), 'WIRE_UNKNOWN_SHAPE'],
  [
    'a server call with a name',
    chunks({ toolCall: { name: 'run_sql', toolType: 'GOOGLE_SEARCH_WEB', args: ARGS } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in code that ran',
    chunks({ executableCode: { code: 'x', functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the metadata of a part',
    chunks({ text: 'x', partMetadata: { functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the grounding',
    candidate({
      content: { parts: [{ text: 'x' }] },
      groundingMetadata: { functionCall: { name: 'run_sql', args: ARGS } },
    }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the log probabilities',
    candidate({
      logprobsResult: { chosenCandidates: [{ token: 'x', functionCall: { name: 'run_sql', args: ARGS } }] },
    }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member modelVersion',
    [raw({ modelVersion: { functionCall: { name: 'run_sql', args: ARGS } }, candidates: [] })],
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member createTime',
    [raw({ createTime: { functionCall: { name: 'run_sql', args: ARGS } }, candidates: [] })],
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member error',
    [raw({ error: { functionCall: { name: 'run_sql', args: ARGS } }, candidates: [] })],
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member finishReason',
    candidate({ content: { parts: [{ text: 'x' }] }, finishReason: { functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member safetyRatings',
    candidate({
      content: { parts: [{ text: 'x' }] },
      safetyRatings: { functionCall: { name: 'run_sql', args: ARGS } },
    }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member tokenCount',
    candidate({ content: { parts: [{ text: 'x' }] }, tokenCount: { functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member urlContextMetadata',
    candidate({
      content: { parts: [{ text: 'x' }] },
      urlContextMetadata: { functionCall: { name: 'run_sql', args: ARGS } },
    }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member continuationToken',
    candidate({
      content: { parts: [{ text: 'x' }] },
      continuationToken: { functionCall: { name: 'run_sql', args: ARGS } },
    }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the member grounding_metadata',
    candidate({
      content: { parts: [{ text: 'x' }] },
      grounding_metadata: { functionCall: { name: 'run_sql', args: ARGS } },
    }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the role',
    candidate({ content: { role: { functionCall: { name: 'run_sql', args: ARGS } }, parts: [{ text: 'x' }] } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the part member thought',
    chunks({ text: 'x', thought: { functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the part member thoughtSignature',
    chunks({ text: 'x', thoughtSignature: { functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the part member inlineData',
    chunks({ text: 'x', inlineData: { functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the part member file_data',
    chunks({ text: 'x', file_data: { functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the id of a server call',
    chunks({ toolCall: { toolType: 'URL_CONTEXT', id: { functionCall: { name: 'run_sql', args: ARGS } } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['a call that is the candidate', [raw({ candidates: [{ name: 'run_sql', args: ARGS }] })], 'WIRE_UNKNOWN_SHAPE'],
  ['a call that is the chunk', [raw({ name: 'run_sql', args: ARGS })], 'WIRE_UNKNOWN_SHAPE'],
  [
    'a call in the usage',
    [raw({ usageMetadata: { functionCall: { name: 'run_sql', args: ARGS } } })],
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the text member',
    chunks({ text: { functionCall: { name: 'run_sql', args: ARGS } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['arguments as text', chunks({ functionCall: { name: 'run_sql', args: raw(ARGS) } }), 'WIRE_UNKNOWN_SHAPE'],
  ['arguments as a list', chunks({ functionCall: { name: 'run_sql', args: [ARGS] } }), 'WIRE_UNKNOWN_SHAPE'],
  [
    'arguments under another name',
    chunks({ functionCall: { name: 'search_docs', args: {}, arguments: ARGS } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a second name',
    chunks({ functionCall: { name: 'search_docs', toolName: 'run_sql', args: ARGS } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['no name', chunks({ functionCall: { args: ARGS } }), 'WIRE_NAME_MISSING'],
  ['a name that is no text', chunks({ functionCall: { name: ['run_sql'], args: ARGS } }), 'WIRE_UNKNOWN_SHAPE'],
  [
    'an id that comes twice',
    chunks(
      { functionCall: { id: 'a', name: 'search_docs' } },
      { functionCall: { id: 'a', name: 'run_sql', args: ARGS } },
    ),
    'WIRE_ID_CHANGED',
  ],
  ['a call after the end', [chunkOf([{ text: 'x' }], 'STOP'), chunkOf([DROP])], 'INTENT_SQL_DDL'],
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

const reasonsOf = (seen: Seen): readonly string[] => seen.verdicts.flatMap((verdict) => verdict.reasons)

function assertUnseen(seen: Seen, label: string): void {
  assert.ok(!seen.text.includes(SQL), `${label}: ${seen.text}`)
  assert.ok(!rebuild(seen.text).calls.some((one) => one.args.includes(SQL)), label)
}

for (const [name, list, reason] of rows)
  test(`[GEMINI-04] ${name}`, async () => {
    let first: readonly string[] | null = null
    const ways = [
      { body: sse(list), asked: AS_EVENTS, headers: SSE },
      { body: array(list), asked: AS_ARRAY, headers: JSON_TYPE },
      ...list.slice(0, list.length === 1 ? 1 : 0).map((body) => ({ body, asked: AS_WHOLE, headers: JSON_TYPE })),
    ]
    for (const { body, asked, headers } of ways)
      for (const cut of cutsOf(body)) {
        const label = `${asked.path}${asked.query} ${cut.name}`
        const seen = await deny.ask(TWO, { chunks: cut.chunks, headers }, asked)
        assertUnseen(seen, label)
        assert.ok(
          seen.verdicts.some((verdict) => verdict.action !== 'Allow'),
          `${label}: nothing was refused: ${seen.text}`,
        )
        const reasons = reasonsOf(seen)
        if (reason !== 'any') assert.ok(reasons.includes(reason), `${label}: ${reasons}`)
        if (name === 'no JSON') continue
        first ??= reasons
        assert.deepEqual(reasons, first, label)
        if (asked === AS_ARRAY) JSON.parse(seen.text)
      }
  })

const wire: readonly (readonly [
  name: string,
  body: string,
  asked: typeof AS_EVENTS | typeof AS_ARRAY,
  headers: object,
])[] = [
  ['a field in other case', `Data: ${chunkOf([DROP])}\n\n`, AS_EVENTS, SSE],
  [
    'lines that some readers take alone',
    `data: ${chunkOf([{ text: 'x' }])}\ndata: ${chunkOf([DROP])}\n\n`,
    AS_EVENTS,
    SSE,
  ],
  ['bare JSON lines as events', `${chunkOf([DROP])}\n`, AS_EVENTS, SSE],
  ['bare JSON lines as an array', `${chunkOf([DROP])}\n`, AS_ARRAY, JSON_TYPE],
  ['an array behind the array', `${array([chunkOf([{ text: 'x' }])])}${array([chunkOf([DROP])])}`, AS_ARRAY, JSON_TYPE],
  ['events where an array was asked for', lf(chunkOf([DROP])), AS_ARRAY, SSE],
  ['an array that says it is events', array([chunkOf([DROP])]), AS_EVENTS, SSE],
  ['an array in an array', `[${array([chunkOf([DROP])])}]`, AS_ARRAY, JSON_TYPE],
  ['no blank line at the end', `data: ${chunkOf([DROP])}`, AS_EVENTS, SSE],
]
for (const [name, body, asked, headers] of wire)
  test(`[GEMINI-04] ${name}`, async () => {
    for (const cut of cutsOf(body)) {
      const seen = await deny.ask(REQUEST, { chunks: cut.chunks, headers: { ...headers } }, asked)
      assertUnseen(seen, cut.name)
      assert.ok(
        seen.verdicts.some((verdict) => verdict.action !== 'Allow'),
        cut.name,
      )
    }
  })

test('[GEMINI-04] an answer in a content coding is decoded, judged, and delivered as identity', async () => {
  for (const [body, asked, headers] of [
    [sse([chunkOf([DROP])]), AS_EVENTS, SSE],
    [array([chunkOf([DROP])]), AS_ARRAY, JSON_TYPE],
  ] as const) {
    const bytes = gzipSync(Buffer.from(body))
    const seen = await deny.ask(
      REQUEST,
      { chunks: [...bytes].map((byte) => Uint8Array.of(byte)), headers: { ...headers, 'content-encoding': 'gzip' } },
      asked,
    )
    assertUnseen(seen, asked.query)
    assert.deepEqual(reasonsOf(seen), ['INTENT_SQL_DDL'])
  }
})
