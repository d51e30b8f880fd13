import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Socket } from 'node:net'
import { h2Error } from './h2-faults.ts'

/** How a connection is kept. */
export type H2Settings = {
  readonly maxHeaderBytes: number
  readonly connectTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly maxStreamsPerConnection: number
  readonly streamWindowBytes: number
  readonly pingAfterMs: number
}

/** One connection with a provider. It takes streams until it is full, told to go, or dead. */
export class H2Connection {
  readonly #session: ClientHttp2Session
  readonly #settings: H2Settings
  readonly #closed: () => void
  #streams = 0
  #used = false
  #idle: NodeJS.Timeout | null = null
  /** What the connection had read at the last look. */
  #read = -1
  #pinged = false
  readonly #watch: NodeJS.Timeout

  private constructor(session: ClientHttp2Session, settings: H2Settings, closed: () => void) {
    this.#session = session
    this.#settings = settings
    this.#closed = closed
    this.#watch = setInterval(() => this.#look(), settings.pingAfterMs).unref()
    session.once('close', () => this.#leave())
  }

  /** Greets on a socket that negotiated h2; resolves once the peer has said how much it takes, so that nobody guesses. */
  static open(origin: string, socket: Socket, settings: H2Settings, closed: () => void): Promise<H2Connection> {
    const options = {
      createConnection: () => socket,
      maxReservedRemoteStreams: 0,
      strictSingleValueFields: false, // what an agent repeats is repeated, as in HTTP/1.1; Node's types do not know it
      settings: {
        enablePush: false,
        maxHeaderListSize: settings.maxHeaderBytes,
        initialWindowSize: settings.streamWindowBytes,
      },
    }
    const session = connect(origin, options)
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => fail(h2Error('H2_NO_SETTINGS')), settings.connectTimeoutMs)
      const fail = (error: Error) => {
        clearTimeout(late)
        reject(error)
        session.destroy()
        socket.destroy()
      }
      const gone = () => fail(h2Error('H2_NO_SETTINGS'))
      session.on('error', fail) // later on, the streams tell
      session.once('close', gone)
      session.once('remoteSettings', () => {
        clearTimeout(late)
        session.off('close', gone)
        resolve(new H2Connection(session, settings, closed))
      })
    })
  }

  /** True if one more stream fits now. */
  get usable(): boolean {
    const { closed, destroyed, remoteSettings } = this.#session
    const most = Math.min(this.#settings.maxStreamsPerConnection, remoteSettings.maxConcurrentStreams ?? 100)
    return !closed && !destroyed && this.#streams < most
  }

  /** True if it never had a stream. */
  get unused(): boolean {
    return !this.#used
  }

  /** Opens a stream; only while `usable`. */
  request(headers: Readonly<Record<string, string | string[]>>, endStream: boolean): ClientHttp2Stream {
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#idle = null
    this.#streams += 1
    this.#used = true
    const stream = this.#session.request(headers, { endStream })
    stream.once('close', () => this.#streamClosed())
    return stream
  }

  /** No more streams; it closes after the last. */
  retire(): void {
    this.#session.close()
  }

  close(): void {
    this.#session.destroy(h2Error('UND_ERR_DESTROYED'), constants.NGHTTP2_CANCEL)
  }

  #streamClosed(): void {
    this.#streams -= 1
    if (this.#streams > 0 || this.#session.destroyed) return
    this.#idle = setTimeout(() => this.#session.close(), this.#settings.keepAliveTimeoutMs).unref()
  }

  /** A connection that has streams and says nothing is asked whether it is there; one that does not answer is not. */
  #look(): void {
    const socket = this.#session.socket
    if (this.#session.destroyed || socket === undefined) return
    const silent = socket.bytesRead === this.#read && this.#streams > 0
    this.#read = socket.bytesRead
    if (!silent) this.#pinged = false
    else if (this.#pinged) this.#session.destroy(h2Error('H2_DEAD'))
    else {
      this.#pinged = true
      this.#session.ping(() => {})
    }
  }

  #leave(): void {
    clearInterval(this.#watch)
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#closed()
  }
}
