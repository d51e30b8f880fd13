import type { Dispatcher } from 'undici'
import type { Headers, Permit, UpstreamLeg } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type FaultPlace, faultOf } from './faults.ts'
import { PermitStaleError } from './permit-stale.ts'

/** Interim answers (1xx) that one exchange may have; more is a peer that stalls. */
const MAX_INTERIM_ANSWERS = 16

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

type Pull = {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void
  readonly reject: (error: unknown) => void
}

type IncomingHeaders = Readonly<Record<string, string | string[] | undefined>>

/** What one exchange needs of its surroundings. */
export type ExchangeDeps = {
  readonly permit: Permit
  /** Asked at the write of the request. */
  isLive(permit: Permit): boolean
  readonly place: FaultPlace
  /** Queued bytes from which on the connection is no longer read. */
  readonly bufferBytes: number
  /** `pass`: a redirect is an answer like any other. Default: it is a fault. Never is one followed. */
  readonly redirects?: 'pass'
  /** Runs what closes the connection of an exchange that is given up. Default: runs it. */
  cut?(abort: () => void): void
  /** Called once, when the connection is no longer used by this exchange. */
  released(): void
  resolve(leg: UpstreamLeg): void
  reject(error: Error): void
}

/**
 * One request and its answer. The HTTP client pushes; the reader pulls through `next`. What is not pulled waits in a
 * queue, and from `bufferBytes` on the socket is paused, so a reader that stops stops the provider. A chunk that
 * arrives while the reader waits is handed over at once, without the queue: one promise per chunk, no timer, no stream.
 */
export class Exchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array> {
  readonly #deps: ExchangeDeps
  #controller: Dispatcher.DispatchController | null = null
  #interim = 0
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #pull: Pull | null = null
  /** No more bytes will come. */
  #closed = false
  #failure: Error | null = null
  #released = false

  constructor(deps: ExchangeDeps) {
    this.#deps = deps
  }

  // What the HTTP client calls.

  /** Right before the request is written: the last moment at which a stale permit can stop it. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#closed) controller.abort(this.#failure ?? this.#cancelled())
    else if (!this.#deps.isLive(this.#deps.permit)) this.#fail(new PermitStaleError(this.#deps.permit))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHeaders): void {
    if (this.#closed) return
    if (status < 200) {
      this.#interim += 1
      if (this.#interim > MAX_INTERIM_ANSWERS) this.#fail(this.#refused('sends interim answers without end'))
      return
    }
    if (status >= 300 && status < 400 && this.#deps.redirects !== 'pass')
      this.#fail(this.#refused(`redirects (${status}), which is not followed`))
    else this.#deps.resolve({ status, headers: headersOf(headers), chunks: this, cancel: () => this.cancel() })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#closed) return
    const pull = this.#pull
    if (pull !== null) {
      this.#pull = null
      pull.resolve({ done: false, value: chunk })
      return
    }
    this.#queue.push(chunk)
    this.#queuedBytes += chunk.length
    if (this.#queuedBytes >= this.#deps.bufferBytes) controller.pause()
  }

  onResponseEnd(): void {
    this.#close(null)
    this.#release()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (!this.#closed) this.#close(faultOf(error, this.#deps.place))
    this.#release()
  }

  // What the reader calls.

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next bytes. One pull at a time. */
  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#queue.shift()
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length
      if (this.#queuedBytes === 0 && !this.#closed) this.#controller?.resume()
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#failure !== null) return Promise.reject(this.#failure)
    if (this.#closed) return Promise.resolve(DONE)
    return new Promise((resolve, reject) => {
      this.#pull = { resolve, reject }
    })
  }

  /** A reader that leaves early does not want the rest. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.cancel()
    return Promise.resolve(DONE)
  }

  /** Closes the connection, drops what is queued, ends the iteration. Safe at any time, and twice. */
  cancel(): void {
    this.#queue = []
    this.#queuedBytes = 0
    if (this.#closed) return
    this.#close(null)
    const error = this.#cancelled()
    this.#deps.reject(error) // a no-op once the headers have come
    const abort = (): void => this.#controller?.abort(error)
    if (this.#deps.cut === undefined) abort()
    else this.#deps.cut(abort)
  }

  /** Ends the exchange with a fault of our own finding, and its connection. */
  #fail(error: Error): void {
    this.#close(error)
    this.#controller?.abort(error)
  }

  #close(failure: Error | null): void {
    if (this.#closed) return
    this.#closed = true
    this.#failure = failure
    if (failure !== null) this.#deps.reject(failure) // a no-op once the headers have come
    const pull = this.#pull
    this.#pull = null
    if (failure === null) pull?.resolve(DONE)
    else pull?.reject(failure)
  }

  #release(): void {
    if (this.#released) return
    this.#released = true
    this.#deps.released()
  }

  #refused(what: string): SallyportError {
    const { label, provider } = this.#deps.place
    return new SallyportError('UPSTREAM_FAILED', `${label} ${what}`, { fields: { provider } })
  }

  #cancelled(): SallyportError {
    const { provider } = this.#deps.place
    return new SallyportError('UPSTREAM_FAILED', 'the exchange was cancelled', {
      fields: { provider, cancelled: true },
    })
  }
}

function headersOf(incoming: IncomingHeaders): Headers {
  const headers: Record<string, string | readonly string[]> = {}
  for (const name of Object.keys(incoming)) {
    const value = incoming[name]
    if (value !== undefined) headers[name] = value
  }
  return headers
}
