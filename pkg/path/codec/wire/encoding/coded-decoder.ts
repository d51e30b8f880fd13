import { CODINGS, type Coder, hasFrames } from './codings.ts'
import { type Decoded, type Decoder, type DecoderLimits, type Fault, tooLarge } from './decoder.ts'

/** Output below which no growth is a bomb. */
const FREE_BYTES = 1024 * 1024

/** Takes one coding off, a chunk at a time, each chunk flushed through. */
export class CodedDecoder implements Decoder {
  readonly #limits: DecoderLimits
  readonly #coding: string
  readonly #newCoder: () => Coder
  #coder: Coder
  /** Input given to coders before this one, and taken in by them. */
  #inBefore = 0
  #outBytes = 0
  #out: Uint8Array[] = []
  #fault: Fault | null = null
  #done = false
  /** Wakes the step that waits for the coder. */
  #wake: (() => void) | null = null

  constructor(coding: string, newCoder: () => Coder, limits: DecoderLimits) {
    this.#coding = coding
    this.#newCoder = newCoder
    this.#limits = limits
    this.#coder = this.#open()
  }

  async push(chunk: Uint8Array): Promise<Decoded> {
    if (this.#fault !== null) return this.#fault
    if (this.#done) return this.#fail('WIRE_ENCODING_CORRUPT', `has bytes behind the end of its ${this.#coding} body`)
    let rest = chunk
    while (rest.length > 0) {
      const before = this.#coder.bytesWritten
      await this.#feed(rest)
      if (this.#fault !== null) return this.#fault
      const taken = this.#coder.bytesWritten - before
      if (taken === rest.length) break
      // The coder saw an end and left the rest alone.
      if (taken === 0 || !hasFrames(this.#coding))
        return this.#fail('WIRE_ENCODING_CORRUPT', `has bytes behind the end of its ${this.#coding} body`)
      rest = rest.subarray(taken)
      this.#nextFrame()
    }
    return this.#take()
  }

  async end(): Promise<Decoded> {
    if (this.#fault !== null) return this.#fault
    if (this.#done) return { ok: true, chunks: [] }
    this.#done = true
    await this.#step((done) => {
      this.#coder.once('end', done)
      this.#coder.end()
    })
    if (this.#fault === null) this.#coder.destroy()
    return this.#fault ?? this.#take()
  }

  close(): void {
    this.#fault ??= {
      ok: false,
      reason: 'WIRE_ENCODING_CORRUPT',
      detail: `has a ${this.#coding} body that was left before its end`,
    }
    this.#coder.destroy()
    this.#wake?.()
  }

  #open(): Coder {
    const coder = this.#newCoder()
    coder.on('data', (bytes: Uint8Array) => this.#receive(coder, bytes))
    coder.on('error', (error: NodeJS.ErrnoException) => {
      if (coder === this.#coder) this.#broken(error.code ?? '')
    })
    return coder
  }

  #nextFrame(): void {
    this.#inBefore += this.#coder.bytesWritten
    this.#coder.destroy()
    this.#coder = this.#open()
  }

  #feed(bytes: Uint8Array): Promise<void> {
    return this.#step((done) => this.#coder.write(bytes, () => done()))
  }

  /** Waits for `start` to be done, for a fault, or for `close`. */
  #step(start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      start(resolve)
    })
  }

  #receive(coder: Coder, bytes: Uint8Array): void {
    if (this.#fault !== null) return
    this.#out.push(bytes)
    this.#outBytes += bytes.length
    const { ratio, maxBytes } = this.#limits
    const taken = this.#inBefore + coder.bytesWritten
    if (maxBytes !== null && this.#outBytes > maxBytes) this.#stop(tooLarge(this.#limits))
    else if (this.#outBytes > FREE_BYTES && this.#outBytes > ratio * taken)
      this.#fail('WIRE_ENCODING_BOMB', `has a ${this.#coding} body that grows more than ${ratio} times`)
  }

  #broken(code: string): void {
    if (code === 'Z_NEED_DICT')
      this.#fail('WIRE_ENCODING_UNSUPPORTED', `has a ${this.#coding} body that needs a dictionary`)
    else if (code === 'Z_BUF_ERROR') this.#fail('WIRE_ENCODING_CORRUPT', `has a ${this.#coding} body that is cut short`)
    else this.#fail('WIRE_ENCODING_CORRUPT', `has a ${this.#coding} body that is corrupt`)
  }

  #fail(reason: Fault['reason'], detail: string): Fault {
    return this.#stop({ ok: false, reason, detail })
  }

  #stop(fault: Fault): Fault {
    this.#fault ??= fault
    this.#out = []
    this.#coder.destroy()
    this.#wake?.()
    return this.#fault
  }

  #take(): Decoded {
    const chunks = this.#out
    this.#out = []
    return { ok: true, chunks }
  }
}

/** The coder of a coding's name, or null. */
export function coderOf(coding: string): (() => Coder) | null {
  return Object.hasOwn(CODINGS, coding) ? (CODINGS[coding] ?? null) : null
}
