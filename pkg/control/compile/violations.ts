import { type Action, globMatches, REASONS, type Reason, strictest, type ViolationRule } from '#pkg/model'
import type { Part } from './policy.ts'

/** Actions of several policies. */
export type Violations = { readonly action: Action; readonly rules: readonly ViolationRule[] }

/**
 * Merges `onViolation`: per reason the strictest action wins. What a policy says of a reason is its strictest rule that matches,
 * else its general action. The rules of all stay as they are, for the strictest that matches wins when a finding is judged; but a
 * rule of one policy is an exception from its own general action alone. So where the general action of another is stricter than
 * every rule on a reason, that action stands as a rule of its own.
 */
export function mergeViolations(parts: readonly Part[]): Violations {
  const action = parts.map((part) => part.action).reduce(strictest)
  const rules = parts.flatMap((part) => part.rules)
  if (rules.length === 0 || parts.length === 1) return { action, rules }
  const kept = new Map<string, { readonly part: Part; readonly action: Action; readonly reasons: Reason[] }>()
  for (const reason of Object.keys(REASONS) as Reason[]) {
    const ruled = strictestOf(rules, reason)
    if (ruled === null) continue
    let winner: { readonly part: Part; readonly action: Action } | null = null
    for (const part of parts) {
      if (strictestOf(part.rules, reason) !== null) continue
      const general = generalAction(part, reason)
      if (strictest(winner?.action ?? ruled, general) !== (winner?.action ?? ruled)) winner = { part, action: general }
    }
    if (winner === null) continue
    const key = `${winner.part.resource.key} ${winner.action}`
    const group = kept.get(key) ?? { ...winner, reasons: [] }
    group.reasons.push(reason)
    kept.set(key, group)
  }
  const more = [...kept.values()].map(({ part, action: general, reasons }) => ({
    source: { policy: part.resource.key, path: 'onViolation.action' },
    name: 'onViolation.action',
    reasons,
    action: general,
  }))
  return { action, rules: [...rules, ...more] }
}

function strictestOf(rules: readonly ViolationRule[], reason: Reason): Action | null {
  const matching = rules.filter((rule) => rule.reasons.some((glob) => globMatches(glob, reason)))
  return matching.length === 0 ? null : matching.map((rule) => rule.action).reduce(strictest)
}

/** A general action never severs for doubt, only a rule does. WIRE.md rule 8. */
function generalAction(part: Part, reason: Reason): Action {
  const isDoubt = REASONS[reason].check === 'wire' || REASONS[reason].check === 'identity'
  return part.action === 'Sever' && isDoubt ? 'Abort' : part.action
}
