import type { Limits } from '#pkg/model'
import { type JsonScanner, newJsonScanner } from '#pkg/path/codec/wire/json'

/**
 * The input of one call as clients join it that give every piece to the call that came last. Only pieces that cross
 * from block to block make a difference; as a rule they make no JSON, and then nobody can act on them.
 */
export class Crossing {
  readonly #scanner: JsonScanner
  #broken = false
  #doubtful = false

  constructor(before: string, limits: Limits) {
    this.#scanner = newJsonScanner({ depth: limits.jsonDepth, bytes: limits.argumentBytes }, {}, 'chunk')
    this.push(before)
  }

  push(text: string): void {
    if (this.#broken || this.#doubtful) return
    const fault = this.#scanner.push(text)
    this.#broken = fault?.reason === 'WIRE_INVALID_JSON'
    this.#doubtful = fault !== null && !this.#broken
  }

  /** Some client could take what has come so far for an input. */
  get whole(): boolean {
    return this.#doubtful || (!this.#broken && this.#scanner.complete)
  }
}
