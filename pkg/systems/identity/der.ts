/** One value of DER. The arrays are views into what was read. */
export type DerValue = {
  /** The identifier octet; tags above 30 are not read. */
  readonly tag: number
  /** Tag, length and content. */
  readonly bytes: Uint8Array
  readonly content: Uint8Array
  /** Of a constructed value, else empty. */
  readonly children: readonly DerValue[]
}

/** Universal tags that identity documents are made of. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

const MAX_DEPTH = 24
const MAX_VALUES = 1_024
const CONSTRUCTED = 0x20
const TAG_NUMBER = 0x1f
const CLASS = 0xc0

/**
 * Reads one value that fills all of `bytes`, or null: lengths are definite and minimal, booleans, integers and nulls are in
 * their one form, nothing follows. X.690 §10. Nesting is at most 24, values are at most 1,024.
 */
export function readDer(bytes: Uint8Array): DerValue | null {
  const reader: Reader = { bytes, left: MAX_VALUES }
  const found = readValue(reader, { at: 0, end: bytes.length }, 0)
  return found !== null && found.bytes.length === bytes.length ? found : null
}

type Reader = { readonly bytes: Uint8Array; left: number }
type Range = { readonly at: number; readonly end: number }

function readValue(reader: Reader, { at, end }: Range, depth: number): DerValue | null {
  const { bytes } = reader
  reader.left -= 1
  if (depth > MAX_DEPTH || reader.left < 0 || end - at < 2) return null
  const tag = bytes[at] ?? 0
  if ((tag & TAG_NUMBER) === TAG_NUMBER || tag === 0) return null
  const length = readLength(bytes, { at: at + 1, end })
  if (length === null) return null
  const stop = length.from + length.size
  if (stop > end) return null
  const content = bytes.subarray(length.from, stop)
  const children: DerValue[] = []
  if ((tag & CONSTRUCTED) !== 0) {
    for (let next = length.from; next < stop; ) {
      const child = readValue(reader, { at: next, end: stop }, depth + 1)
      if (child === null) return null
      children.push(child)
      next += child.bytes.length
    }
  }
  const found = { tag, bytes: bytes.subarray(at, stop), content, children }
  return isInItsForm(found) ? found : null
}

function readLength(bytes: Uint8Array, { at, end }: Range): { readonly size: number; readonly from: number } | null {
  const first = bytes[at] ?? 0
  if (first < 0x80) return { size: first, from: at + 1 }
  const octets = first & 0x7f
  if (octets === 0 || octets > 3 || at + 1 + octets > end) return null
  let size = 0
  for (let next = at + 1; next <= at + octets; next += 1) size = size * 256 + (bytes[next] ?? 0)
  const isMinimal = size >= 0x80 && (bytes[at + 1] ?? 0) !== 0
  return isMinimal ? { size, from: at + 1 + octets } : null
}

/** Universal values that DER writes in one way only. */
function isInItsForm({ tag, content }: DerValue): boolean {
  if ((tag & CLASS) !== 0) return true
  if ((tag & CONSTRUCTED) !== 0) return tag === TAG.sequence || tag === TAG.set
  const [first = 0, second = 0] = content
  switch (tag) {
    case TAG.boolean:
      return content.length === 1 && (first === 0 || first === 0xff)
    case TAG.integer:
      return content.length > 0 && (content.length === 1 || !isPadded(first, second))
    case TAG.null:
      return content.length === 0
    case TAG.oid:
      return content.length > 0 && ((content.at(-1) ?? 0x80) & 0x80) === 0
    case TAG.bitString:
      return content.length > 0 && first < 8
    default:
      return tag !== TAG.sequence - CONSTRUCTED && tag !== TAG.set - CONSTRUCTED
  }
}

function isPadded(first: number, second: number): boolean {
  return (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)
}

/** Writes one value around others. Contents are at most 16 MiB. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(size)]), ...parts])
}

function lengthOctets(size: number): readonly number[] {
  if (size < 0x80) return [size]
  if (size < 0x100) return [0x81, size]
  if (size < 0x1_00_00) return [0x82, size >> 8, size & 0xff]
  return [0x83, size >> 16, (size >> 8) & 0xff, size & 0xff]
}

/** A whole number ≥ 0. */
export function derInteger(value: number | bigint | Uint8Array): Buffer {
  const hex = typeof value === 'object' ? Buffer.from(value).toString('hex') : value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  let from = 0
  while (from < bytes.length - 1 && bytes[from] === 0) from += 1
  const short = bytes.subarray(from)
  return der(TAG.integer, (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short)
}

/** `2.5.29.17`, also with parts beyond 32 bits. */
export function derOid(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map((part) => BigInt(part))
  const octets: number[] = []
  for (const part of [first * 40n + second, ...rest]) {
    const digits: number[] = [Number(part & 0x7fn)]
    for (let left = part >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80)
    octets.push(...digits)
  }
  return der(TAG.oid, Buffer.from(octets))
}

/** The number in an INTEGER of at most 6 octets, or null. */
export function smallInteger(value: DerValue | undefined): number | null {
  if (value?.tag !== TAG.integer || value.content.length > 6) return null
  if ((value.content[0] ?? 0) >= 0x80) return null
  return value.content.reduce((sum, octet) => sum * 256 + octet, 0)
}
