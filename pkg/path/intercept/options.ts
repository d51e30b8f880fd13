import { DEFAULT_LIMITS, type Limits } from '#pkg/model'
import type { FacadeBase } from './routes.ts'

/** Everything but `facades` has a default. */
export type FacadeOptions = {
  /** Which bases are served, and the facade that each is. */
  readonly facades: readonly FacadeBase[]
  /** Default 127.0.0.1: the facade is for agents on this machine. */
  readonly host?: string
  /** 0 = a free one. Default 16,080. */
  readonly port?: number
  /** `requestBytes` and `decodedRatio` hold for a request's body. Default `DEFAULT_LIMITS`. */
  readonly limits?: Pick<Limits, 'requestBytes' | 'decodedRatio'>
  /** Bytes of request bodies, as sent and as decoded, held at a time for all exchanges. Default 256 MiB. */
  readonly maxBodyBytesHeld?: number
  /** Connections at a time; one more is closed unread. Default 1,024. */
  readonly maxConnections?: number
  /** Head of a request, bytes. Default 16 KiB. */
  readonly maxHeaderBytes?: number
  /** Requests that may wait behind the one being answered on the same connection; one more closes it. Default 16. */
  readonly maxPipelined?: number
  /** For the head of a request to be complete. Default 10,000. */
  readonly headersTimeoutMs?: number
  /** For a request to be complete, body included. Default 60,000. */
  readonly requestTimeoutMs?: number
  /** An unused connection is kept that long: longer than the pools of the SDKs keep theirs. Default 65,000. */
  readonly keepAliveTimeoutMs?: number
  /** A client that takes no byte for that long in mid-answer is cut. Default 300,000. */
  readonly stallTimeoutMs?: number
  /** How long the rest of a refused body is read and dropped, so that its sender gets to read the answer. Default 1,000. */
  readonly lingerMs?: number
  /** HTTP/2: streams open at a time on one connection; one more is REFUSED_STREAM. Default 100. */
  readonly maxStreamsPerSession?: number
  /** HTTP/2: streams being served at a time on all connections; one more is REFUSED_STREAM. Default 1,024. */
  readonly maxStreams?: number
  /** HTTP/2: headers of one request, pseudo-headers too; one more resets its stream. Default 128. */
  readonly maxHeaderPairs?: number
  /** HTTP/2: bytes of the table by which headers are compressed, each way. Default 4,096. */
  readonly headerTableBytes?: number
  /** HTTP/2: bytes of one body on their way that its sender need not wait for. Default 65,535. */
  readonly streamWindowBytes?: number
  /** HTTP/2: MiB held for one connection from which on it gets no further stream. Default 10. */
  readonly maxSessionMemoryMiB?: number
  /** HTTP/2: PING and SETTINGS frames of one connection in 10 s; one more ends it. Default 1,000. */
  readonly maxControlFrames?: number
  /** HTTP/2: streams that the client of one connection may reset at once, and a tenth of it each second; one more ends it. Default 200. */
  readonly maxStreamResets?: number
  /** HTTP/2: frames that are not as they should be, empty ones too; one more ends the connection. Default 100. */
  readonly maxInvalidFrames?: number
}

/** All options, set. */
export type Settings = Required<FacadeOptions>

/** The options with their defaults filled in. */
export function settingsOf(options: FacadeOptions): Settings {
  return {
    host: '127.0.0.1',
    port: 16_080,
    limits: DEFAULT_LIMITS,
    maxBodyBytesHeld: 256 * 1024 * 1024,
    maxConnections: 1_024,
    maxHeaderBytes: 16 * 1024,
    maxPipelined: 16,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 60_000,
    keepAliveTimeoutMs: 65_000,
    stallTimeoutMs: 300_000,
    lingerMs: 1_000,
    maxStreamsPerSession: 100,
    maxStreams: 1_024,
    maxHeaderPairs: 128,
    headerTableBytes: 4_096,
    streamWindowBytes: 65_535,
    maxSessionMemoryMiB: 10,
    maxControlFrames: 1_000,
    maxStreamResets: 200,
    maxInvalidFrames: 100,
    ...options,
  }
}
