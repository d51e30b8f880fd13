import type { SqlReading } from '../ports.ts'

/** Texts that are remembered, and their UTF-16 units together. */
const MAX_TEXTS = 256
const MAX_UNITS = 256 * 1024

/**
 * What the grammar made of texts before: agents ask the same again and again. The whole text is the key, so a text is
 * taken for no other; what it does follows from the text alone, so no policy, agent or time can make it stale.
 */
export class KnownReadings {
  readonly #readings = new Map<string, SqlReading>()
  #units = 0

  get(text: string): SqlReading | undefined {
    const reading = this.#readings.get(text)
    if (reading === undefined) return undefined
    this.#readings.delete(text)
    this.#readings.set(text, reading)
    return reading
  }

  /** Remembers a reading; those longest unused go. */
  keep(text: string, reading: SqlReading): void {
    if (this.#readings.has(text)) return
    this.#readings.set(text, reading)
    this.#units += text.length
    for (const oldest of this.#readings.keys()) {
      if (this.#readings.size <= MAX_TEXTS && this.#units <= MAX_UNITS) break
      this.#readings.delete(oldest)
      this.#units -= oldest.length
    }
  }
}
