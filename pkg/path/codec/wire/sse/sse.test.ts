import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { _iterSSEMessages } from 'openai/core/streaming'
import type { Frame } from '#pkg/model'
import { newSseSplitter } from './index.ts'

const LIMITS = { frameBytes: 1024 }

function split(chunks: readonly Uint8Array[], limits = LIMITS): Frame[] {
  const splitter = newSseSplitter(limits)
  const frames: Frame[] = []
  for (const chunk of chunks) frames.push(...splitter.push(chunk))
  frames.push(...splitter.end())
  return frames
}

const latin = (raw: Uint8Array): string => Buffer.from(raw).toString('latin1')

/** A frame in short: what a row of a table says about it. */
function brief(frame: Frame): string {
  if (frame.kind === 'comment') return 'comment'
  if (frame.kind === 'fault') return `fault ${frame.reason} @${frame.at}`
  return frame.event === null ? `event ${frame.data}` : `event[${frame.event}] ${frame.data}`
}

/** What may not depend on chunks: each frame, and of the faults only where and why they begin. */
function invariant(frames: readonly Frame[]): string[] {
  const out: string[] = []
  for (const frame of frames) {
    if (frame.kind === 'fault') return [...out, brief(frame)]
    out.push(`${frame.at} ${brief(frame)} ${latin(frame.raw)}`)
  }
  return out
}

const joined = (frames: readonly Frame[]): string => frames.map((frame) => latin(frame.raw)).join('')

/** Whole, byte by byte, and cut in two at each place. */
function* cuttings(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes]
  yield Array.from(bytes, (byte) => Uint8Array.of(byte))
  for (let i = 0; i <= bytes.length; i++) yield [bytes.subarray(0, i), bytes.subarray(i)]
}

type Row = readonly [name: string, stream: string | Uint8Array, frames: readonly string[]]

function check(rows: readonly Row[]): void {
  for (const [name, stream, expected] of rows) {
    it(name, () => {
      const bytes = typeof stream === 'string' ? Buffer.from(stream) : stream
      const whole = split([bytes])
      assert.deepEqual(whole.map(brief), expected)
      for (const cutting of cuttings(bytes)) {
        const frames = split(cutting)
        assert.equal(joined(frames), latin(bytes))
        assert.deepEqual(invariant(frames), invariant(whole))
      }
    })
  }
}

const BOM = '\ufeff'

describe('[SSE-03] line ends', () => {
  check([
    ['LF', 'data: a\n\ndata: b\n\n', ['event a', 'event b']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['event a', 'event b']],
    ['CR', 'data: a\r\rdata: b\r\r', ['event a', 'event b']],
    ['CR, then an LF', 'data: a\r\r\ndata: b\n\n', ['event a', 'comment', 'event b']],
    ['LF, then CR', 'data: a\n\rdata: b\n\n', ['event a', 'event b']],
    ['LF, then CRLF', 'data: a\n\r\ndata: b\n\n', ['event a', 'event b']],
    ['CRLF, then LF', 'data: a\r\n\ndata: b\n\n', ['event a', 'event b']],
    ['CRLF, then CR', 'data: a\r\n\rdata: b\n\n', ['event a', 'event b']],
    ['several blank lines', '\n\r\n\rdata: a\n\n\n', ['comment', 'comment', 'comment', 'event a', 'comment']],
    ['nothing', '', []],
  ])

  it('an event that bare CRs end leaves with its last byte', () => {
    const splitter = newSseSplitter(LIMITS)
    assert.deepEqual(splitter.push(Buffer.from('data: a\r\r')).map(brief), ['event a'])
  })

  it('an event that CRLF ends leaves with its last byte', () => {
    const splitter = newSseSplitter(LIMITS)
    assert.deepEqual(splitter.push(Buffer.from('data: a\r\n\r')).map(brief), [])
    assert.deepEqual(splitter.push(Buffer.from('\n')).map(brief), ['event a'])
  })
})

describe('[SSE-04] events', () => {
  check([
    ['no space behind the colon', 'data:a\n\n', ['event a']],
    ['only one space is taken off', 'data:  a\n\n', ['event  a']],
    ['several data lines', 'data: a\ndata:\ndata: b\n\n', ['event a\n\nb']],
    ['data without a colon', 'data\n\n', ['event ']],
    ['data without a value', 'data:\n\n', ['event ']],
    ['two data without a colon', 'data\ndata\n\n', ['event \n']],
    ['a name of its own', 'event: delta\ndata: a\n\n', ['event[delta] a']],
    ['the last name counts', 'event: x\nevent: y\ndata: a\n\n', ['event[y] a']],
    ['an empty name is no name', 'event:\ndata: a\n\n', ['event a']],
    ['a name alone, which the OpenAI client dispatches', 'event: ping\n\n', ['event[ping] ']],
    ['a byte order mark at the start', `${BOM}data: a\n\n`, ['event a']],
    ['no blank line at the end', 'data: a\n\ndata: b\n', ['event a', 'event b']],
    ['no line end at the end', 'data: a\n\ndata: b', ['event a', 'event b']],
    ['a CR at the end', 'data: a\r', ['event a']],
    ['a CR that waits at the end', 'data: a\n\r', ['event a']],
    ['characters of all lengths', 'data: aé€😀\n\n', ['event aé€😀']],
    ['JSON over several lines', 'data: {"a":1,\ndata: "b":{}}\n\n', ['event {"a":1,\n"b":{}}']],
  ])
})

describe('[SSE-05] what dispatches nothing', () => {
  check([
    ['comments', ': ping\n:\n\n: x\r\n', ['comment', 'comment', 'comment', 'comment']],
    ['a comment between events', 'data: a\n\n: ping\n\ndata: b\n\n', ['event a', 'comment', 'comment', 'event b']],
    ['a comment inside an event belongs to it', 'data: a\n: ping\ndata: b\n\n', ['event a\nb']],
    ['a comment before an event does not', ': ping\ndata: a\n\n', ['comment', 'event a']],
    ['id, retry and unknown fields', 'id: 1\nretry: 10\nfoo: bar\nfoo\n\n', ['comment']],
    ['the same with data', 'id: 1\nretry: 10\nfoo: bar\ndata: a\n\n', ['event a']],
    ['a comment without an end', ': pin', ['comment']],
    ['comments that end in CR', ': a\r: b\r: c\r\n', ['comment', 'comment', 'comment', 'comment']],
    ['a byte order mark and a blank line', `${BOM}\ndata: a\n\n`, ['event a']],
  ])
})

const FAULT = 'fault WIRE_FRAMING @0'

describe('[SSE-06] what clients read differently', () => {
  check([
    ['Data', 'Data: a\n\n', [FAULT]],
    ['DATA beside data', 'data: a\nDATA: b\n\n', [FAULT]],
    ['space before data', ' data: a\n\n', [FAULT]],
    ['space behind data', 'data : a\n\n', [FAULT]],
    ['a zero-width space before data', '\u200bdata: a\n\n', [FAULT]],
    ['data with something behind it', 'data{"a":1}\n\n', [FAULT]],
    ['Event', 'Event: a\ndata: b\n\n', [FAULT]],
    ['a line of space between events', 'data: {}\n \ndata: {}\n\n', [FAULT]],
    ['a line of JSON', '{"error":1}\n\n', [FAULT]],
    ['a second byte order mark', `${BOM}${BOM}data: a\n\n`, [FAULT]],
    ['a byte order mark in mid-stream', `data: a\n\n${BOM}data: b\n\n`, ['event a', 'fault WIRE_FRAMING @9']],
    ['a byte order mark as a blank line', `data: a\n${BOM}\ndata: b\n\n`, [FAULT]],
    ['a line hidden in a comment', ': x\u2028data: {"a":1}\n\n', [FAULT]],
    ['a line hidden in an id', 'id: x\u0085data: {"a":1}\n\n', [FAULT]],
    ['a line hidden in a name', 'event: x\vdata: {"a":1}\ndata: b\n\n', [FAULT]],
    ['NUL in an id', 'id: a\0b\ndata: a\n\n', [FAULT]],
    ['an event hidden as a value', 'data: {"x":[\ndata: {"choices":[]}\ndata: ]}\n\n', [FAULT]],
    ['a hidden end', 'data: {}\ndata: [DONE]\n\n', [FAULT]],
    ['bytes that are not UTF-8', Uint8Array.of(...Buffer.from('data: '), 0xff, 0x0a, 0x0a), [FAULT]],
    ['an overlong character in a comment', Uint8Array.of(0x3a, 0xc0, 0x8a, 0x0a), [FAULT]],
    ['a character cut off by the end', Uint8Array.of(...Buffer.from('data: '), 0xe2, 0x82), [FAULT]],
  ])

  it('nothing but faults follows a fault', () => {
    const frames = split(['Data: a\n\n', 'data: b\n\n', ': c\n\n'].map((text) => Buffer.from(text)))
    assert.deepEqual(
      frames.map((frame) => frame.kind),
      ['fault', 'fault', 'fault'],
    )
    assert.equal(joined(frames), 'Data: a\n\ndata: b\n\n: c\n\n')
  })
})

describe('[SSE-07] separators inside data', () => {
  check([
    ['U+0085, U+2028, U+2029', 'data: {"a":"\u0085\u2028\u2029"}\n\n', ['event {"a":"\u0085\u2028\u2029"}']],
    ['in the second line', 'data: "\ndata: \u2028"\n\n', ['event "\n\u2028"']],
  ])
})

describe('[SSE-08] frameBytes', () => {
  const event = (bytes: number): string => `data: ${'x'.repeat(bytes - 8)}\n\n`
  const large = (at: number): string => `fault WIRE_FRAME_TOO_LARGE @${at}`
  check([
    ['just fits', event(1024), [`event ${'x'.repeat(1016)}`]],
    ['one too many', event(1025), [large(0)]],
    ['one too many behind another', `data: a\n\n${event(1025)}`, ['event a', large(9)]],
    ['a comment', `:${'x'.repeat(1024)}\n`, [large(0)]],
    ['the LF of a CRLF', `data: ${'x'.repeat(1015)}\r\n\r\n`, [large(0)]],
    ['size comes before content', `Data: ${'x'.repeat(1100)}\n\n`, [large(0)]],
    ['without an end', `data: ${'x'.repeat(1100)}`, [large(0)]],
  ])

  it('is told while the event arrives', () => {
    const splitter = newSseSplitter(LIMITS)
    assert.deepEqual(splitter.push(Buffer.from(`data: ${'x'.repeat(1018)}`)), [])
    assert.deepEqual(splitter.push(Buffer.from('x')).map(brief), [large(0)])
  })
})

const FIELDS = ['data: ', 'data:', 'data', 'event: ', 'event', 'id: ', 'retry: 1', ': ', ':', 'foo: ', 'foo']
const VALUES = ['a', '[DONE]', 'é', '😀', ' b']
const ENDS = ['\n', '\n', '\n\n', '\r', '\r\r', '\r\n', '\r\n\r\n']
const TRAPS = ['Data: ', ' ', '{"a":1}', BOM, '\u2028', '\u0085', '\0', '\v', '{']

const bytesOf = (parts: fc.Arbitrary<readonly string[]>): fc.Arbitrary<Uint8Array> =>
  parts.map((all) => new Uint8Array(Buffer.from(all.join(''))))

const soup = bytesOf(fc.array(fc.constantFrom(...FIELDS, ...VALUES, ...ENDS, ...TRAPS), { maxLength: 24 }))
/** Streams that are seldom a fault. */
const broth = bytesOf(
  fc
    .array(fc.tuple(fc.constantFrom(...FIELDS), fc.constantFrom(...VALUES, ''), fc.constantFrom(...ENDS)), {
      maxLength: 12,
    })
    .map((lines) => lines.flat()),
)
const noise = fc.uint8Array({ maxLength: 60 })

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let from = 0
  for (const length of lengths) {
    chunks.push(bytes.subarray(from, from + length))
    from += length
  }
  return [...chunks, bytes.subarray(from)]
}

describe('any stream', () => {
  const lengths = fc.array(fc.nat(9), { maxLength: 20 })

  it('[SSE-01] keeps every byte; [SSE-02] reads the same however it is cut', () => {
    fc.assert(
      fc.property(
        fc.oneof(soup, broth, noise),
        lengths,
        fc.constantFrom(6, 12, 40, 1024),
        (bytes, sizes, frameBytes) => {
          const whole = split([bytes], { frameBytes })
          const pieces = split(cut(bytes, sizes), { frameBytes })
          assert.equal(joined(whole), latin(bytes))
          assert.equal(joined(pieces), latin(bytes))
          assert.deepEqual(invariant(pieces), invariant(whole))
          const single = split(
            Array.from(bytes, (byte) => Uint8Array.of(byte)),
            { frameBytes },
          )
          assert.deepEqual(invariant(single), invariant(whole))
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('[SSE-02] frames tell their own offset', () => {
    fc.assert(
      fc.property(soup, lengths, (bytes, sizes) => {
        let at = 0
        for (const frame of split(cut(bytes, sizes))) {
          assert.equal(frame.at, at)
          at += frame.raw.length
        }
      }),
    )
  })

  it('[SSE-04] without a fault has the events that the OpenAI client dispatches', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(soup, broth), lengths, async (bytes, sizes) => {
        const frames = split(cut(bytes, sizes))
        if (frames.some((frame) => frame.kind === 'fault')) return
        const ours = frames.flatMap((frame) => (frame.kind === 'event' ? [[frame.event, frame.data]] : []))
        assert.deepEqual(ours, await dispatched(cut(bytes, sizes)))
      }),
      { numRuns: 2000 },
    )
  })
})

/** Event names and data that the decoder of the OpenAI client makes of a stream. */
async function dispatched(chunks: readonly Uint8Array[]): Promise<unknown[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) if (chunk.length > 0) controller.enqueue(chunk)
      controller.close()
    },
  })
  const out: unknown[] = []
  for await (const sse of _iterSSEMessages(new Response(body), new AbortController())) {
    out.push([sse.event === '' ? null : sse.event, sse.data])
  }
  return out
}
