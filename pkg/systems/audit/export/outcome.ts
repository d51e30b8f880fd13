import type { Action, VerdictEvent } from '#pkg/model'

/** What became of the judged bytes. */
export type Outcome = 'Allowed' | 'Logged' | 'Detected' | 'Corrected' | 'Delayed' | 'Blocked' | 'Dropped' | 'Revoked'

const OF_ACTION = {
  Allow: 'Allowed',
  Record: 'Logged',
  Redact: 'Corrected',
  Hold: 'Delayed',
  Deny: 'Blocked',
  Abort: 'Dropped',
  Sever: 'Revoked',
} as const satisfies Readonly<Record<Action, Outcome>>

/** What became of what a verdict judged. In Audit mode what would have been refused is `Detected`: it passed. */
export function outcomeOf(event: VerdictEvent): Outcome {
  const outcome = OF_ACTION[event.action]
  if (event.enforced || outcome === 'Allowed' || outcome === 'Logged') return outcome
  return 'Detected'
}

/** True when the bytes passed unchanged. */
export function passed(outcome: Outcome): boolean {
  return outcome === 'Allowed' || outcome === 'Logged' || outcome === 'Detected'
}

/** OCSF: `action_id` and `disposition_id`, with their captions. */
export const OCSF_OUTCOMES = {
  Allowed: { action: [1, 'Allowed'], disposition: [1, 'Allowed'] },
  Logged: { action: [3, 'Observed'], disposition: [17, 'Logged'] },
  Detected: { action: [3, 'Observed'], disposition: [15, 'Detected'] },
  Corrected: { action: [4, 'Modified'], disposition: [11, 'Corrected'] },
  Delayed: { action: [4, 'Modified'], disposition: [14, 'Delayed'] },
  Blocked: { action: [2, 'Denied'], disposition: [2, 'Blocked'] },
  Dropped: { action: [2, 'Denied'], disposition: [6, 'Dropped'] },
  Revoked: { action: [2, 'Denied'], disposition: [24, 'Access Revoked'] },
} as const satisfies Readonly<Record<Outcome, { readonly action: Coded; readonly disposition: Coded }>>

/** A number of OCSF, and what its schema calls it. */
export type Coded = readonly [id: number, caption: string]
