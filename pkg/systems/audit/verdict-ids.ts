import type { RandomBytes } from './ports.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const CHARACTERS = 14
const POOL_BYTES = 2_048
/** The largest multiple of 62 in a byte: what lies above would favour the first letters. */
const FAIR = 248

/** Makes `v_` + 14 characters of `[A-Za-z0-9]`: 83 bits, so that knowing one id tells nothing about another. */
export function newVerdictIds(random: RandomBytes): () => string {
  let pool: Uint8Array = new Uint8Array(0)
  let next = 0
  const byte = (): number => {
    for (;;) {
      const value = pool[next++]
      if (value !== undefined) return value
      pool = random(POOL_BYTES)
      next = 0
    }
  }
  return () => {
    let id = 'v_'
    while (id.length < CHARACTERS + 2) {
      const value = byte()
      if (value < FAIR) id += ALPHABET.charAt(value % ALPHABET.length)
    }
    return id
  }
}
