import type { Readable } from 'node:stream'

/** Where a body comes from. `complete`: all of it is in; a stream of HTTP/2 does not say so. */
type Source = Readable & { readonly complete?: boolean }

/** A body as it was sent; or why there is none: `vanished` = the client went away in the middle. */
export type ReadBody =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: BodyFault | 'vanished' }

/** Why a body was not read to its end. `no-room` = too many bytes of bodies are held in this process. */
export type BodyFault = 'too-large' | 'no-room' | 'broken' | 'timeout'

/** Bytes of request bodies that this process may hold at a time, all exchanges together. */
export type BodyBudget = { readonly maxBytes: number; heldBytes: number }

/** The body of one request while it arrives. Its bytes are counted as they come; the first one above the cap ends it. */
export class RequestBody {
  readonly #request: Source
  readonly #maxBytes: number
  readonly #budget: BodyBudget
  /** Taken from the budget. */
  #held = 0
  #started = false
  #broken = false
  #chunks: Uint8Array[] = []
  #bytes = 0
  #settle: ((body: ReadBody) => void) | null = null

  constructor(request: Source, maxBytes: number, budget: BodyBudget) {
    this.#request = request
    this.#maxBytes = maxBytes
    this.#budget = budget
  }

  /** True between `read` and its result. */
  get reading(): boolean {
    return this.#settle !== null
  }

  /** True once `read` was called. */
  get started(): boolean {
    return this.#started
  }

  /** True once the parser gave up on it: nothing more of this connection can be read. */
  get broken(): boolean {
    return this.#broken
  }

  /** Counts bytes into the budget until {@link release}; false, and nothing counted, if there is no room. */
  hold(bytes: number): boolean {
    if (this.#budget.heldBytes + bytes > this.#budget.maxBytes) return false
    this.#budget.heldBytes += bytes
    this.#held += bytes
    return true
  }

  /** Nothing of this body is needed any more. */
  release(): void {
    this.#budget.heldBytes -= this.#held
    this.#held = 0
  }

  /** Reads to the end, or to the byte that is one too many; from there on nothing is read. */
  read(): Promise<ReadBody> {
    this.#started = true
    return new Promise((resolve) => {
      this.#settle = resolve
      this.#request.on('data', this.#onData)
      this.#request.on('end', this.#onEnd)
    })
  }

  /** The parser gave up on it. */
  fail(kind: 'broken' | 'timeout'): void {
    this.#broken = true
    this.#finish({ kind })
  }

  /** The client is gone. */
  vanish(): void {
    this.#finish({ kind: 'vanished' })
  }

  /** Reads and drops what still comes, until its end, `ms`, or a further `maxBytes`. */
  discard(ms: number): Promise<void> {
    const request = this.#request
    if (this.#broken || request.complete || request.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      let dropped = 0
      const done = () => {
        clearTimeout(timer)
        request.pause()
        resolve()
      }
      const timer = setTimeout(done, ms)
      request.on('data', (chunk: Uint8Array) => {
        dropped += chunk.length
        if (dropped > this.#maxBytes) done()
      })
      request.once('end', done)
      request.once('close', done)
      request.resume()
    })
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) this.#finish({ kind: 'too-large' })
    else if (!this.hold(chunk.length)) this.#finish({ kind: 'no-room' })
    else this.#chunks.push(chunk)
  }

  readonly #onEnd = (): void => {
    const only = this.#chunks[0]
    const bytes = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#bytes)
    this.#finish({ kind: 'whole', bytes })
  }

  #finish(body: ReadBody): void {
    const settle = this.#settle
    if (settle === null) return
    this.#settle = null
    this.#chunks = []
    if (body.kind !== 'whole') {
      this.#request.off('data', this.#onData)
      this.#request.off('end', this.#onEnd)
      this.#request.pause()
    }
    settle(body)
  }
}
