/** Repeatable randomness: the same seed gives the same numbers. */
export type Random = {
  /** A whole number, 0 ≤ n < bound. */
  below(bound: number): number
  pick<T>(items: readonly T[]): T | undefined
}

/** sfc32, seeded by a text. */
export function newRandom(seed: string): Random {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1]
  const next = (): number => {
    const sum = (a + b + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  for (const char of seed) {
    a ^= char.codePointAt(0) ?? 0
    next()
  }
  for (let index = 0; index < 16; index++) next()
  const below = (bound: number): number => (bound <= 1 ? 0 : next() % bound)
  return { below, pick: (items) => items[below(items.length)] }
}
