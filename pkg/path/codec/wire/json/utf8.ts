/** How long a character is that begins with this byte, and the bounds of its second byte. RFC 3629 §4. */
function shapeOf(first: number): readonly [length: number, low: number, high: number] {
  if (first < 0x80) return [1, 0, 0]
  if (first >= 0xc2 && first <= 0xdf) return [2, 0x80, 0xbf]
  if (first === 0xe0) return [3, 0xa0, 0xbf]
  if (first === 0xed) return [3, 0x80, 0x9f]
  if (first >= 0xe1 && first <= 0xef) return [3, 0x80, 0xbf]
  if (first === 0xf0) return [4, 0x90, 0xbf]
  if (first === 0xf4) return [4, 0x80, 0x8f]
  if (first >= 0xf1 && first <= 0xf3) return [4, 0x80, 0xbf]
  return [0, 0, 0]
}

/** The offset of the first character that is not valid UTF-8; `bytes.length` where all are. */
export function invalidUtf8At(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const [length, low, high] = shapeOf(bytes[at] ?? 0)
    if (length === 0) return at
    for (let i = 1; i < length; i++) {
      const c = bytes[at + i] ?? 0
      if (c < (i === 1 ? low : 0x80) || c > (i === 1 ? high : 0xbf)) return at
    }
    at += length
  }
  return at
}
