const QUOTE = 0x22
const BACKSLASH = 0x5c

/** An object with more keys goes to the scanner, whose sets do not compare each with each. */
const MAX_KEYS = 64

/** Behind `\u` at `i`: 0 = no half of a pair, 1 = a first half and its second follows, 2 = anything else. */
function halfAt(text: string, i: number): number {
  if ((text.charCodeAt(i) | 0x20) !== 0x64) return 0
  const second = text.charCodeAt(i + 1) | 0x20
  // d0…d7 is no half; the second hexadecimal digit decides.
  if (second >= 0x30 && second <= 0x37) return 0
  const high = second === 0x38 || second === 0x39 || second === 0x61 || second === 0x62
  const third = text.charCodeAt(i + 7) | 0x20
  const low = third >= 0x63 && third <= 0x66
  return high && low && text.startsWith('\\u', i + 4) && (text.charCodeAt(i + 6) | 0x20) === 0x64 ? 1 : 2
}

/** Behind the closing quote of the string whose content begins at `i`; -1 = doubt. */
function skipString(text: string, from: number): number {
  let i = from
  for (;;) {
    const c = text.charCodeAt(i++)
    if (c === QUOTE) return i
    if (c !== BACKSLASH) {
      if (i > text.length) return -1
      continue
    }
    if (text.charCodeAt(i++) !== 0x75) continue
    const half = halfAt(text, i)
    if (half === 2) return -1
    i += half === 1 ? 10 : 4
  }
}

/** Behind the number that begins at `from`; -1 = doubt. */
function skipNumber(text: string, from: number): number {
  let i = from
  let exponent = false
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if ((c | 0x20) === 0x65) exponent = true
    else if ((c < 0x30 || c > 0x39) && c !== 0x2e && c !== 0x2d && c !== 0x2b) break
  }
  if (i - from > 300) return -1
  return exponent && !Number.isFinite(Number(text.slice(from, i))) ? -1 : i
}

/**
 * True when a text that `JSON.parse` accepts surely has nothing that the profiles `chunk` and `envelope` refuse.
 * False = doubt: the scanner decides. One pass, a few nanoseconds a unit; nothing is decoded. Not more than `depth`
 * containers are open at once in a text that it calls plain, so that it is safe to hand to `JSON.parse`.
 */
export function isPlain(text: string, depth: number): boolean {
  if (!text.isWellFormed()) return false
  const { length } = text
  const hashes: number[] = []
  // Where the keys of each open container begin in `hashes`; -1 for an array.
  const starts: number[] = []
  let start = -1
  let keyNext = false
  let i = 0
  while (i < length) {
    const c = text.charCodeAt(i++)
    if (c === QUOTE) {
      if (!keyNext) {
        i = skipString(text, i)
        if (i < 0) return false
        continue
      }
      keyNext = false
      const from = i
      let hash = 0
      let k = text.charCodeAt(i++)
      for (; k !== QUOTE; k = text.charCodeAt(i++)) {
        if (k === BACKSLASH || !(k < 0x80)) return false
        hash = (Math.imul(hash, 31) + (k | 0x20)) | 0
      }
      if (i - from === 10 && text.startsWith('__proto__', from)) return false
      if (hashes.length - start > MAX_KEYS) return false
      for (let j = start; j < hashes.length; j++) if (hashes[j] === hash) return false
      hashes.push(hash)
    } else if (c === 0x2c) keyNext = start >= 0
    else if (c === 0x7b || c === 0x5b) {
      if (starts.length >= depth) return false
      starts.push(start)
      keyNext = c === 0x7b
      start = keyNext ? hashes.length : -1
    } else if (c === 0x7d || c === 0x5d) {
      if (starts.length === 0) return false
      if (start >= 0) hashes.length = start
      start = starts.pop() ?? -1
      keyNext = false
    } else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      i = skipNumber(text, i - 1)
      if (i < 0) return false
    }
  }
  return true
}
