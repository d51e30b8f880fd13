import type { Permit } from './verdict.ts'

/** Header names in lower case; a repeated header keeps all its values. */
export type Headers = Readonly<Record<string, string | readonly string[]>>

/** One request as `path/intercept` hands it over: framing is checked, the body is whole and below its cap. */
export type Ask = {
  /** The facade that it came through; the plane maps it to a dialect: `openai`. */
  readonly facade: string
  readonly method: string
  /** Below the facade's base, normalised, without query: `/chat/completions`. */
  readonly path: string
  /** With its `?`, or empty. */
  readonly query: string
  readonly headers: Headers
  /** The agent's local token from where the SDK puts its API key, or null. */
  readonly token: string | null
  /** The body as the client means it, content encoding removed. */
  readonly body: Uint8Array
}

/** The client's side of an exchange. Implemented by `path/intercept`. */
export interface ClientLeg {
  /** Status and headers of the answer; once, before the first write. */
  head(status: number, headers: Headers): void
  /** Resolves when the socket takes more; a promise only under back-pressure. Never resolves into an error: a vanished client shows in `gone`. */
  write(chunks: readonly Uint8Array[]): Promise<void> | void
  /** A clean end of the body. */
  end(): void
  /** Head, whole body and end in one; only before `head`. */
  reply(status: number, headers: Headers, body: Uint8Array): void
  /** Drops the connection at once, unsent bytes too. */
  reset(): void
  /** True once the client is gone. */
  readonly gone: boolean
  /** True when nothing that was written still waits in this process. */
  readonly flushed: boolean
  /** Called once when the client goes away before the end; at once if it has. */
  onGone(listener: () => void): void
}

/** The provider's answer. Implemented by `path/upstream`. */
export type UpstreamLeg = {
  readonly status: number
  readonly headers: Headers
  /** Body bytes as they arrive, still content-encoded; throws SallyportError UPSTREAM_FAILED or UPSTREAM_TIMEOUT when the body breaks off. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Closes the connection (rule 13: cancel = close). Safe to call twice, and after the end. */
  cancel(): void
}

/** What is sent upstream. Header rules (hop-by-hop, credentials) are already applied. */
export type UpstreamAsk = {
  readonly provider: string
  /** The address where the policy says it, and not the settings: no key is sent there. `path` may be empty then. */
  readonly address?: string
  readonly method: string
  /** Appended to the provider's base URL. */
  readonly path: string
  readonly headers: Headers
  readonly body: Uint8Array | null
  /** Its abort is a cancel, also while the answer's headers are still to come: `open` rejects at once. */
  readonly signal?: AbortSignal
}

/** Opens an upstream; only a live Permit does. Throws SallyportError UPSTREAM_FAILED, UPSTREAM_TIMEOUT. */
export type OpenUpstream = (permit: Permit, ask: UpstreamAsk) => Promise<UpstreamLeg>
