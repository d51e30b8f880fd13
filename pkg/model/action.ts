/** What a verdict does, laxest first. POLICY.md "Actions". `Redact` and `Hold` are words of the contract; the checks that use them refuse them until they exist. */
export const ACTIONS = ['Allow', 'Record', 'Redact', 'Hold', 'Deny', 'Abort', 'Sever'] as const

/** One of {@link ACTIONS}. */
export type Action = (typeof ACTIONS)[number]

/** Position of an action in {@link ACTIONS}: a larger number is stricter. */
export function strictness(action: Action): number {
  return ACTIONS.indexOf(action)
}

/** The stricter of two actions. */
export function strictest(left: Action, right: Action): Action {
  return strictness(left) >= strictness(right) ? left : right
}

/** True when the action lets the judged bytes through unchanged (`Allow`, `Record`). */
export function passes(action: Action): boolean {
  return action === 'Allow' || action === 'Record'
}
