import { Pool } from 'undici'
import type { AgentKey, HostAsk, OpenHost, Permit, UpstreamLeg } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type Cuts, newCuts } from './cuts.ts'
import { pinned, placeOf } from './dial.ts'
import { Exchange } from './exchange.ts'
import { type FaultPlace, faultOf } from './faults.ts'
import { PermitStaleError } from './permit-stale.ts'
import { sharedReads } from './read-buffer.ts'
import { assertNoToken } from './request-headers.ts'

/** What speaking to hosts takes. */
export type HostsDeps = {
  isLive(permit: Permit): boolean
  /** Told of each read: its bytes. */
  read?(bytes: number): void
}

/** Limits of plain exchanges. All have a default. */
export type HostsOptions = {
  /** To be connected. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** From the request to the answer's headers. Default 300,000. */
  readonly headersTimeoutMs?: number
  /** Without a byte in mid-answer; time in which the reader does not read does not count. Default 300,000. */
  readonly bodyIdleTimeoutMs?: number
  /** An unused connection is kept that long. Default 4,000. */
  readonly keepAliveTimeoutMs?: number
  /** Exchanges open at a time with one host and port. Default 256. */
  readonly maxConnectionsPerHost?: number
  /** Hosts in use, or with a connection kept. Default 256. */
  readonly maxHosts?: number
  /** Queued bytes of one answer from which on its connection is not read. Default 32 KiB. */
  readonly bufferBytes?: number
  /** Names and values of an answer's headers together. Default 64 KiB. */
  readonly maxHeaderBytes?: number
}

/** `open` for the path; `close` cuts what is still open. */
export type Hosts = {
  readonly open: OpenHost
  /** No connection that this agent has used is used again. */
  forget(agent: AgentKey): void
  close(): Promise<void>
}

type Settings = Required<HostsOptions>

const DEFAULTS: Settings = {
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 300_000,
  bodyIdleTimeoutMs: 300_000,
  keepAliveTimeoutMs: 4_000,
  maxConnectionsPerHost: 256,
  maxHosts: 256,
  bufferBytes: 32 * 1024,
  maxHeaderBytes: 64 * 1024,
}

type Known = {
  readonly pool: Pool
  readonly cuts: Cuts
  readonly place: FaultPlace
  exchanges: number
  /** Who has used the connections that are kept. */
  readonly users: Set<AgentKey>
}

/** Plain HTTP/1.1 to other hosts, at their judged addresses. A redirect is an answer like any other; nothing is tried twice. */
export function newHosts(deps: HostsDeps, options: HostsOptions = {}): Hosts {
  const settings: Settings = { ...DEFAULTS, ...options }
  const reads = sharedReads(deps.read ?? (() => {}))
  const known = new Map<string, Known>()

  const make = ({ target, addresses }: HostAsk): Known => {
    makeRoom(known, settings.maxHosts)
    const place = placeOf(target, settings)
    const cuts = newCuts(() => ({
      allowH2: false,
      timeout: settings.connectTimeoutMs,
      onread: reads,
      lookup: pinned(addresses),
    }))
    const pool = new Pool(`http://${place.label}`, {
      connections: null,
      pipelining: 1,
      headersTimeout: settings.headersTimeoutMs,
      bodyTimeout: settings.bodyIdleTimeoutMs,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      keepAliveTimeoutThreshold: 2_000,
      maxHeaderSize: settings.maxHeaderBytes,
      connect: cuts.connect,
    })
    return { pool, cuts, place, exchanges: 0, users: new Set() }
  }
  const get = (ask: HostAsk): Known => {
    const key = `${ask.target.host} ${ask.target.port} ${ask.addresses.join(' ')}`
    const found = known.get(key) ?? make(ask)
    known.delete(key)
    known.set(key, found)
    return found
  }
  return {
    open: async (permit, ask) => {
      if (ask.target.scheme !== 'http') throw new SallyportError('INTERNAL', 'only http is spoken to other hosts')
      if (!deps.isLive(permit)) throw new PermitStaleError(permit)
      return await dispatch(deps, settings, get(ask), { permit, ask })
    },
    forget: (agent) => {
      for (const [key, { users, pool }] of known) {
        if (!users.has(agent)) continue
        known.delete(key)
        void pool.close() // what others have open on it goes on
      }
    },
    close: async () => {
      await Promise.all([...known.values()].map(({ pool }) => pool.destroy()))
    },
  }
}

/** Gives up hosts that are not in use, the longest unused first. */
function makeRoom(known: Map<string, Known>, maxHosts: number): void {
  for (const [key, { pool, exchanges }] of known) {
    if (known.size < maxHosts) return
    if (exchanges > 0) continue
    known.delete(key)
    void pool.destroy()
  }
  if (known.size >= maxHosts)
    throw new SallyportError('OVERLOADED', `exchanges with ${maxHosts} hosts are open, which is the limit`, {
      fields: { limit: maxHosts },
    })
}

type Asked = { readonly permit: Permit; readonly ask: HostAsk }

function dispatch(deps: HostsDeps, settings: Settings, known: Known, { permit, ask }: Asked): Promise<UpstreamLeg> {
  if (known.exchanges >= settings.maxConnectionsPerHost)
    throw new SallyportError('OVERLOADED', `${known.exchanges} exchanges with this host are open, which is the limit`, {
      fields: { limit: settings.maxConnectionsPerHost },
    })
  const request = { method: ask.method, path: ask.path, headers: headersOf(ask), body: ask.body }
  return new Promise((resolve, reject) => {
    const exchange = new Exchange({
      permit,
      isLive: (candidate) => deps.isLive(candidate),
      place: known.place,
      bufferBytes: settings.bufferBytes,
      cut: known.cuts.cut,
      redirects: 'pass',
      released: () => {
        known.exchanges -= 1
      },
      resolve,
      reject,
    })
    if (ask.signal?.aborted) return exchange.cancel()
    ask.signal?.addEventListener('abort', () => exchange.cancel(), { once: true })
    known.exchanges += 1
    known.users.add(permit.agent)
    try {
      known.pool.dispatch(request as Parameters<Pool['dispatch']>[0], exchange) // any method that HTTP knows
    } catch (error) {
      exchange.onResponseError(null, faultOf(error, known.place))
    }
  })
}

/** @throws SallyportError INTERNAL if an agent's token stands in the target or in any header. */
function headersOf(ask: HostAsk): Record<string, string | string[]> {
  assertNoToken(ask.path, 'path')
  const sent: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(ask.headers)) {
    assertNoToken(typeof value === 'string' ? value : value.join('\n'), `header "${name}"`)
    sent[name] = typeof value === 'string' ? value : [...value]
  }
  return sent
}
