import { type ErrorCode, SallyportError } from '#pkg/model/errors'

/** What the messages of a fault may name: nothing of the payload, never a key. */
export type FaultPlace = {
  readonly provider: string
  /** `host:port`. */
  readonly label: string
  /** True for a host of `egress`, whose address no setting gives. */
  readonly isHost?: boolean
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly bodyIdleTimeoutMs: number
  readonly maxHeaderBytes: number
}

type FaultRow = { readonly code: ErrorCode; readonly text: (place: FaultPlace) => string }

const failed = (text: (place: FaultPlace) => string): FaultRow => ({ code: 'UPSTREAM_FAILED', text })
const late = (text: (place: FaultPlace) => string): FaultRow => ({ code: 'UPSTREAM_TIMEOUT', text })
const setting = (place: FaultPlace) =>
  place.isHost === true
    ? 'is the host up, and the port the right one?'
    : `is the provider's address right? (--upstream ${place.provider}=URL)`
const untrusted = failed(
  (at) => `the certificate of ${at.label} is not trusted: a proxy that breaks TLS, or a wrong CA?`,
)
const notFound = failed((at) => `the name of ${at.label} does not resolve: ${setting(at)}`)
const unreachable = failed((at) => `${at.label} is unreachable: is there a network route to it?`)
const brokenOff = failed((at) => `${at.label} closed the connection before its answer was complete`)
const notTls = failed((at) => `no TLS with ${at.label}: is the address http rather than https?`)
const slowDial = late((at) => `no connection to ${at.label} within ${at.connectTimeoutMs} ms: ${setting(at)}`)

/** Codes of the socket, of TLS and of the HTTP client → what it most likely means. */
const FAULTS: Readonly<Record<string, FaultRow>> = {
  ECONNREFUSED: failed((at) => `connection refused by ${at.label}: ${setting(at)}`),
  ENOTFOUND: notFound,
  EAI_AGAIN: notFound,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ECONNRESET: brokenOff,
  EPIPE: brokenOff,
  UND_ERR_SOCKET: brokenOff,
  ETIMEDOUT: slowDial,
  UND_ERR_CONNECT_TIMEOUT: slowDial,
  UND_ERR_HEADERS_TIMEOUT: late((at) => `${at.label} did not begin to answer within ${at.headersTimeoutMs} ms`),
  UND_ERR_BODY_TIMEOUT: late((at) => `${at.label} sent nothing for ${at.bodyIdleTimeoutMs} ms in mid-answer`),
  UND_ERR_HEADERS_OVERFLOW: failed((at) => `the headers of ${at.label} are larger than ${at.maxHeaderBytes} bytes`),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: failed((at) => `the body of ${at.label} is not as long as its content-length`),
  UND_ERR_DESTROYED: failed(() => 'this process is shutting down'),
  UND_ERR_CLOSED: failed(() => 'this process is shutting down'),
  UND_ERR_ABORTED: failed(() => 'the exchange was cancelled'),
  H2_REFUSED: failed((at) => `${at.label} takes no further request at the moment; nothing of it was acted on`),
  H2_CALM: failed((at) => `${at.label} says that it is asked too much (HTTP/2 ENHANCE_YOUR_CALM)`),
  H2_RESET: failed((at) => `${at.label} reset the stream before its answer was complete`),
  H2_PROTOCOL: failed((at) => `${at.label} does not speak HTTP/2 as it should; is a proxy in between?`),
  H2_GOAWAY: failed((at) => `${at.label} ended the connection in mid-answer (HTTP/2 GOAWAY)`),
  H2_DEAD: failed((at) => `${at.label} no longer answers on its connection`),
  H2_NO_SETTINGS: failed((at) => `${at.label} chose HTTP/2 and then did not speak it`),
  EPROTO: notTls,
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: failed((at) => `the certificate of ${at.label} has expired`),
  ERR_TLS_CERT_ALTNAME_INVALID: failed((at) => `the certificate of ${at.label} is for another name: ${setting(at)}`),
  UND_ERR_INVALID_ARG: { code: 'INTERNAL', text: () => 'the request cannot be written as HTTP/1.1' },
  UND_ERR_NOT_SUPPORTED: { code: 'INTERNAL', text: () => 'the request cannot be written as HTTP/1.1' },
}

const NOT_HTTP = failed((at) => `${at.label} does not speak HTTP/1.1 as it should: ${setting(at)}`)
const UNKNOWN = failed((at) => `the exchange with ${at.label} failed: ${setting(at)}`)

/**
 * What an error of the HTTP client means to the caller. The error itself is not kept as a cause: it can hold bytes of
 * the answer; its code is in `fields.cause`.
 */
export function faultOf(error: unknown, place: FaultPlace): SallyportError {
  if (error instanceof SallyportError) return error
  const cause = codeOf(error)
  const row = FAULTS[cause] ?? (cause.startsWith('HPE_') ? NOT_HTTP : UNKNOWN)
  return new SallyportError(row.code, row.text(place), { fields: { provider: place.provider, cause } })
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'UNKNOWN'
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  return 'UNKNOWN'
}
