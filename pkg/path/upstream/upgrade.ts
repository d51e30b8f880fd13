import { type IncomingMessage, request as requestHttp } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import type { Headers, OpenUpgrade } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { newByteLeg } from '#pkg/platform/socket'
import { type FaultPlace, faultOf } from './faults.ts'
import { PermitStaleError } from './permit-stale.ts'
import { assertNoToken, requestHeaders } from './request-headers.ts'
import { joinPath, readTarget, type Target } from './target.ts'
import { newTrust, type ProviderTarget, type UpstreamDeps } from './upstream.ts'

/** What upgrading asks. */
export type UpgradeDeps = Pick<UpstreamDeps, 'isLive' | 'keyUsed'>

/** Everything but `providers` has a default. */
export type UpgradeOptions = {
  readonly providers: readonly ProviderTarget[]
  /** To be connected, TLS included. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** From the request to the answer. Default 30,000. */
  readonly headersTimeoutMs?: number
  /** PEM certificates that are trusted instead of Node's and the system's. */
  readonly ca?: string | readonly string[]
}

type Limits = { readonly connectTimeoutMs: number; readonly headersTimeoutMs: number }
type Provider = { readonly given: ProviderTarget; readonly target: Target; readonly place: FaultPlace }

/** What a client says of a WebSocket; all the rest of the handshake is ours. */
const HANDSHAKE = { connection: 'Upgrade', upgrade: 'websocket' }

/** Asks a provider for a WebSocket, with its key, and hands on the bare connection. */
export function newUpgrade(deps: UpgradeDeps, options: UpgradeOptions): OpenUpgrade {
  const limits: Limits = { connectTimeoutMs: 5_000, headersTimeoutMs: 30_000, ...options }
  const trust = newTrust(options.ca)
  const providers = new Map(
    options.providers.map((given): [string, Provider] => {
      const target = readTarget(given.name, given.baseUrl)
      const place = { provider: given.name, label: target.label, bodyIdleTimeoutMs: 0, maxHeaderBytes: 0, ...limits }
      return [given.name, { given, target, place }]
    }),
  )
  return async (permit, ask) => {
    const provider = providers.get(ask.provider)
    if (provider === undefined) throw new SallyportError('UPSTREAM_FAILED', 'no address is set for this provider')
    if (!deps.isLive(permit)) throw new PermitStaleError(permit)
    assertNoToken(ask.path, 'path')
    const headers = { ...requestHeaders(ask.headers, provider.given.key, provider.given.keyHeader), ...HANDSHAKE }
    const socket = await connected(provider, trust, limits.connectTimeoutMs, ask.signal)
    if (!deps.isLive(permit)) {
      socket.destroy()
      throw new PermitStaleError(permit)
    }
    try {
      if (provider.given.key !== null) deps.keyUsed?.({ agent: permit.agent, provider: ask.provider })
    } catch (error) {
      socket.destroy()
      throw error
    }
    return await upgraded(provider, socket, { path: joinPath(provider.target, ask.path), headers }, limits, ask.signal)
  }
}

function connected(
  { target, place }: Provider,
  trust: () => SecureContext,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const { hostname, port } = new URL(target.origin)
  const host = hostname.replace(/^\[|\]$/g, '')
  const at = { host, port: Number(port || (target.secure ? 443 : 80)), noDelay: true, allowHalfOpen: true }
  return new Promise((resolve, reject) => {
    const socket = target.secure
      ? connectTls({ ...at, servername: host, secureContext: trust(), ALPNProtocols: ['http/1.1'] })
      : connect(at)
    const timer = setTimeout(() => socket.destroy(codeError('ETIMEDOUT')), timeoutMs)
    const cancel = (): void => void socket.destroy(codeError('UND_ERR_ABORTED'))
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    }
    socket.on('error', (error) => {
      settle()
      reject(faultOf(error, place))
    })
    socket.once(target.secure ? 'secureConnect' : 'connect', () => {
      settle()
      resolve(socket)
    })
    if (signal?.aborted) cancel()
    else signal?.addEventListener('abort', cancel, { once: true })
  })
}

type Sent = { readonly path: string; readonly headers: Record<string, string | string[]> }

function upgraded(
  { target, place }: Provider,
  socket: Socket,
  sent: Sent,
  { headersTimeoutMs }: Limits,
  signal: AbortSignal | undefined,
): ReturnType<OpenUpgrade> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    }
    const fail = (error: unknown): void => {
      settle()
      if ('encrypted' in socket) socket.destroy()
      else socket.resetAndDestroy()
      reject(faultOf(error, place))
    }
    const cancel = (): void => fail({ code: 'UND_ERR_ABORTED' })
    const timer = setTimeout(() => fail({ code: 'UND_ERR_HEADERS_TIMEOUT' }), headersTimeoutMs)
    signal?.addEventListener('abort', cancel, { once: true })
    const host = new URL(target.origin).host
    const asked = requestHttp({ ...sent, headers: { host, ...sent.headers }, createConnection: () => socket })
    asked.once('error', fail)
    asked.once('response', ({ statusCode }: IncomingMessage) => {
      const text = `the provider answered ${statusCode ?? 0} to the upgrade, and does not open a connection`
      fail(new SallyportError('UPSTREAM_FAILED', text, { fields: { provider: place.provider } }))
    })
    asked.once('upgrade', (answer: IncomingMessage, open: Socket, head: Uint8Array) => {
      settle() // from here on whoever has the leg resets it
      if (String(answer.headers.upgrade).toLowerCase() !== 'websocket') return fail({ code: 'HPE_UPGRADE' })
      if (head.length > 0) open.unshift(head)
      resolve({ headers: answer.headers as Headers, leg: newByteLeg(open) }) // Node drops names without a value
    })
    asked.end()
  })
}

function codeError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
