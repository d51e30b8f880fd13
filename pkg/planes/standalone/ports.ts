import type {
  AgentKey,
  Hold,
  LifecycleState,
  Limits,
  MoveEvent,
  Snapshot,
  Source,
  Verdict,
  VerdictRecord,
} from '#pkg/model'
import type { Clock } from '#pkg/platform/clock'
import type { Log } from '#pkg/platform/log'
import type { Metrics } from '#pkg/platform/metrics'
import type { ResourceFault } from '#pkg/platform/resources'
import type { VerdictFilter } from '#pkg/systems/audit'
import type { CaWorker } from '#pkg/systems/identity/server'
import type { VerbAsk } from '#pkg/systems/lifecycle'
import type { IdentityDesk } from './identity-admin.ts'
import type { MoveDone } from './lifecycle-verbs.ts'

/** A provider's address, and its key; null = nothing is sent as a key. */
export type UpstreamSetting = { readonly name: string; readonly url: string; readonly key: string | null }

/** How the process is set up. */
export type StandaloneOptions = {
  /** The folder of policies and agents; null = none, and every request is refused. */
  readonly policiesDir: string | null
  /** All that lasts: the record, states, tokens, the CA, pins. Made with 0700 if it is not there. */
  readonly dataDir: string
  /** Port of the facade on 127.0.0.1; 0 = a free one. */
  readonly port: number
  readonly upstreams: readonly UpstreamSetting[]
  /** Addresses of tool servers in the place of those that policies name. Default none. */
  readonly serverUrls?: Readonly<Record<string, string>>
  /** The same of peers. Default none. */
  readonly peerUrls?: Readonly<Record<string, string>>
  /** Where the A2A servers of agents are, by `namespace/name`. Default none: nobody can call them. */
  readonly calledUrls?: Readonly<Record<string, string>>
  /** In the SPIFFE IDs of agents. Default `sallyport.local`. */
  readonly trustDomain?: string
  /**
   * Unix sockets on which agents are served the SPIFFE Workload API, by `namespace/name`; the key `''` = the only agent that
   * there is. Default none.
   */
  readonly workloadSockets?: Readonly<Record<string, string>>
  /** HTTP/2 with providers whose TLS chooses it. Default false. */
  readonly upstreamHttp2?: boolean
  /** Addresses of hosts in the place of what DNS says. Default none. */
  readonly hostAddresses?: Readonly<Record<string, readonly string[]>>
  readonly limits: Limits
}

/** One agent for a person. `acks` is 1 of 1 here, since the sidecar lives in this process; 0 while its fresh key is to come. */
export type AgentStatus = {
  readonly namespace: string
  readonly name: string
  readonly state: LifecycleState
  readonly epoch: number
  readonly acks: { readonly wanted: number; readonly received: number }
  readonly role: string | null
  readonly mode: 'Enforce' | 'Audit' | null
  readonly policies: readonly string[]
  readonly generation: number
  readonly holds: readonly Hold[]
  /** Why it may not act: the reason in its file, else the code of its newest hold; null when it may. */
  readonly reason: string | null
  /** As its file says; 0 = no release. */
  readonly releaseThroughEpoch: number
  readonly warnings: readonly Advice[]
}

/**
 * What a person should know, and can change. DENY_ALL: no policy selects any agent. RELEASE_TOO_LOW: the release in an
 * Agent file is below the epoch of a hold. RELEASE_BEYOND_EPOCH: it covered only the holds that there were. MOVE_REFUSED:
 * the state in an Agent file cannot be reached from where the agent is. WORKLOAD_SOCKET_UNSERVED: nobody is served on a socket
 * of the Workload API.
 */
export type Advice = {
  readonly code: 'DENY_ALL' | 'RELEASE_TOO_LOW' | 'RELEASE_BEYOND_EPOCH' | 'MOVE_REFUSED' | 'WORKLOAD_SOCKET_UNSERVED'
  /** null = about all of them. */
  readonly agent: AgentKey | null
  readonly message: string
}

/** What would be decided, and for an Allow the entry of `tools.allow` that carries it. */
export type Explained = Verdict & { readonly granted: Source | null }

/** The verdict log, for reading. */
export type VerdictReader = {
  find(id: string): VerdictRecord | null | Promise<VerdictRecord | null>
  read(filter?: VerdictFilter): AsyncIterable<VerdictRecord>
  follow(listener: (record: VerdictRecord) => void): () => void
}

/** A running standalone process, seen from its faces. */
export type Standalone = {
  /** `http://127.0.0.1:PORT`. */
  readonly facade: string
  agents(): readonly AgentStatus[]
  /** One of them, or null. */
  agent(agent: AgentKey): AgentStatus | null
  /** How many of them are in each state. */
  states(): Readonly<Record<LifecycleState, number>>
  /** Told of each change of an agent's life or rules, of coming and going too, once it can be asked. Gives back what ends it. */
  onAgentChange(listener: (agent: AgentKey) => void): () => void
  tokenOf(agent: AgentKey): string | null
  readonly verdicts: VerdictReader
  /** One verb of a person. @throws SallyportError MOVE_REFUSED, MOVE_OVERRIDDEN, ADMIN_NOT_FOUND, STATE_UNAVAILABLE */
  move(agent: AgentKey, ask: VerbAsk): MoveDone
  /** The newest moves of an agent that are on record, oldest first. */
  movesOf(agent: AgentKey, limit: number): Promise<readonly MoveEvent[]>
  /** SVIDs, the trust bundle and the keys of the CA, for a person. */
  readonly identity: IdentityDesk
  /** The merged rules of an agent, with where each was written. */
  effective(agent: AgentKey): Snapshot | null
  /** Which rule decides about a call; nothing is written down or carried out. */
  explainCall(agent: AgentKey, call: { readonly name: string; readonly arguments: unknown }): Promise<Explained>
  /** Which rule decides about a request to another host; DNS is not asked, nothing is written down or carried out. */
  explainHost(agent: AgentKey, request: { readonly method: string; readonly url: string }): Explained
  /** Faults of the newest reading of the folder; empty when all is well. */
  policyFaults(): readonly ResourceFault[]
  /** What a person should know of the rules and releases that hold now. */
  warnings(): readonly Advice[]
  healthy(): { readonly ok: boolean; readonly reasons: readonly string[] }
  /** Stops accepting, lets open exchanges end for that long, then cuts them. */
  close(drainMs: number): Promise<void>
}

/** What the process takes from outside. */
export type StandaloneDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly random: (bytes: number) => Uint8Array
  /** Where the admin API listens, once it does. Default: nowhere. */
  readonly controlPlane?: () => string | null
  /** Default: nothing is counted. */
  readonly metrics?: Metrics
  /** Does the work of the CA. Default: a thread of its own. */
  readonly caWorker?: CaWorker
  /** All addresses of a name. Default: the system's resolver. */
  readonly lookup?: (name: string) => Promise<readonly string[]>
}
