import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { cutsOf, seeded } from '../fixtures/chat.ts'
import { closeChecks, JSON_TYPE, newPath, type Path, type Play, type Seen } from '../fixtures/path.ts'
import { ABORT, DENY, SEVER, TEXT_TOOLS } from '../fixtures/policies.ts'
import {
  answerOf,
  callItem,
  customItem,
  type Edit,
  eventsOf,
  FRAMINGS,
  framed,
  isType,
  RESPONSES_REQUEST,
  reasoningItem,
  type StreamOptions,
  streamOf,
  textItem,
  without,
} from '../fixtures/responses.ts'
import { rebuild } from './responses-assembler.ts'

const READ = JSON.stringify({ query: 'SELECT segment, count(*) FROM customers GROUP BY segment' })
const DROP = JSON.stringify({ query: 'DROP TABLE customers; SELECT 1' })
const SECRET = 'DROP TABLE customers'

let deny: Path
let abort: Path
before(async () => {
  deny = await newPath(DENY)
  abort = await newPath(ABORT)
})
after(closeChecks)

const ask = (path: Path, play: Play | string, request: object = RESPONSES_REQUEST): Promise<Seen> =>
  path.ask(request, typeof play === 'string' ? { chunks: [play] } : play, { path: '/responses' })

const whole = (body: string): Play => ({ chunks: [body], headers: JSON_TYPE })

const reasonsOf = (seen: Seen): readonly string[] =>
  seen.verdicts.map((verdict) => verdict.reasons[0] ?? verdict.action)

const eventsIn = (text: string): Record<string, unknown>[] =>
  [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data = '']) => JSON.parse(data) as Record<string, unknown>)

/** The forbidden call must not be there for anybody, in any reading. */
function assertUnseen(seen: Seen, secret = SECRET): void {
  for (const call of rebuild(seen.text).calls) {
    assert.ok(!call.args.includes(secret), `rebuilt: ${call.name} ${call.args}`)
  }
  assert.ok(!seen.text.includes(secret), 'the forbidden text left')
}

/** Numbers without a gap, items that begin once and end once, and a last snapshot that tells what they told. */
function assertWellFormed(text: string): void {
  const events = eventsIn(text)
  assert.deepEqual(
    events.map((event) => event['sequence_number']),
    events.map((_, index) => index),
  )
  const done = new Map<unknown, unknown>()
  const open = new Set<unknown>()
  for (const event of events) {
    const index = event['output_index']
    if (event['type'] === 'response.output_item.added') {
      assert.ok(!open.has(index) && !done.has(index), `item ${index} begins twice`)
      open.add(index)
    } else if (event['type'] === 'response.output_item.done') {
      assert.ok(open.delete(index), `item ${index} ends without a beginning`)
      done.set(index, event['item'])
    } else if (index !== undefined) assert.ok(open.has(index), `${event['type']} outside of its item`)
  }
  const last = events.at(-1)?.['response'] as { output: unknown[] } | undefined
  assert.deepEqual(
    last?.output,
    [...done].sort(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item),
  )
}

test('[RESP-01] an allowed stream is byte-identical in every framing and every cut', async () => {
  const items = [
    reasoningItem('First look, then count.'),
    textItem('Let me look — 日本 🙂 at that.'),
    callItem('search_docs', '{"query":"tulips"}'),
    callItem('run_sql', READ),
    customItem('note_add', '{"query":"a"}'),
  ]
  for (const [name, framing] of Object.entries(FRAMINGS)) {
    const stream = streamOf(items, {}, framing)
    for (const cut of cutsOf(stream)) {
      if (cut.name === 'byte by byte' && name !== 'named' && name !== 'cr') continue
      const seen = await ask(deny, { chunks: cut.chunks })
      assert.equal(seen.status, 200)
      assert.equal(seen.text.replaceAll(': keep\n', ''), stream.replaceAll(': keep\n', ''), `${name}, ${cut.name}`)
      assert.deepEqual(reasonsOf(seen), ['Allow', 'Allow', 'Allow'])
    }
  }
})

const positions = [0, 1, 2] as const
for (const position of positions)
  for (const size of [1, 5, 1000])
    test(`[RESP-02] forbidden call at place ${position}, deltas of ${size}`, async () => {
      for (const interleave of [false, true])
        for (const [name, framing] of Object.entries(FRAMINGS)) {
          const items = positions.map((place) => callItem('run_sql', place === position ? DROP : READ, size))
          for (const cut of cutsOf(`\uFEFF${streamOf(items, { interleave }, framing)}`).filter(
            (cut) => cut.name !== 'byte by byte' || (name === 'named' && size > 1),
          )) {
            const seen = await ask(deny, { chunks: cut.chunks })
            const label = `${name}, ${cut.name}`
            assertUnseen(seen)
            const expected = positions.map((place) => (place === position ? 'INTENT_SQL_DDL' : 'Allow'))
            assert.deepEqual([...reasonsOf(seen)].sort(), [...expected].sort(), label)
            assert.equal(seen.how, 'end', label)
            const { calls, text } = rebuild(seen.text)
            assert.ok(
              calls.some((call) => call.name === 'run_sql' && call.args === READ),
              label,
            )
            assert.match(text, /sallyport: INTENT_SQL_DDL: tool "run_sql"/)
            if (name === 'named') assertWellFormed(seen.text)
          }
        }
    })

test('[RESP-02] a refused call is a whole message at its place, and the last snapshot tells the same', async () => {
  const seen = await ask(deny, streamOf([reasoningItem('hm'), callItem('run_sql', DROP), callItem('run_sql', READ)]))
  assertWellFormed(seen.text)
  const events = eventsIn(seen.text).filter((event) => event['output_index'] === 1)
  assert.deepEqual(
    events.map((event) => event['type']),
    [
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
    ],
  )
  const { item } = events.at(-1) as { item: { id: string } }
  assert.match(item.id, /^msg_sp_v_test\d+$/)
  assert.match(seen.text, /^event: response\.output_text\.delta$/m)
})

test('[RESP-02] where the text has a format, the refusal is a refusal', async () => {
  for (const request of [
    { ...RESPONSES_REQUEST, text: { format: { type: 'json_schema', name: 'x', schema: {} } } },
    {
      ...RESPONSES_REQUEST,
      input: [{ type: 'configuration_update', text: { format: { type: 'json_schema', name: 'x', schema: {} } } }],
    },
  ]) {
    const format = { text: { format: { type: 'json_schema', name: 'x', schema: {} } } }
    const seen = await ask(deny, streamOf([callItem('run_sql', DROP)], { more: format }), request)
    assert.match(seen.text, /"type":"response\.refusal\.delta"/)
    assert.doesNotMatch(seen.text, /"type":"output_text"/)
    assertWellFormed(seen.text)
  }
})

test('[RESP-03] verdicts and released bytes are the same at every split of the entity', async () => {
  const stream = streamOf([textItem('ok '), callItem('run_sql', READ, 20), callItem('run_sql', DROP, 9)])
  const bytes = Buffer.from(stream)
  const strip = (text: string): string => text.replace(/v_test\d+/g, 'v')
  const first = await ask(deny, stream)
  for (let at = 1; at < bytes.length; at += 19) {
    const seen = await ask(deny, { chunks: [bytes.subarray(0, at), bytes.subarray(at)] })
    assert.equal(strip(seen.text), strip(first.text), `cut at ${at}`)
    assert.deepEqual(reasonsOf(seen), reasonsOf(first))
  }
})

test('[RESP-04] Abort ends the stream with an error event that has both shapes, and cancels the provider', async () => {
  const seen = await ask(abort, streamOf([textItem('Before the call. '), callItem('run_sql', DROP, 5)]))
  assertUnseen(seen)
  assert.equal(seen.upstreamCancelled, true)
  const last = seen.text.trim().split('\n\n').at(-1) ?? ''
  const [name, data = ''] = last.split('\n')
  assert.equal(name, 'event: error')
  const event = JSON.parse(data.slice('data: '.length)) as Record<string, unknown>
  const { message, ...rest } = event
  assert.match(String(message), /INTENT_SQL_DDL/)
  assert.deepEqual(rest, {
    type: 'error',
    sequence_number: 0,
    code: 'INTENT_SQL_DDL',
    param: null,
    error: { message, type: 'sallyport', param: null, code: 'INTENT_SQL_DDL' },
  })
})

test('[RESP-04] Sever quarantines', async () => {
  const path = await newPath(SEVER)
  const seen = await ask(path, streamOf([callItem('run_sql', DROP)]))
  assertUnseen(seen)
  assert.equal(path.standing.state, 'Quarantined')
  const next = await ask(path, streamOf([]))
  assert.equal(next.status, 403)
  assert.match(next.text, /"code":"IDENTITY_AGENT_QUARANTINED"/)
})

test('[RESP-01] an answer that ends in an error of the provider passes as it came', async () => {
  const events = [
    ...eventsOf([textItem('hi')]).slice(0, 4),
    { type: 'error', sequence_number: 4, error: { type: 'x', code: 'insufficient_quota', message: 'no', param: null } },
    { type: 'response.failed', sequence_number: 5, response: { id: 'resp_1', status: 'failed', output: [] } },
  ]
  const stream = framed(events)
  assert.equal((await ask(deny, stream)).text, stream)
})

test('[RESP-06] a call that is broken off is refused: by its status, by the end of the answer, by the end of the entity', async () => {
  const cut = callItem('search_docs', '{"query":"x"}')
  const items = [{ ...cut, done: { ...cut.done, status: 'incomplete' } }]
  const byStatus = await ask(deny, streamOf(items, { end: 'response.incomplete' }))
  const noDone: StreamOptions = { end: 'response.incomplete', edit: without('output_item.done') }
  const byAnswer = await ask(deny, streamOf([callItem('search_docs', '{"query":"x"}')], noDone))
  const byEntity = await ask(deny, framed(eventsOf([callItem('search_docs', '{"query":"x"}')]).slice(0, 4)))
  for (const seen of [byStatus, byAnswer, byEntity]) {
    assert.deepEqual(reasonsOf(seen), ['WIRE_CALL_TRUNCATED'])
    assert.equal(rebuild(seen.text).calls.length, 0, seen.text)
    assert.match(seen.text, /WIRE_CALL_TRUNCATED/)
  }
})

test('[RESP-07] the whole answer: untouched bytes, or the call as a message', async () => {
  const fine = answerOf([reasoningItem('hm'), textItem('hi'), callItem('run_sql', READ)])
  assert.equal((await ask(deny, whole(fine), { ...RESPONSES_REQUEST, stream: false })).text, fine)
  const body = answerOf([textItem('hi'), callItem('run_sql', DROP), callItem('run_sql', READ)], { output_text: 'hi' })
  const seen = await ask(deny, whole(body), { ...RESPONSES_REQUEST, stream: false })
  assertUnseen(seen)
  const { output, output_text: joined } = JSON.parse(seen.text) as { output: { type: string }[]; output_text?: string }
  assert.deepEqual(
    output.map(({ type }) => type),
    ['message', 'message', 'function_call'],
  )
  assert.equal(joined, undefined)
  const stopped = await ask(abort, whole(body), { ...RESPONSES_REQUEST, stream: false })
  assert.equal(stopped.status, 403)
  assert.equal(stopped.headers['x-should-retry'], 'false')
})

test('[RESP-08] a call that is written as text is cut out of every member that tells it', async () => {
  const path = await newPath(TEXT_TOOLS)
  const call = '<tool_call>{"name":"send_mail","arguments":{"to":"everyone"}}</tool_call>'
  for (const size of [1, 4, 500]) {
    const seen = await ask(path, streamOf([textItem(`Well. ${call} Done.`, size), textItem('More.')]))
    assert.ok(reasonsOf(seen).includes('TOOL_NOT_GRANTED'), `${reasonsOf(seen)}`)
    for (const thread of rebuild(seen.text).threads) assert.ok(!thread.includes('everyone'), thread)
    assertWellFormed(seen.text)
  }
  const body = await ask(path, whole(answerOf([textItem(`Well. ${call} Done.`), textItem('More.')])))
  assert.ok(!body.text.includes('everyone'), body.text)
  assert.match(body.text, /More\./)
})

test('[RESP-08] a call in text does not hide behind the border of two parts, or in an echo alone', async () => {
  const path = await newPath(TEXT_TOOLS)
  const call = '<tool_call>{"name":"send_mail","arguments":{"to":"everyone"}}</tool_call>'
  const split = await ask(path, streamOf([textItem(call.slice(0, 9)), textItem(call.slice(9))]))
  assert.ok(reasonsOf(split).includes('TOOL_NOT_GRANTED'), `${reasonsOf(split)}`)
  assert.ok(!rebuild(split.text).threads.some((thread) => thread.includes('everyone')))
  for (const type of ['output_text.done', 'content_part.done', 'output_item.done']) {
    const edit: Edit = (events) =>
      events.map((event) =>
        isType(event, type)
          ? (JSON.parse(JSON.stringify(event).replaceAll('plain words', call.replaceAll('"', '\\"'))) as typeof event)
          : event,
      )
    const seen = await ask(path, streamOf([textItem('plain words')], { edit }))
    assert.ok(reasonsOf(seen).includes('TOOL_NOT_GRANTED'), `${type} ${reasonsOf(seen)}`)
    assert.ok(!seen.text.includes('everyone'), type)
  }
  const thought = await ask(path, streamOf([reasoningItem(`I could ${call}`)]))
  assert.ok(!rebuild(thought.text).threads.some((thread) => thread.includes('everyone')))
})

test('[RESP-02] any mix of calls, kinds and cuts: nothing forbidden can be rebuilt, everything allowed can', async () => {
  const piece = fc.record({ forbidden: fc.boolean(), size: fc.integer({ min: 1, max: 40 }), text: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.integer(),
      async (pieces, mixed, seed) => {
        const args = pieces.map(({ forbidden: bad }, serial) =>
          JSON.stringify({ query: bad ? `DELETE FROM t${serial}` : `SELECT ${serial} FROM t` }),
        )
        const items = pieces.flatMap(({ size, text }, serial) => [
          ...(text && !mixed ? [textItem(`words ${serial}`)] : []),
          callItem('run_sql', args[serial] ?? '', size),
        ])
        const cuts = cutsOf(streamOf(items, { interleave: mixed }), seeded(seed))
        const seen = await ask(deny, { chunks: cuts[Math.abs(seed) % cuts.length]?.chunks ?? [] })
        const { calls } = rebuild(seen.text)
        for (const [serial, { forbidden: bad }] of pieces.entries())
          assert.equal(
            calls.some((call) => call.args === args[serial]),
            !bad,
            args[serial],
          )
        assertWellFormed(seen.text)
      },
    ),
    { numRuns: 40 },
  )
})

test('[RESP-09] 200 streams at once: each client gets its own canary, and no other', async () => {
  const streams = await Promise.all(
    Array.from({ length: 200 }, async (_, serial) => {
      const path = await newPath(DENY)
      const canary = `canary-${serial}-end`
      const bad = serial % 2 === 0
      const args = JSON.stringify({ query: bad ? `DROP TABLE t; -- ${canary}` : `SELECT 1 -- ${canary}` })
      const stream = streamOf([textItem(canary), callItem('run_sql', args, 3)])
      const chunks = cutsOf(stream, seeded(serial))[2]?.chunks ?? []
      return { canary, bad, args, seen: await ask(path, { chunks }) }
    }),
  )
  for (const { canary, bad, args, seen } of streams) {
    const found = new Set([...seen.text.matchAll(/canary-\d+-end/g)].map(([match]) => match))
    assert.deepEqual([...found], [canary])
    assert.equal(
      rebuild(seen.text).calls.some((call) => call.args === args),
      !bad,
    )
  }
})
