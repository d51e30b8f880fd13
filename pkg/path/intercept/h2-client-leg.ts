import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Headers } from '#pkg/model'
import { flat, joined } from './client-leg.ts'
import type { ServedLeg } from './exchange.ts'

/** A whole answer is written in such pieces, so that a client that reads it slowly is seen to read. */
const PIECE_BYTES = 16 * 1024

/** Statuses whose answer ends with its head. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * The client's side of one exchange that is a stream of HTTP/2. All calls after the end, or once the client is gone, are
 * void. A reset is a RST_STREAM: the other streams of the connection go on.
 */
export class Http2ClientLeg implements ServedLeg {
  readonly #stream: ServerHttp2Stream
  #headed = false
  #bodiless: boolean
  #ended = false
  #gone = false
  #listeners: readonly (() => void)[] = NONE
  #drained: Promise<void> | null = null
  #resume: (() => void) | null = null
  #written = 0
  /** What is still to be written of a whole answer. */
  #rest: Uint8Array = EMPTY
  /** Bytes that the connection had taken at the last look, and the looks since they became more. */
  #taken = -1
  #idleLooks = 0

  constructor(stream: ServerHttp2Stream, method: string) {
    this.#stream = stream
    this.#bodiless = method === 'HEAD'
  }

  get gone(): boolean {
    return this.#gone
  }

  get flushed(): boolean {
    return this.#gone || (this.#stream.writableLength === 0 && this.#rest.length === 0)
  }

  /** The connection sends for all its streams at the end of a turn. */
  get flushesLater(): true {
    return true
  }

  get over(): boolean {
    return this.#ended || this.#gone
  }

  get headed(): boolean {
    return this.#headed
  }

  head(status: number, headers: Headers): void {
    if (this.#headed || this.over) return
    this.#writeHead(status, flat(headers))
  }

  write(chunks: readonly Uint8Array[]): Promise<void> | void {
    if (this.over || this.#bodiless) return
    for (const bytes of joined(chunks)) this.#write(bytes)
    if (this.#stream.writableNeedDrain) return this.#untilDrained()
  }

  end(): void {
    if (this.over) return
    this.#ended = true
    if (!this.#bodiless) this.#stream.end()
  }

  reply(status: number, headers: Headers, body: Uint8Array): void {
    if (this.#headed || this.over) return
    const sent = flat(headers)
    if (status !== 204 && status !== 304) sent.push('content-length', String(body.length))
    this.#writeHead(status, sent)
    if (this.over) return
    this.#ended = true
    if (this.#bodiless) return
    this.#rest = body
    this.#writeRest()
  }

  reset(): void {
    if (this.#gone || this.#finished) return
    this.#listeners = NONE
    this.#ended = true
    this.#leave()
    resetStream(this.#stream)
  }

  onGone(listener: () => void): void {
    if (this.#gone) listener()
    else this.#listeners = [...this.#listeners, listener]
  }

  /** The rest of a body that is refused is not read: its sender is told to stop, behind the answer. RFC 9113 §8.1. */
  endAfter(): void {
    const stop = () => this.#stream.close(constants.NGHTTP2_NO_ERROR)
    if (this.#stream.writableFinished) stop()
    else this.#stream.once('finish', stop)
  }

  vanish(): void {
    if (this.#gone || this.#finished) return
    this.#leave()
    const listeners = this.#listeners
    this.#listeners = NONE
    for (const listener of listeners) listener()
  }

  /** Resets the stream if its client has taken nothing of what waits for it, for that many looks in a row. */
  look(most: number): boolean {
    const waits = !this.#gone && this.#stream.writableLength > 0
    const taken = this.#written - this.#stream.writableLength
    this.#idleLooks = waits && taken === this.#taken ? this.#idleLooks + 1 : 0
    this.#taken = taken
    if (this.#idleLooks < most) return false
    this.vanish()
    resetStream(this.#stream)
    this.#stream.destroy() // a connection that is dying may never say that the stream is closed
    return true
  }

  #leave(): void {
    this.#gone = true
    this.#rest = EMPTY
    this.#release()
  }

  /** True once all of the answer has left this process. */
  get #finished(): boolean {
    return this.#ended && this.#stream.writableFinished
  }

  #writeHead(status: number, headers: string[]): void {
    if (this.#stream.closed || this.#stream.destroyed) return this.vanish()
    this.#stream.respond([':status', String(status), ...headers])
    this.#headed = true
    this.#bodiless ||= BODILESS.has(status)
  }

  #write(bytes: Uint8Array): void {
    this.#written += bytes.length
    this.#stream.write(bytes)
  }

  /** As the client takes it: what Node holds for a stream it writes in one, and nobody would see the client read. */
  #writeRest(): void {
    while (this.#rest.length > 0 && !this.#stream.writableNeedDrain) {
      this.#write(this.#rest.subarray(0, PIECE_BYTES))
      this.#rest = this.#rest.subarray(PIECE_BYTES)
    }
    if (this.#rest.length === 0) this.#stream.end()
    else this.#stream.once('drain', () => this.#gone || this.#writeRest())
  }

  #untilDrained(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#resume = resolve
      this.#stream.once('drain', () => this.#release())
    })
    return this.#drained
  }

  #release(): void {
    this.#drained = null
    const resume = this.#resume
    this.#resume = null
    resume?.()
  }
}

/**
 * Ends a stream by RST_STREAM and by nothing before it. Node ends the stream that it resets, which would reach a client
 * whose own side has ended as a clean end. The code is INTERNAL_ERROR: some clients take CANCEL for one too.
 */
export function resetStream(stream: ServerHttp2Stream): void {
  if (stream.closed || stream.destroyed) return
  stream.end = () => stream
  stream.close(constants.NGHTTP2_INTERNAL_ERROR)
}

const NONE: readonly (() => void)[] = []
const EMPTY = new Uint8Array(0)
