/** Gemini through the whole path: what passes is untouched, what is refused cannot be rebuilt, whatever the framing. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DEFAULT_LIMITS } from '#pkg/model'
import { cutsOf, FRAMINGS, seeded } from '../fixtures/chat.ts'
import {
  ABORT,
  ARRAYS,
  AS_ARRAY,
  AS_EVENTS,
  AS_WHOLE,
  array,
  call,
  chunkOf,
  chunksOf,
  DENY,
  REQUEST,
  SEARCH,
  SEVER,
  sse,
  streamedCall,
  textParts,
} from '../fixtures/gemini.ts'
import { closeChecks, JSON_TYPE, newPath, PATIENT, type Path, type Seen, SSE } from '../fixtures/path.ts'
import { rebuild } from './gemini-assembler.ts'

let deny: Path
let abort: Path
before(async () => {
  deny = await newPath(DENY)
  abort = await newPath(ABORT)
})
after(closeChecks)

const SQL = 'DROP TABLE customers'
const DROP = { query: SQL }
const READ = { query: 'SELECT 1' }
const ARRAY_TYPE = { 'content-type': 'application/json; charset=UTF-8' }

/** Every way in which an answer streams: where it is asked, its type, and how chunks are put together. */
const WAYS = [
  ...Object.entries(FRAMINGS).map(([name, framing]) => ({
    name: `events, ${name}`,
    asked: AS_EVENTS,
    headers: SSE,
    write: (chunks: readonly string[]) => sse(chunks, framing),
  })),
  {
    name: 'events behind a BOM',
    asked: AS_EVENTS,
    headers: SSE,
    write: (chunks: readonly string[]) => `\ufeff${sse(chunks)}`,
  },
  ...Object.entries(ARRAYS).map(([name, write]) => ({
    name: `array, ${name}`,
    asked: AS_ARRAY,
    headers: ARRAY_TYPE,
    write,
  })),
] as const
type Way = (typeof WAYS)[number]

const THOROUGH = new Set(['events, lf', 'events, cr', 'array, google'])
/** Byte by byte in one framing of each kind; the splitters' own tests cut the others everywhere. */
function cutsIn(way: Way, body: string): ReturnType<typeof cutsOf> {
  const cuts = cutsOf(body, seeded(3))
  return THOROUGH.has(way.name) ? cuts : cuts.filter(({ name }) => name === 'whole' || name === 'random 0')
}

const ask = (path: Path, way: Way, chunks: readonly Uint8Array[], request: object = REQUEST): Promise<Seen> =>
  path.ask(request, { chunks, headers: way.headers }, way.asked)

const bytesOf = (text: string): readonly Uint8Array[] => [new TextEncoder().encode(text)]
const reasonsOf = (seen: Seen): readonly string[] => seen.verdicts.flatMap((verdict) => verdict.reasons)

function assertUnseen(seen: Seen, label: string): void {
  const rebuilt = rebuild(seen.text)
  assert.ok(!rebuilt.calls.some((one) => one.args.includes(SQL)), `${label}: ${seen.text}`)
  assert.ok(!seen.text.includes(SQL), `${label}: ${seen.text}`)
}

/** What a client ends with that reads the framing as it is defined. */
function chunksIn(seen: Seen, way: Way): readonly { candidates?: { content?: { parts?: { text?: string }[] } }[] }[] {
  if (way.asked === AS_ARRAY) return JSON.parse(seen.text)
  return seen.text
    .replace(/^\ufeff/, '')
    .split(/\r\n\r\n|\n\n|\r\r/)
    .flatMap((block) => block.split(/\r\n|\r|\n/).filter((line) => line.startsWith('data:')))
    .map((line) => JSON.parse(line.slice(5)))
}

const partsIn = (seen: Seen, way: Way): readonly Record<string, unknown>[] =>
  chunksIn(seen, way).flatMap((chunk) => (chunk.candidates ?? []).flatMap((one) => one.content?.parts ?? []))

/** Comments may overtake what is held. */
const uncommented = (text: string): string => text.replaceAll(': keep\n', '')

const SIGNED = { thoughtSignature: 'c2ln/+bmF0dXJl' }
const allowed: readonly (readonly [name: string, chunks: readonly string[]])[] = [
  ['text', chunksOf(textParts('Two doors and a hall: café \u{1f6aa}.'))],
  [
    'thoughts, then text',
    chunksOf([
      { text: 'Let me see.', thought: true },
      { text: 'Seen.', ...SIGNED },
    ]),
  ],
  ['a call without arguments', chunksOf([call('search_docs', undefined, SIGNED)])],
  ['calls side by side', chunksOf([call('search_docs', { q: 'x' }, SIGNED), call('run_sql', READ)])],
  ['calls in one chunk', [chunkOf([{ text: 'Both.' }, call('search_docs', {}), call('run_sql', READ)], 'STOP')]],
  ['arguments in pieces', chunksOf([...streamedCall('run_sql', READ), ...streamedCall('search_docs', {})])],
  ['arguments in pieces, nested', chunksOf(nested())],
  [
    'both spellings',
    [chunkOf([{ function_call: { name: 'search_docs', args: { q: 1 } }, thought_signature: 'eA==' }])],
  ],
  [
    'evidence of what ran at the provider',
    chunksOf([
      { executableCode: { language: 'PYTHON', code: 'print(1)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1\n' } },
      { toolCall: { id: 't1', toolType: 'GOOGLE_SEARCH_WEB', args: { queries: ['x'] } }, ...SIGNED },
      { toolResponse: { id: 't1', toolType: 'GOOGLE_SEARCH_WEB', response: { sources: ['https://a.example'] } } },
      { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
      { text: 'One.' },
    ]),
  ],
  [
    'a malformed call, said to be one',
    [chunkOf([], 'MALFORMED_FUNCTION_CALL', { finishMessage: 'Malformed function call: print(default_api' })],
  ],
  ['blocked', ['{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":1}}']],
  ['an error', ['{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}']],
  ['the end in every chunk', [chunkOf([{ text: 'a' }], 'STOP'), chunkOf([call('search_docs', {})], 'STOP')]],
  [
    'numbers as they are written',
    ['{"candidates":[{"content":{"parts":[{"functionCall":{"name":"search_docs","args":{"n":1.0e1}}}]}}]}'],
  ],
]

function nested(): readonly object[] {
  const pieces = [
    { jsonPath: '$.filter.tags[0]', stringValue: 'a' },
    { jsonPath: '$.filter.tags[1]', stringValue: 'b', willContinue: true },
    { jsonPath: '$.filter.tags[1]' },
    { jsonPath: '$.filter.limit', numberValue: 3 },
    { jsonPath: "$['first name']", nullValue: 'NULL_VALUE' },
    { jsonPath: '$.deep', boolValue: true },
  ]
  return [
    { functionCall: { name: 'search_docs', id: 'c1', willContinue: true }, ...SIGNED },
    { functionCall: { partialArgs: pieces.slice(0, 3), willContinue: true } },
    { functionCall: { partialArgs: pieces.slice(3), willContinue: true } },
    { functionCall: { willContinue: false } },
  ]
}

for (const [name, chunks] of allowed)
  test(`[GEMINI-01] ${name} passes as the provider's own bytes`, async () => {
    for (const way of WAYS) {
      const body = way.write(chunks)
      for (const cut of cutsIn(way, body)) {
        const seen = await ask(deny, way, cut.chunks)
        assert.equal(uncommented(seen.text), uncommented(body), `${way.name}, ${cut.name}`)
        assert.equal(seen.how, 'end')
      }
    }
    const [first] = chunks
    if (chunks.length !== 1 || first === undefined) return
    const whole = await deny.ask(REQUEST, { chunks: [first], headers: JSON_TYPE }, AS_WHOLE)
    assert.equal(whole.text, first)
  })

/** Every position of the forbidden call among its siblings, in pieces of every size or whole. */
function* families(): Iterable<readonly [name: string, parts: readonly object[], kept: readonly string[]]> {
  for (const size of [0, 1, 64])
    for (const at of [0, 1, 2]) {
      const siblings = [call('search_docs', { q: 'x' }, SIGNED), call('run_sql', READ)]
      const forbidden = size === 0 ? [call('run_sql', DROP)] : streamedCall('run_sql', { ...DROP, limit: 3 }, size)
      const parts = [...textParts('Doing.', 3), ...siblings.slice(0, at), ...forbidden, ...siblings.slice(at)]
      yield [`size ${size}, place ${at}`, parts, ['search_docs', 'run_sql']]
    }
}

for (const [name, parts, kept] of families())
  test(`[GEMINI-02] a refused call among siblings: ${name}`, async () => {
    for (const way of WAYS) {
      const together = [chunkOf(parts, 'STOP')]
      for (const chunks of [chunksOf(parts), together]) {
        for (const cut of cutsIn(way, way.write(chunks)).slice(0, 3)) {
          const seen = await ask(deny, way, cut.chunks)
          const label = `${way.name}, ${cut.name}`
          assertUnseen(seen, label)
          assert.deepEqual(reasonsOf(seen), ['INTENT_SQL_DDL'], label)
          const left = partsIn(seen, way)
          const names = left.flatMap((part) => (part['functionCall'] as { name?: string } | undefined)?.name ?? [])
          assert.deepEqual(names, kept, label)
          const text = left.map((part) => part['text'] ?? '').join('')
          assert.match(text, /^Doing\.\n\nsallyport: INTENT_SQL_DDL/, label)
          assert.ok(seen.text.includes('"finishReason":"STOP"') || seen.text.includes('"finishReason": "STOP"'), label)
          for (const part of left) assert.ok(Object.keys(part).length > 0, label)
          assert.equal(seen.how, 'end')
        }
      }
    }
  })

test('[GEMINI-02] the only call is refused: its place is taken by text, and the answer still ends with STOP', async () => {
  for (const way of WAYS)
    for (const parts of [
      [call('run_sql', DROP, SIGNED)],
      streamedCall('run_sql', DROP),
      [call('send_mail', { to: 'x' })],
    ]) {
      const seen = await ask(deny, way, bytesOf(way.write(chunksOf(parts))))
      assertUnseen(seen, way.name)
      const left = partsIn(seen, way)
      assert.match(String(left[0]?.['text']), /^sallyport: (?:INTENT_SQL_DDL|TOOL_NOT_GRANTED)/)
      assert.ok(!seen.text.includes(SIGNED.thoughtSignature), 'a signature left its part')
      assert.ok(left.length <= 2 && left.every((part) => typeof part['text'] === 'string'))
      assert.match(seen.text, /"finishReason": ?"STOP"/)
    }
})

test('[GEMINI-02] an answer that does not stream: the refused call is gone, its siblings stay', async () => {
  const body = chunkOf([{ text: 'Both.' }, call('run_sql', DROP), call('search_docs', { n: 1 }, SIGNED)], 'STOP')
  for (const cut of cutsOf(body)) {
    const seen = await deny.ask(REQUEST, { chunks: cut.chunks, headers: JSON_TYPE }, AS_WHOLE)
    assertUnseen(seen, cut.name)
    const parts = JSON.parse(seen.text).candidates[0].content.parts
    assert.equal(parts.length, 3)
    assert.match(parts[1].text, /^\n\nsallyport: INTENT_SQL_DDL/)
    assert.deepEqual(parts[2], call('search_docs', { n: 1 }, SIGNED))
    assert.equal(JSON.parse(seen.text).usageMetadata.totalTokenCount, 12)
  }
})

test('[GEMINI-03] Abort ends a stream with an error that its framing can hold', async () => {
  for (const way of WAYS)
    for (const before of [[], textParts('Doing it now.')]) {
      const parts = [...before, call('run_sql', DROP), { text: 'done' }]
      for (const cut of cutsIn(way, way.write(chunksOf(parts)))) {
        const seen = await ask(abort, way, cut.chunks)
        assertUnseen(seen, way.name)
        assert.equal(seen.upstreamCancelled, true)
        const chunks = chunksIn(seen, way) as readonly { error?: { code: unknown; status: string } }[]
        assert.equal(chunks.length, before.length + 1, seen.text)
        assert.deepEqual([chunks.at(-1)?.error?.code, chunks.at(-1)?.error?.status], [403, 'PERMISSION_DENIED'])
        if (way.asked === AS_EVENTS) assert.match(seen.text, /(?:^|[\r\n])\ndata: \{"error":[^\n]*\}\n\n$/)
      }
    }
})

test('[GEMINI-03] Sever ends the stream, and the agent is refused from then on', async () => {
  for (const way of [WAYS[0], WAYS.at(-1)]) {
    if (way === undefined) continue
    const path = await newPath(SEVER)
    const seen = await ask(path, way, bytesOf(way.write(chunksOf([{ text: 'a' }, call('run_sql', DROP)]))))
    assertUnseen(seen, way.name)
    assert.equal(path.standing.state, 'Quarantined')
    const again = await ask(path, way, bytesOf(way.write(chunksOf([{ text: 'a' }]))))
    assert.equal(again.status, 403)
    assert.equal(JSON.parse(again.text).error.code, 403)
    assert.equal(JSON.parse(again.text).error.details[0].reason, 'IDENTITY_AGENT_QUARANTINED')
    await path.close()
  }
})

test('[GEMINI-03] a provider that breaks off inside an array leaves a legal array with an error', async () => {
  const whole = array(chunksOf([{ text: 'a' }, call('search_docs', {}), { text: 'b' }]))
  for (let at = 0; at <= whole.lastIndexOf(']'); at += 1) {
    const seen = await deny.ask(REQUEST, { chunks: [whole.slice(0, at)], headers: ARRAY_TYPE }, AS_ARRAY)
    if (at === 0) continue
    const chunks = JSON.parse(seen.text) as readonly { error?: { code: number } }[]
    assert.equal(typeof chunks.at(-1)?.error?.code, 'number', whole.slice(0, at))
  }
})

test('[GEMINI-03] an error in place of an array passes with its status', async () => {
  for (const body of [
    '[{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}\n]\n',
    '{"error":{"code":400}}',
  ]) {
    const seen = await deny.ask(REQUEST, { chunks: [body], headers: ARRAY_TYPE, status: 400 }, AS_ARRAY)
    assert.deepEqual([seen.status, seen.text], [400, body])
  }
})

test('[GEMINI-04] the caps hold: arguments whole and in pieces, calls in one answer', async () => {
  const long = 'x'.repeat(DEFAULT_LIMITS.argumentBytes)
  for (const way of [WAYS[0], WAYS.at(-1)]) {
    if (way === undefined) continue
    for (const parts of [[call('search_docs', { q: long })], streamedCall('search_docs', { q: long }, 60_000)]) {
      const seen = await ask(deny, way, bytesOf(way.write(chunksOf([...parts, { text: 'after' }]))))
      assert.deepEqual(reasonsOf(seen), ['WIRE_ARGUMENT_TOO_LARGE'])
      assert.ok(!seen.text.includes('xxxx') && seen.text.includes('after'))
    }
    const most = Array.from({ length: DEFAULT_LIMITS.callsPerAnswer }, () => call('search_docs', {}))
    const fits = await ask(deny, way, bytesOf(way.write(chunksOf(most))))
    assert.ok(reasonsOf(fits).every((reason) => reason !== 'WIRE_CALL_LIMIT'))
    const over = await ask(deny, way, bytesOf(way.write(chunksOf([...most, call('search_docs', {})]))))
    assert.deepEqual(reasonsOf(over).at(-1), 'WIRE_CALL_LIMIT')
    assert.equal(over.text.split('"functionCall"').length - 1, DEFAULT_LIMITS.callsPerAnswer)
  }
})

test('[GEMINI-03] while a call is held, events get a comment now and then, and an array nothing', async () => {
  const limits = { ...PATIENT, holdPingMs: 0 }
  const path = await newPath(DENY, limits)
  for (const [asked, headers, body] of [
    [AS_EVENTS, SSE, sse(chunksOf(streamedCall('run_sql', READ)))],
    [AS_ARRAY, ARRAY_TYPE, array(chunksOf(streamedCall('run_sql', READ)))],
  ] as const) {
    const chunks = body.split(/(?<=\n)(?=data|,)/)
    const before = (index: number): void => (index === 3 ? path.exchanges.tick(Date.now()) : undefined)
    const seen = await path.ask(REQUEST, { chunks, headers, before }, asked)
    assert.equal(seen.text, `${asked === AS_EVENTS ? ': sallyport holds\n\n' : ''}${body}`)
  }
  await path.close()
})

test('[GEMINI-08] hosted tools are judged in the request', async () => {
  const search = await newPath(SEARCH)
  const rows: readonly (readonly [tool: object, granted: boolean])[] = [
    [{ googleSearch: {} }, true],
    [{ google_search: {} }, true],
    [{ codeExecution: {} }, false],
    [{ code_execution: {} }, false],
    [{ functionDeclarations: [{ name: 'x' }], urlContext: {} }, false],
    [{ googleMaps: {} }, false],
    [{ fileSearch: {} }, false],
    [{ somethingNew: {} }, false],
    [{ mcpServers: [{ name: 'm', streamableHttpTransport: { url: 'https://m.example' } }] }, false],
    [{ computerUse: { environment: 'ENVIRONMENT_BROWSER' } }, true],
    [{ googleSearch: null }, true],
  ]
  for (const [tool, granted] of rows) {
    const request = { ...REQUEST, tools: [...REQUEST.tools, tool] }
    const seen = await search.ask(request, { chunks: [sse(chunksOf([{ text: 'a' }]))] }, AS_EVENTS)
    assert.equal(seen.status, granted ? 200 : 403, JSON.stringify(tool))
    if (!granted) assert.deepEqual(reasonsOf(seen), ['TOOL_HOSTED_NOT_GRANTED'])
  }
  const cached = await search.ask({ ...REQUEST, cachedContent: 'cachedContents/1' }, { chunks: [] }, AS_EVENTS)
  assert.equal(cached.status, 403)
  await search.close()
})

test('[GEMINI-09] two hundred streams at once: none sees the canary of another', async () => {
  const paths = await Promise.all(Array.from({ length: 200 }, () => newPath(DENY)))
  await Promise.all(
    paths.map(async (path, n) => {
      const way = WAYS[n % WAYS.length]
      if (way === undefined) return
      const canary = `canary-${n}-`
      const parts = [
        { text: canary },
        call('run_sql', { query: `DROP TABLE t${canary}` }),
        call('search_docs', { q: canary }),
      ]
      const bytes = new TextEncoder().encode(way.write(chunksOf(parts)))
      const chunks = Array.from({ length: Math.ceil(bytes.length / 40) }, (_, i) => bytes.subarray(i * 40, i * 40 + 40))
      const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
      const seen = await path.ask(REQUEST, { chunks, headers: way.headers, before: turn }, way.asked)
      assert.deepEqual([...new Set(seen.text.match(/canary-\d+-/g))], [canary])
      assert.ok(!seen.text.includes(`DROP TABLE t${canary}`))
    }),
  )
  await Promise.all(paths.map((path) => path.close()))
})
