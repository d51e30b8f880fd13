import type { LifecycleState } from '#pkg/model'

/** What is asked for. `force` = the emergency move into Terminated, which needs a reason. */
export type MoveAsk = { readonly to: LifecycleState; readonly force?: boolean; readonly reason?: string }

/** Why a move is refused. */
export type MoveRefusal = 'Terminated' | 'NeedsForce' | 'NeedsReason' | 'NotAllowed'

/** `self`: nothing changes, no event, the same epoch. `allowed`: where one may go from here without force. */
export type MoveAnswer =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'self' }
  | { readonly kind: 'refused'; readonly why: MoveRefusal; readonly allowed: readonly LifecycleState[] }

/** The moves of a life, besides the emergency from anywhere into Terminated. DESIGN §5. */
const ALLOWED: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  Provisioned: ['Active'],
  Active: ['Quarantined', 'Suspended'],
  Quarantined: ['Active', 'Suspended'],
  Suspended: ['Active', 'Terminated'],
  Terminated: [],
}

/** May an agent go from one state into another? Pure; all 25 pairs have an answer. */
export function moveOf(from: LifecycleState, { to, force = false, reason = '' }: MoveAsk): MoveAnswer {
  if (from === to) return { kind: 'self' }
  const allowed = ALLOWED[from]
  if (from === 'Terminated') return { kind: 'refused', why: 'Terminated', allowed }
  if (allowed.includes(to)) return { kind: 'allowed' }
  if (to !== 'Terminated') return { kind: 'refused', why: 'NotAllowed', allowed }
  if (!force) return { kind: 'refused', why: 'NeedsForce', allowed }
  return reason.trim() === '' ? { kind: 'refused', why: 'NeedsReason', allowed } : { kind: 'allowed' }
}
