import type { Ask, ClientLeg, ClientTunnel, Headers, HostTarget, Reason } from '#pkg/model'
import type { Log } from '#pkg/platform/log'

/** A request that breaks a rule. `detail` follows "the request", and never holds payload. */
export type Fault = { readonly ok: false; readonly reason: Reason; readonly detail: string }

/** The rules of HTTP/1.1 requests, as `codec/wire/http1` exports them. Pure. */
export type RequestRules = {
  /** A parser's flat list of names and values as Headers. */
  readHeaders(raw: readonly string[]): { readonly ok: true; readonly headers: Headers } | Fault
  /** The one reading of a request target. */
  requestTarget(
    method: string,
    rawUrl: string,
  ): { readonly ok: true; readonly path: string; readonly query: string } | Fault
  /** Is it for another host: CONNECT, or in absolute form? */
  isProxied(method: string, rawUrl: string): boolean
  /** The one reading of such a request's target. */
  proxyTarget(
    method: string,
    rawUrl: string,
    headers: Headers,
  ): { readonly ok: true; readonly target: HostTarget; readonly path: string; readonly query: string } | Fault
  /** The agent's token that came with it, or null. */
  proxyTokenOf(headers: Headers): string | null
  /** Where the body ends: its length, 0 = none, null = chunked. */
  requestFraming(
    headers: Headers,
    httpVersion: string,
  ): { readonly ok: true; readonly length: number | null; readonly expectsContinue: boolean } | Fault
  /** The agent's token, from a header or the query, or null. */
  tokenOf(headers: Headers, query: string): string | null
  /** What `content-encoding` says, or null. */
  contentEncodingOf(headers: Headers): string | null
}

/** The same rules for HTTP/2, as `codec/wire/http2` exports them: the flat list is a header block. Pure. */
export type Http2Rules = Omit<RequestRules, 'isProxied' | 'proxyTarget' | 'proxyTokenOf'> & {
  /** Method and target of a header block, empty where they are missing. */
  requestLine(raw: readonly string[]): { readonly method: string; readonly url: string }
}

/** Takes the content coding off a body, as `codec/wire/encoding` exports it (`decodeWhole`). */
export type DecodeBody = (
  bytes: Uint8Array,
  contentEncoding: string | null,
  limits: { readonly maxBytes: number; readonly ratio: number },
) =>
  | { readonly ok: true; readonly body: Uint8Array }
  | Fault
  | Promise<{ readonly ok: true; readonly body: Uint8Array } | Fault>

/** What is known of a request that could not be read to its end. `path` is empty where the target itself is at fault. */
export type RejectedAsk = Pick<Ask, 'facade' | 'method' | 'path' | 'token'>

/** What the facade is given. */
export type FacadeDeps = {
  readonly rules: RequestRules
  /** Undefined = HTTP/2 is not spoken. */
  readonly http2?: Http2Rules
  readonly decode: DecodeBody
  /** Answers one request. `ask.facade` is empty for a path below no base. To settle without an answer is a failure. */
  handle(ask: Ask, client: ClientLeg): Promise<void> | void
  /** Answers one request for a connection of its own: CONNECT (`ask.target` is set), or a WebSocket at a facade. Settles when it is over. */
  tunnel(ask: Ask, client: ClientTunnel): Promise<void>
  /** Writes down why a request could not be read, then answers it. */
  reject(ask: RejectedAsk, reason: Reason, detail: string, client: ClientLeg): Promise<void> | void
  readonly log?: Log
}
