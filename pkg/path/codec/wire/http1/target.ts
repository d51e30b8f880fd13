import { type Fault, fault } from './fault.ts'
import { holdsToken, withoutKeys } from './token.ts'

/** Where a request goes: `path` begins with `/`; `query` with its `?`, or empty. */
export type RequestTarget = { readonly ok: true; readonly path: string; readonly query: string } | Fault

/** RFC 3986 pchar and `/`, `?`, `%`: all that a target may hold. */
const LEGAL = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*$/
/** Escapes that readers undo differently: controls, `%`, `.`, `/`, `\`, DEL, letters, digits, `-`, `_`, `~`. */
const AMBIGUOUS_ESCAPE = /%(?:[01][0-9a-f]|2[5def]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9aef])/i
const EMPTY_OR_DOT_SEGMENT = /\/(?:\/|\.{1,2}(?:[/;]|$))/

/**
 * The target of a request line, which must be in origin form and have one reading only: an owned path that comes in
 * another spelling is not owned. Nothing is decoded or repaired; what is returned is a piece of `rawUrl`.
 * @returns WIRE_HEADER_INVALID for another form, a fragment, a byte that no target may hold, or a token in the target
 * (but as the parameter `key` of the query, where some SDKs put it: whoever goes on takes it out);
 * WIRE_ENDPOINT_UNKNOWN for a path with a second reading: empty or dot segment, needless or broken escape.
 */
export function requestTarget(method: string, rawUrl: string): RequestTarget {
  if (method === 'CONNECT') return fault('WIRE_ENDPOINT_UNKNOWN', 'is a CONNECT, which is not served on this address')
  if (!rawUrl.startsWith('/'))
    return fault('WIRE_HEADER_INVALID', 'has a target that is no path (origin form), such as /openai/v1/models')
  if (rawUrl.includes('#')) return fault('WIRE_HEADER_INVALID', 'has a fragment in its target')
  if (!LEGAL.test(rawUrl)) return fault('WIRE_HEADER_INVALID', 'has a byte in its target that no URL may hold')
  const mark = rawUrl.indexOf('?')
  const path = mark === -1 ? rawUrl : rawUrl.slice(0, mark)
  const query = mark === -1 ? '' : rawUrl.slice(mark)
  if (holdsToken(path) || holdsToken(withoutKeys(query)))
    return fault('WIRE_HEADER_INVALID', 'has a token in its target: send it in the authorization header')
  if (EMPTY_OR_DOT_SEGMENT.test(path))
    return fault('WIRE_ENDPOINT_UNKNOWN', 'has an empty or a dot segment in its path')
  if (path.includes('%') && (AMBIGUOUS_ESCAPE.test(path) || !decodes(path)))
    return fault('WIRE_ENDPOINT_UNKNOWN', 'has an escape in its path that is broken or has another spelling')
  return { ok: true, path, query }
}

/** False for a `%` that begins no escape, and for escapes that are no UTF-8 (an overlong `%c0%ae` is a dot to some). */
function decodes(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
