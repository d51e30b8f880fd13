import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { newJsonScanner, parseStrictBytes, parseStrictChunked } from '#pkg/path/codec/wire/json'
import type { Target } from './runner/target.ts'

const LIMITS = { depth: 64, bytes: 4_096 }
const PROFILES = ['arguments', 'chunk', 'envelope'] as const

/** What is accepted is what JSON.parse reads; pieces are judged as the whole; a stricter profile never accepts more. */
export const target: Target = {
  name: 'json',
  words: [
    '"a":',
    '{',
    '}',
    '[',
    ']',
    '__proto__',
    'constructor',
    '\\u0000',
    '\\ud83d',
    '\\ude00',
    '1e999',
    '-0',
    '9007199254740993',
    '\ufeff',
    '"\u212a":',
    '"k":',
    '"K":',
    '\u00a0',
    'NaN',
    '//',
  ],
  async run(bytes) {
    const text = isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : null
    const kinds: string[] = []
    for (const profile of PROFILES) {
      const whole = parseStrictBytes(bytes, LIMITS, profile)
      kinds.push(whole.ok ? 'ok' : whole.reason)
      if (whole.ok) {
        assert.ok(text !== null, 'accepted what is not UTF-8')
        assert.deepEqual(whole.value, JSON.parse(text))
      } else assert.ok(whole.at >= 0 && whole.at <= bytes.length, `fault at ${whole.at} of ${bytes.length}`)
      if (text === null || bytes.length > LIMITS.bytes) continue
      const scanner = newJsonScanner(LIMITS, {}, profile)
      let fault = null
      for (const char of text) fault ??= scanner.push(char)
      fault ??= scanner.end()
      assert.deepEqual(fault === null ? 'ok' : [fault.reason, fault.at], whole.ok ? 'ok' : [whole.reason, whole.at])
    }
    const [args, , envelope] = kinds
    assert.ok(args !== 'ok' || envelope === 'ok', 'arguments accepted what an envelope refuses')
    const turns = await parseStrictChunked(bytes, LIMITS, { turnBytes: 7, yieldTurn: async () => {} })
    assert.equal(turns.ok, envelope === 'ok')
    if (text !== null) assert.equal(turns.ok ? 'ok' : turns.reason, envelope) // else the first of two faults may be told
    return kinds.join(' ')
  },
}
