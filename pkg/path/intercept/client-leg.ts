import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientLeg, Headers } from '#pkg/model'

/** Smaller chunks of one write are joined up to this size: one copy is cheaper than one more frame and vector entry. */
const JOIN_BYTES = 32 * 1024

/** What a leg needs to know of its surroundings. */
export type LegSettings = {
  /** True when the connection must not be used again after this answer. */
  closing(): boolean
}

/** The client's side of one exchange on Node's HTTP server. All calls after the end, or once the client is gone, are void. */
export class HttpClientLeg implements ClientLeg {
  readonly #response: ServerResponse
  readonly #socket: Socket
  readonly #settings: LegSettings
  #headed = false
  #ended = false
  #gone = false
  #listeners: readonly (() => void)[] = NONE
  #closeAfter = false
  /** Waited for before the connection is given up: see {@link endAfter}. */
  #before: (() => Promise<void>) | null = null
  #drained: Promise<void> | null = null
  #resume: (() => void) | null = null
  /** Bytes of this connection that the system had taken at the last look, and the looks since they became more. */
  #taken = -1
  #idleLooks = 0

  constructor(response: ServerResponse, socket: Socket, settings: LegSettings) {
    this.#response = response
    this.#socket = socket
    this.#settings = settings
  }

  get gone(): boolean {
    return this.#gone
  }

  get flushed(): boolean {
    return this.#gone || this.#response.writableLength === 0
  }

  /** True once nothing more can be said to the client. */
  get over(): boolean {
    return this.#ended || this.#gone
  }

  /** True once the answer has begun. */
  get headed(): boolean {
    return this.#headed
  }

  head(status: number, headers: Headers): void {
    if (this.#headed || this.over) return
    this.#writeHead(status, flat(headers))
    this.#response.flushHeaders()
  }

  write(chunks: readonly Uint8Array[]): Promise<void> | void {
    if (this.over) return
    for (const bytes of joined(chunks)) this.#response.write(bytes)
    if (this.#response.writableNeedDrain) return this.#untilDrained()
  }

  end(): void {
    if (this.over) return
    this.#ended = true
    this.#response.end()
  }

  reply(status: number, headers: Headers, body: Uint8Array): void {
    if (this.#headed || this.over) return
    this.#ended = true
    const sent = flat(headers)
    if (status !== 204 && status !== 304) sent.push('content-length', String(body.length))
    this.#writeHead(status, sent)
    if (this.#before === null) endWith(this.#response, body)
    else {
      this.#response.write(body)
      void this.#before().then(() => this.#response.end())
    }
  }

  reset(): void {
    if (this.#gone || this.#finished) return
    this.#listeners = NONE
    this.#ended = true
    this.#leave()
    this.#socket.resetAndDestroy()
  }

  onGone(listener: () => void): void {
    if (this.#gone) listener()
    else this.#listeners = [...this.#listeners, listener]
  }

  /** This answer is the connection's last. `before` is waited for, behind the answer, before the connection closes. */
  endAfter(before: (() => Promise<void>) | null): void {
    this.#closeAfter = true
    this.#before = before
  }

  /** The client is gone: nothing waits any more, and whoever asked is told, once. Void after the last byte has left. */
  vanish(): void {
    if (this.#gone || this.#finished) return
    this.#leave()
    const listeners = this.#listeners
    this.#listeners = NONE
    for (const listener of listeners) listener()
  }

  /** Looks how the client comes along. Returns for how many looks in a row it has taken nothing of what waits for it. */
  look(): number {
    const waits = !this.#gone && this.#response.writableLength > 0
    const taken = this.#socket.bytesWritten - this.#socket.writableLength
    this.#idleLooks = waits && taken === this.#taken ? this.#idleLooks + 1 : 0
    this.#taken = taken
    return this.#idleLooks
  }

  #leave(): void {
    this.#gone = true
    this.#release()
  }

  /** True once all of the answer has left this process. */
  get #finished(): boolean {
    return this.#ended && this.#response.writableFinished
  }

  #writeHead(status: number, headers: string[]): void {
    this.#headed = true
    if (this.#closeAfter || this.#settings.closing()) this.#response.shouldKeepAlive = false
    this.#response.writeHead(status, headers)
  }

  #untilDrained(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#resume = resolve
      this.#response.once('drain', () => this.#release())
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

/** A small body goes out in one piece with its head, which Node does for text only: latin1 is the same bytes. */
function endWith(response: ServerResponse, body: Uint8Array): void {
  if (body.length > JOIN_BYTES) response.end(body)
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1')
}

/** Names and values in turn, as `writeHead` takes them without merging. */
export function flat(headers: Headers): string[] {
  const list: string[] = []
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    if (typeof value === 'string') list.push(name, value)
    else for (const one of value) list.push(name, one)
  }
  return list
}

/** The same bytes in fewer pieces: neighbours in one buffer become one view without a copy, small ones are copied together. */
function joined(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chunks.length <= 1) return chunks
  const views = neighboursMerged(chunks)
  if (views.length === 1) return views
  const pieces: Uint8Array[] = []
  let run: Uint8Array[] = []
  let runBytes = 0
  const close = () => {
    if (run.length > 0) pieces.push(run.length === 1 ? (run[0] ?? EMPTY) : Buffer.concat(run, runBytes))
    run = []
    runBytes = 0
  }
  for (const chunk of views) {
    if (runBytes + chunk.length > JOIN_BYTES) close()
    run.push(chunk)
    runBytes += chunk.length
  }
  close()
  return pieces
}

function neighboursMerged(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const views: Uint8Array[] = []
  let last: Uint8Array | null = null
  for (const chunk of chunks) {
    if (last !== null && last.buffer === chunk.buffer && last.byteOffset + last.length === chunk.byteOffset) {
      last = new Uint8Array(last.buffer, last.byteOffset, last.length + chunk.length)
      views[views.length - 1] = last
    } else {
      last = chunk
      views.push(chunk)
    }
  }
  return views
}

const NONE: readonly (() => void)[] = []
const EMPTY = new Uint8Array(0)
