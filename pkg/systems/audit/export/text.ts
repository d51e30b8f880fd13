/**
 * Characters that end a line somewhere, steer a terminal or turn text around: C0, DEL, C1, line and paragraph separators,
 * bidi controls, zero-width and other format characters, lone surrogates.
 */
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu

/**
 * JSON on one line: printable characters alone, all others escaped. Halves of surrogate pairs become U+FFFD, since many
 * readers refuse the whole line for one.
 */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value)
  return (HALF.test(text) ? JSON.stringify(value, wellFormed) : text).replace(STEERING, utf16Escapes)
}

/** How `JSON.stringify` writes half of a pair. A text that spells this out is looked at once more, and stays as it is. */
const HALF = /\\ud[89a-f]/

function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value
}

/** A text of unknown origin on one line, for formats without escapes of their own: steering characters become `\u{…}`. */
export function visible(text: string): string {
  return text.replace(STEERING, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}

/** At most `max` UTF-16 units; what is cut ends in `…`, never inside a surrogate pair. */
export function clipped(text: string, max: number): string {
  if (text.length <= max) return text
  const cut = text.slice(0, max - 1)
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}

function utf16Escapes(char: string): string {
  let escaped = ''
  for (let at = 0; at < char.length; at += 1) escaped += `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`
  return escaped
}
