import type { AgentKey, LifecycleState, Snapshot } from '#pkg/model'
import type { Agent, AgentPolicy } from '#pkg/model/api'
import type { FieldPath, Resource, ResourceFault } from '#pkg/platform/resources'

/** Do these compile? null = yes, else what is wrong. `platform/expr` has it; plugged in by the plane. */
export type CompileChecks = { cel(expression: string): string | null; schema(schema: unknown): string | null }

/** Everything that one compilation rests on. */
export type CompileInput = {
  readonly policies: readonly Resource<AgentPolicy>[]
  readonly agents: readonly Resource<Agent>[]
  /** Stamped on every snapshot. */
  readonly generation: number
  readonly checks: CompileChecks
}

/** The ceiling of one agent, as its resource says. */
export type CompiledAgent = {
  readonly key: AgentKey
  readonly state: Exclude<LifecycleState, 'Provisioned'>
  readonly reason: string
  readonly releaseThroughEpoch: number
  /** With Terminated: the emergency move, from any state. */
  readonly force: boolean
  /** Manual where one of its policies says so; None where no policy selects it. */
  readonly activation: 'Automatic' | 'Manual' | 'None'
  /** Where the state is set, `file:line`; null for the agent of a folder that names none. */
  readonly place: string | null
}

/** What became of a policy. Gateway API words. */
export type Condition = {
  readonly accepted: boolean
  readonly reason: 'Accepted' | 'Invalid' | 'Conflicted' | 'UnsupportedField'
  readonly message: string
}

/** What came out. */
export type Compiled = {
  readonly snapshots: ReadonlyMap<AgentKey, Snapshot>
  readonly agents: readonly CompiledAgent[]
  /** By `namespace/name` of the policy. */
  readonly conditions: ReadonlyMap<string, Condition>
  /** What has to be mended: their policies are not accepted. */
  readonly faults: readonly ResourceFault[]
  /** What is worth knowing: conflicting policies, agents that no policy selects. */
  readonly warnings: readonly ResourceFault[]
  /** What the policies let pass uninspected, and entries of `egress` that never open. */
  readonly uninspected: readonly ResourceFault[]
}

/** Writes down one fault of the policy in hand. */
export type Report = (path: FieldPath, code: ResourceFault['code'], message: string) => void
