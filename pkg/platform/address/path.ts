/** A path and its query (with `?`, or empty), pieces of what was given; or what is wrong with it. */
export type PathReading =
  | { readonly ok: true; readonly path: string; readonly query: string }
  | { readonly ok: false; readonly detail: string }

const MAX_PATH = 8 * 1024

/** RFC 3986 pchar and `/`, `?`, `%`: all that a path with a query may hold. */
const LEGAL = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*$/
/** Escapes that readers undo differently: controls, `%`, `.`, `/`, `;`, `\`, DEL, letters, digits, `-`, `_`, `~`. */
const AMBIGUOUS_ESCAPE = /%(?:[01][0-9a-f]|2[5def]|3[0-9b]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9aef])/i
const EMPTY_OR_DOT_SEGMENT = /\/(?:\/|;|\.{1,2}(?:[/;]|$))/

/**
 * A path that begins with `/`, with its query. Nothing is decoded or repaired; what an origin could read as another path
 * (a dot or empty segment, also behind a parameter, an escape that some undo and others do not) is refused.
 */
export function readPath(text: string): PathReading {
  if (!text.startsWith('/')) return no('has no path')
  if (text.length > MAX_PATH) return no(`has a path of more than ${MAX_PATH} bytes`)
  if (!LEGAL.test(text)) return no('has a byte in its path that no URL may hold')
  const mark = text.indexOf('?')
  const path = mark === -1 ? text : text.slice(0, mark)
  const query = mark === -1 ? '' : text.slice(mark)
  if (EMPTY_OR_DOT_SEGMENT.test(path)) return no('has an empty or a dot segment in its path')
  if (path.includes('%') && (AMBIGUOUS_ESCAPE.test(path) || !decodes(path)))
    return no('has an escape in its path that is broken or has another spelling')
  return { ok: true, path, query }
}

const no = (detail: string): PathReading => ({ ok: false, detail })

/** False for a `%` that begins no escape, and for escapes that are no UTF-8 (an overlong `%c0%ae` is a dot to some). */
function decodes(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** Is the path the prefix itself, or below it? `/repos/acme` does not hold `/repos/acme-two`. */
export function prefixHolds(prefix: string, path: string): boolean {
  if (!path.startsWith(prefix)) return false
  return prefix.endsWith('/') || path.length === prefix.length || path.charAt(prefix.length) === '/'
}
