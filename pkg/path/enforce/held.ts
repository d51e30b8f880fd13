import type { ArgumentForm, Finding, Inspection, Outcome, Subject } from '#pkg/model'

/** One call, or what else is decided as one thing, while it is judged. */
export type Held = {
  readonly key: string
  readonly ordinal: number
  about: Exclude<Subject['kind'], 'request' | 'stream'>
  name: string | null
  form: ArgumentForm
  outcome: Outcome | null
  verdictId: string | null
  kept: boolean
  /** Its first frame has left. */
  left: boolean
  /** Time spent on it so far, µs. */
  spentUs: number
  generation: number
  inspection: Inspection
  readonly pieces: string[]
  /** Findings that the policy lets pass; the call goes on being read. */
  noted: readonly Finding[]
  /** True for a call that was written as text. */
  readonly inText: boolean
}
