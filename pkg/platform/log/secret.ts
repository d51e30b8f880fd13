import { inspect } from 'node:util'

const MASK = '***'

/** A text that must not be printed: JSON, string conversion, `util.inspect`, spread and clone show `***` or nothing. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself, for the one place that has to send it. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}
