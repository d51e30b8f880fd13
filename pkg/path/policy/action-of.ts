import {
  type Action,
  type Finding,
  globMatches,
  type Snapshot,
  type Subject,
  strictest,
  type ViolationRule,
} from '#pkg/model'

/** The action that a finding calls for, and the rule of `onViolation` that said so, if one did. */
export type Called = { readonly action: Action; readonly rule: ViolationRule | null }

/** Findings that only inform: they never refuse. WIRE.md rule 7. */
export function informs(finding: Finding): boolean {
  return finding.reason === 'TOOL_IN_TEXT'
}

/** Checks whose refusals neither Audit mode nor a lax action takes back. POLICY.md "Merge". */
export function isFirm(finding: Finding): boolean {
  return finding.check === 'wire' || finding.check === 'identity' || finding.reason === 'POLICY_NONE_SELECTS'
}

/**
 * The action for the deciding finding. `onViolation.rules` win, the strictest that matches; else
 * `onViolation.action`. Faults of the stream itself abort unless a rule says otherwise; wire and identity never go
 * below Deny, and doubt never severs by the general action, only by a rule. WIRE.md rule 8.
 */
export function actionOf(finding: Finding, kind: Subject['kind'], snapshot: Snapshot | null): Called {
  if (informs(finding)) return { action: 'Record', rule: null }
  const floor: Action = kind === 'stream' ? 'Abort' : 'Deny'
  if (snapshot === null || finding.check === 'identity') return { action: floor, rule: null }
  const rule = strictestRule(finding, snapshot.onViolation.rules)
  const least = isFirm(finding) ? floor : (finding.action ?? rule?.action)
  if (rule !== null) return { action: least === undefined ? rule.action : strictest(least, rule.action), rule }
  if (kind === 'stream') return { action: floor, rule: null }
  if (finding.action !== undefined) return { action: finding.action, rule: null }
  const general = snapshot.onViolation.action
  if (!isFirm(finding)) return { action: general, rule: null }
  return { action: general === 'Sever' ? 'Abort' : strictest(floor, general), rule: null }
}

function strictestRule(finding: Finding, rules: readonly ViolationRule[]): ViolationRule | null {
  let best: ViolationRule | null = null
  for (const rule of rules) {
    if (!rule.reasons.some((glob) => globMatches(glob, finding.reason))) continue
    if (best === null || strictest(best.action, rule.action) !== best.action) best = rule
  }
  return best
}
