/**
 * The shapes of a hostile or broken provider that a Gemini client could rebuild a call from, part by part and around them.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { cutsOf, lf } from '../fixtures/chat.ts'
import { AS_ARRAY, AS_EVENTS, array, call, chunkOf, DENY, REQUEST, sse } from '../fixtures/gemini.ts'
import { closeChecks, JSON_TYPE, newPath, type Path, SSE } from '../fixtures/path.ts'
import { ARGS, assertUnseen, candidate, chunks, DROP, type Row, raw, reasonsOf, testHidden } from './gemini-hidden.ts'

let deny: Path
before(async () => {
  deny = await newPath(DENY)
})
after(closeChecks)

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
]

testHidden(rows, () => deny)

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
