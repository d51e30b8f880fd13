/**
 * Characters that steer a terminal or turn text around: C0, DEL, C1, line and paragraph separators, bidi controls,
 * zero-width and other format characters, lone surrogates.
 */
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu

/** A text of unknown origin for a terminal, on one line: steering characters become `\u{…}`. */
export function printable(text: string): string {
  return text.replace(STEERING, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}

/** As {@link printable}, but line feeds stay: for texts of our own that have several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** JSON on one line, or indented; the same value, with every steering character inside strings escaped. */
export function jsonText(value: unknown, indent = 0): string {
  return escapeStrings(JSON.stringify(value, null, indent))
}

/** True when a text holds a character that steers a terminal; line feeds do not count. */
export function isSteering(text: string): boolean {
  return (text.match(STEERING) ?? []).some((char) => char !== '\n')
}

/** For text in which steering characters, but for line feeds, stand only inside double-quoted strings. */
export function escapeStrings(text: string): string {
  return text.replace(STEERING, (char) => (char === '\n' ? char : utf16Escapes(char)))
}

function utf16Escapes(char: string): string {
  let escaped = ''
  for (let at = 0; at < char.length; at += 1) escaped += `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`
  return escaped
}
