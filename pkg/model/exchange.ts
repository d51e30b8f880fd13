import type { Permit } from './verdict.ts'

/** Header names in lower case; a repeated header keeps all its values. */
export type Headers = Readonly<Record<string, string | readonly string[]>>

/** The facade of proxied requests, which name their host themselves. */
export const HOST_FACADE = 'host'

/** Where a request to another host goes, in its one reading. `tcp`: bytes that nobody reads, asked for by CONNECT. */
export type HostTarget = {
  readonly scheme: 'http' | 'https' | 'tcp'
  /** Canonical: a name in lower case without a dot at its end, or an IP literal without brackets. */
  readonly host: string
  readonly port: number
}

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
  /** The body as the client means it, content encoding removed; with a `target` as it was sent. */
  readonly body: Uint8Array
  /** Where a proxied request goes; undefined = to what is behind the facade. */
  readonly target?: HostTarget
}

/** One side of a connection whose bytes nobody reads. */
export interface ByteLeg {
  /** What the other end sends, pulled: while nothing is pulled it is stopped. Ends when that end has sent all; throws when it breaks off. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** A promise only under back-pressure, which also resolves when the other end goes away; throws when it is gone. */
  write(bytes: Uint8Array): Promise<void> | void
  /** Nothing more is sent; what comes is still read. */
  end(): void
  /** Drops the connection at once, unsent bytes too. */
  reset(): void
  /** Resolves when the connection is over in both directions. */
  readonly closed: Promise<void>
}

/** A client that asks for a connection of its own: by CONNECT, or by an upgrade. Implemented by `path/intercept`. */
export interface ClientTunnel {
  /** Answers that there is none, and closes; void once it is open, or the client gone. */
  reply(status: number, headers: Headers, body: Uint8Array): void
  /** Answers that there is one; from then on only bytes pass. null = the client is gone. */
  open(status: number, headers: Headers): ByteLeg | null
  readonly gone: boolean
  /** Called once when the client goes away before it is answered; at once if it has. */
  onGone(listener: () => void): void
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
  /** True where what is written in one turn leaves this process only in the next, as with HTTP/2. Absent = false. */
  readonly flushesLater?: true
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
  /** A credential of the agent for this one request; instead of the provider's key. Default none. */
  readonly bearer?: string
  /** Appended to the provider's base URL. */
  readonly path: string
  readonly headers: Headers
  readonly body: Uint8Array | null
  /** Its abort is a cancel, also while the answer's headers are still to come: `open` rejects at once. */
  readonly signal?: AbortSignal
}

/** What is sent to another host. Header rules are already applied. `addresses` were judged; nothing else is dialled. */
export type HostAsk = {
  readonly target: HostTarget
  readonly addresses: readonly string[]
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Headers
  readonly body: Uint8Array | null
  readonly signal?: AbortSignal
}

/** Opens another host; only a live Permit does. Throws SallyportError UPSTREAM_FAILED, UPSTREAM_TIMEOUT, OVERLOADED. */
export type OpenHost = (permit: Permit, ask: HostAsk) => Promise<UpstreamLeg>

/** Dials another host and nothing more; only a live Permit does. Throws as {@link OpenHost}. */
export type OpenTunnel = (permit: Permit, ask: Pick<HostAsk, 'target' | 'addresses' | 'signal'>) => Promise<ByteLeg>

/** Asks a provider to upgrade; only a live Permit does. Throws as {@link OpenHost}, also when the provider does not upgrade. */
export type OpenUpgrade = (
  permit: Permit,
  ask: Pick<UpstreamAsk, 'provider' | 'path' | 'headers' | 'signal'>,
) => Promise<{ readonly headers: Headers; readonly leg: ByteLeg }>

/** Opens an upstream; only a live Permit does. Throws SallyportError UPSTREAM_FAILED, UPSTREAM_TIMEOUT. */
export type OpenUpstream = (permit: Permit, ask: UpstreamAsk) => Promise<UpstreamLeg>
