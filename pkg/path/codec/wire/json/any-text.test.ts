import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseStrict, parseStrictBytes, parseStrictChunked } from './index.ts'
import { hear, judge, LIMITS, PROFILES, scan, stringsOf } from './judge.fixture.ts'

const TOKENS = [
  ...['{', '}', '[', ']', ',', ':', ' ', '"', '"', '\\', '"a"', '"b"', '"a":', '"A":', '"__proto__":', '"\\u0061":1'],
  ...['0', '1', '-', '.', 'e', '9007199254740993', '1e400', 'true', 'null', 'x', '\n', 'é', '😀', '\\ud83d', '\\ude00'],
  ...['u', '\u200b', '"k":[', '{"', '":1,', '"constructor":{}', '\ufeff', '\ud83d', '\ude00'],
]

const soup = fc.array(fc.constantFrom(...TOKENS), { maxLength: 20 }).map((tokens) => tokens.join(''))
/** JSON, and JSON with one character changed. */
const nearly = fc
  .tuple(fc.jsonValue({ maxDepth: 4 }), fc.nat(), fc.constantFrom(...TOKENS, ''), fc.nat(2))
  .map(([value, place, token, kind]) => {
    const text = JSON.stringify(value, null, kind)
    const i = place % (text.length + 1)
    return kind === 0 ? text : text.slice(0, i) + token + text.slice(i + 1)
  })
const anyText = fc.oneof(soup, nearly, fc.json(), fc.string({ unit: 'binary' }))
const profile = fc.constantFrom(...PROFILES)

describe('any text', () => {
  it('[JSON-01] what is accepted is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(anyText, profile, (text, name) => {
        const reading = parseStrict(text, LIMITS, name)
        if (reading.ok) assert.deepEqual(reading.value, JSON.parse(text))
        else if (reading.reason === 'WIRE_INVALID_JSON') assert.throws(() => JSON.parse(text))
      }),
      { numRuns: 3000 },
    )
  })

  it('[JSON-10] is judged the same by every reader, however it is cut', () => {
    fc.assert(
      fc.property(anyText, profile, fc.constantFrom(5, 20, 4096), (text, name, bytes) => {
        judge(text, name, { depth: 3, bytes })
      }),
      { numRuns: 1500 },
    )
  })

  it('[JSON-12] is judged the same in turns as whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          anyText.map((text) => Buffer.from(text)),
          fc.uint8Array(),
        ),
        fc.nat(20),
        async (body, turn) => {
          const whole = parseStrictBytes(body, LIMITS)
          const chunked = await parseStrictChunked(body, LIMITS, { turnBytes: turn, yieldTurn: async () => {} })
          // Bytes that are not UTF-8 are found before anything else in a whole body, in their turn otherwise.
          if (whole.ok || whole.reason !== 'WIRE_INVALID_UTF8') assert.deepEqual(chunked, whole)
          else assert.equal(chunked.ok, false)
        },
      ),
      { numRuns: 1500 },
    )
  })

  it('[JSON-11] its strings are heard as JSON.parse reads them', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.array(fc.nat(5), { maxLength: 30 }), (value, sizes) => {
        const text = JSON.stringify(value)
        // Objects put keys that are numbers first, and what is refused is not heard to its end.
        if (/"\d+":|__proto__/.test(text) || scan([text], 'arguments').fault !== null) return
        const pieces: string[] = []
        let from = 0
        for (const size of sizes) {
          pieces.push(text.slice(from, from + size))
          from += size
        }
        assert.deepEqual(hear([...pieces, text.slice(from)]), stringsOf(JSON.parse(text)))
      }),
      { numRuns: 1000 },
    )
  })
})
