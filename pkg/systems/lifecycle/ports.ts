import type { AgentKey, LifecycleState, Reason } from '#pkg/model'

/** What a person may set as a ceiling. */
export type CeilingState = Exclude<LifecycleState, 'Provisioned'>

/** The ceiling that a person sets on one agent: its `Agent` file. POLICY.md "Agent". */
export type AgentCeiling = {
  readonly key: AgentKey
  readonly state: CeilingState
  /** Required by the schema unless Active; goes into the log. */
  readonly reason: string
  readonly releaseThroughEpoch: number
  /** The emergency move into Terminated. Absent = false. */
  readonly force?: boolean
  /** Manual: a person releases the agent before it acts for the first time. None: no policy says. Absent = Automatic. */
  readonly activation?: 'Automatic' | 'Manual' | 'None'
  /** Where the state is set, `file:line`, for a verb that it overrides; null = nowhere. Absent = null. */
  readonly place?: string | null
}

/** Why the firewall severs. */
export type SeverCause = { readonly code: Reason; readonly verdictId: string }

/**
 * Asks for what a released agent needs before its first byte: a fresh key of that epoch. true = it is there. Asked again
 * each second while it is not.
 */
export type Thaw = (agent: AgentKey, epoch: number) => boolean | Promise<boolean>

/** What a person can do to the life of an agent. CLI.md. */
export const VERBS = ['quarantine', 'suspend', 'release', 'reinstate', 'terminate', 'forget'] as const

/** One of {@link VERBS}. */
export type Verb = (typeof VERBS)[number]

/** One verb of a person. */
export type VerbAsk = {
  readonly verb: Verb
  /** Not empty, at most {@link REASON_LENGTH} characters. */
  readonly reason: string
  /** Who asks, as the edge names them: `socket:uid=0`. */
  readonly by: string
  /** The emergency move into Terminated. Absent = false. */
  readonly force?: boolean
  /** Of a release: the epoch that the person saw; a hold raised since survives. Absent = the epoch of now. */
  readonly throughEpoch?: number
}

/** Characters of a reason. */
export const REASON_LENGTH = 512

/** What a verb came to. `to` null = the agent is forgotten, and not in the folder either. */
export type Moved = {
  readonly from: LifecycleState
  readonly to: LifecycleState | null
  readonly epoch: number
  /** False for a self-move: nothing was written. */
  readonly changed: boolean
  /** False while it is in force in this process alone: it could not be written down yet. */
  readonly durable: boolean
}
