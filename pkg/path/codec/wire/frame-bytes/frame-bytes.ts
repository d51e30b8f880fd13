const BLOCK_BYTES = 64 * 1024
const FIRST_BYTES = 512

/** The bytes of one frame after the other. */
export class FrameBytes {
  #full: Uint8Array[] = []
  #block: Uint8Array = new Uint8Array(0)
  #used = 0
  #length = 0

  /** Bytes kept just now. */
  get length(): number {
    return this.#length
  }

  /** Keeps a copy. */
  add(piece: Uint8Array): void {
    for (let from = 0; from < piece.length; ) {
      if (this.#used === this.#block.length) this.#grow(piece.length - from)
      const some = piece.subarray(from, from + this.#block.length - this.#used)
      this.#block.set(some, this.#used)
      this.#used += some.length
      from += some.length
    }
    this.#length += piece.length
  }

  /** All that is kept with `last` behind it, as one; then nothing is kept. Without anything kept it is `last` itself. */
  takeWith(last: Uint8Array): Uint8Array {
    if (this.#length === 0) return last
    const whole = new Uint8Array(this.#length + last.length)
    let at = 0
    for (const block of this.#full) {
      whole.set(block, at)
      at += block.length
    }
    whole.set(this.#block.subarray(0, this.#used), at)
    whole.set(last, this.#length)
    this.#full = []
    this.#used = 0
    this.#length = 0
    return whole
  }

  /** Gives all memory back. */
  drop(): void {
    this.#full = []
    this.#block = new Uint8Array(0)
    this.#used = 0
    this.#length = 0
  }

  /** Small frames in a block that doubles, large ones in blocks of one size: nothing large is copied to grow. */
  #grow(wanted: number): void {
    if (this.#block.length === BLOCK_BYTES) {
      this.#full.push(this.#block)
      this.#block = new Uint8Array(BLOCK_BYTES)
      this.#used = 0
      return
    }
    const size = Math.max(FIRST_BYTES, this.#block.length * 2, this.#used + wanted)
    const grown = new Uint8Array(Math.min(BLOCK_BYTES, size))
    grown.set(this.#block.subarray(0, this.#used))
    this.#block = grown
  }
}
