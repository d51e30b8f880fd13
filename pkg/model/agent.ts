declare const agentKey: unique symbol

/** `namespace/name` of one logical agent. Made only by {@link agentKeyOf}. */
export type AgentKey = string & { readonly [agentKey]: true }

/** Namespace and name of one logical agent. Both are RFC 1123 labels, checked by `platform/resources`. */
export type AgentRef = { readonly namespace: string; readonly name: string }

/** The trust domain of a process that is not told another. */
export const DEFAULT_TRUST_DOMAIN = 'sallyport.local'

/** The map key of an agent: `namespace/name`. */
export function agentKeyOf(agent: AgentRef): AgentKey {
  return `${agent.namespace}/${agent.name}` as AgentKey // the only place that brands
}

/** Namespace and name of a key. */
export function agentRefOf(key: AgentKey): AgentRef {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The five lifecycle states, laxest first where they restrict. DESIGN §5. */
export const LIFECYCLE_STATES = ['Provisioned', 'Active', 'Quarantined', 'Suspended', 'Terminated'] as const

/** One of {@link LIFECYCLE_STATES}. */
export type LifecycleState = (typeof LIFECYCLE_STATES)[number]

/** Who may raise a hold. POLICY.md "Agent". */
export const HOLD_SOURCES = ['Firewall', 'Budget', 'User', 'Identity'] as const

/** One of {@link HOLD_SOURCES}. */
export type HoldSource = (typeof HOLD_SOURCES)[number]

/**
 * One reason why an agent may not act. It counts while `epoch > spec.releaseThroughEpoch`.
 * `since` is RFC 3339.
 */
export type Hold = {
  readonly epoch: number
  readonly state: LifecycleState
  readonly source: HoldSource
  readonly code: string
  readonly verdictId: string | null
  readonly since: string
  /** What the person wrote who raised it; absent for the firewall's. */
  readonly reason?: string
  /** Who raised it, as the edge names them: `socket:uid=0`; absent for the firewall's. */
  readonly by?: string
}

/** What the rest of the process needs to know of an agent's life at one moment. */
export type Standing = {
  readonly agent: AgentKey
  /** The strictest of `spec.state` and every hold that still counts. */
  readonly state: LifecycleState
  /** Grows at every revocation; a permit of an older epoch is dead. */
  readonly epoch: number
  readonly holds: readonly Hold[]
  /** Released, and still without the fresh key that it needs before its first byte. Absent otherwise. MESH.md §2. */
  readonly thawing?: true
}
