/** As `crypto.randomBytes`. */
export type RandomBytes = (size: number) => Uint8Array

/** `prefix`, then `length` characters of `[A-Za-z0-9]`: 5.95 bits each. */
export type NameShape = { readonly prefix: string; readonly length: number }

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** The largest multiple of 62 in a byte: what lies above would favour the first letters. */
const FAIR = 248
/** Drawn at once: a call into the system per name is what costs. */
const POOL_BYTES = 4_096

/** Makes names of one shape. No byte of the source is used twice. */
export function newNames(random: RandomBytes, shape: NameShape): () => string {
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
  const { prefix, length } = shape
  return () => {
    let name = prefix
    while (name.length < prefix.length + length) {
      const value = byte()
      if (value < FAIR) name += ALPHABET.charAt(value % ALPHABET.length)
    }
    return name
  }
}
