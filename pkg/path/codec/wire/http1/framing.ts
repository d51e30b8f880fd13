import type { Headers } from '#pkg/model'
import { type Fault, fault } from './fault.ts'
import { firstOf, isRepeated, valuesOf } from './headers.ts'

/** How a request's body is framed. `length` is its announced length, null if it is chunked; 0 = it has none. */
export type RequestFraming =
  | { readonly ok: true; readonly length: number | null; readonly expectsContinue: boolean }
  | Fault

/** Headers that decide where a message ends, whose it is, or what it means: two of one are two readings. */
const SINGLE = ['host', 'content-length', 'transfer-encoding', 'content-type', 'expect'] as const

/** What is judged with them must leave with them. RFC 9110 §7.6.1: no connection option names a field that is meant for all. */
const TELLING = /^(?:host|content-.*|authorization|destination|last-event-id|mcp-.*|a2a-.*)$/

function takesAway(headers: Headers): boolean {
  const given = headers['connection']
  if (given === undefined || given === 'keep-alive' || given === 'close') return false
  const names = valuesOf(headers, 'connection').flatMap((list) => list.split(','))
  return names.some((name) => TELLING.test(name.trim().toLowerCase()))
}

const DIGITS = /^[0-9]{1,15}$/

/**
 * Where the body of a request ends, if there is exactly one answer. RFC 9112 §6.
 * @param httpVersion `1.1` or `1.0`, as the parser has it.
 * @returns WIRE_HEADER_INVALID for a repeated framing header, content-length with transfer-encoding, a length that is
 * no number, a transfer-encoding other than `chunked` (any at all in HTTP/1.0), an expectation other than
 * `100-continue`, or a connection option that would take a judged header away; UPGRADE_NOT_GRANTED for an upgrade.
 */
export function requestFraming(headers: Headers, httpVersion: string): RequestFraming {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return invalid('is neither HTTP/1.1 nor HTTP/1.0')
  for (const name of SINGLE) if (isRepeated(headers, name)) return invalid(`has more than one ${name} header`)
  if (takesAway(headers)) return invalid('has a connection header that names a header which tells what the request is')
  if (headers['upgrade'] !== undefined)
    return fault('UPGRADE_NOT_GRANTED', 'asks for an upgrade that is not offered here')

  const expect = firstOf(headers, 'expect')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return invalid('has an expectation other than 100-continue')
  const expectsContinue = expect !== undefined && httpVersion === '1.1' // RFC 9110 §10.1.1: HTTP/1.0 cannot mean it

  const coding = firstOf(headers, 'transfer-encoding')
  const length = firstOf(headers, 'content-length')
  if (coding !== undefined) {
    if (length !== undefined) return invalid('has both content-length and transfer-encoding')
    if (httpVersion === '1.0') return invalid('has a transfer-encoding in HTTP/1.0')
    if (coding.toLowerCase() !== 'chunked') return invalid('has a transfer-encoding other than exactly "chunked"')
    return { ok: true, length: null, expectsContinue }
  }
  if (length === undefined) return { ok: true, length: 0, expectsContinue }
  if (!DIGITS.test(length)) return invalid('has a content-length that is not a plain number')
  return { ok: true, length: Number(length), expectsContinue }
}

function invalid(detail: string): Fault {
  return fault('WIRE_HEADER_INVALID', detail)
}
