import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { type JsonFault, type JsonLimits, type JsonProfile, newJsonScanner, parseStrict } from './index.ts'

export const LIMITS: JsonLimits = { depth: 8, bytes: 4096 }
export const PROFILES: readonly JsonProfile[] = ['arguments', 'chunk', 'envelope']

type Judged = { readonly fault: JsonFault | null; readonly complete: boolean }

/** What the scanner says of a text that comes in these pieces; `complete` is asked before the end. */
export function scan(pieces: readonly string[], profile: JsonProfile, limits = LIMITS): Judged {
  const scanner = newJsonScanner(limits, {}, profile)
  let fault: JsonFault | null = null
  for (const piece of pieces) fault = scanner.push(piece)
  const { complete } = scanner
  return { fault: fault ?? scanner.end(), complete }
}

/** Whole, unit by unit, and cut in two at each place. */
export function* cuttings(text: string): Generator<string[]> {
  yield [text]
  yield text.split('')
  for (let i = 0; i <= text.length; i++) yield [text.slice(0, i), text.slice(i)]
}

/** Reason and offset, or `ok`, of all readers: the scanner however the text is cut, and the reader of whole texts. */
export function judge(text: string, profile: JsonProfile, limits = LIMITS): string {
  const short = (fault: JsonFault | null): string => (fault === null ? 'ok' : `${fault.reason} @${fault.at}`)
  const whole = scan([text], profile, limits)
  for (const pieces of cuttings(text)) assert.deepEqual(scan(pieces, profile, limits), whole, pieces.join('|'))
  const parsed = parseStrict(text, limits, profile)
  assert.equal(parsed.ok ? 'ok' : `${parsed.reason} @${parsed.at}`, short(whole.fault))
  if (parsed.ok) assert.deepEqual(parsed.value, JSON.parse(text))
  return short(whole.fault)
}

export type Heard = { readonly path: readonly (string | number)[]; text: string; ended: boolean }

/** What a listener hears, checked against the source on the way. */
export function hear(pieces: readonly string[]): Heard[] {
  const source = Buffer.from(pieces.join(''))
  const heard: Heard[] = []
  let next = 0
  const scanner = newJsonScanner(LIMITS, {
    stringStart: (path) => heard.push({ path: [...path], text: '', ended: false }),
    stringPiece: (text, from, to) => {
      const last = heard.at(-1)
      assert.ok(last !== undefined && from >= next && to > from)
      const raw = source.subarray(from, to).toString()
      assert.equal(raw.startsWith('\\') ? JSON.parse(`"${raw}"`) : raw, text)
      last.text += text
      next = to
    },
    stringEnd: (end) => {
      const last = heard.at(-1)
      assert.ok(last !== undefined)
      last.ended = true
      assert.equal(source[end - 1], 0x22)
    },
  })
  for (const piece of pieces) scanner.push(piece)
  return heard
}

/** The string values of a parsed text, in the order of the source. */
export function stringsOf(value: unknown, path: readonly (string | number)[] = []): Heard[] {
  if (typeof value === 'string') return [{ path, text: value, ended: true }]
  if (Array.isArray(value)) return value.flatMap((element, i) => stringsOf(element, [...path, i]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) => stringsOf(member, [...path, key]))
}
