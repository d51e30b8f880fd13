import type { RandomBytes } from './ports.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const CHARACTERS = 40
const POOL_BYTES = 4_096
/** The largest multiple of 62 in a byte: what lies above would favour the first letters. */
const FAIR = 248

/** What every local token begins with. */
export const TOKEN_PREFIX = 'sp_vk_'

/** The whole shape of a local token. */
export const TOKEN_SHAPE = /^sp_vk_[A-Za-z0-9]{32,128}$/

/** Makes `sp_vk_` + 40 characters of `[A-Za-z0-9]`: 238 bits. */
export function newTokenMaker(random: RandomBytes): () => string {
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
    let token = TOKEN_PREFIX
    while (token.length < TOKEN_PREFIX.length + CHARACTERS) {
      const value = byte()
      if (value < FAIR) token += ALPHABET.charAt(value % ALPHABET.length)
    }
    return token
  }
}
