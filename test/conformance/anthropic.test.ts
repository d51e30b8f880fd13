import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import {
  CLAUDE,
  CLAUDE_ABORT,
  CLAUDE_AUDIT,
  CLAUDE_DENY,
  CLAUDE_FRAMINGS,
  CLAUDE_RECORD,
  CLAUDE_REQUEST,
  CLAUDE_SEVER,
  callBlock,
  claudeMessage,
  claudeStream,
  type Event,
  finish,
  searchBlocks,
  start,
  textBlock,
  thinkingBlock,
  toolUse,
  written,
} from '../fixtures/anthropic.ts'
import { cutsOf, seeded } from '../fixtures/chat.ts'
import { closeChecks, cutStep, JSON_TYPE, newPath, type Path, type Play, type Seen, SSE } from '../fixtures/path.ts'
import { rebuildClaude } from './claude-assembler.ts'

const READ = JSON.stringify({ query: 'SELECT segment, count(*) FROM customers GROUP BY segment' })
const SECRET = 'DROP TABLE customers'
const DROP = JSON.stringify({ query: `${SECRET}; SELECT 1` })

let deny: Path
let abort: Path
before(async () => {
  deny = await newPath(CLAUDE_DENY)
  abort = await newPath(CLAUDE_ABORT)
})
after(closeChecks)

const ask = (path: Path, play: Play, request: object = CLAUDE_REQUEST): Promise<Seen> => path.ask(request, play, CLAUDE)
const reasonsOf = (seen: Seen): readonly string[] =>
  seen.verdicts.map((verdict) => verdict.reasons[0] ?? verdict.action)
const withoutIds = (text: string): string => text.replace(/v_test\d+/g, 'v')

/** The forbidden call must not be there for anybody, in any reading. */
function assertUnseen(seen: Seen, label = ''): void {
  for (const call of rebuildClaude(seen.text).calls) assert.ok(!call.args.includes(SECRET), `${label}: ${call.args}`)
  assert.ok(!seen.text.includes(SECRET), `${label}: the forbidden text left`)
}

test('[ANTHROPIC-01] an allowed stream is byte-identical in every framing and every cut', async () => {
  const blocks = [
    ...thinkingBlock(0, 'They want a look at the data. Tulips — 日本.'),
    ...textBlock(1, 'Let me look — 日本 🙂 at that.'),
    ...searchBlocks(2),
    ...callBlock(4, 'search_docs', '{"query":"tulips"}'),
    ...callBlock(5, 'run_sql', READ, 3),
    ...callBlock(6, 'search_docs', '', 7, { input: { query: 'given at once' }, caller: { type: 'direct' } }),
  ]
  for (const [name, framing] of Object.entries(CLAUDE_FRAMINGS)) {
    for (const mark of ['', '\ufeff']) {
      const stream = mark + claudeStream(blocks, 'tool_use', framing)
      for (const cut of cutsOf(stream)) {
        const seen = await ask(deny, { chunks: cut.chunks })
        assert.equal(seen.status, 200)
        // comments alone may overtake what is held
        assert.equal(seen.text.replaceAll(': keep\n', ''), stream.replaceAll(': keep\n', ''), `${name}, ${cut.name}`)
        assert.deepEqual(reasonsOf(seen), ['Allow', 'Allow', 'Allow'])
      }
    }
  }
})

const positions = [0, 1, 2] as const
for (const position of positions)
  for (const size of [1, 5, 1000])
    test(`[ANTHROPIC-02] forbidden call at place ${position}, deltas of ${size}: a text block stands at its index`, async () => {
      const args = positions.map((place) => (place === position ? DROP : READ))
      const blocks = [
        ...textBlock(0, 'All three.'),
        ...args.flatMap((text, index) => callBlock(index + 1, 'run_sql', text, size)),
      ]
      const framings = Object.entries(CLAUDE_FRAMINGS)
      for (const [name, framing] of size === 5 ? framings : framings.slice(0, 2)) {
        const texts = new Set<string>()
        for (const cut of cutsOf(claudeStream(blocks, 'tool_use', framing))) {
          const label = `${name}, ${cut.name}`
          const seen = await ask(deny, { chunks: cut.chunks })
          assertUnseen(seen, label)
          const expected = positions.map((place) => (place === position ? 'INTENT_SQL_DDL' : 'Allow'))
          assert.deepEqual([...reasonsOf(seen)].sort(), [...expected].sort(), label)
          assert.equal(seen.how, 'end', label)
          const starts = [
            ...seen.text.matchAll(/"content_block_start","index":(\d+),"content_block":\{"type":"(\w+)"/g),
          ]
          assert.deepEqual(
            starts.map(([, index, type]) => `${index} ${type}`),
            ['0 text', ...positions.map((place) => `${place + 1} ${place === position ? 'text' : 'tool_use'}`)],
            label,
          )
          assert.match(seen.text, /"stop_reason":"tool_use"/)
          assert.match(seen.text, /"text":"\\n\\nsallyport: INTENT_SQL_DDL: tool \\"run_sql\\"/)
          texts.add(withoutIds(seen.text.replaceAll(': keep\n', '')))
        }
        assert.equal(texts.size, 1, name)
      }
    })

test('[ANTHROPIC-02] each piece of a refused block leaves once, and every other event as it came', async () => {
  const before = [start(), ...textBlock(0, 'Doing it.')]
  const behind = [...textBlock(2, 'Done.'), ...finish('end_turn')]
  const stream = written([...before, ...callBlock(1, 'run_sql', DROP), ...behind])
  const seen = await ask(deny, { chunks: [stream] })
  assert.ok(seen.text.startsWith(written(before)))
  assert.ok(seen.text.endsWith(written(behind)))
  const own = seen.text.slice(written(before).length, -written(behind).length)
  assert.deepEqual(
    [...own.matchAll(/^event: (.*)$/gm)].map(([, event]) => event),
    ['content_block_start', 'content_block_delta', 'content_block_stop'],
  )
})

const stops: readonly (readonly [given: string, left: string])[] = [
  ['tool_use', 'end_turn'],
  ['max_tokens', 'max_tokens'],
  ['pause_turn', 'pause_turn'],
  ['refusal', 'refusal'],
  ['stop_sequence', 'stop_sequence'],
]
for (const [given, left] of stops)
  test(`[ANTHROPIC-02] with no call left the stop reason ${given} is ${left}; usage stays`, async () => {
    const seen = await ask(deny, { chunks: [claudeStream(callBlock(0, 'run_sql', DROP), given)] })
    assert.match(seen.text, new RegExp(`"stop_reason":"${left}","stop_sequence":null},"usage":{"output_tokens":31`))
    assert.doesNotMatch(seen.text, /"tool_use"/)
    const whole = JSON.stringify(claudeMessage([toolUse(0, 'run_sql', { input: { query: SECRET } })], given))
    const body = await ask(deny, { chunks: [whole], headers: JSON_TYPE }, { ...CLAUDE_REQUEST, stream: false })
    assertUnseen(body)
    assert.match(body.text, new RegExp(`"stop_reason":"${left}"`))
  })

test('[ANTHROPIC-01] verdicts and released bytes are the same at every split of the entity', async () => {
  const stream = claudeStream(
    [...textBlock(0, 'ok '), ...callBlock(1, 'run_sql', READ, 20), ...callBlock(2, 'run_sql', DROP, 9)],
    'tool_use',
  )
  const bytes = Buffer.from(stream)
  const whole = await ask(deny, { chunks: [bytes] })
  for (let at = 1; at < bytes.length; at += cutStep()) {
    const seen = await ask(deny, { chunks: [bytes.subarray(0, at), bytes.subarray(at)] })
    assert.equal(withoutIds(seen.text), withoutIds(whole.text), `cut at ${at}`)
    assert.deepEqual(reasonsOf(seen), reasonsOf(whole))
  }
})

test('[ANTHROPIC-02] Abort ends the stream with one error event, and cancels the provider', async () => {
  const texts = new Set<string>()
  for (const cut of cutsOf(
    claudeStream([...textBlock(0, 'Before.'), ...callBlock(1, 'run_sql', DROP, 5)], 'tool_use'),
  )) {
    const seen = await ask(abort, { chunks: cut.chunks })
    assertUnseen(seen)
    assert.deepEqual(reasonsOf(seen), ['INTENT_SQL_DDL'])
    assert.equal(seen.upstreamCancelled, true)
    texts.add(withoutIds(seen.text))
  }
  assert.equal(texts.size, 1)
  const [text = ''] = texts
  assert.match(
    text,
    /event: error\ndata: \{"type":"error","error":\{"type":"permission_error","message":"sallyport: INTENT_SQL_DDL/,
  )
  assert.doesNotMatch(text, /message_stop/)
})

test('[ANTHROPIC-02] Sever quarantines, and the next request is refused in the shape of this API', async () => {
  const path = await newPath(CLAUDE_SEVER)
  const seen = await ask(path, { chunks: [claudeStream(callBlock(0, 'run_sql', DROP), 'tool_use')] })
  assertUnseen(seen)
  assert.equal(path.standing.state, 'Quarantined')
  const next = await ask(path, { chunks: [] })
  assert.equal(next.status, 403)
  assert.equal(next.upstream, null)
  const body = JSON.parse(next.text) as { type: string; error: { type: string; message: string } }
  assert.deepEqual([body.type, body.error.type], ['error', 'permission_error'])
  assert.match(body.error.message, /^sallyport: IDENTITY_AGENT_QUARANTINED: /)
  assert.equal(next.headers['x-should-retry'], 'false')
})

test('[ANTHROPIC-01] Audit and Record let pass as it came', async () => {
  const stream = claudeStream(callBlock(0, 'send_mail', '{}'), 'tool_use')
  for (const [policy, action] of [
    [CLAUDE_AUDIT, 'Deny'],
    [CLAUDE_RECORD, 'Record'],
  ] as const) {
    const seen = await ask(await newPath(policy), { chunks: [stream] })
    assert.equal(seen.text, stream)
    assert.equal(seen.verdicts[0]?.action, action)
  }
})

test('[ANTHROPIC-02] an answer that does not stream: the refusal stands in the place of its call', async () => {
  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: 'abc' },
    { type: 'text', text: 'Doing both.' },
    toolUse(1, 'run_sql', { input: { query: SECRET } }),
    toolUse(2, 'search_docs', { input: { query: 'x' } }),
  ]
  const play = { chunks: [JSON.stringify(claudeMessage(content, 'tool_use'))], headers: JSON_TYPE }
  const seen = await ask(deny, play, { ...CLAUDE_REQUEST, stream: false })
  assertUnseen(seen)
  const answer = JSON.parse(seen.text) as { content: Record<string, string>[]; stop_reason: string; usage: object }
  assert.deepEqual([answer.content[0], answer.content[1], answer.content[3]], [content[0], content[1], content[3]])
  assert.match(answer.content[2]?.['text'] ?? '', /^\n\nsallyport: INTENT_SQL_DDL/)
  assert.equal(answer.stop_reason, 'tool_use')
  assert.ok('input_tokens' in answer.usage)
})

test('[ANTHROPIC-01] an allowed answer that does not stream, an error and plain answers are byte-identical', async () => {
  const bodies: readonly (readonly [body: string, status: number, given: object])[] = [
    [
      `{ "id":"msg_1", "type" : "message","content":[ {"type":"text","text":"caf\\u00e9"},\n{"type":"tool_use","id":"t","name":"search_docs","input":{"n": 1.50}}],"stop_reason":"tool_use","usage":{"server_tool_use":{"web_search_requests":1}},"context_management":{"applied_edits":[{"type":"clear_tool_uses_20250919","cleared_tool_uses":3}]}}`,
      200,
      {},
    ],
    ['{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}', 529, {}],
    ['{"input_tokens": 2095}', 200, { path: '/v1/messages/count_tokens' }],
  ]
  for (const [body, status, given] of bodies)
    for (const cut of cutsOf(body)) {
      const play = { chunks: cut.chunks, headers: JSON_TYPE, status }
      const seen = await deny.ask({ ...CLAUDE_REQUEST, stream: false }, play, { ...CLAUDE, ...given })
      assert.equal(seen.text, body, cut.name)
      assert.equal(seen.status, status)
    }
})

test('[ANTHROPIC-02] an answer in a content coding is decoded and judged', async () => {
  const stream = claudeStream([...textBlock(0, 'ok'), ...callBlock(1, 'run_sql', DROP)], 'tool_use')
  for (const [coding, compress] of Object.entries({ gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync })) {
    const bytes = compress(Buffer.from(stream))
    for (const chunks of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
      const seen = await ask(deny, { chunks, headers: { ...SSE, 'content-encoding': coding } })
      assertUnseen(seen, coding)
      assert.deepEqual(reasonsOf(seen), ['INTENT_SQL_DDL'])
    }
  }
})

test('[ANTHROPIC-01] [ANTHROPIC-02] any mix of blocks and cuts: nothing forbidden can be rebuilt, everything allowed can', async () => {
  const piece = fc.record({
    kind: fc.constantFrom('text', 'thinking', 'allowed', 'forbidden', 'given', 'forbidden given'),
    size: fc.integer({ min: 1, max: 40 }),
  })
  const mix = fc.array(piece, { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(mix, fc.boolean(), fc.integer(), async (pieces, interleave, seed) => {
      const runs = pieces.map(({ kind, size }, index) => {
        const forbidden = kind.startsWith('forbidden')
        const args = JSON.stringify({ query: forbidden ? `DELETE FROM t${index}` : `SELECT ${index} FROM t` })
        // a call without pieces among crossing ones is a row of the evasions
        const given = kind.endsWith('given') && !interleave
        const call = callBlock(index, 'run_sql', given ? '' : args, size, given ? { input: JSON.parse(args) } : {})
        const events =
          kind === 'text'
            ? textBlock(index, 'some text', size)
            : kind === 'thinking'
              ? thinkingBlock(index, 'Hm, hm.')
              : call
        return { events, args, expected: kind === 'text' || kind === 'thinking' ? null : !forbidden }
      })
      const events = interleave ? interleaved(runs.map((run) => run.events)) : runs.flatMap((run) => run.events)
      const stream = written([start(), ...events, ...finish('tool_use')])
      const cuts = cutsOf(stream, seeded(seed))
      const seen = await ask(deny, { chunks: cuts[Math.abs(seed) % cuts.length]?.chunks ?? [] })
      const { calls } = rebuildClaude(seen.text)
      for (const { args, expected } of runs)
        if (expected !== null)
          assert.equal(
            calls.some((call) => call.args === args),
            expected,
            `${args} in ${seen.text}`,
          )
      if (runs.every(({ expected }) => expected !== false)) assert.equal(seen.text, stream)
    }),
    { numRuns: 80 },
  )
})

/** Starts in order, then pieces in turns. */
function interleaved(lists: readonly (readonly Event[])[]): readonly Event[] {
  const out: Event[] = lists.flatMap((list) => list.slice(0, 1))
  for (let at = 1; lists.some((list) => at < list.length); at += 1)
    for (const list of lists) out.push(...list.slice(at, at + 1))
  return out
}

test('[ANTHROPIC-09] 200 streams at once, each with a canary of its own: none sees another', async () => {
  const paths = await Promise.all(Array.from({ length: 200 }, () => newPath(CLAUDE_DENY)))
  const seen = await Promise.all(
    paths.map((path, at) => {
      const canary = `canary_${at}_`
      const blocks = [
        ...textBlock(0, `${canary}text`),
        ...callBlock(1, 'search_docs', JSON.stringify({ query: `${canary}allowed` }), 4),
        ...callBlock(2, 'run_sql', JSON.stringify({ query: `DROP TABLE ${canary}refused` }), 3),
      ]
      const events = claudeStream(blocks, 'tool_use').split(/(?<=\n\n)/)
      return ask(path, { chunks: events, before: () => new Promise((resolve) => setImmediate(resolve)) })
    }),
  )
  for (const [at, one] of seen.entries()) {
    const { calls, text } = rebuildClaude(one.text)
    assert.ok(text.includes(`canary_${at}_text`))
    assert.ok(calls.some(({ args }) => args === JSON.stringify({ query: `canary_${at}_allowed` })))
    assert.ok(!one.text.includes(`canary_${at}_refused`), 'a refused call left')
    const foreign = [...`${one.text}${JSON.stringify(calls)}`.matchAll(/canary_(\d+)_/g)].filter(
      ([, id]) => id !== `${at}`,
    )
    assert.deepEqual(foreign, [])
  }
})
