import type { OnReadOpts } from 'node:net'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { buildConnector, Pool } from 'undici'
import type { AgentKey, OpenUpstream, Permit, UpstreamAsk, UpstreamLeg } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type Cuts, newCuts } from './cuts.ts'
import { Exchange } from './exchange.ts'
import { type FaultPlace, faultOf } from './faults.ts'
import { H2Origin } from './h2-origin.ts'
import { PermitStaleError } from './permit-stale.ts'
import { sharedReads } from './read-buffer.ts'
import { assertNoToken, type KeyHeader, requestHeaders, TOKEN_PREFIX } from './request-headers.ts'
import { joinPath, readTarget, type Target } from './target.ts'

/** One provider: its name in an UpstreamAsk, its base URL (OpenAI's ends in `/v1`), and its key; null = no key is sent. */
export type ProviderTarget = {
  readonly name: string
  readonly baseUrl: string
  readonly key: string | null
  /** Default `authorization`, as a bearer token. */
  readonly keyHeader?: KeyHeader
}

/** Whose request a provider's key is put into. */
export type KeyUse = { readonly agent: AgentKey; readonly provider: string }

/** What `upstream` is given. `isLive` compares a permit's epoch and generation with today's. */
export type UpstreamDeps = {
  isLive(permit: Permit): boolean
  /** Told right before a request goes out with the provider's own key. What it throws keeps the request back. */
  keyUsed?(use: KeyUse): void
  /** Told of each read from a provider: its bytes. */
  read?(bytes: number): void
}

/** Everything but `providers` has a default. */
export type UpstreamOptions = {
  readonly providers: readonly ProviderTarget[]
  /** To be connected, TLS included. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** From the request to the answer's headers: the provider may think for long. Default 600,000, as the SDKs have it. */
  readonly headersTimeoutMs?: number
  /** Without a byte in mid-answer; time in which the reader does not read does not count. Default 300,000. */
  readonly bodyIdleTimeoutMs?: number
  /** An unused connection is kept that long (a provider's own hint, less 2 s, goes before it). Default 4,000. */
  readonly keepAliveTimeoutMs?: number
  /** Exchanges, and so connections, open at a time with one provider. One more is OVERLOADED. Default 1,024. */
  readonly maxConnectionsPerProvider?: number
  /** Servers whose addresses come with the request, in use or with a connection kept. Default 256. */
  readonly maxAddresses?: number
  /** Queued bytes of one answer from which on its connection is not read. Default 32 KiB. */
  readonly bufferBytes?: number
  /** Names and values of an answer's headers together. Default 64 KiB. */
  readonly maxHeaderBytes?: number
  /** HTTP/2 where the provider's TLS chooses it; plain http is always HTTP/1.1. Default false: docs/decisions/0012. */
  readonly http2?: boolean
  /** HTTP/2: streams on one connection, if its provider takes as many; one more opens another. Default 100. */
  readonly maxStreamsPerConnection?: number
  /** HTTP/2: bytes of one answer that may be on their way or unread. Default 65,535. */
  readonly streamWindowBytes?: number
  /** HTTP/2: a connection with streams that is silent for that long is asked; silent once more, it is dead. Default 30,000. */
  readonly pingAfterMs?: number
  /** PEM certificates that are trusted instead of Node's and the system's. */
  readonly ca?: string | readonly string[]
}

/** `open` for the path; `close` cuts what is still open and gives back every socket. */
export type Upstream = {
  readonly open: OpenUpstream
  /** No connection that this agent has used is used again. */
  forget(agent: AgentKey): void
  close(): Promise<void>
}

type Settings = Required<Omit<UpstreamOptions, 'providers' | 'ca'>>

const DEFAULTS: Settings = {
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 600_000,
  bodyIdleTimeoutMs: 300_000,
  keepAliveTimeoutMs: 4_000,
  maxConnectionsPerProvider: 1_024,
  maxAddresses: 256,
  bufferBytes: 32 * 1024,
  maxHeaderBytes: 64 * 1024,
  http2: false,
  maxStreamsPerConnection: 100,
  streamWindowBytes: 65_535,
  pingAfterMs: 30_000,
}

/** Below the HTTP client's own 64 KiB, since it is held once more for every answer that nobody reads. */
const SOCKET_BUFFER_BYTES = 16 * 1024

/** The trust of TLS costs a start some 50 ms; the first request should not pay for it either. */
const TRUST_AFTER_MS = 500

/** What all connections use. */
type Shared = { readonly trust: () => SecureContext; readonly reads: OnReadOpts }

type Provider = {
  readonly name: string
  readonly target: Target
  readonly key: string | null
  readonly keyHeader: KeyHeader
  readonly newPool: () => Pool
  pool: Pool
  readonly cuts: Cuts
  /** Null = HTTP/1.1 only. */
  readonly h2: H2Origin | null
  readonly place: FaultPlace
  exchanges: number
  /** Who has used the connections that are kept. */
  readonly users: Set<AgentKey>
}

/**
 * The provider side of the path. No connection is made before the first `open`.
 * @throws SallyportError SETTINGS_INVALID for a base URL or a key that cannot be used.
 */
export function newUpstream(deps: UpstreamDeps, options: UpstreamOptions): Upstream {
  const settings: Settings = { ...DEFAULTS, ...options }
  const shared: Shared = { trust: newTrust(options.ca), reads: sharedReads(deps.read ?? (() => {})) }
  const providers = new Map<string, Provider>()
  for (const provider of options.providers) providers.set(provider.name, newProvider(provider, settings, shared))

  const addressed = new Addressed(settings, shared)
  const isSecure = [...providers.values()].some(({ target }) => target.secure)
  const warming = isSecure ? setTimeout(() => void shared.trust(), TRUST_AFTER_MS).unref() : undefined

  const open: OpenUpstream = async (permit, ask) => {
    const { address } = ask
    const provider = address === undefined ? providers.get(ask.provider) : addressed.get(ask.provider, address)
    if (provider === undefined)
      throw new SallyportError('UPSTREAM_FAILED', `no address is set for provider "${ask.provider}"`, {
        fields: { provider: ask.provider },
      })
    if (!deps.isLive(permit)) throw new PermitStaleError(permit)
    return await dispatch(deps, settings, provider, { permit, ask })
  }

  const all = (): readonly Provider[] => [...providers.values(), ...addressed.all()]
  return {
    open,
    forget: (agent) => {
      for (const provider of all()) if (provider.users.has(agent)) renew(provider)
    },
    close: async () => {
      clearTimeout(warming)
      await Promise.all(all().map(shut))
    },
  }
}

function newProvider(provider: ProviderTarget, settings: Settings, shared: Shared): Provider {
  const target = readTarget(provider.name, provider.baseUrl)
  if (provider.key?.includes(TOKEN_PREFIX))
    throw new SallyportError(
      'SETTINGS_INVALID',
      `the key of provider "${provider.name}" is an agent's token; set the provider's own key for sallyport, the token for the agent`,
      { fields: { provider: provider.name } },
    )
  if (provider.key !== null && !/^[!-~]+$/.test(provider.key))
    throw new SallyportError('SETTINGS_INVALID', `the key of provider "${provider.name}" holds a space or a control`, {
      fields: { provider: provider.name },
    })
  const sockets = () => ({
    allowH2: false,
    timeout: settings.connectTimeoutMs,
    highWaterMark: SOCKET_BUFFER_BYTES,
    onread: shared.reads,
    ...(target.secure ? { secureContext: shared.trust() } : {}),
  })
  const cuts = newCuts(sockets)
  const newPool = (): Pool =>
    new Pool(target.origin, {
      connections: null, // the count of exchanges is the limit; a queue in here would be one more without
      pipelining: 1,
      allowH2: false,
      headersTimeout: settings.headersTimeoutMs,
      bodyTimeout: settings.bodyIdleTimeoutMs,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      keepAliveTimeoutThreshold: 2_000,
      maxHeaderSize: settings.maxHeaderBytes,
      connect: cuts.connect,
    })
  const place = { provider: provider.name, label: target.label, ...settings }
  return {
    name: provider.name,
    target,
    key: provider.key,
    keyHeader: provider.keyHeader ?? 'authorization',
    newPool,
    pool: newPool(),
    cuts,
    h2: settings.http2 && target.secure ? newH2Origin(target, settings, shared) : null,
    place,
    exchanges: 0,
    users: new Set(),
  }
}

/** Connections that are kept are closed, those in use once they no longer are; new exchanges get new ones. */
function renew(provider: Provider): void {
  const { pool } = provider
  provider.users.clear()
  provider.pool = provider.newPool()
  provider.h2?.renew()
  void pool.close()
}

function newH2Origin({ origin }: Target, settings: Settings, shared: Shared): H2Origin {
  const connect = buildConnector({ timeout: settings.connectTimeoutMs, secureContext: shared.trust(), allowH2: true })
  return new H2Origin({ connect, origin, settings })
}

/** Cuts what is open with a provider. */
async function shut(provider: Provider): Promise<void> {
  provider.h2?.close()
  await provider.pool.destroy()
}

/** Providers whose addresses come with the request: made at their first use, and given up when others are more in use. */
class Addressed {
  readonly #settings: Settings
  readonly #shared: Shared
  readonly #known = new Map<string, Provider>()

  constructor(settings: Settings, shared: Shared) {
    this.#settings = settings
    this.#shared = shared
  }

  get(name: string, address: string): Provider {
    const key = `${name} ${address}`
    const found = this.#known.get(key) ?? this.#make(name, address)
    this.#known.delete(key)
    this.#known.set(key, found)
    return found
  }

  all(): Iterable<Provider> {
    return this.#known.values()
  }

  #make(name: string, address: string): Provider {
    const { maxAddresses } = this.#settings
    for (const [key, provider] of this.#known) {
      if (this.#known.size < maxAddresses) break
      if (provider.exchanges > 0) continue
      this.#known.delete(key)
      void shut(provider)
    }
    if (this.#known.size >= maxAddresses)
      throw new SallyportError('OVERLOADED', `exchanges with ${maxAddresses} servers are open, which is the limit`, {
        fields: { limit: maxAddresses },
      })
    return newProvider({ name, baseUrl: address, key: null }, this.#settings, this.#shared)
  }
}

/** One context for all: building it from the system's certificates takes tens of milliseconds. */
export function newTrust(ca: UpstreamOptions['ca']): () => SecureContext {
  let context: SecureContext | null = null
  return () => {
    const trusted = ca ?? [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
    context ??= createSecureContext({ ca: typeof trusted === 'string' ? trusted : [...trusted], minVersion: 'TLSv1.2' })
    return context
  }
}

type Asked = { readonly permit: Permit; readonly ask: UpstreamAsk }

function dispatch(deps: UpstreamDeps, settings: Settings, provider: Provider, asked: Asked): Promise<UpstreamLeg> {
  const { permit, ask } = asked
  if (provider.exchanges >= settings.maxConnectionsPerProvider)
    throw new SallyportError(
      'OVERLOADED',
      `${provider.exchanges} exchanges with provider "${provider.name}" are open, which is the limit`,
      { fields: { provider: provider.name, limit: settings.maxConnectionsPerProvider } },
    )
  assertNoToken(ask.path, 'path')
  if (ask.bearer === undefined && provider.key !== null)
    deps.keyUsed?.({ agent: permit.agent, provider: provider.name })
  const request = {
    method: ask.method,
    // an address is whole: nothing is appended to it unless the path says so
    path: ask.address !== undefined && ask.path === '' ? provider.target.path : joinPath(provider.target, ask.path),
    headers:
      ask.bearer === undefined
        ? requestHeaders(ask.headers, provider.key, provider.keyHeader)
        : requestHeaders(ask.headers, ask.bearer),
    body: ask.body,
  }
  return new Promise((resolve, reject) => {
    const exchange = new Exchange({
      permit,
      isLive: (candidate) => deps.isLive(candidate),
      place: provider.place,
      bufferBytes: settings.bufferBytes,
      cut: provider.cuts.cut,
      released: () => {
        provider.exchanges -= 1
      },
      resolve,
      reject,
    })
    if (ask.signal?.aborted) return exchange.cancel()
    ask.signal?.addEventListener('abort', () => exchange.cancel(), { once: true })
    provider.exchanges += 1
    provider.users.add(permit.agent)
    try {
      const http1 = () => void provider.pool.dispatch(request, exchange)
      if (provider.h2 === null) http1()
      else provider.h2.dispatch(request, exchange, http1)
    } catch (error) {
      exchange.onResponseError(null, faultOf(error, provider.place))
    }
  })
}
