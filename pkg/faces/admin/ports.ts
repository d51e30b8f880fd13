import type {
  AgentKey,
  CaSlotState,
  Hold,
  LifecycleState,
  MoveEvent,
  Reason,
  Snapshot,
  Source,
  Verdict,
  VerdictRecord,
} from '#pkg/model'

/** One agent as it stands now. */
export type AgentStatus = {
  readonly namespace: string
  readonly name: string
  readonly state: LifecycleState
  readonly epoch: number
  /** Sidecars that have to follow a change, and those that have said so. */
  readonly acks: { readonly wanted: number; readonly received: number }
  readonly role: string | null
  readonly mode: 'Enforce' | 'Audit' | null
  readonly policies: readonly string[]
  readonly generation: number
  readonly holds: readonly Hold[]
  /** Why it may not act: the reason in its file, else the code of its newest hold. Absent as null: it may, or nobody said. */
  readonly reason?: string | null
  /** As its file says. Absent as 0: no release. */
  readonly releaseThroughEpoch?: number
  /** Absent as none. */
  readonly warnings?: readonly Advice[]
}

/** What a person should know, and can change. `agent` null = about all of them. */
export type Advice = { readonly code: string; readonly agent: AgentKey | null; readonly message: string }

/** What is wrong with a resource, by place. Lines and columns count from 1. */
export type PolicyFault = {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** Which records are wanted. Absent = all; `limit` = the newest that many. */
export type VerdictFilter = {
  readonly agent?: AgentKey
  readonly reason?: Reason
  readonly sinceMs?: number
  readonly limit?: number
  /** Written after the record of that id. */
  readonly after?: string
}

/** What a person does to the life of an agent. */
export type MoveVerb = 'quarantine' | 'suspend' | 'release' | 'reinstate' | 'terminate' | 'forget'

/** One verb. `by` = who came in, and how: `socket:uid=0`, `token`, `dashboard`. */
export type MoveAsk = {
  readonly verb: MoveVerb
  readonly reason: string
  readonly by: string
  readonly force?: boolean
  /** Of a release: the epoch that the person saw. */
  readonly throughEpoch?: number
}

/** What came of it. */
export type MoveDone = {
  readonly from: LifecycleState
  readonly to: LifecycleState | null
  readonly epoch: number
  readonly changed: boolean
  readonly durable: boolean
  readonly acks: { readonly wanted: number; readonly received: number }
}

/** The identity of one agent as it is held now. Times are RFC 3339. */
export type IdentityStatus = {
  readonly namespace: string
  readonly name: string
  readonly spiffeId: string
  readonly uid: string
  readonly epoch: number
  readonly serial: string
  readonly notBefore: string
  readonly notAfter: string
  /** The key of the CA that signed it. */
  readonly slot: string
  /** RFC 7638 thumbprint of its key. */
  readonly thumbprint: string
  /** PEM, the leaf first. The key is in no answer. */
  readonly chain: string
}

/** What a person does with a key of the CA. */
export type CaVerb = 'prepare' | 'activate' | 'taint' | 'revoke'

/** One verb. `slot` null = the one that is meant by its state. */
export type CaMove = {
  readonly authority: 'X509' | 'Jwt'
  readonly slot: string | null
  readonly reason: string
  readonly by: string
}

/** One key of the CA. */
export type CaSlot = {
  readonly id: string
  readonly authority: 'X509' | 'Jwt'
  readonly state: CaSlotState
  readonly made: string
  readonly notAfter: string
}

/** The keys of the CA. `fault`: why nothing is signed now, or null. */
export type CaStatus = {
  readonly trustDomain: string
  readonly sequence: number
  readonly slots: readonly CaSlot[]
  readonly fault: string | null
}

/** Who a request comes from, by the proof in its headers. */
export type ProvenCaller =
  | { readonly ok: true; readonly agent: AgentKey; readonly spiffeId: string }
  | { readonly ok: false; readonly reason: Reason; readonly detail: string }

/** Identity, as this API shows and moves it. */
export interface AdminIdentity {
  /** The trust bundle as a JWK Set. */
  bundle(): object
  list(): readonly IdentityStatus[]
  /** Made if need be; null = the agent may not have one. @throws SallyportError STATE_UNAVAILABLE, OVERLOADED */
  of(agent: AgentKey): Promise<IdentityStatus | null>
  caStatus(): CaStatus
  /** @throws SallyportError MOVE_REFUSED, ADMIN_NOT_FOUND, STATE_UNAVAILABLE, OVERLOADED */
  moveCa(verb: CaVerb, ask: CaMove): Promise<CaStatus>
  caller(
    request: { readonly method: string; readonly path: string },
    headers: Readonly<Record<string, readonly string[] | undefined>>,
  ): ProvenCaller
}

/** Where the answers come from: what this API needs of the plane. */
export interface AdminSource {
  readonly identity: AdminIdentity
  /** Where agents are served: `http://127.0.0.1:PORT`. Absent = not told. */
  readonly facade?: string
  agents(): readonly AgentStatus[]
  /** One of them, or null. */
  agent(agent: AgentKey): AgentStatus | null
  /** How many of them are in each state. */
  states(): Readonly<Record<LifecycleState, number>>
  /** Told of each change of an agent's life or rules, of coming and going too, once it can be asked. Answers how to stop. */
  onAgentChange(listener: (agent: AgentKey) => void): () => void
  tokenOf(agent: AgentKey): string | null
  readonly verdicts: {
    find(id: string): VerdictRecord | null | Promise<VerdictRecord | null>
    /** Oldest first. */
    read(filter?: VerdictFilter): AsyncIterable<VerdictRecord>
    /** Calls for every record once it is written. Answers how to stop. */
    follow(listener: (record: VerdictRecord) => void): () => void
  }
  effective(agent: AgentKey): Snapshot | null
  /**
   * Carries out a verb.
   * @throws SallyportError MOVE_REFUSED, MOVE_OVERRIDDEN, ADMIN_NOT_FOUND, STATE_UNAVAILABLE
   */
  move(agent: AgentKey, ask: MoveAsk): MoveDone | Promise<MoveDone>
  /** The newest moves of an agent that are on record, oldest first; of one that has left, too. */
  movesOf(agent: AgentKey, limit: number): Promise<readonly MoveEvent[]>
  /** Which rule decides, and for an Allow which entry carries it; nothing is written or carried out. */
  explainCall(
    agent: AgentKey,
    call: { readonly name: string; readonly arguments: unknown },
  ): Promise<Verdict & { readonly granted?: Source | null }>
  /** The same of a request to another host. */
  explainHost(
    agent: AgentKey,
    request: { readonly method: string; readonly url: string },
  ): Verdict & { readonly granted?: Source | null }
  /** Faults of the last reload; empty when all is well. */
  policyFaults(): readonly PolicyFault[]
  healthy(): { readonly ok: boolean; readonly reasons: readonly string[] }
}
