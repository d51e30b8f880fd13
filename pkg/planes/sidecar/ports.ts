import type {
  AgentKey,
  Dialect,
  Finding,
  Headers,
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
import type { Metrics } from '#pkg/platform/metrics'

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
  /** What an agent that may act still waits for, its first SVID say; null = nothing. Never rejects, and has an end of its own. */
  pending?(agent: AgentKey): Promise<void> | null
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

/** The agent of a request, or the process that agents answer to. */
export type ProofAudience = AgentKey | 'control-plane'

/** A request as it stands on the wire: the path whole, with its query. */
export type ProvenRequest = { readonly method: string; readonly path: string; readonly body: Uint8Array }

/** What a request proves of the agent that sent it. */
export type Caller =
  | { readonly ok: true; readonly agent: AgentKey; readonly spiffeId: string }
  | { readonly ok: false; readonly finding: Finding }

/** Proves who asks, by the identity that an agent has at this moment. MESH.md §1. */
export interface Proofs {
  /** Headers for one request to one other end; null = the agent has no identity now. */
  prove(agent: AgentKey, to: ProofAudience, request: ProvenRequest): Promise<Headers | null>
  /** A JWT-SVID of the agent for an audience; null = it has no identity now. */
  token(agent: AgentKey, audience: string): Promise<string | null>
  /** Who sent a request to an agent, by what came with it. */
  verify(to: ProofAudience, request: ProvenRequest, headers: Headers): Caller
}

type Place = Pick<UpstreamAsk, 'provider' | 'path' | 'address'>

/** Where a request goes; `or`: where it goes when that is not found. */
export type Destination = Place & { readonly or?: Place }

/** One facade: the dialects that are spoken on it, and the provider behind it. */
export type FacadeRoute = {
  readonly dialects: readonly [Dialect, ...Dialect[]]
  readonly provider: string
  /** Where it begins, as a client's base URL ends: `/openai/v1`. */
  readonly base: string
  /** What a client puts behind that: `/NAME`. Default: nothing. */
  readonly below?: string
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
  /** Where the A2A servers of agents are, by `namespace/name`: others reach them through here. */
  readonly calledUrls: Readonly<Record<string, string>>
  readonly proofs: Proofs
  /** Providers whose address is set; a compatible one that is not is where its entry says. */
  readonly providerNames: ReadonlySet<string>
  readonly exchanges: Exchanges
  readonly budget: HeldBudget
  readonly open: OpenUpstream
  readonly routes: ReadonlyMap<string, FacadeRoute>
  readonly limits: Limits
  readonly metrics: Pick<Metrics, 'count'>
  readonly clock: { nowMs(): number; monotonicUs(): number }
  readonly newVerdictId: () => string
}

/** What the way to other hosts is made of, besides. */
export type HostDeps = Omit<
  EgressDeps,
  'records' | 'released' | 'sessions' | 'budget' | 'open' | 'providerNames' | 'proofs'
> & {
  readonly log: Log
  readonly resolve: Resolve
  readonly openHost: OpenHost
  readonly openTunnel: OpenTunnel
  readonly openUpgrade: OpenUpgrade
  /** Base URLs of the providers. */
  readonly providerUrls: readonly string[]
}
