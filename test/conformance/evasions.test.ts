/**
 * The shapes of a hostile or broken provider that a Chat Completions client could rebuild a call from. Every row hides the
 * same forbidden call; nobody may be able to rebuild it, however the stream is cut and framed. A benign twin with the same
 * shape passes where the shape itself is legal.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { Reason } from '#pkg/model'
import { callDeltas, chunkOf, cutsOf, lf, sse, streamOf, textDeltas } from '../fixtures/chat.ts'
import { closeChecks, JSON_TYPE, newPath, type Path, type Seen, SSE } from '../fixtures/path.ts'
import { DENY, REQUEST, TEXT_TOOLS } from '../fixtures/policies.ts'
import { rebuild } from './assembler.ts'

let deny: Path
let textTools: Path
before(async () => {
  deny = await newPath(DENY)
  textTools = await newPath(TEXT_TOOLS)
})
after(closeChecks)

const SQL = 'DROP TABLE customers'
const DROP = JSON.stringify({ query: SQL })
const reasonsOf = (seen: Seen): readonly string[] => seen.verdicts.flatMap((verdict) => verdict.reasons)

function assertUnseen(seen: Seen, label: string): void {
  assert.ok(!seen.text.includes(SQL), `${label}: ${seen.text}`)
  assert.ok(!rebuild(seen.text).calls.some((call) => call.args.includes(SQL)), label)
}

const tool = (index: unknown, more: object): object => ({ tool_calls: [{ index, ...more }] })
const fn = (name: string | undefined, args: unknown): object => ({
  type: 'function',
  function: { ...(name === undefined ? {} : { name }), arguments: args },
})
const raw = (value: object): string => JSON.stringify(value)
const base = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-5-mini' }
const end = chunkOf({}, 'tool_calls')

/** Asks for two choices: all that a second one could hide counts. */
const TWO = { ...REQUEST, n: 2 }

type Row = readonly [name: string, stream: string, reason: Reason | 'any']

const rows: readonly Row[] = [
  // A: deltas
  [
    'call and finish in one frame',
    sse([chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }), 'tool_calls')]),
    'INTENT_SQL_DDL',
  ],
  [
    'text and call in one delta',
    sse([chunkOf({ content: 'hi', ...tool(0, { id: 'a', ...fn('run_sql', DROP) }) }), end]),
    'INTENT_SQL_DDL',
  ],
  [
    'the call is in choice 1',
    sse([
      chunkOf({ content: 'x' }, null, 0),
      chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }), null, 1),
      chunkOf({}, 'stop', 0),
      chunkOf({}, 'tool_calls', 1),
    ]),
    'INTENT_SQL_DDL',
  ],
  [
    'legacy function_call',
    sse([
      chunkOf({ function_call: { name: 'run_sql', arguments: '' } }),
      chunkOf({ function_call: { arguments: DROP } }),
      chunkOf({}, 'function_call'),
    ]),
    'INTENT_SQL_DDL',
  ],
  [
    'custom tool',
    sse([chunkOf(tool(0, { id: 'a', type: 'custom', custom: { name: 'run_sql', input: SQL } })), end]),
    'any',
  ],
  [
    'arguments as an object',
    sse([chunkOf(tool(0, { id: 'a', ...fn('run_sql', { query: SQL }) })), end]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  ['no index at all', sse([chunkOf({ tool_calls: [{ id: 'a', ...fn('run_sql', DROP) }] }), end]), 'INTENT_SQL_DDL'],
  ['a negative index', sse([chunkOf(tool(-1, { id: 'a', ...fn('run_sql', DROP) })), end]), 'WIRE_INDEX_INVALID'],
  ['a huge index', sse([chunkOf(tool(1e9, { id: 'a', ...fn('run_sql', DROP) })), end]), 'WIRE_INDEX_INVALID'],
  ['an index as text', sse([chunkOf(tool('0', { id: 'a', ...fn('run_sql', DROP) })), end]), 'WIRE_INDEX_INVALID'],
  ['an index gap', sse([chunkOf(tool(5, { id: 'a', ...fn('run_sql', DROP) })), end]), 'INTENT_SQL_DDL'],
  [
    'the name in two pieces',
    sse([chunkOf(tool(0, { id: 'a', ...fn('search', '') })), chunkOf(tool(0, fn('_docs', DROP))), end]),
    'any',
  ],
  [
    'the name changes to a granted one',
    sse([chunkOf(tool(0, { id: 'a', ...fn('run_sql', '') })), chunkOf(tool(0, fn('search_docs', DROP))), end]),
    'WIRE_NAME_SPLIT',
  ],
  [
    'arguments before the name',
    sse([chunkOf(tool(0, { id: 'a', ...fn(undefined, DROP) })), chunkOf(tool(0, fn('run_sql', ''))), end]),
    'INTENT_SQL_DDL',
  ],
  ['no name ever', sse([chunkOf(tool(0, { id: 'a', ...fn(undefined, DROP) })), end]), 'WIRE_NAME_MISSING'],
  [
    'an id that changes',
    sse([
      chunkOf(tool(0, { id: 'a', ...fn('search_docs', '{"q":') })),
      chunkOf(tool(0, { id: 'b', ...fn(undefined, '"x"}') })),
      end,
    ]),
    'WIRE_ID_CHANGED',
  ],
  [
    'a closed call goes on',
    sse([
      ...callDeltas(0, 'search_docs', '{}').map((d) => chunkOf(d)),
      ...callDeltas(1, 'search_docs', '{}').map((d) => chunkOf(d)),
      chunkOf(tool(0, fn(undefined, DROP))),
      end,
    ]),
    'WIRE_CALL_REOPENED',
  ],
  [
    'a call after finish_reason',
    sse([chunkOf({ content: 'x' }), chunkOf({}, 'stop'), chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }))]),
    'WIRE_CALL_REOPENED',
  ],
  [
    'a message echo beside the delta',
    sse([
      raw({
        ...base,
        choices: [
          {
            index: 0,
            delta: {},
            message: { role: 'assistant', tool_calls: [{ id: 'a', ...fn('run_sql', DROP) }] },
            finish_reason: 'tool_calls',
          },
        ],
      }),
    ]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call at the top of the chunk',
    sse([raw({ ...base, tool_calls: [{ index: 0, id: 'a', ...fn('run_sql', DROP) }], choices: [] })]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a member in other case',
    sse([chunkOf({ Tool_Calls: [{ index: 0, id: 'a', ...fn('run_sql', DROP) }] }), end]),
    'any',
  ],
  [
    'camel case',
    sse([chunkOf({ toolCalls: [{ index: 0, id: 'a', ...fn('run_sql', DROP) }] }), end]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a tool_use content part',
    sse([chunkOf({ content: [{ type: 'tool_use', id: 'a', name: 'run_sql', input: { query: SQL } }] }), end]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the reasoning',
    sse([chunkOf({ reasoning: [{ type: 'tool_use', name: 'run_sql', input: { query: SQL } }] }), end]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the audio',
    sse([chunkOf({ audio: { tool_calls: [{ index: 0, ...fn('run_sql', DROP) }] } }), end]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the logprobs',
    sse([
      raw({
        ...base,
        choices: [
          {
            index: 0,
            delta: { content: 'x' },
            logprobs: { function_call: { name: 'run_sql', arguments: DROP } },
            finish_reason: null,
          },
        ],
      }),
      end,
    ]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the usage',
    sse([raw({ ...base, choices: [], usage: { tool_calls: [fn('run_sql', DROP)] } }), end]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'tool_calls as an object',
    sse([chunkOf({ tool_calls: { index: 0, id: 'a', ...fn('run_sql', DROP) } }), end]),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a stream that ends inside the call',
    sse([chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP.slice(0, -3)) }))]).replace('data: [DONE]\n\n', ''),
    'any',
  ],
  [
    'finish_reason length inside the call',
    sse([chunkOf(tool(0, { id: 'a', ...fn('search_docs', '{"q":"x"') })), chunkOf({}, 'length')]),
    'WIRE_CALL_TRUNCATED',
  ],
  [
    'a call after [DONE]',
    sse([chunkOf({ content: 'x' }), chunkOf({}, 'stop')]) + lf(chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }))),
    'WIRE_AFTER_DONE',
  ],
  // B: JSON
  [
    'duplicate argument keys',
    streamOf(callDeltas(0, 'run_sql', `{"query":"SELECT 1","query":"${SQL}"}`), 'tool_calls'),
    'any',
  ],
  [
    'duplicate keys that differ in case',
    streamOf(callDeltas(0, 'run_sql', `{"query":"SELECT 1","Query":"SELECT 2"}`), 'tool_calls'),
    'WIRE_DUPLICATE_KEY',
  ],
  [
    'an escaped duplicate',
    streamOf(callDeltas(0, 'run_sql', `{"query":"SELECT 1","\\u0071uery":"SELECT 2"}`), 'tool_calls'),
    'WIRE_DUPLICATE_KEY',
  ],
  [
    'escaped SQL',
    streamOf(callDeltas(0, 'run_sql', '{"query":"\\u0044\\u0052OP TABLE customers"}', 1), 'tool_calls'),
    'INTENT_SQL_DDL',
  ],
  [
    'JSON in a string',
    streamOf(callDeltas(0, 'search_docs', JSON.stringify({ q: JSON.stringify({ sql: SQL }) })), 'tool_calls'),
    'INTENT_SQL_DDL',
  ],
  [
    'a prototype key',
    streamOf(callDeltas(0, 'search_docs', '{"__proto__":{"x":1}}'), 'tool_calls'),
    'WIRE_KEY_FORBIDDEN',
  ],
  ['a comment', streamOf(callDeltas(0, 'search_docs', '{"a":1/*x*/}'), 'tool_calls'), 'WIRE_INVALID_JSON'],
  ['NaN', streamOf(callDeltas(0, 'search_docs', '{"a":NaN}'), 'tool_calls'), 'WIRE_INVALID_JSON'],
  ['a number beyond range', streamOf(callDeltas(0, 'search_docs', '{"a":1e400}'), 'tool_calls'), 'WIRE_NUMBER_RANGE'],
  ['a list in place of the object', streamOf(callDeltas(0, 'search_docs', '[1]'), 'tool_calls'), 'WIRE_ARGUMENT_SHAPE'],
  ['nothing at all', streamOf(callDeltas(0, 'search_docs', ''), 'tool_calls'), 'any'],
  ['a lone surrogate', streamOf(callDeltas(0, 'search_docs', '{"a":"\\ud800"}'), 'tool_calls'), 'WIRE_INVALID_UTF8'],
  ['zero-width in the name', streamOf(callDeltas(0, 'run\u200b_sql', DROP), 'tool_calls'), 'WIRE_INVISIBLE_TEXT'],
  ['a look-alike name', streamOf(callDeltas(0, 'search_d\u043ecs', '{}'), 'tool_calls'), 'any'],
  // J: wire
  [
    'duplicate keys in the chunk',
    sse([
      `{"choices":[],"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"run_sql","arguments":${JSON.stringify(DROP)}}}]}}]}`,
    ]),
    'any',
  ],
  [
    'multi-line data',
    `data: ${chunkOf({ content: 'x' })}\n\ndata: {"choices":[{"index":0,\ndata: "delta":${raw(tool(0, { id: 'a', ...fn('run_sql', DROP) }))}}]}\n\ndata: ${end}\n\n`,
    'any',
  ],
  [
    'two events that line readers join',
    `data: ${chunkOf({ content: 'x' })}\ndata: ${chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }))}\n\n`,
    'any',
  ],
  [
    'no blank line at the end',
    sse([chunkOf({ content: 'x' })]).replace('data: [DONE]\n\n', '') +
      `data: ${chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }), 'tool_calls')}`,
    'INTENT_SQL_DDL',
  ],
  [
    'an event name',
    `event: tool\ndata: ${chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }), 'tool_calls')}\n\n`,
    'any',
  ],
  ['a field in other case', `Data: ${chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }), 'tool_calls')}\n\n`, 'any'],
  ['a leading BOM', `\ufeff${streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls')}`, 'any'],
  ['bare JSON lines', `${chunkOf(tool(0, { id: 'a', ...fn('run_sql', DROP) }), 'tool_calls')}\n\n`, 'any'],
]

for (const [name, stream, reason] of rows)
  test(`[PROMISE-HOLD] [PROMISE-CUT] ${name}`, async () => {
    let first: readonly string[] | null = null
    for (const cut of cutsOf(stream)) {
      const seen = await deny.ask(TWO, { chunks: cut.chunks })
      assertUnseen(seen, cut.name)
      const reasons = reasonsOf(seen)
      assert.ok(
        seen.verdicts.some((verdict) => verdict.action !== 'Allow'),
        `${cut.name}: nothing was refused: ${seen.text}`,
      )
      if (reason !== 'any') assert.ok(reasons.includes(reason), `${cut.name}: ${reasons}`)
      first ??= reasons
      assert.deepEqual(reasons, first, cut.name)
    }
  })

const whole = (message: object, finish = 'tool_calls'): string =>
  raw({
    ...base,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: finish }],
  })

test('[PROMISE-HOLD] an answer that does not stream is judged whole: the refused call is gone, its siblings stay', async () => {
  const calls = [
    { id: 'a', ...fn('search_docs', '{}') },
    { id: 'b', ...fn('run_sql', DROP) },
  ]
  const body = whole({ content: 'Doing both.', tool_calls: calls })
  const seen = await deny.ask({ ...REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE })
  assertUnseen(seen, 'whole')
  const answer = JSON.parse(seen.text) as {
    choices: { message: { content: string; tool_calls: unknown[] }; finish_reason: string }[]
  }
  assert.match(answer.choices[0]?.message.content ?? '', /^Doing both\.\n\nsallyport: INTENT_SQL_DDL/)
  assert.deepEqual(answer.choices[0]?.message.tool_calls, [calls[0]])
  const none = await deny.ask(
    { ...REQUEST, stream: false },
    { chunks: [whole({ tool_calls: [calls[1]] })], headers: JSON_TYPE },
  )
  assert.match(none.text, /"finish_reason":"stop"/)
  assert.doesNotMatch(none.text, /tool_calls/)
})

test('[PROMISE-BYTES] an allowed answer that does not stream is byte-identical', async () => {
  const body = `{ "id" : "x",\n "object":"chat.completion","choices" : [ {"index":0,"message":{"role":"assistant","content":"caf\\u00e9","tool_calls":[${raw({ id: 'a', ...fn('search_docs', '{"q": 1}') })}]},"finish_reason":"tool_calls"} ] }`
  for (const cut of cutsOf(body)) {
    const seen = await deny.ask({ ...REQUEST, stream: false }, { chunks: cut.chunks, headers: JSON_TYPE })
    assert.equal(seen.text, body, cut.name)
  }
})

test('[PROMISE-HOLD] an answer in a content coding is decoded, judged, and delivered as identity', async () => {
  const stream = streamOf([...textDeltas('ok'), ...callDeltas(0, 'run_sql', DROP)], 'tool_calls')
  const codings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }
  for (const [coding, compress] of Object.entries(codings)) {
    const bytes = compress(Buffer.from(stream))
    for (const chunks of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
      const seen = await deny.ask(REQUEST, { chunks, headers: { ...SSE, 'content-encoding': coding } })
      assertUnseen(seen, coding)
      assert.deepEqual(reasonsOf(seen), ['INTENT_SQL_DDL'])
      assert.equal(seen.headers['content-encoding'], undefined)
    }
    const cut = await deny.ask(REQUEST, {
      chunks: [bytes.subarray(0, bytes.length - 5)],
      headers: { ...SSE, 'content-encoding': coding },
    })
    assertUnseen(cut, `${coding}, cut off`)
    assert.ok(reasonsOf(cut).includes('WIRE_ENCODING_CORRUPT'), coding)
  }
})

test('[PROMISE-CLOSED] an answer that lies about its type or coding ends before its first byte', async () => {
  const stream = streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls')
  const lies: readonly [headers: Record<string, string>, reason: Reason][] = [
    [{ 'content-type': 'application/octet-stream' }, 'WIRE_CONTENT_TYPE'],
    [{ 'content-type': 'text/event-stream; charset=utf-16' }, 'WIRE_CONTENT_TYPE'],
    [{}, 'WIRE_CONTENT_TYPE'],
    [{ ...SSE, 'content-encoding': 'dcb' } as Record<string, string>, 'WIRE_ENCODING_UNSUPPORTED'],
    [{ ...SSE, 'content-encoding': 'gzip, br' } as Record<string, string>, 'WIRE_ENCODING_UNSUPPORTED'],
    [JSON_TYPE as Record<string, string>, 'WIRE_FRAME_MALFORMED'],
  ]
  for (const [headers, reason] of lies) {
    const seen = await deny.ask(REQUEST, { chunks: [stream], headers })
    assert.equal(seen.status, 403)
    assertUnseen(seen, JSON.stringify(headers))
    assert.deepEqual(reasonsOf(seen), [reason])
  }
})

const textRows: readonly (readonly [name: string, text: string, forbidden: boolean])[] = [
  ['a tool_call tag', `Sure. <tool_call>{"name":"run_sql","arguments":${DROP}}</tool_call> done`, true],
  ['an allowed tool_call tag', 'Sure. <tool_call>{"name":"search_docs","arguments":{"q":"x"}}</tool_call> done', false],
  ['a function_call tag', `<function_call>{"name":"run_sql","arguments":${DROP}}</function_call>`, true],
  ['an invoke tag', `<invoke name="run_sql"><parameter name="query">${SQL}</parameter></invoke>`, true],
  ['[TOOL_CALLS]', `[TOOL_CALLS][{"name":"run_sql","arguments":${DROP}}]`, true],
  ['a tag that is talked about', 'Write <tool_call> around it, as the manual of that model says. That is all.', false],
  ['an unclosed tag', `<tool_call>{"name":"run_sql","arguments":${DROP}`, true],
  ['an ordinary fence', '```sql\nDROP TABLE x\n```\nis what you must not do', false],
]

for (const [name, text, forbidden] of textRows)
  test(`[PROMISE-HOLD] calls written as text: ${name}`, async () => {
    for (const size of [1, 3, 1000]) {
      const stream = streamOf(textDeltas(text, size), 'stop')
      for (const cut of cutsOf(stream).slice(0, 3)) {
        const seen = await deny.ask(REQUEST, { chunks: cut.chunks })
        if (forbidden) {
          assert.ok(!rebuild(seen.text).text.includes(SQL), seen.text)
          assert.match(rebuild(seen.text).text, /sallyport: /)
        } else assert.equal(seen.text, stream)
      }
    }
  })

test('[PROMISE-HOLD] declared fences and tags are calls', async () => {
  const bash = streamOf(textDeltas('Now:\n```bash\nrm -rf /\n```\nafter', 2), 'stop')
  const seen = await textTools.ask(REQUEST, { chunks: [bash] })
  const { text } = rebuild(seen.text)
  assert.ok(!text.includes('rm -rf'), text)
  assert.match(text, /after/)
})

test('[PROMISE-CLOSED] a request is refused before anything is dialled', async () => {
  const refused: readonly (readonly [request: object, given: object, reason: Reason])[] = [
    [{ ...REQUEST, model: 'o9-max' }, {}, 'MODEL_NOT_GRANTED'],
    [{ ...REQUEST, tools: [{ type: 'web_search' }] }, {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [{ ...REQUEST, web_search_options: {} }, {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [REQUEST, { path: '/batches' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [REQUEST, { facade: '' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [REQUEST, { token: 'sp_vk_other' }, 'IDENTITY_TOKEN_UNKNOWN'],
    [REQUEST, { token: null }, 'IDENTITY_TOKEN_UNKNOWN'],
    [REQUEST, { headers: { 'content-type': 'text/plain' } }, 'WIRE_CONTENT_TYPE'],
    [
      REQUEST,
      { body: new TextEncoder().encode('{"model":"gpt-5","model":"o9","messages":[{}]}') },
      'WIRE_DUPLICATE_KEY',
    ],
    [REQUEST, { body: Uint8Array.of(0x7b, 0xff, 0x7d) }, 'WIRE_INVALID_UTF8'],
    [{ model: 'gpt-5-mini' }, {}, 'WIRE_REQUEST_MALFORMED'],
  ]
  for (const [request, given, reason] of refused) {
    const seen = await deny.ask(request, { chunks: [] }, given)
    assert.equal(seen.status, 403, reason)
    assert.equal(seen.upstream, null)
    assert.equal(seen.headers['x-should-retry'], 'false')
    assert.deepEqual(reasonsOf(seen), [reason])
    const body = JSON.parse(seen.text) as { error: { code: string; type: string; message: string } }
    assert.equal(body.error.code, reason)
    assert.ok(body.error.message.startsWith(`sallyport: ${reason}: `))
  }
})
