import { Buffer, isUtf8 } from 'node:buffer'
import type { Reading } from '#pkg/model'
import { type JsonFault, type JsonLimits, type JsonProfile, PROFILES } from './profile.ts'
import { isPlain } from './quick.ts'
import { type JsonListener, newJsonScanner } from './scanner.ts'
import { invalidUtf8At } from './utf8.ts'

type Refused = Reading<never> & { ok: false }

const refuse = (fault: JsonFault): Refused => ({ ok: false, ...fault })

/** The value of a text that was found strict. */
function readPlain(text: string): Reading<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return refuse({ reason: 'WIRE_INVALID_JSON', at: 0, detail: 'is not JSON' })
  }
}

/** The exact judgement; the same as {@link isPlain} where that has no doubt. */
function scan(text: string, limits: JsonLimits, profile: JsonProfile): JsonFault | null {
  const scanner = newJsonScanner(limits, {}, profile)
  return scanner.push(text) ?? scanner.end()
}

/**
 * The value of a JSON text, or why it has none. See {@link JsonProfile} for what is refused. The value is what
 * `JSON.parse` makes of the text. A text without doubts costs one pass and `JSON.parse`.
 *
 * @param profile Default `chunk`: texts come out of the events of a stream.
 */
export function parseStrict(text: string, limits: JsonLimits, profile: JsonProfile = 'chunk'): Reading<unknown> {
  const small = text.length * 3 <= limits.bytes
  if (small && profile !== 'arguments' && isPlain(text, limits.depth)) {
    try {
      return { ok: true, value: JSON.parse(text) }
    } catch {
      // The scanner says where and why.
    }
  }
  const fault = scan(text, limits, profile)
  return fault === null ? readPlain(text) : refuse(fault)
}

/**
 * {@link parseStrict} of bytes, which have to be UTF-8. Blocks for as long as the body takes (16 MiB: see
 * {@link parseStrictChunked}).
 *
 * @param profile Default `envelope`: bytes are the body of a request.
 */
export function parseStrictBytes(
  bytes: Uint8Array,
  limits: JsonLimits,
  profile: JsonProfile = 'envelope',
): Reading<unknown> {
  if (bytes.length > limits.bytes) return tooLarge(limits, profile)
  if (!isUtf8(bytes)) return notUtf8(invalidUtf8At(bytes))
  return parseStrict(textOf(bytes), { depth: limits.depth, bytes: Number.POSITIVE_INFINITY }, profile)
}

/** How a long reading lets others run: `turnBytes` are looked at between two calls of `yieldTurn`. */
export type Turns = { readonly turnBytes: number; readonly yieldTurn: () => Promise<void> }

/** Bodies above this are read in turns: a scan of 256 KiB takes about two milliseconds. WIRE.md §4. */
const ONE_TURN_BYTES = 256 * 1024

/**
 * Reads a body by `profile`, whatever its size: at once if it is small, else in turns, and then a promise.
 *
 * @param profile `envelope` for a request, `chunk` for an answer; a large body is judged no less strictly than a small one.
 */
export function readBody<T>(
  body: Uint8Array,
  limits: JsonLimits,
  { turns, profile }: { readonly turns: Turns; readonly profile: JsonProfile },
  read: (parsed: Reading<unknown>) => T,
): T | Promise<T> {
  if (body.length <= ONE_TURN_BYTES) return read(parseStrictBytes(body, limits, profile))
  return parseStrictChunked(body, limits, turns, profile).then(read)
}

/**
 * {@link parseStrictBytes} that looks at `turnBytes` at a time and lets `yieldTurn` give the
 * event loop its chance in between. Only the last step, `JSON.parse` of a text already found strict, is one turn.
 */
export async function parseStrictChunked(
  bytes: Uint8Array,
  limits: JsonLimits,
  turns: Turns,
  profile: JsonProfile = 'envelope',
): Promise<Reading<unknown>> {
  const { turnBytes, yieldTurn } = turns
  if (bytes.length > limits.bytes) return tooLarge(limits, profile)
  const scanner = newJsonScanner({ depth: limits.depth, bytes: Number.POSITIVE_INFINITY }, {}, profile)
  for (let from = 0; from < bytes.length; ) {
    const to = borderBefore(bytes, from + Math.max(4, turnBytes))
    const turn = bytes.subarray(from, to)
    const fault = isUtf8(turn) ? scanner.push(textOf(turn)) : null
    if (fault !== null) return refuse(fault)
    if (!isUtf8(turn)) return notUtf8(from + invalidUtf8At(turn))
    from = to
    if (from < bytes.length) await yieldTurn()
  }
  const fault = scanner.end()
  return fault === null ? readPlain(textOf(bytes)) : refuse(fault)
}

/** How a long text is read: by default as a `chunk`. `bound` is asked after each turn, in which so many units have been read. */
export type ChunkedText = {
  readonly profile?: JsonProfile
  readonly listener?: JsonListener
  readonly bound?: (units: number) => JsonFault | null
}

/**
 * {@link parseStrict} that looks at `turnBytes` units at a time, for the data of a large event, and tells `listener`
 * of its strings. Only the last step, `JSON.parse` of a text already found strict, is one turn.
 */
export async function parseTextChunked(
  text: string,
  limits: JsonLimits,
  { turnBytes, yieldTurn }: Turns,
  { profile = 'chunk', listener = {}, bound }: ChunkedText = {},
): Promise<Reading<unknown>> {
  const scanner = newJsonScanner(limits, listener, profile)
  const size = Math.max(1, turnBytes)
  for (let from = 0; from < text.length; from += size) {
    const fault = scanner.push(text.slice(from, from + size)) ?? bound?.(Math.min(from + size, text.length)) ?? null
    if (fault !== null) return refuse(fault)
    if (from + size < text.length) await yieldTurn()
  }
  const fault = scanner.end()
  return fault === null ? readPlain(text) : refuse(fault)
}

/** The last border between characters at or before `to`. */
function borderBefore(bytes: Uint8Array, to: number): number {
  if (to >= bytes.length) return bytes.length
  for (let at = to; at > to - 4; at--) if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at
  return to
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function tooLarge(limits: JsonLimits, profile: JsonProfile): Refused {
  return refuse({
    reason: PROFILES[profile].tooLarge,
    at: limits.bytes,
    detail: `is larger than ${limits.bytes} bytes`,
  })
}

function notUtf8(at: number): Refused {
  return refuse({ reason: 'WIRE_INVALID_UTF8', at, detail: 'is not valid UTF-8' })
}
