import type { AgentAnswer, IdentityAnswer, MoveAnswer } from '#pkg/faces/admin'
import type { VerdictRecord } from '#pkg/model'
import type { Buckets } from './buckets.ts'
import type { View } from './route.ts'
import type { Filter, VerdictList } from './verdict-list.ts'

/** What the page shows of `GET /v1/summary`. */
export type Summary = {
  readonly verdicts: {
    readonly since: string
    readonly actions: Readonly<Record<string, number>>
    readonly checks: Readonly<Record<string, number>>
  }
  readonly health: { readonly ok: boolean; readonly reasons: readonly string[] }
}

/** How the page may ask. `fault`: why it may not. */
export type Access =
  | { readonly kind: 'asking' }
  | { readonly kind: 'in' }
  | { readonly kind: 'out'; readonly fault: string | null }

/** The verbs of the page. */
export type Verb = 'quarantine' | 'suspend' | 'release' | 'reinstate'

/** A move that a person is about to make. `epoch` = what they saw when they began. */
export type Move = {
  readonly verb: Verb
  readonly key: string
  readonly epoch: number
  readonly sending: boolean
  readonly fault: string | null
}

/** An identity as it was read: what is held, or why there is none. */
export type Identity =
  | { readonly key: string; readonly held: IdentityAnswer; readonly fault: null }
  | { readonly key: string; readonly held: null; readonly fault: string }

/** Everything that is shown. The views read it; what is done comes back through {@link Actions}. */
export type State = {
  access: Access
  view: View
  connection: 'connecting' | 'live' | 'reconnecting'
  /** Why it is not live, where the process said so. */
  connectionFault: string | null
  summary: Summary | null
  readonly agents: Map<string, AgentAnswer>
  /** False until the process has told once which there are: until then nothing is known, rather than none. */
  agentsKnown: boolean
  agentsFault: string | null
  agentFilter: { readonly text: string; readonly state: string }
  readonly list: VerdictList
  readonly buckets: Buckets
  filter: Filter
  /** Rows of the table that are passed over: a step of the shown window. */
  offset: number
  detail: VerdictRecord | null
  identity: Identity | null
  move: Move | null
  moved: MoveAnswer | null
}

/** What a person can do. */
export type Actions = {
  filter(change: Partial<Filter>): void
  filterAgents(change: Partial<State['agentFilter']>): void
  step(offset: number): void
  togglePause(): void
  open(record: VerdictRecord): void
  closeDetail(): void
  begin(verb: Verb, agent: AgentAnswer): void
  confirm(reason: string): void
  closeMove(): void
}

/** What a view is given. */
export type App = { readonly state: State; readonly actions: Actions }
