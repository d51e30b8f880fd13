import { type AgentKey, HOST_FACADE, type Limits, type Permit } from '#pkg/model'
import { BASE as A2A_BASE, a2a, a2aCalled, CALLED_BASE } from '#pkg/path/codec/dialect/a2a'
import { anthropic } from '#pkg/path/codec/dialect/anthropic'
import { gemini } from '#pkg/path/codec/dialect/gemini'
import { mcp } from '#pkg/path/codec/dialect/mcp'
import { openaiChat } from '#pkg/path/codec/dialect/openai-chat'
import { openaiResponses } from '#pkg/path/codec/dialect/openai-responses'
import { plainHttp } from '#pkg/path/codec/dialect/plain-http'
import { decodeWhole } from '#pkg/path/codec/wire/encoding'
import * as rules from '#pkg/path/codec/wire/http1'
import * as http2 from '#pkg/path/codec/wire/http2'
import { newJsonScanner } from '#pkg/path/codec/wire/json'
import { type Exchanges, type HeldBudget, newExchanges, newHeldBudget } from '#pkg/path/enforce'
import {
  type Firewall,
  type FirewallDeps,
  newFirewall,
  newSqlReader,
  type SqlInline,
  type SqlJob,
  type SqlReading,
  type ToolMemory,
} from '#pkg/path/firewall'
import { type FacadeDeps, newFacade } from '#pkg/path/intercept'
import { isLive } from '#pkg/path/policy'
import { newReleasedCalls, newRestoreRecords, newServerSessions } from '#pkg/path/session'
import {
  type KeyHeader,
  type KeyUse,
  type Lookup,
  newDial,
  newHosts,
  newResolve,
  newUpgrade,
  newUpstream,
  systemLookup,
} from '#pkg/path/upstream'
import type { Clock } from '#pkg/platform/clock'
import { newHeapGuard, processEngine } from '#pkg/platform/heap'
import type { Log } from '#pkg/platform/log'
import { type Metrics, silentMetrics } from '#pkg/platform/metrics'
import { newWorkerPool } from '#pkg/platform/worker'
import { CALLED_FACADE } from './caller.ts'
import { type Egress, newEgress } from './egress.ts'
import { type HostEgress, newHostEgress } from './host-egress.ts'
import { loadSqlReader } from './load-grammar.ts'
import { isToolServer } from './peer.ts'
import type { FacadeRoute, Lives, Proofs, Roster, VerdictSink } from './ports.ts'
import { answerSelf, SELF_BASE, SELF_FACADE, type SelfDeps } from './self.ts'

/** A provider behind a facade of the same name; null key = none is sent. */
export type ProviderSetting = { readonly name: string; readonly url: string; readonly key: string | null }

/** What a sidecar is set up with. */
export type SidecarOptions = {
  /** Port of the facade on 127.0.0.1; 0 = a free one. */
  readonly port: number
  readonly providers: readonly ProviderSetting[]
  /** Addresses of tool servers in the place of those that policies name. Default none. */
  readonly serverUrls?: Readonly<Record<string, string>>
  /** The same of peers. Default none. */
  readonly peerUrls?: Readonly<Record<string, string>>
  /** Where the A2A servers of agents are, by `namespace/name`. Default none: nobody can call them. */
  readonly calledUrls?: Readonly<Record<string, string>>
  /** HTTP/2 with providers whose TLS chooses it. Default false. */
  readonly upstreamHttp2?: boolean
  /** Addresses of hosts by canonical name, in the place of what DNS says; they may be private. Default none. */
  readonly hostAddresses?: Readonly<Record<string, readonly string[]>>
  readonly limits: Limits
}

/** What a sidecar takes from its plane. `roster` is asked only after `listen`. */
export type SidecarDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly roster: Roster
  readonly lives: Lives
  readonly verdicts: VerdictSink
  readonly newVerdictId: () => string
  readonly random: (bytes: number) => Uint8Array
  readonly firewall: Firewall
  readonly proofs: Proofs
  /** Told before a provider's key goes out with a request; what it throws refuses the request. Default: nobody is. */
  readonly keyUsed?: (use: KeyUse) => void
  /** Base URL of the control plane, once it listens. Default: never. */
  readonly controlPlane?: () => string | null
  /** Default: nothing is counted. */
  readonly metrics?: Metrics
  /** Asks for the addresses of other hosts. Default: the system's resolver. */
  readonly lookup?: Lookup
}

/** A sidecar. */
export type Sidecar = {
  /** Opens the facade; resolves with its address once the checks are warm. */
  listen(): Promise<string>
  /**
   * Cuts every open exchange of an agent, in this turn: streams, tunnels, subscriptions, both legs. Its sessions with tool
   * servers are forgotten, and no connection that it used is used again. MESH.md §2.
   */
  cutAgent(agent: AgentKey): void
  /** The rules have changed: what they no longer grant of open connections to other hosts ends in this turn. */
  review(): void
  /** Stops accepting, lets open exchanges end for that long, then cuts them. */
  close(drainMs: number): Promise<void>
}

/** The checks with their worker. One for a process; close it last. */
export type Checks = {
  readonly firewall: Firewall
  /** The reader of SQL that the firewall asks. */
  readonly sql: Pick<FirewallDeps['sql'], 'read'>
  ready(): Promise<void>
  close(): Promise<void>
}

/** For a connection to another host. */
const CONNECT_MS = 5_000

/** How often open exchanges are asked whether a comment is due. */
const TICK_MS = 1_000

/** After the start, and after the worker's spare has begun its own. */
const INLINE_AFTER_MS = 600

/** Facade name → the dialects spoken there, where, and how the provider takes its key. */
const FACADES: Readonly<Record<string, Omit<FacadeRoute, 'provider'> & { readonly keyHeader: KeyHeader }>> = {
  openai: { dialects: [openaiChat, openaiResponses], base: '/openai/v1', keyHeader: 'authorization' },
  'openai-compatible': {
    dialects: [openaiChat, openaiResponses],
    base: '/openai-compatible/v1',
    keyHeader: 'authorization',
    type: 'OpenAICompatible',
  },
  anthropic: { dialects: [anthropic], base: '/anthropic', keyHeader: 'x-api-key' },
  gemini: { dialects: [gemini], base: '/gemini', keyHeader: 'x-goog-api-key' },
  mcp: { dialects: [mcp], base: '/mcp', below: '/NAME', keyHeader: 'authorization' },
  a2a: { dialects: [a2a], base: A2A_BASE, below: '/NAME', keyHeader: 'authorization' },
  [CALLED_FACADE]: {
    dialects: [a2aCalled],
    base: CALLED_BASE,
    below: '/NAMESPACE/NAME/a2a',
    keyHeader: 'authorization',
  },
}

/**
 * What the checks take from their plane. `tools`: what is pinned of tool servers and peers; undefined = none is ever asked.
 * `peerUrls`: where peers are.
 */
export type ChecksDeps = Pick<SidecarDeps, 'clock' | 'log'> &
  Pick<FirewallDeps, 'peerUrls'> & { readonly tools?: ToolMemory }

/** Starts the checks: the worker and its spare warm up while the rest is built. */
export function newChecks(deps: ChecksDeps, limits: Limits): Checks {
  const pool = newWorkerPool<SqlJob, SqlReading>(
    {
      clock: deps.clock,
      onEvent: (event) => deps.log[event.kind === 'ready' ? 'debug' : 'warn']('checks-worker', { ...event }),
    },
    {
      entry: new URL('./checks-worker.ts', import.meta.url),
      deadlineMs: limits.checkTimeoutMs,
      heapBytes: limits.workerHeapBytes,
    },
  )
  const inline = newInlineSql(deps.log)
  const { clock: _clock, log: _log, ...checked } = deps
  const sql = newSqlReader(pool, limits, inline.reader)
  const firewall = newFirewall({ sql, newJson: newJsonScanner, ...checked }, limits)
  return {
    firewall,
    sql,
    ready: async () => {
      await pool.ready()
      if (limits.sqlInlineBytes > 0) inline.loadSoon()
    },
    close: () => {
      inline.close()
      return pool.close()
    },
  }
}

/** The reader of small SQL on this thread. It is loaded behind the first requests: until then the worker reads all. */
function newInlineSql(log: Log): { readonly reader: SqlInline; loadSoon(): void; close(): void } {
  let read: ReturnType<SqlInline> = null
  let timer: NodeJS.Timeout | null = null
  const load = async (): Promise<void> => {
    try {
      read = await loadSqlReader()
    } catch (error) {
      log.warn('inline-sql-off', { error: error instanceof Error ? error.name : typeof error })
    }
  }
  return {
    reader: () => read,
    loadSoon: () => {
      timer ??= setTimeout(load, INLINE_AFTER_MS).unref()
    },
    close: () => {
      if (timer !== null) clearTimeout(timer)
    },
  }
}

/** Builds the path around a firewall. Nothing listens and nothing is dialled before it is asked to. */
export function newSidecar(deps: SidecarDeps, options: SidecarOptions): Sidecar {
  const { limits } = options
  const exchanges = newExchanges()
  const metrics = deps.metrics ?? silentMetrics
  const budget = newHeldBudget(limits.heldBytesPerProcess)
  meterPath(metrics, exchanges, budget)
  const permitIsLive = (permit: Permit): boolean =>
    isLive(permit, deps.roster.loaded(permit.agent)?.snapshot ?? null, deps.lives.standingOf(permit.agent))
  const { read } = newHeapGuard(processEngine())
  const providers = options.providers.map(providerOf)
  const keyed = { isLive: permitIsLive, keyUsed: deps.keyUsed ?? (() => {}) }
  const upstream = newUpstream({ ...keyed, read }, { http2: options.upstreamHttp2 ?? false, providers })
  const sessions = newServerSessions()
  const self: SelfDeps = { ...deps, controlPlane: deps.controlPlane ?? (() => null) }
  const { serverUrls = {}, peerUrls = {}, calledUrls = {} } = options
  const urls = { serverUrls, peerUrls, calledUrls }
  const others = newHosts({ isLive: permitIsLive, read })
  const egress = newEgress({
    ...deps,
    limits,
    metrics,
    exchanges,
    records: newRestoreRecords({ bytesPerAgent: limits.restoreBytesPerAgent }),
    released: newReleasedCalls(
      { clock: deps.clock, key: deps.random(32) },
      { callsPerAgent: limits.releasedCallsPerAgent },
    ),
    sessions,
    ...urls,
    providerNames: new Set(options.providers.map(({ name }) => name)),
    budget,
    open: upstream.open,
    routes: facadeRoutes(),
  })
  const hosts = newHostEgress({
    ...deps,
    limits,
    metrics,
    exchanges,
    ...urls,
    routes: facadeRoutes(),
    resolve: newResolve(deps.lookup ?? systemLookup, { addresses: options.hostAddresses ?? {} }),
    openHost: others.open,
    openTunnel: newDial({ isLive: permitIsLive, connectTimeoutMs: CONNECT_MS }),
    openUpgrade: newUpgrade(keyed, { providers }),
    providerUrls: options.providers.map(({ url }) => url),
  })
  const facade = newFacade(
    { rules, http2, decode: decodeWhole, ...receptionOf(egress, hosts, self), log: deps.log },
    { port: options.port, limits, facades: bases() },
  )
  const ticker = setInterval(() => exchanges.tick(deps.clock.nowMs()), TICK_MS).unref()

  return {
    listen: async () => (await facade.listen()).url,
    cutAgent: (agent) => {
      const cut = exchanges.cutAgent(agent)
      sessions.forget(agent, isToolServer)
      upstream.forget(agent)
      others.forget(agent)
      if (cut > 0) deps.log.info('exchanges-cut', { agent, cut })
    },
    review: exchanges.review,
    close: async (drainMs) => {
      const closed = facade.close(drainMs)
      exchanges.retire()
      await closed
      clearInterval(ticker)
      await Promise.all([upstream.close(), others.close()])
    },
  }
}

function meterPath({ watch }: Metrics, exchanges: Exchanges, budget: HeldBudget): void {
  watch('sallyport_open_exchanges', () => [{ labels: {}, value: exchanges.size }])
  watch('sallyport_held_bytes', () => [{ labels: {}, value: budget.heldBytes }])
}

function providerOf({ name, url, key }: ProviderSetting) {
  return { name, baseUrl: url, key, keyHeader: FACADES[name]?.keyHeader ?? ('authorization' as const) }
}

function bases(): readonly { readonly name: string; readonly base: string }[] {
  const all = Object.entries(FACADES).map(([name, { base }]) => ({ name, base }))
  return [...all, { name: SELF_FACADE, base: SELF_BASE }]
}

/** Proxied requests go to other hosts, all others to what is behind a facade. */
function receptionOf(
  egress: Egress,
  hosts: HostEgress,
  self: SelfDeps,
): Pick<FacadeDeps, 'handle' | 'tunnel' | 'reject'> {
  return {
    handle: (ask, client) => {
      if (ask.facade === SELF_FACADE) return answerSelf(self, ask, client)
      return (ask.target === undefined ? egress : hosts).handle(ask, client)
    },
    tunnel: hosts.tunnel,
    reject: (ask, reason, detail, client) =>
      (ask.facade === HOST_FACADE ? hosts : egress).reject(ask, reason, detail, client),
  }
}

/** The names of all dialects, as verdicts and counts say them. */
export function dialectNames(): readonly string[] {
  const spoken = Object.values(FACADES).flatMap(({ dialects }) => dialects.map(({ name }) => name))
  return [...new Set([...spoken, plainHttp.name])]
}

/** Every facade by name, with the dialects that are spoken on it. */
export function facadeRoutes(): ReadonlyMap<string, FacadeRoute> {
  return new Map(
    Object.entries(FACADES).map(([name, { keyHeader: _header, ...route }]) => [name, { ...route, provider: name }]),
  )
}
