import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { buildConnector, Dispatcher } from 'undici'
import { H2Connection, type H2Settings } from './h2-connection.ts'
import { h2Error } from './h2-faults.ts'
import { type H2Place, type H2Request, H2Stream } from './h2-stream.ts'

/** A provider that did not choose h2 is not asked again for that long. */
const HTTP1_FOR_MS = 600_000

/** What one origin needs. `connect` offers h2 and http/1.1. */
export type H2OriginDeps = {
  readonly connect: buildConnector.connector
  readonly origin: string
  readonly settings: H2Settings & Pick<H2Place, 'headersTimeoutMs' | 'bodyIdleTimeoutMs' | 'maxHeaderBytes'>
}

/**
 * The connections with one provider that speak HTTP/2. A request goes on one that has room, else on a new one; one that
 * waits for a connection is as one that is being dialled. Where TLS negotiates HTTP/1.1 the caller's other way is taken.
 */
export class H2Origin {
  readonly #deps: H2OriginDeps
  readonly #url: URL
  readonly #place: H2Place
  readonly #connections = new Set<H2Connection>()
  #dialling: Promise<H2Connection | null> | null = null
  #http1Until = 0
  #closed = false

  constructor(deps: H2OriginDeps) {
    const { origin, settings } = deps
    this.#deps = deps
    this.#url = new URL(origin)
    this.#place = { ...settings, scheme: this.#url.protocol.slice(0, -1), authority: this.#url.host }
  }

  /** Sends the request and tells the handler of its answer. `http1` sends it the other way; only one of the two happens. */
  dispatch(request: H2Request, handler: Dispatcher.DispatchHandler, http1: () => void): void {
    if (performance.now() < this.#http1Until) return http1()
    const stream = new H2Stream(handler, this.#place)
    const usable = this.#usable()
    if (usable !== null) stream.send(usable, request)
    else
      void this.#waitAndSend(stream, request, http1).catch((error: unknown) => {
        stream.abort(error instanceof Error ? error : h2Error('H2_RESET'))
      })
  }

  /** The connections of now take no more streams, and close after their last. */
  renew(): void {
    for (const connection of this.#connections) connection.retire()
  }

  close(): void {
    this.#closed = true
    for (const connection of this.#connections) connection.close()
  }

  async #waitAndSend(stream: H2Stream, request: H2Request, http1: () => void): Promise<void> {
    for (;;) {
      this.#dialling ??= this.#dial().finally(() => {
        this.#dialling = null
      })
      const dialled = await this.#dialling
      if (dialled === null) return http1()
      const usable = this.#usable()
      if (usable !== null) return stream.send(usable, request)
      // others were faster; a new connection with no room at all never has any
      if (!dialled.usable && dialled.unused) throw h2Error('H2_REFUSED')
    }
  }

  #usable(): H2Connection | null {
    for (const connection of this.#connections) if (connection.usable) return connection
    return null
  }

  async #dial(): Promise<H2Connection | null> {
    const socket = await connected(this.#deps.connect, this.#url)
    if (this.#closed) {
      socket.destroy()
      throw h2Error('UND_ERR_DESTROYED')
    }
    if (!(socket instanceof TLSSocket) || socket.alpnProtocol !== 'h2') {
      socket.destroy()
      this.#http1Until = performance.now() + HTTP1_FOR_MS
      return null
    }
    const connection = await H2Connection.open(this.#deps.origin, socket, this.#deps.settings, () => {
      this.#connections.delete(connection)
    })
    this.#connections.add(connection)
    if (this.#closed) connection.close()
    return connection
  }
}

function connected(connect: buildConnector.connector, { hostname, host, protocol, port }: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    connect({ hostname: bare, host, protocol, port: port === '' ? '443' : port }, (error, socket) => {
      if (error !== null) reject(error)
      else if (socket === null) reject(h2Error('H2_NO_SETTINGS'))
      else resolve(socket)
    })
  })
}
