import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Limits } from '#pkg/model'
import { callDeltas, chunkOf, lf, sse, streamOf, textDeltas } from '../fixtures/chat.ts'
import { closeChecks, JSON_TYPE, newPath, PATIENT, type Path, type Play, type Seen, SSE } from '../fixtures/path.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'

after(closeChecks)

async function withLimits(limits: Partial<Limits>, body: (path: Path) => Promise<void>): Promise<void> {
  const path = await newPath(DENY, { ...PATIENT, ...limits })
  try {
    await body(path)
  } finally {
    await path.close()
  }
}

const reasonOf = (seen: Seen): string | undefined => seen.verdicts.at(-1)?.reasons[0]
const call = (args: string): Play => ({ chunks: [streamOf(callDeltas(0, 'search_docs', args, 50), 'tool_calls')] })
const argsOf = (bytes: number): string => `{"q":"${'x'.repeat(bytes - 8)}"}`
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

test('[LIMIT-01] argumentBytes', () =>
  withLimits({ argumentBytes: 1_000 }, async (path) => {
    assert.equal(reasonOf(await path.ask(REQUEST, call(argsOf(1_000)))), undefined)
    assert.equal(path.verdicts.at(-1)?.action, 'Allow')
    assert.equal(reasonOf(await path.ask(REQUEST, call(argsOf(1_001)))), 'WIRE_ARGUMENT_TOO_LARGE')
  }))

test('[LIMIT-01] argumentBytes: refused at that byte, the rest is not collected', () =>
  withLimits({ argumentBytes: 1_000, heldBytesPerStream: 200_000 }, async (path) => {
    const deltas = callDeltas(0, 'search_docs', argsOf(2_000_000), 1_000)
    const chunks = [
      chunkOf({ role: 'assistant' }),
      ...deltas.map((delta) => chunkOf(delta)),
      chunkOf({}, 'tool_calls'),
    ].map(lf)
    const seen = await path.ask(REQUEST, { chunks })
    assert.equal(reasonOf(seen), 'WIRE_ARGUMENT_TOO_LARGE')
    assert.equal(seen.how, 'end')
  }))

test('[LIMIT-01] sqlBytes', () =>
  withLimits({ sqlBytes: 200 }, async (path) => {
    const sql = (bytes: number): Play => {
      const query = `SELECT '${'x'.repeat(bytes - 9)}'`
      return { chunks: [streamOf(callDeltas(0, 'run_sql', JSON.stringify({ query })), 'tool_calls')] }
    }
    assert.equal((await path.ask(REQUEST, sql(200))).verdicts[0]?.action, 'Allow')
    assert.equal(reasonOf(await path.ask(REQUEST, sql(201))), 'INTENT_SQL_TOO_LARGE')
  }))

test('[LIMIT-01] jsonDepth', () =>
  withLimits({ jsonDepth: 12 }, async (path) => {
    assert.equal((await path.ask(REQUEST, call(nested(12)))).verdicts[0]?.action, 'Allow')
    assert.equal(reasonOf(await path.ask(REQUEST, call(nested(13)))), 'WIRE_DEPTH')
  }))

test('[LIMIT-01] frameBytes', () =>
  withLimits({ frameBytes: 1_000 }, async (path) => {
    const frame = (bytes: number): string => {
      const empty = lf(chunkOf({ content: '' })).length
      return lf(chunkOf({ content: 'x'.repeat(bytes - empty) }))
    }
    const fits = frame(1_000) + sse([chunkOf({}, 'stop')])
    assert.equal((await path.ask(REQUEST, { chunks: [fits] })).text, fits)
    const over = await path.ask(REQUEST, { chunks: [frame(1_001) + sse([chunkOf({}, 'stop')])] })
    assert.equal(reasonOf(over), 'WIRE_FRAME_TOO_LARGE')
  }))

test('[LIMIT-01] heldBytesPerStream: at the cap it is released, one byte over ends the answer', async () => {
  const deltas = callDeltas(0, 'search_docs', argsOf(600), 20)
  const frames = deltas.map((delta) => lf(chunkOf(delta)))
  const last = lf(chunkOf({}, 'tool_calls'))
  const held = [...frames, last].join('').length
  const play: Play = { chunks: [lf(chunkOf({ role: 'assistant' })), ...frames, last] }
  await withLimits({ heldBytesPerStream: held }, async (path) => {
    assert.equal((await path.ask(REQUEST, play)).verdicts[0]?.action, 'Allow')
  })
  await withLimits({ heldBytesPerStream: held - 1 }, async (path) => {
    const seen = await path.ask(REQUEST, play)
    assert.equal(reasonOf(seen), 'WIRE_HELD_TOO_LARGE')
    assert.doesNotMatch(seen.text, /search_docs/)
  })
  await withLimits({ heldBytesPerProcess: held - 1 }, async (path) => {
    assert.equal(reasonOf(await path.ask(REQUEST, play)), 'WIRE_HELD_TOO_LARGE')
    assert.equal((await path.ask(REQUEST, { chunks: [streamOf(textDeltas('room again'), 'stop')] })).how, 'end')
  })
})

test('[LIMIT-01] callsPerAnswer', () =>
  withLimits({ callsPerAnswer: 3 }, async (path) => {
    const calls = (count: number): Play => ({
      chunks: [
        streamOf(
          Array.from({ length: count }, (_, index) => callDeltas(index, 'search_docs', '{}')).flat(),
          'tool_calls',
        ),
      ],
    })
    assert.deepEqual(
      (await path.ask(REQUEST, calls(3))).verdicts.map((verdict) => verdict.action),
      ['Allow', 'Allow', 'Allow'],
    )
    assert.equal(reasonOf(await path.ask(REQUEST, calls(4))), 'WIRE_CALL_LIMIT')
  }))

const whole = (content: string): string =>
  JSON.stringify({
    id: 'a',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-5-mini',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  })

test('[LIMIT-01] answerBytes: over it 502, and nothing of the answer leaves', () =>
  withLimits({ answerBytes: 2_000 }, async (path) => {
    const body = (bytes: number): Play => ({
      chunks: [whole('x'.repeat(bytes - whole('').length))],
      headers: JSON_TYPE,
    })
    const fits = await path.ask({ ...REQUEST, stream: false }, body(2_000))
    assert.equal(fits.status, 200)
    const over = await path.ask({ ...REQUEST, stream: false }, body(2_001))
    assert.equal(over.status, 502)
    assert.match(over.text, /UPSTREAM_FAILED/)
    assert.doesNotMatch(over.text, /xxx/)
  }))

test('[LIMIT-01] decodedRatio: a compressed answer that explodes ends the stream', () =>
  withLimits(
    {
      decodedRatio: 10,
      frameBytes: 64 * 1024 * 1024,
      heldBytesPerStream: 64 * 1024 * 1024,
      heldBytesPerProcess: 64 * 1024 * 1024,
    },
    async (path) => {
      const bomb = gzipSync(Buffer.from(`: ${' '.repeat(8 * 1024 * 1024)}\n\n`))
      const seen = await path.ask(REQUEST, { chunks: [bomb], headers: { ...SSE, 'content-encoding': 'gzip' } })
      assert.equal(reasonOf(seen), 'WIRE_ENCODING_BOMB')
    },
  ))

test('[LIMIT-01] restoreBytesPerAgent: what does not fit is not kept, and the refusal stays as text', () =>
  withLimits({ restoreBytesPerAgent: 64 }, async (path) => {
    const first = await path.ask(REQUEST, { chunks: [streamOf(callDeltas(0, 'send_mail', '{}'), 'tool_calls')] })
    const content = JSON.parse(`"${/"content":"(sallyport(?:[^"\\]|\\.)*)"/.exec(first.text)?.[1] ?? ''}"`) as string
    const messages = [...REQUEST.messages, { role: 'assistant', content }, { role: 'user', content: 'go on' }]
    const second = await path.ask({ ...REQUEST, messages }, { chunks: [streamOf([], 'stop')] })
    assert.deepEqual(
      (JSON.parse(Buffer.from(second.upstream?.body ?? []).toString()) as { messages: unknown }).messages,
      messages,
    )
  }))

test('[LIMIT-01] holdPingMs: a comment keeps a held stream alive, and only then', () =>
  withLimits({ holdPingMs: 0 }, async (path) => {
    const frames = callDeltas(0, 'search_docs', '{"a":1}', 3).map((delta) => lf(chunkOf(delta)))
    const chunks = [lf(chunkOf({ role: 'assistant' })), ...frames, lf(chunkOf({}, 'tool_calls')), lf('[DONE]')]
    const seen = await path.ask(REQUEST, {
      chunks,
      before: (index) => (index === 3 ? path.exchanges.tick(Date.now()) : undefined),
    })
    assert.ok(seen.text.includes(': sallyport holds\n\n'))
    assert.equal(seen.text.replace(': sallyport holds\n\n', ''), chunks.join(''))
  }))
