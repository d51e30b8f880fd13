import type { Headers } from '#pkg/model'
import { type Fault, fault } from './fault.ts'

/** Headers as the rules want them, or why there are none. */
export type ReadHeaders = { readonly ok: true; readonly headers: Headers } | Fault

/** RFC 9110 §5.6.2 `token`, in lower case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** What agents usually send, as they spell it: an own table is faster than a check and a conversion of each name. */
const COMMON: ReadonlyMap<string, string> = new Map(
  [
    'Host',
    'Connection',
    'Accept',
    'Accept-Encoding',
    'Accept-Language',
    'Authorization',
    'Content-Type',
    'Content-Length',
    'Content-Encoding',
    'Transfer-Encoding',
    'User-Agent',
    'Expect',
    'Idempotency-Key',
    'OpenAI-Organization',
    'OpenAI-Project',
    'OpenAI-Beta',
    'Sec-Fetch-Mode',
    'Traceparent',
    'X-Stainless-Arch',
    'X-Stainless-Async',
    'X-Stainless-Lang',
    'X-Stainless-OS',
    'X-Stainless-Package-Version',
    'X-Stainless-Helper-Method',
    'X-Stainless-Raw-Response',
    'X-Stainless-Read-Timeout',
    'X-Stainless-Retry-Count',
    'X-Stainless-Runtime',
    'X-Stainless-Runtime-Version',
    'X-Stainless-Timeout',
  ].flatMap((name) => [
    [name, name.toLowerCase()],
    [name.toLowerCase(), name.toLowerCase()],
  ]),
)

/** What no field value may hold: controls other than the tab, and what is not one byte. RFC 9110 §5.5. */
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/

/** True for a name (in lower case) and a value that an HTTP/1.1 message can carry. */
export function isSendable(name: string, value: string): boolean {
  return NAME.test(name) && !BAD_VALUE.test(value)
}

/**
 * A parser's flat list (name, value, name, value, …) as Headers: names in lower case, each value of a repeated header
 * kept in its order. The record has no prototype, so that no name means more than itself.
 * @returns WIRE_HEADER_INVALID for a name or value that HTTP does not allow.
 */
export function readHeaders(raw: readonly string[]): ReadHeaders {
  const headers = newRecord()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const spelt = raw[at] ?? ''
    const common = COMMON.get(spelt)
    const name = common ?? spelt.toLowerCase()
    const value = raw[at + 1] ?? ''
    if (BAD_VALUE.test(value) || (common === undefined && !NAME.test(name)))
      return fault('WIRE_HEADER_INVALID', `has a character in header number ${at / 2 + 1} that HTTP does not allow`)
    const known = headers[name]
    if (known === undefined) headers[name] = value
    else if (typeof known === 'string') headers[name] = [known, value]
    else known.push(value)
  }
  return { ok: true, headers }
}

/** Records that inherit no name, of one shape: several times faster in use than what `Object.create(null)` makes. */
function Bare() {}
Bare.prototype = Object.create(null)
const BareRecord = Bare as unknown as new () => Record<string, string | string[]> // a function is how to say this class

/** An empty record that inherits no name. */
export function newRecord(): Record<string, string | string[]> {
  return new BareRecord()
}

const NO_VALUES: readonly string[] = []

/** The value of a header, the first if there are more. */
export function firstOf(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value[0] : value
}

/** True if a header came more than once. */
export function isRepeated(headers: Headers, name: string): boolean {
  return typeof headers[name] === 'object'
}

/** All values of a header; none = empty. */
export function valuesOf(headers: Headers, name: string): readonly string[] {
  const value = headers[name]
  if (value === undefined) return NO_VALUES
  return typeof value === 'string' ? [value] : value
}

/** What `content-encoding` says, repeated headers joined as RFC 9110 §5.3 joins them; null = identity is not even named. */
export function contentEncodingOf(headers: Headers): string | null {
  const value = headers['content-encoding']
  if (value === undefined) return null
  return typeof value === 'string' ? value : value.join(', ')
}
