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
  /** The arguments of a released call until it has left. */
  argumentText: string
  /** Findings that the policy lets pass; the call goes on being read. */
  noted: readonly Finding[]
  /** True for a call that was written as text. */
  readonly inText: boolean
}

/** A call that begins, by the rules that hold just now. */
export function newHeld(
  { key, ordinal, inText }: Pick<Held, 'key' | 'ordinal' | 'inText'>,
  generation: number,
  inspection: Inspection,
): Held {
  return {
    key,
    ordinal,
    about: 'call',
    name: null,
    form: 'json',
    outcome: null,
    verdictId: null,
    kept: false,
    left: false,
    spentUs: 0,
    generation,
    inspection,
    pieces: [],
    argumentText: '',
    noted: [],
    inText,
  }
}
