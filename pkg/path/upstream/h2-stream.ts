import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2'
import type { Dispatcher } from 'undici'
import type { H2Connection } from './h2-connection.ts'
import { h2Error, whyEnded } from './h2-faults.ts'

/** A request as `upstream` hands it to its HTTP client. */
export type H2Request = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Uint8Array | null
}

/** Where it goes, and how long its answer may take. */
export type H2Place = {
  readonly scheme: string
  readonly authority: string
  readonly headersTimeoutMs: number
  readonly bodyIdleTimeoutMs: number
  readonly maxHeaderBytes: number
}

/** Tells the handler, in the words of the HTTP client, what happens on one stream. It is told of one end, once. */
export class H2Stream implements Dispatcher.DispatchController {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #place: H2Place
  #stream: ClientHttp2Stream | null = null
  #over = false
  #answered = false
  aborted = false
  paused = false
  reason: Error | null = null

  constructor(handler: Dispatcher.DispatchHandler, place: H2Place) {
    this.#handler = handler
    this.#place = place
  }

  /** Asks the handler a last time, and writes the request. Nothing is tried twice. */
  send(connection: H2Connection, request: H2Request): void {
    this.#handler.onRequestStart?.(this, undefined)
    if (this.aborted) return
    const stream = connection.request(headersOf(request, this.#place), request.body === null)
    this.#stream = stream
    this.#listen(stream)
    stream.setTimeout(this.#place.headersTimeoutMs)
    if (request.body !== null) stream.end(request.body)
  }

  /** The stream is reset; the others of its connection go on. */
  abort(reason: Error): void {
    this.aborted = true
    this.reason = reason
    this.#stream?.close(constants.NGHTTP2_CANCEL)
    this.#fail(reason)
  }

  pause(): void {
    this.paused = true
    this.#stream?.pause()
    this.#stream?.setTimeout(0) // who does not read cannot be sent anything
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#stream?.setTimeout(this.#place.bodyIdleTimeoutMs)
    this.#stream?.resume()
  }

  #listen(stream: ClientHttp2Stream): void {
    let error: NodeJS.ErrnoException | null = null
    stream.on('error', (thrown: NodeJS.ErrnoException) => {
      error = thrown
    })
    stream.on('headers', (headers) => this.#interim(headers))
    stream.on('response', (headers, _flags, raw) => {
      this.#answered = true
      stream.setTimeout(this.#place.bodyIdleTimeoutMs)
      // names and values as they came; Node's types do not say so
      const list = (raw ?? []) as unknown as readonly string[]
      if (bytesOf(list) > this.#place.maxHeaderBytes) return this.abort(h2Error('UND_ERR_HEADERS_OVERFLOW'))
      const listed = listOf(list)
      this.#handler.onResponseStart?.(this, Number(headers[':status']), listed, undefined)
    })
    stream.on('data', (bytes: Buffer) => {
      if (!this.#over) this.#handler.onResponseData?.(this, bytes)
    })
    stream.on('timeout', () => this.abort(h2Error(this.#answered ? 'UND_ERR_BODY_TIMEOUT' : 'UND_ERR_HEADERS_TIMEOUT')))
    const whole = watchEnd(stream)
    stream.on('end', () => {
      if (this.#answered && whole()) this.#end()
    })
    stream.on('close', () => this.#fail(whyEnded(stream.rstCode ?? 0, error)))
  }

  #interim(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    if (!this.#over) this.#handler.onResponseStart?.(this, Number(headers[':status']), {}, undefined)
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#handler.onResponseEnd?.(this, {})
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#handler.onResponseError?.(this, error)
  }
}

function headersOf(request: H2Request, place: H2Place): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    ':method': request.method,
    ':scheme': place.scheme,
    ':authority': place.authority,
    ':path': request.path,
    ...request.headers,
  }
  if (request.body !== null) headers['content-length'] = String(request.body.length)
  return headers
}

/**
 * Says whether a stream ended by its peer's END_STREAM. Node also ends what was reset without an error, and what was
 * broken off would look whole: then it is closed before it ends.
 */
function watchEnd(stream: ClientHttp2Stream): () => boolean {
  let whole: boolean | null = null
  const push = stream.push.bind(stream)
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) whole ??= !stream.closed // the first end counts: destroying the stream ends it once more
    return push(chunk, encoding)
  }
  return () => whole === true
}

function bytesOf(raw: readonly string[]): number {
  return raw.reduce((sum, text) => sum + text.length, 0)
}

/** Every value of every header, as HTTP/1.1's client gives them: two of one are two. */
function listOf(raw: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null)
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    if (name.startsWith(':')) continue
    const known = headers[name]
    if (known === undefined) headers[name] = value
    else if (typeof known === 'string') headers[name] = [known, value]
    else known.push(value)
  }
  return headers
}
