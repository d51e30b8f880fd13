/** How much of the text before a border is read again with what follows it: more than any tag of a call. */
const TAIL_UNITS = 256

/** What clients see that do not tell thoughts from text. */
export type Joined = {
  /** Already told in frames before. */
  readonly lead: string
  readonly text: string
}

/**
 * The text of one candidate as clients read it that join all text parts, thoughts too. As long as only one kind has
 * come it is the same as that channel's, and nothing is told; from the first border between the two on, all of it is.
 */
export class JoinedText {
  #last: 'text' | 'thought' | null = null
  #tail = ''
  #mixed = false
  #lead = ''
  #text = ''

  push(kind: 'text' | 'thought', text: string): void {
    if (text === '') return
    if (!this.#mixed && this.#last !== null && this.#last !== kind) {
      this.#mixed = true
      this.#lead = this.#tail
    }
    this.#last = kind
    if (this.#mixed) this.#text += text
    else this.#tail = (this.#tail + text).slice(-TAIL_UNITS)
  }

  /** What this frame has added, or null. */
  take(): Joined | null {
    if (this.#text === '') return null
    const joined = { lead: this.#lead, text: this.#text }
    this.#lead = ''
    this.#text = ''
    return joined
  }
}
