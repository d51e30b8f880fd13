import type { AgentKey, Reason } from '#pkg/model'

/** The ceiling that a person sets on one agent: its `Agent` file. POLICY.md "Agent". */
export type AgentCeiling = {
  readonly key: AgentKey
  readonly state: 'Active' | 'Quarantined'
  /** Required by the schema unless Active; goes into the log. */
  readonly reason: string
  readonly releaseThroughEpoch: number
}

/** Why the firewall severs. */
export type SeverCause = { readonly code: Reason; readonly verdictId: string }
