import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { resetStream } from './h2-client-leg.ts'
import type { Settings } from './options.ts'

/** What a session asks of its facade. */
export type SessionDeps = {
  /** Takes a request; false = there is no room for one more, and nothing was done. */
  begin(stream: ServerHttp2Stream, raw: readonly string[]): boolean
  /** The connection was ended by a limit, or for what was not HTTP/2. */
  refused(why: 'session-flood' | 'request-unparsable', code: string): void
}

/** One connection of HTTP/2. Its streams are exchanges of their own; what is about all of them is watched here. */
export class Session {
  readonly #session: ServerHttp2Session
  readonly #socket: Socket
  readonly #deps: SessionDeps
  readonly #settings: Settings
  readonly #streams = new Set<ServerHttp2Stream>()
  /** True once we ended it ourselves. */
  #over = false
  #greeted = false
  /** PING and SETTINGS frames since the last look. */
  #control = 0
  /** Milliseconds of looks without a stream. */
  #idleMs = 0

  constructor(socket: Socket, deps: SessionDeps, settings: Settings) {
    this.#socket = socket
    this.#deps = deps
    this.#settings = settings
    socket.on('error', () => {}) // 'close' follows
    socket.once('end', () => this.cut()) // as in HTTP/1.1, a half-close is a farewell
    this.#session = performServerHandshake(socket, sessionOptions(settings))
    this.#wire()
  }

  /** Called every `everyMs`: ends what has been silent, or unused, for too long. */
  look(everyMs: number): void {
    this.#control = 0
    this.#idleMs = this.#streams.size > 0 ? 0 : this.#idleMs + everyMs
    const { headersTimeoutMs, keepAliveTimeoutMs } = this.#settings
    if (this.#idleMs < (this.#greeted ? keepAliveTimeoutMs : headersTimeoutMs)) return
    // one look is for the farewell: a client that does not take it is cut at the next
    if (this.#session.closed) this.cut()
    else this.drain()
  }

  /** Says that no further stream is taken; closes when the last one has ended. */
  drain(): void {
    this.#session.close()
  }

  /** Ends every stream, and the connection. */
  cut(): void {
    this.#end(constants.NGHTTP2_NO_ERROR)
    this.#socket.destroy()
  }

  onClosed(listener: () => void): void {
    if (this.#socket.destroyed) listener()
    else this.#socket.once('close', listener)
  }

  #wire(): void {
    const session = this.#session
    const control = () => {
      this.#control += 1
      if (this.#control > this.#settings.maxControlFrames) this.#flooded('CONTROL_FRAMES')
    }
    session.on('stream', (stream, _headers, _flags, raw) => {
      // all its names and values as they came; Node's types do not say so
      this.#take(stream, raw as unknown as readonly string[])
    })
    session.on('remoteSettings', () => {
      this.#greeted = true
      control()
    })
    session.on('ping', control)
    session.on('error', (error: NodeJS.ErrnoException) => {
      const { code = 'UNKNOWN' } = error
      if (!this.#over && code !== 'ECONNRESET' && code !== 'EPIPE') this.#deps.refused('request-unparsable', code)
    })
    session.on('close', () => this.#socket.destroySoon())
  }

  #take(stream: ServerHttp2Stream, raw: readonly string[]): void {
    stream.on('error', () => {}) // 'close' follows
    if (this.#session.destroyed || stream.destroyed) return
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
    if (!this.#deps.begin(stream, raw)) stream.close(constants.NGHTTP2_REFUSED_STREAM)
  }

  #flooded(code: string): void {
    if (this.#over) return
    this.#deps.refused('session-flood', code)
    this.#end(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  /** No answer that is cut off may look whole: each stream is reset before its connection goes. */
  #end(code: number): void {
    this.#over = true
    for (const stream of this.#streams) resetStream(stream)
    if (code === constants.NGHTTP2_NO_ERROR) this.#session.destroy()
    else this.#session.destroy(new Error('ended by a limit'), code)
  }
}

/** What Node and nghttp2 watch by themselves, once they are told how much is too much. */
function sessionOptions(settings: Settings) {
  return {
    maxSessionMemory: settings.maxSessionMemoryMiB,
    maxHeaderListPairs: settings.maxHeaderPairs,
    maxSettings: 32,
    maxOutstandingPings: 1,
    maxSessionInvalidFrames: settings.maxInvalidFrames,
    maxDeflateDynamicTableSize: settings.headerTableBytes,
    streamResetBurst: settings.maxStreamResets,
    streamResetRate: Math.max(1, Math.floor(settings.maxStreamResets / 10)),
    strictSingleValueFields: false, // an answer's headers are the provider's: repeated ones pass as in HTTP/1.1
    settings: {
      headerTableSize: settings.headerTableBytes,
      maxConcurrentStreams: settings.maxStreamsPerSession,
      maxHeaderListSize: settings.maxHeaderBytes,
      initialWindowSize: settings.streamWindowBytes,
      enableConnectProtocol: false,
    },
  }
}
