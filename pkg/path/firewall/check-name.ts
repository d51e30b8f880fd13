import { type Finding, findingOf } from '#pkg/model'
import { denyFor, grantsFor, isExact, type Rules } from './rules.ts'

/** Names that the policy may print. DESIGN §6. */
const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,64}$/
const VISIBLE_ASCII = /^[!-~]*$/

/**
 * What is wrong with the name of a call; the first finding decides. Check order: wire, then deny, then allow. `server` is
 * the one that carries it out, empty for a call that a model proposes.
 */
export function checkName(rules: Rules, name: string, server = ''): readonly Finding[] {
  const { snapshot } = rules
  if (name === '') return [findingOf('WIRE_NAME_MISSING', 0, 'has no name')]
  const granted = grantsFor(rules, name, server)
  if (!VISIBLE_ASCII.test(name) && !isShown(rules, name)) {
    return [findingOf('WIRE_INVISIBLE_TEXT', 0, 'has a name with invisible, look-alike or white-space characters')]
  }
  if (snapshot.denyAll) return [noneSelects()]
  const denied = denyFor(rules, name, server)
  if (denied !== undefined) return [findingOf('TOOL_DENIED', 0, `is denied to role "${snapshot.role}"`, denied.source)]
  if (granted.length > 0) return []
  return [
    findingOf('TOOL_NOT_GRANTED', 0, `is not granted to role "${snapshot.role}"`, absenceOf(rules, 'tools.allow')),
  ]
}

/** The finding of an agent that no policy selects. */
export function noneSelects(): Finding {
  return findingOf('POLICY_NONE_SELECTS', 0, 'comes from an agent that no accepted policy selects')
}

/** The rule of "not in the list": the oldest policy's list, or null when there is no policy. */
export function absenceOf(rules: Rules, path: string): Finding['rule'] {
  const policy = rules.snapshot.policies[0]
  return policy === undefined ? null : { policy, path }
}

/** May this tool's name be printed? The policy names it, or the request declares it and it is plain. DESIGN §6. */
export function isNamed(rules: Rules, declared: readonly string[], tool: string): boolean {
  return isWritten(rules, tool) || (PLAIN_NAME.test(tool) && declared.includes(tool))
}

/** Does the policy write this very name? */
function isWritten(rules: Rules, name: string): boolean {
  return rules.grants.exact.has(name) || rules.snapshot.denies.some((deny) => isExact(deny.name) && deny.name === name)
}

/** A name beyond ASCII passes only if the policy writes it so, and a person can see all of it. */
function isShown(rules: Rules, name: string): boolean {
  return isWritten(rules, name) && !/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(name)
}
