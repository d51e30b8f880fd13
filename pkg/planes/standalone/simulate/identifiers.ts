import { createHash } from 'node:crypto'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * `length` letters and digits that follow from `seed` alone: the same request gets the same ids, so that two
 * deliveries of one answer can be compared byte for byte. Length ≤ 32.
 */
export function lettersFrom(seed: string, length: number): string {
  const digest = createHash('sha256').update(seed).digest()
  return [...digest.subarray(0, length)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
}
