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
    ...options,
  }
}
