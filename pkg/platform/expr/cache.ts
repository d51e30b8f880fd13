/** A map of a bounded number of entries; the one that was used longest ago goes first. */
export class Cache<V> {
  readonly #entries = new Map<string, V>()
  readonly #size: number

  constructor(size: number) {
    this.#size = size
  }

  /** The cached value of a key, made by `make` if there is none. A throw of `make` leaves nothing behind. */
  get(key: string, make: () => V): V {
    const found = this.#entries.get(key)
    if (found !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, found)
      return found
    }
    const made = make()
    this.#entries.set(key, made)
    if (this.#entries.size > this.#size) {
      const oldest = this.#entries.keys().next()
      if (oldest.done !== true) this.#entries.delete(oldest.value)
    }
    return made
  }
}
