import type { AgentKey, Limits, Permit } from '#pkg/model'
import { anthropic } from '#pkg/path/codec/dialect/anthropic'
import { gemini } from '#pkg/path/codec/dialect/gemini'
import { mcp } from '#pkg/path/codec/dialect/mcp'
import { openaiChat } from '#pkg/path/codec/dialect/openai-chat'
import { openaiResponses } from '#pkg/path/codec/dialect/openai-responses'
import { decodeWhole } from '#pkg/path/codec/wire/encoding'
import * as rules from '#pkg/path/codec/wire/http1'
import { newJsonScanner } from '#pkg/path/codec/wire/json'
import { newExchanges, newHeldBudget } from '#pkg/path/enforce'
import {
  type Firewall,
  newFirewall,
  newSqlReader,
  type SqlInline,
  type SqlJob,
  type SqlReading,
  type ToolMemory,
} from '#pkg/path/firewall'
import { newFacade } from '#pkg/path/intercept'
import { isLive } from '#pkg/path/policy'
import { newRestoreRecords, newServerSessions } from '#pkg/path/session'
import { type KeyHeader, newUpstream } from '#pkg/path/upstream'
import type { Clock } from '#pkg/platform/clock'
import { newHeapGuard, processEngine } from '#pkg/platform/heap'
import type { Log } from '#pkg/platform/log'
import { newWorkerPool } from '#pkg/platform/worker'
import { newEgress } from './egress.ts'
import { loadSqlReader } from './load-grammar.ts'
import type { FacadeRoute, Lives, Roster, VerdictSink } from './ports.ts'

/** A provider behind a facade of the same name; null key = none is sent. */
export type ProviderSetting = { readonly name: string; readonly url: string; readonly key: string | null }

/** What a sidecar is set up with. */
export type SidecarOptions = {
  /** Port of the facade on 127.0.0.1; 0 = a free one. */
  readonly port: number
  readonly providers: readonly ProviderSetting[]
  /** Addresses of tool servers in the place of those that policies name. Default none. */
  readonly serverUrls?: Readonly<Record<string, string>>
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
  readonly firewall: Firewall
}

/** A sidecar. */
export type Sidecar = {
  /** Opens the facade; resolves with its address once the checks are warm. */
  listen(): Promise<string>
  /** Cuts every open exchange of an agent, in this turn. */
  cutAgent(agent: AgentKey): void
  /** Stops accepting, lets open exchanges end for that long, then cuts them. */
  close(drainMs: number): Promise<void>
}

/** The checks with their worker. One for a process; close it last. */
export type Checks = { readonly firewall: Firewall; ready(): Promise<void>; close(): Promise<void> }

/** How often open exchanges are asked whether a comment is due. */
const TICK_MS = 1_000

/** After the start, and after the worker's spare has begun its own. */
const INLINE_AFTER_MS = 600

/** Facade name → the dialects spoken there, where, and how the provider takes its key. */
const FACADES: Readonly<
  Record<string, Omit<FacadeRoute, 'provider'> & { readonly base: string; readonly keyHeader: KeyHeader }>
> = {
  openai: { dialects: [openaiChat, openaiResponses], base: '/openai/v1', keyHeader: 'authorization' },
  'openai-compatible': {
    dialects: [openaiChat, openaiResponses],
    base: '/openai-compatible/v1',
    keyHeader: 'authorization',
    type: 'OpenAICompatible',
  },
  anthropic: { dialects: [anthropic], base: '/anthropic', keyHeader: 'x-api-key' },
  gemini: { dialects: [gemini], base: '/gemini', keyHeader: 'x-goog-api-key' },
  mcp: { dialects: [mcp], base: '/mcp', keyHeader: 'authorization' },
}

/** What the checks take from their plane. `tools`: what is pinned of tool servers; undefined = none is ever asked. */
export type ChecksDeps = Pick<SidecarDeps, 'clock' | 'log'> & { readonly tools?: ToolMemory }

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
  const tools = deps.tools === undefined ? {} : { tools: deps.tools }
  const sql = newSqlReader(pool, limits, inline.reader)
  const firewall = newFirewall({ sql, newJson: newJsonScanner, ...tools }, limits)
  return {
    firewall,
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
  const permitIsLive = (permit: Permit): boolean =>
    isLive(permit, deps.roster.loaded(permit.agent)?.snapshot ?? null, deps.lives.standingOf(permit.agent))
  const upstream = newUpstream(
    { isLive: permitIsLive, read: newHeapGuard(processEngine()).read },
    {
      providers: options.providers.map(({ name, url, key }) => ({
        name,
        baseUrl: url,
        key,
        keyHeader: FACADES[name]?.keyHeader ?? 'authorization',
      })),
    },
  )
  const egress = newEgress({
    ...deps,
    limits,
    exchanges,
    records: newRestoreRecords({ bytesPerAgent: limits.restoreBytesPerAgent }),
    sessions: newServerSessions(),
    serverUrls: options.serverUrls ?? {},
    providerNames: new Set(options.providers.map(({ name }) => name)),
    budget: newHeldBudget(limits.heldBytesPerProcess),
    open: upstream.open,
    routes: facadeRoutes(),
  })
  const facade = newFacade(
    { rules, decode: decodeWhole, handle: egress.handle, reject: egress.reject, log: deps.log },
    { port: options.port, limits, facades: Object.entries(FACADES).map(([name, { base }]) => ({ name, base })) },
  )
  const ticker = setInterval(() => exchanges.tick(deps.clock.nowMs()), TICK_MS).unref()

  return {
    listen: async () => (await facade.listen()).url,
    cutAgent: (agent) => {
      const cut = exchanges.cutAgent(agent)
      if (cut > 0) deps.log.info('exchanges-cut', { agent, cut })
    },
    close: async (drainMs) => {
      const closed = facade.close(drainMs)
      exchanges.retire()
      await closed
      clearInterval(ticker)
      await upstream.close()
    },
  }
}

/** Every facade by name, with the dialects that are spoken on it. */
export function facadeRoutes(): ReadonlyMap<string, FacadeRoute> {
  return new Map(
    Object.entries(FACADES).map(([name, { base: _base, keyHeader: _header, ...route }]) => [
      name,
      { ...route, provider: name },
    ]),
  )
}
