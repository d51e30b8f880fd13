import { type Finding, findingOf, globMatches, type Intent, orderFindings, reasonOfIntent } from '#pkg/model'
import { absenceOf } from './check-name.ts'
import type { SqlClass, SqlReading } from './ports.ts'
import type { CompiledGrant, Rules } from './rules.ts'

/** A text among the arguments that was asked about. */
export type ReadText = {
  readonly reading: SqlReading
  /** True where the key or the lack of other strings says that it is SQL, if the tool declares `sql.*`. */
  readonly asSql: boolean
  /** True when it could be SQL by its looks alone. */
  readonly looksLikeSql: boolean
}

/** Check 4 on a whole call under one entry: what it declares, and what its arguments show. POLICY.md "Intents". */
export function intentFindings(
  rules: Rules,
  entry: CompiledGrant,
  texts: readonly ReadText[],
  at: number,
): readonly Finding[] {
  if (entry.grant.execution === 'output') return []
  const doubts: Finding[] = []
  const shown = new Map<Intent, string>()
  let sqlSeen = false
  for (const { reading, asSql, looksLikeSql } of texts) {
    const declared = entry.declaresSql && asSql
    if (!declared && !looksLikeSql) continue
    if (reading.ok) {
      if (!declared && (reading.bareExpression || reading.statements === 0)) continue
      sqlSeen = true
      for (const intent of reading.intents) if (!shown.has(intent)) shown.set(intent, reading.detail)
    } else if (declared || reading.reason !== 'INTENT_SQL_UNPARSABLE') {
      doubts.push(findingOf(reading.reason, at, `cannot be judged: ${reading.detail}`, boundOf(entry)))
    }
  }
  const refused = [...effects(entry, shown, sqlSeen)].flatMap(([intent, detail]) =>
    refusal(rules, entry, intent, detail, at),
  )
  return orderFindings([...doubts, ...refused])
}

/** The finding of an SQL text whose class is fixed before its end, if no entry could ever allow it; else null. */
export function earlySqlFinding(
  rules: Rules,
  entries: readonly CompiledGrant[],
  seen: SqlClass,
  at: number,
): Finding | null {
  let first: Finding | null = null
  for (const entry of entries) {
    const [finding] = entry.declaresSql ? refusal(rules, entry, seen.intent, seen.detail, at) : []
    if (finding === undefined) return null
    first ??= finding
  }
  return first
}

/**
 * The effects to judge: what is shown; what is declared and cannot be told from the arguments; `custom.unknown` if
 * there is neither. Of declared `sql.*` intents those count that the SQL shows, or all where no SQL is to be seen.
 */
function* effects(
  entry: CompiledGrant,
  shown: ReadonlyMap<Intent, string>,
  sqlSeen: boolean,
): Iterable<readonly [Intent, string]> {
  yield* [...shown].sort(([left], [right]) => weight(left) - weight(right))
  let any = shown.size > 0 || sqlSeen
  for (const intent of entry.grant.intents ?? []) {
    if (shown.has(intent) || (sqlSeen && intent.startsWith('sql.'))) continue
    any = true
    yield [intent, 'declared for the tool']
  }
  if (!any) yield ['custom.unknown', 'its effect cannot be told']
}

/** What one text shows stands at one place: the effect that does most decides, so that a lesser one beside it hides nothing. */
const HEAVIEST_FIRST: readonly Intent[] = [
  'sql.ddl',
  'shell.exec',
  'sql.write',
  'fs.write',
  'net.egress',
  'fs.read',
  'sql.read',
]

const weight = (intent: Intent): number => HEAVIEST_FIRST.indexOf(intent)

/** No finding, or the one that refuses an effect: denied, beyond the entry's bound, or not allowed. */
function refusal(rules: Rules, entry: CompiledGrant, intent: Intent, detail: string, at: number): readonly Finding[] {
  const { allow, deny } = rules.snapshot.intents
  const found = (rule: Finding['rule'], why: string): readonly Finding[] => [
    findingOf(reasonOfIntent(intent), at, `has the effect ${intent}, which ${why}: ${detail}`, rule),
  ]
  const denied = deny.find((one) => globMatches(one.intent, intent))
  if (denied !== undefined) return found(denied.source, 'is denied')
  const bound = entry.grant.intents
  if (intent === 'custom.unknown') return []
  if (bound !== null && !bound.includes(intent)) return found(boundOf(entry), 'is beyond what the tool may do')
  if (allow.some((one) => globMatches(one.intent, intent))) return []
  return found(absenceOf(rules, 'intents.allow'), 'is not allowed')
}

/** The finding of an effect that its own entry grants and a deny list refuses; none if no list does. */
export function deniedEffect(rules: Rules, intent: Intent, what: string): readonly Finding[] {
  const denied = rules.snapshot.intents.deny.find((one) => globMatches(one.intent, intent))
  if (denied === undefined) return []
  const detail = `${what}: it has the effect ${intent}, which is denied`
  return [findingOf(reasonOfIntent(intent), 0, detail, denied.source)]
}

function boundOf(entry: CompiledGrant): NonNullable<Finding['rule']> {
  return { policy: entry.grant.source.policy, path: `${entry.grant.source.path}.intents` }
}
