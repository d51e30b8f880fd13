import type {
  AgentKey,
  Dialect,
  Limits,
  OpenHost,
  OpenTunnel,
  OpenUpgrade,
  OpenUpstream,
  ProviderType,
  Reason,
  Snapshot,
  Standing,
  UpstreamAsk,
  VerdictRecord,
} from '#pkg/model'
import type { Exchanges, HeldBudget } from '#pkg/path/enforce'
import type { Firewall, Rules } from '#pkg/path/firewall'
import type { ReleasedCalls, RestoreRecords, ServerSessions } from '#pkg/path/session'
import type { Resolve } from '#pkg/path/upstream'
import type { Log } from '#pkg/platform/log'

/** The rules of one agent, ready to be asked. A new object for every change. */
export type Loaded = { readonly snapshot: Snapshot; readonly rules: Rules }

/** Who may be on the other side, and by which rules. */
export interface Roster {
  /** The agent of a local token, or null. */
  agentOf(token: string): AgentKey | null
  /** The rules that hold now, or null for an agent that is no more. */
  loaded(agent: AgentKey): Loaded | null
}

/** The lives of agents. */
export interface Lives {
  standingOf(agent: AgentKey): Standing | null
  /** Quarantines; the state has changed when it returns, and when it throws. */
  sever(agent: AgentKey, why: { readonly code: Reason; readonly verdictId: string }): Standing
  /** False while a change of state is not durable: nothing new is let through. */
  readonly healthy: boolean
}

/** Where verdicts are written before they take effect. */
export interface VerdictSink {
  /** Written when it returns; throws when it could not be. */
  append(record: VerdictRecord): void
  readonly healthy: boolean
}

type Place = Pick<UpstreamAsk, 'provider' | 'path' | 'address'>

/** Where a request goes; `or`: where it goes when that is not found. */
export type Destination = Place & { readonly or?: Place }

/** One facade: the dialects that are spoken on it, and the provider behind it. */
export type FacadeRoute = {
  readonly dialects: readonly [Dialect, ...Dialect[]]
  readonly provider: string
  /** The type that policies grant; undefined = that of the dialect. */
  readonly type?: ProviderType
}

/** Everything that the egress path is made of. */
export type EgressDeps = {
  readonly roster: Roster
  readonly lives: Lives
  readonly firewall: Firewall
  readonly verdicts: VerdictSink
  readonly records: RestoreRecords
  readonly released: ReleasedCalls
  readonly sessions: ServerSessions
  /** Addresses of tool servers in the place of those that policies name. */
  readonly serverUrls: Readonly<Record<string, string>>
  /** The same of peers. */
  readonly peerUrls: Readonly<Record<string, string>>
  /** Providers whose address is set; a compatible one that is not is where its entry says. */
  readonly providerNames: ReadonlySet<string>
  readonly exchanges: Exchanges
  readonly budget: HeldBudget
  readonly open: OpenUpstream
  readonly routes: ReadonlyMap<string, FacadeRoute>
  readonly limits: Limits
  readonly clock: { nowMs(): number; monotonicUs(): number }
  readonly newVerdictId: () => string
}

/** What the way to other hosts is made of, besides. */
export type HostDeps = Omit<EgressDeps, 'records' | 'released' | 'sessions' | 'budget' | 'open' | 'providerNames'> & {
  readonly log: Log
  readonly resolve: Resolve
  readonly openHost: OpenHost
  readonly openTunnel: OpenTunnel
  readonly openUpgrade: OpenUpgrade
  /** Base URLs of the providers. */
  readonly providerUrls: readonly string[]
}
