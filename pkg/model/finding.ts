import { type Check, checkNumber, type Reason, reasonRow } from './reasons.ts'

/** What one inspector saw. A check looks, it never decides. DESIGN §3. */
export type Finding = {
  readonly check: Check
  readonly reason: Reason
  /** Byte offset, in the judged call's arguments or else in the entity, at which it became undeniable. WIRE.md rule 3. */
  readonly at: number
  /** What a person needs to understand it, without payload: names, limits, statement kinds. Redacted. */
  readonly detail: string
  /** Where in the policy it was found: `growth/marketing tools.allow[2].arguments.rules[inside-only]`; null when no policy has a say. */
  readonly rule: { readonly policy: string; readonly path: string } | null
  /** What the policy says there shall follow, whatever `onViolation.action` says; its rules may be stricter. */
  readonly action?: 'Record' | 'Deny'
}

/** Makes a finding; its check follows from its reason. */
export function findingOf(reason: Reason, at: number, detail: string, rule: Finding['rule'] = null): Finding {
  return { check: reasonRow(reason).check, reason, at, detail, rule }
}

/** Findings in the order of WIRE.md rule 3: by offset, then by check number. The first decides. */
export function orderFindings(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => a.at - b.at || checkNumber(a.check) - checkNumber(b.check))
}
