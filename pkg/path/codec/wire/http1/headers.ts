import type { Headers } from '#pkg/model'
import { type Fault, fault } from './fault.ts'

/** Headers as the rules want them, or why there are none. */
export type ReadHeaders = { readonly ok: true; readonly headers: Headers } | Fault

/** RFC 9110 §5.6.2 `token`, in lower case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
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
    const name = (raw[at] ?? '').toLowerCase()
    const value = raw[at + 1] ?? ''
    if (!isSendable(name, value))
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

/** All values of a header; none = empty. */
export function valuesOf(headers: Headers, name: string): readonly string[] {
  const value = headers[name]
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

/** What `content-encoding` says, repeated headers joined as RFC 9110 §5.3 joins them; null = identity is not even named. */
export function contentEncodingOf(headers: Headers): string | null {
  const values = valuesOf(headers, 'content-encoding')
  return values.length === 0 ? null : values.join(', ')
}
