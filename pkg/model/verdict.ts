import type { Action } from './action.ts'
import type { AgentKey } from './agent.ts'
import type { Finding } from './finding.ts'
import type { Check, Reason } from './reasons.ts'

/** What a verdict is about. `tool` is safe to print only if {@link Subject.named} says so. */
export type Subject = {
  /**
   * `ask`: what a server asks of the agent; `list`: which tools a server says it has; `said`: what one agent says to
   * another; `card`: what an agent says of itself.
   */
  readonly kind: 'request' | 'call' | 'stream' | 'ask' | 'list' | 'said' | 'card'
  readonly tool: string | null
  /** True when the policy names the tool, or the request declares it and it is `[A-Za-z0-9_.-]{1,64}`. DESIGN §6. */
  readonly named: boolean
  /** 1-based position of the call in its answer, 0 for no call. Printed where the name may not be. */
  readonly ordinal: number
}

/** Every way that judged content goes. */
export const DIRECTIONS = [
  'ToModel',
  'FromModel',
  'ToTool',
  'FromTool',
  'ToPeer',
  'FromPeer',
  'ToHost',
  'FromHost',
] as const

/** Which way the judged content went: one of {@link DIRECTIONS}. */
export type Direction = (typeof DIRECTIONS)[number]

/** A decision with its determining rule and findings. Only `path/policy` makes one. DESIGN §3. */
export type Verdict = {
  readonly id: string
  readonly subject: Subject
  readonly action: Action
  /** False in Audit mode: judged and recorded, not carried out. */
  readonly enforced: boolean
  readonly findings: readonly Finding[]
  readonly reason: Reason | null
  readonly check: Check | null
  /** `namespace/name` of the deciding policy, or null when none had a say. */
  readonly policy: string | null
  /** Path of the deciding rule inside that policy. */
  readonly rule: string | null
  /** For a person and for a client: the refusal contract of DESIGN §6. Empty for an allow. */
  readonly message: string
}

/** One line of the verdict log. DESIGN §8, "black box". */
export type VerdictRecord = {
  readonly id: string
  /** RFC 3339. */
  readonly time: string
  readonly agent: AgentKey | null
  readonly session: string | null
  readonly dialect: string
  readonly direction: Direction
  readonly tool: string | null
  readonly action: Action
  readonly enforced: boolean
  readonly reasons: readonly Reason[]
  readonly check: Check | null
  readonly policy: string | null
  readonly rule: string | null
  /** Time that the judgement took, µs. */
  readonly us: number
  readonly message: string
  readonly generation: number
  readonly epoch: number
  /** SPIFFE ID of the other agent whose request it was, as it proved; absent = the agent's own. */
  readonly caller?: string
}

declare const permitted: unique symbol

/**
 * Proof that a verdict allowed it. Only `path/policy` can make one: the brand is not exported. It is compared at
 * the write: with another epoch or generation than today's it opens nothing. WIRE.md §4.
 */
export type Permit = {
  readonly [permitted]: true
  readonly agent: AgentKey
  readonly epoch: number
  readonly generation: number
}
