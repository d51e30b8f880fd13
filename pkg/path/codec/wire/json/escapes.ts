/** What stands behind the backslash of a two-character escape, and what it means. RFC 8259 §7. */
export const ESCAPES: ReadonlyMap<number, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(
    ([name, character]) => [name.charCodeAt(0), character],
  ),
)

/** True for the first half of a surrogate pair. */
export function isHigh(c: number): boolean {
  return c >= 0xd800 && c <= 0xdbff
}

/** True for the second half of a surrogate pair. */
export function isLow(c: number): boolean {
  return c >= 0xdc00 && c <= 0xdfff
}

/** The value of a hexadecimal digit; -1 for what is none. */
export function hexValue(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  const lower = c | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
