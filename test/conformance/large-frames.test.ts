/** Events of several MiB: pictures pass, nothing else does, and memory is bounded. docs/reference/limits.md. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { DEFAULT_LIMITS } from '#pkg/model'
import { chunkOf, lf, sse } from '../fixtures/chat.ts'
import {
  AS_ARRAY,
  AS_EVENTS,
  array,
  call,
  chunksOf,
  DENY as GEMINI_DENY,
  REQUEST as GEMINI_REQUEST,
  chunkOf as geminiChunk,
  sse as geminiSse,
  streamedCall,
} from '../fixtures/gemini.ts'
import { closeChecks, JSON_TYPE, newPath, PATIENT, type Path, type Play, type Seen } from '../fixtures/path.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'
import { callItem, FRAMINGS, RESPONSES_REQUEST, streamOf, textItem, wholeItem } from '../fixtures/responses.ts'

after(closeChecks)

const KIB = 1024
const MIB = 1024 * KIB
const picture = (bytes: number): string => 'iVBORw0KGgoAAAANSUhEUg+/'.repeat(Math.ceil(bytes / 24)).slice(0, bytes)
const SIX = picture(6 * MIB)

const cut = (text: string, size: number): readonly Uint8Array[] => {
  const bytes = Buffer.from(text)
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return chunks
}
const reasonOf = (seen: Seen): string | undefined => seen.verdicts.at(-1)?.reasons[0]

const withPath = async (policy: string, body: (path: Path) => Promise<void>, limits = PATIENT): Promise<void> => {
  const path = await newPath(policy, limits)
  try {
    await body(path)
    assert.equal(path.heldBytes, 0)
  } finally {
    await path.close()
  }
}

/** An answer of Responses that shows a picture while it is made, when it is done, and once more at the end. */
const drawn = (framing = FRAMINGS['named']): string => {
  const { added, done } = wholeItem('image_generation_call', { result: SIX, output_format: 'png' })
  const partial = { type: 'response.image_generation_call.partial_image', partial_image_index: 0 }
  const inner = (place: object) => [{ ...partial, ...place, partial_image_b64: SIX }]
  return streamOf([textItem('Here it is.'), { added, done, inner }], {}, framing)
}
const parts = [{ text: 'Here it is.' }, { inlineData: { mimeType: 'image/png', data: SIX } }, { text: 'Done.' }]

const pictures: readonly (readonly [
  name: string,
  policy: string,
  text: string,
  given: object,
  play?: Partial<Play>,
])[] = [
  ['Responses', DENY, drawn(), { path: '/responses' }],
  ['Responses, CRLF', DENY, drawn(FRAMINGS['crlf']), { path: '/responses' }],
  ['Responses, bare CR', DENY, drawn(FRAMINGS['cr']), { path: '/responses' }],
  ['Gemini events', GEMINI_DENY, geminiSse(chunksOf(parts)), AS_EVENTS],
  ['Gemini array', GEMINI_DENY, array(chunksOf(parts)), AS_ARRAY, { headers: JSON_TYPE }],
]

for (const [name, policy, text, given, play] of pictures) {
  test(`[FRAME-02] a picture of 6 MiB passes byte for byte: ${name}`, () =>
    withPath(policy, async (path) => {
      for (const size of [text.length, 1_000_003, 64 * KIB, 4_099]) {
        const request = given === AS_EVENTS || given === AS_ARRAY ? GEMINI_REQUEST : RESPONSES_REQUEST
        const seen = await path.ask(request, { ...play, chunks: cut(text, size) }, given)
        assert.equal(seen.how, 'end')
        assert.equal(Buffer.compare(seen.bytes, Buffer.from(text)), 0, `${size}`)
        assert.deepEqual(seen.verdicts, [])
      }
    }))
}

test('[FRAME-02] calls beside a picture are judged: the granted one passes, the other is refused, the picture stays', () =>
  withPath(GEMINI_DENY, async (path) => {
    const both = (query: string): string =>
      geminiSse([geminiChunk([call('run_sql', { query }), ...parts.slice(1)], 'STOP')])
    const allowed = both('SELECT a FROM t')
    const seen = await path.ask(GEMINI_REQUEST, { chunks: cut(allowed, 64 * KIB) }, AS_EVENTS)
    assert.equal(seen.text, allowed)
    const refused = await path.ask(GEMINI_REQUEST, { chunks: cut(both('DROP TABLE t'), 64 * KIB) }, AS_EVENTS)
    assert.equal(reasonOf(refused), 'INTENT_SQL_DDL')
    assert.equal(refused.text.includes('DROP TABLE'), false)
    assert.equal(refused.text.includes(SIX), true)
  }))

test('[FRAME-02] a refused call before a picture leaves the picture as it is, also at the end', () =>
  withPath(DENY, async (path) => {
    const image = wholeItem('image_generation_call', { result: SIX })
    const text = streamOf([callItem('run_sql', '{"query":"DROP TABLE t"}'), image])
    const seen = await path.ask(RESPONSES_REQUEST, { chunks: cut(text, 64 * KIB) }, { path: '/responses' })
    assert.equal(reasonOf(seen), 'INTENT_SQL_DDL')
    assert.equal(seen.text.includes('DROP TABLE'), false)
    assert.equal(seen.text.split(SIX).length, 3)
  }))

const chat = (delta: object): string => lf(chunkOf(delta)) + sse([chunkOf({}, 'stop')])
const gemini = (chunks: readonly string[]): string => geminiSse(chunks)
const pending = streamedCall('run_sql', { query: 'SELECT a FROM t' })
const isText = (bytes: number): object => ({ content: 'word '.repeat(bytes / 5) })

const refusals: readonly (readonly [name: string, text: string, reason: string, gemini?: true])[] = [
  ['text', chat(isText(3 * MIB)), 'WIRE_FRAME_TOO_LARGE'],
  ['openings of calls', chat({ content: '<tool_call> '.repeat(MIB) }), 'WIRE_FRAME_TOO_LARGE'],
  [
    'text in many parts',
    gemini([geminiChunk(Array.from({ length: 20 }, () => ({ text: 'x'.repeat(70_000) })))]),
    'WIRE_FRAME_TOO_LARGE',
    true,
  ],
  [
    'small values',
    gemini([geminiChunk(Array.from({ length: 100_000 }, () => ({ text: 'ab' })))]),
    'WIRE_FRAME_TOO_LARGE',
    true,
  ],
  [
    'arguments',
    gemini([geminiChunk([call('search_docs', { q: picture(2 * MIB) })], 'STOP')]),
    'WIRE_ARGUMENT_TOO_LARGE',
    true,
  ],
  [
    'a picture behind a call that is not decided',
    gemini([geminiChunk(pending.slice(0, 1)), geminiChunk([parts[1] ?? {}]), ...chunksOf(pending.slice(1))]),
    'WIRE_HELD_TOO_LARGE',
    true,
  ],
  [
    'a picture beside a call that is not decided',
    gemini([geminiChunk([...pending.slice(0, 1), parts[1] ?? {}]), ...chunksOf(pending.slice(1))]),
    'WIRE_HELD_TOO_LARGE',
    true,
  ],
]

for (const [name, text, reason, asGemini] of refusals) {
  test(`[FRAME-03] an event that is large because of ${name}: ${reason}`, () =>
    withPath(asGemini ? GEMINI_DENY : DENY, async (path) => {
      const seen = await (asGemini
        ? path.ask(GEMINI_REQUEST, { chunks: cut(text, 64 * KIB) }, AS_EVENTS)
        : path.ask(REQUEST, { chunks: cut(text, 64 * KIB) }))
      assert.equal(reasonOf(seen), reason)
      assert.equal(seen.how, 'end')
    }))
}

test('[FRAME-03] frameBytes by default: 16 MiB pass, one byte more does not', () =>
  withPath(GEMINI_DENY, async (path) => {
    const { frameBytes } = DEFAULT_LIMITS
    assert.equal(frameBytes, 16 * MIB)
    const event = (data: string): string =>
      geminiSse([geminiChunk([{ inlineData: { mimeType: 'image/png', data } }], 'STOP')])
    const room = frameBytes - event('').length
    const fits = event(picture(room))
    const seen = await path.ask(GEMINI_REQUEST, { chunks: cut(fits, 64 * KIB) }, AS_EVENTS)
    assert.equal(Buffer.compare(seen.bytes, Buffer.from(fits)), 0)
    const over = await path.ask(GEMINI_REQUEST, { chunks: cut(event(picture(room + 1)), 64 * KIB) }, AS_EVENTS)
    assert.equal(reasonOf(over), 'WIRE_FRAME_TOO_LARGE')
  }))

test('[FRAME-04] 64 streams, each with an event of 16 MiB that never ends: the process holds what it may, the rest is refused', () =>
  withPath(DENY, async (path) => {
    const { heldBytesPerProcess, heldBytesPerStream } = DEFAULT_LIMITS
    const before = process.memoryUsage().arrayBuffers
    let [held, memory] = [0, 0]
    const play: Play = {
      chunks: cut(`data: {"a":"${picture(15.9 * MIB)}`, 64 * KIB),
      before: async () => {
        held = Math.max(held, path.heldBytes)
        memory = Math.max(memory, process.memoryUsage().arrayBuffers)
        await new Promise<void>((resolve) => setImmediate(resolve))
      },
    }
    const seen = await Promise.all(Array.from({ length: 64 }, () => path.ask(REQUEST, play)))
    assert.ok(held > heldBytesPerProcess / 2 && held <= heldBytesPerProcess, `${held}`)
    const bound = 64 * heldBytesPerStream + heldBytesPerProcess
    assert.ok(memory - before < bound * 1.5, `${memory - before} bytes of buffers`)
    assert.ok(seen.every(({ how }) => how === 'end'))
    const refused = seen.filter(({ text }) => text.includes('WIRE_HELD_TOO_LARGE')).length
    const broken = seen.filter(({ text }) => text.includes('WIRE_FRAME_MALFORMED')).length
    assert.equal(refused + broken, 64)
    assert.ok(refused >= 48, `${refused}`)
    assert.equal(path.heldBytes, 0)
    const next = sse([chunkOf({ content: 'hi' }), chunkOf({}, 'stop')])
    assert.equal((await path.ask(REQUEST, { chunks: [next] })).text, next)
  }))
