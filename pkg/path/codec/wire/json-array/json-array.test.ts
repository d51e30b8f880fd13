import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Frame } from '#pkg/model'
import { type ArrayPlace, closeWith, elementFrame, leadOf, newJsonArraySplitter, placeAfter } from './index.ts'

const encoder = new TextEncoder()
const bytesOf = (text: string): Uint8Array => encoder.encode(text)
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

type Read = { readonly data: readonly string[]; readonly fault: { at: number; reason: string } | null; raw: string }

function read(chunks: readonly Uint8Array[], frameBytes = 4096): Read {
  const splitter = newJsonArraySplitter({ frameBytes })
  const frames: Frame[] = []
  for (const chunk of chunks) frames.push(...splitter.push(chunk))
  frames.push(...splitter.end())
  const fault = frames.find((frame) => frame.kind === 'fault')
  let at = 0
  for (const frame of frames) {
    assert.equal(frame.at, at)
    at += frame.raw.length
  }
  return {
    data: frames.flatMap((frame) => (frame.kind === 'event' ? [frame.data] : [])),
    fault: fault?.kind === 'fault' ? { at: fault.at, reason: fault.reason } : null,
    raw: frames.map((frame) => textOf(frame.raw)).join(''),
  }
}

/** Whole, byte by byte, and at every split. */
function* cuts(bytes: Uint8Array): Iterable<readonly Uint8Array[]> {
  yield [bytes]
  yield [...bytes].map((byte) => Uint8Array.of(byte))
  for (let at = 1; at < bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

const rows: readonly (readonly [name: string, body: string, data: readonly string[]])[] = [
  ['as the provider writes it', '[{"a":1}\n,\r\n{"b":[2,{}]}\n]\n', ['{"a":1}', '{"b":[2,{}]}', '']],
  ['an empty array', ' [ \n] ', ['']],
  [
    'brackets, quotes and escapes in strings',
    '[{"a":"}]\\"[{\\\\"},{"\\"}":"é😀"}]',
    ['{"a":"}]\\"[{\\\\"}', '{"\\"}":"é😀"}', ''],
  ],
  ['no body at all', '', []],
]
for (const [name, body, data] of rows)
  test(`[ARRAY-01] read: ${name}`, () => {
    for (const chunks of cuts(bytesOf(body))) {
      const seen = read(chunks)
      assert.deepEqual(seen.data, data)
      assert.equal(seen.fault, null)
      assert.equal(seen.raw, textOf(bytesOf(body)))
    }
  })

const faults: readonly (readonly [name: string, body: string | Uint8Array, at: number, reason: string])[] = [
  ['an object', '{"a":1}', 0, 'WIRE_FRAMING'],
  ['a byte order mark', '\ufeff[{}]', 0, 'WIRE_FRAMING'],
  ['an event stream', 'data: [{}]\n\n', 0, 'WIRE_FRAMING'],
  ['an element that is no object', '[{},1]', 3, 'WIRE_FRAMING'],
  ['an array in the array', '[[{}]]', 0, 'WIRE_FRAMING'],
  ['two commas', '[{},,{}]', 3, 'WIRE_FRAMING'],
  ['no comma', '[{} {}]', 3, 'WIRE_FRAMING'],
  ['a comma before the end', '[{},]', 3, 'WIRE_FRAMING'],
  ['a comma at the beginning', '[,{}]', 0, 'WIRE_FRAMING'],
  ['another array behind it', '[{}][{}]', 3, 'WIRE_FRAMING'],
  ['lines of JSON', '{"a":1}\n{"b":2}\n', 0, 'WIRE_FRAMING'],
  ['no end', '[{}', 3, 'WIRE_FRAMING'],
  ['no end of an element', '[{},{"a":"', 3, 'WIRE_FRAMING'],
  ['space alone', '  ', 0, 'WIRE_FRAMING'],
  ['bytes that are not UTF-8', Uint8Array.of(0x5b, 0x7b, 0x22, 0xff, 0x22, 0x7d, 0x5d), 0, 'WIRE_FRAMING'],
  ['an element over the cap', `[{},{"a":"${'x'.repeat(40)}"}]`, 3, 'WIRE_FRAME_TOO_LARGE'],
  ['space over the cap', `[${' '.repeat(40)}{}]`, 0, 'WIRE_FRAME_TOO_LARGE'],
]
for (const [name, body, at, reason] of faults)
  test(`[ARRAY-02] a fault: ${name}`, () => {
    const bytes = typeof body === 'string' ? bytesOf(body) : body
    for (const chunks of cuts(bytes)) {
      const seen = read(chunks, 32)
      assert.deepEqual(seen.fault, { at, reason })
      assert.equal(seen.raw, textOf(bytes))
      assert.ok(!seen.data.includes(''), 'the end of the array left')
    }
  })

test('[ARRAY-01] [ARRAY-02] whatever comes: no byte is lost, and no cut changes a frame', () => {
  const piece = fc.oneof(
    fc.constantFrom('[', ']', ',', '{', '}', '"', '\\', ' ', '\n', '{}', '"}"', '{"a":[{}]}', '\u{1f600}'),
    fc.json(),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 4 }), (pieces, at) => {
      const bytes = bytesOf(pieces.join(''))
      const marks = [...new Set([0, ...at.filter((mark) => mark < bytes.length), bytes.length])].sort((a, b) => a - b)
      const chunks = marks.slice(1).map((mark, i) => bytes.subarray(marks[i] ?? 0, mark))
      const whole = read([bytes], 64)
      const cut = read(chunks, 64)
      assert.equal(whole.raw, textOf(bytes))
      assert.deepEqual(cut, whole)
    }),
    { numRuns: 300 },
  )
})

test('[ARRAY-01] an array of objects is read as JSON.parse reads it', () => {
  const space = fc.constantFrom('', ' ', '\n', '\r\n\t')
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }), space, (values, gap) => {
      const body = `${gap}[${gap}${values.map((value) => JSON.stringify(value, null, gap)).join(`${gap},${gap}`)}${gap}]${gap}`
      const seen = read([bytesOf(body)], 1_000_000)
      assert.equal(seen.fault, null)
      assert.deepEqual(
        seen.data.slice(0, -1).map((data) => JSON.parse(data)),
        JSON.parse(body),
      )
    }),
    { numRuns: 200 },
  )
})

const places: readonly (readonly [name: string, written: readonly string[], place: ArrayPlace, whole: string])[] = [
  ['before the first byte', [], 'nothing', '[{"error":1}]'],
  ['after an element', ['[{}'], 'open', '[{},\n{"error":1}]'],
  ['after white space', ['[{}\n', '  '], 'open', '[{}\n  ,\n{"error":1}]'],
  ['after the end', ['[{}', '\n]\n'], 'closed', '[{}\n]\n'],
]
for (const [name, written, place, whole] of places)
  test(`[ARRAY-03] an element of ours ${name} leaves a legal array`, () => {
    let seen: ArrayPlace = 'nothing'
    for (const text of written) seen = placeAfter(seen, bytesOf(text))
    assert.equal(seen, place)
    const all = written.join('') + textOf(closeWith(seen, '{"error":1}'))
    assert.equal(all, whole)
    JSON.parse(all)
  })

test('[ARRAY-03] another element takes the place of one, with what stood before it', () => {
  assert.equal(textOf(elementFrame(bytesOf(' [ {"a":{}}'), '{"b":1}')), ' [ {"b":1}')
  assert.equal(textOf(elementFrame(bytesOf('\n,\n{"a":{}}'), '{}')), '\n,\n{}')
  assert.equal(textOf(leadOf(bytesOf('\n]'))), '\n]')
})
