/** An IPv4 address as four bytes; null for another notation than `a.b.c.d` in decimal without leading zeros. */
export function readIpv4(text: string): readonly number[] | null {
  const found = DOTTED.exec(text)
  if (found === null) return null
  const bytes = found.slice(1).map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : null
}

const DOTTED = /^(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$/

/** An IPv6 address (no brackets, no zone) as eight groups; null if it is none. RFC 4291 §2.2. */
export function readIpv6(text: string): readonly number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [left = '', right] = halves
  const head = groupsOf(left, right === undefined)
  if (head === null) return null
  if (right === undefined) return head.length === 8 ? head : null
  const tail = groupsOf(right, true)
  if (tail === null) return null
  const missing = 8 - head.length - tail.length
  return missing < 1 ? null : [...head, ...Array<number>(missing).fill(0), ...tail]
}

/** `mayEmbed`: the last group may be an IPv4 address, which counts for two. */
function groupsOf(text: string, mayEmbed: boolean): readonly number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [at, part] of parts.entries()) {
    if (GROUP.test(part)) groups.push(Number.parseInt(part, 16))
    else {
      const bytes = mayEmbed && at === parts.length - 1 ? readIpv4(part) : null
      if (bytes === null) return null
      const [a = 0, b = 0, c = 0, d = 0] = bytes
      groups.push(a * 256 + b, c * 256 + d)
    }
  }
  return groups.length > 8 ? null : groups
}

const GROUP = /^[0-9A-Fa-f]{1,4}$/

/** Eight groups in the form of RFC 5952, always in hexadecimal, as URLs write it. */
export function formatIpv6(groups: readonly number[]): string {
  const { from, length } = longestZeros(groups)
  const hex = (some: readonly number[]): string => some.map((group) => group.toString(16)).join(':')
  if (length < 2) return hex(groups)
  return `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`
}

function longestZeros(groups: readonly number[]): { readonly from: number; readonly length: number } {
  let best = { from: 0, length: 0 }
  for (let from = 0; from < groups.length; from += 1) {
    let length = 0
    while (groups[from + length] === 0) length += 1
    if (length > best.length) best = { from, length }
  }
  return best
}
