import { type AgentRef, type Finding, findingOf, orderFindings } from '#pkg/model'
import type { RuleBindings } from '#pkg/platform/expr'
import { type ArgumentText, MAX_TEXTS, withNested } from './argument-texts.ts'
import { type CallParts, isSqlKey, type WholeCall } from './call.ts'
import { intentFindings, type ReadText } from './check-intent.ts'
import type { CompiledGrant } from './rules.ts'
import { looksLikeSql } from './sql-looks.ts'

/** Texts of one call that the grammar reads; a call that holds more is refused. */
export const MAX_SQL_TEXTS = 64

/** One text that the grammar has to read, and why. */
type Question = { readonly text: string; readonly asSql: boolean; readonly looksLikeSql: boolean }

/**
 * Checks 3 and 4 on a whole call. Each entry of the allow list is judged whole; one that holds is enough. If none
 * holds, the findings of the entry that came furthest are answered, the first of equals. A promise only where the
 * grammar has to be asked.
 */
export function judgeWhole(
  parts: CallParts,
  agent: AgentRef,
  call: WholeCall,
): readonly Finding[] | Promise<readonly Finding[]> {
  const open: CompiledGrant[] = []
  let furthest: { readonly stage: number; readonly findings: readonly Finding[] } | null = null
  for (const entry of parts.entries) {
    const seen = judgeArguments(parts, entry, agent, call)
    if (seen === null) open.push(entry)
    else if (furthest === null || seen.stage > furthest.stage) furthest = seen
  }
  if (open.length === 0) {
    return (
      furthest?.findings ?? [findingOf('TOOL_NOT_GRANTED', 0, `is not granted to role "${parts.rules.snapshot.role}"`)]
    )
  }
  if (open.every((entry) => entry.grant.execution === 'output')) return []
  const asked = questions(parts, open, call)
  if (asked.fault !== null) return [asked.fault]
  if (asked.questions.length === 0) return judgeIntents(parts, open, [], call.bytes)
  return ask(parts, asked.questions).then((texts) => judgeIntents(parts, open, texts, call.bytes))
}

/** Schema, then rules of one entry; null = both hold. `stage` tells how far it came. */
function judgeArguments(
  parts: CallParts,
  entry: CompiledGrant,
  agent: AgentRef,
  call: WholeCall,
): { readonly stage: number; readonly findings: readonly Finding[] } | null {
  const { policy, path } = entry.grant.source
  const at = call.bytes
  if (entry.fault !== null) {
    return { stage: 0, findings: [findingOf('CHECK_FAILED', at, `is granted with ${entry.fault}`, { policy, path })] }
  }
  const errors = entry.schema?.check(call.args) ?? []
  if (errors.length > 0) {
    const detail = errors.map((error) => `${error.keyword} at ${error.path === '' ? 'the top' : error.path}`).join(', ')
    const rule = { policy, path: `${path}.arguments.schema` }
    return {
      stage: 1,
      findings: [findingOf('ARGUMENT_SCHEMA', at, `has arguments that do not match the schema: ${detail}`, rule)],
    }
  }
  if (entry.rules.length === 0) return null
  const bindings = bindingsOf(parts, entry, agent, call)
  const broken = entry.rules.filter((rule) => rule.program.holds(bindings) !== true)
  if (broken.length === 0) return null
  const findings = broken.map(({ name, message }) =>
    findingOf('ARGUMENT_RULE', at, `breaks the rule "${name}"${message === '' ? '' : `: ${message}`}`, {
      policy,
      path: `${path}.arguments.rules[${name}]`,
    }),
  )
  return { stage: 2, findings }
}

/** A proposal is judged as if its entry's server were already asked. */
function bindingsOf(parts: CallParts, entry: CompiledGrant, agent: AgentRef, call: WholeCall): RuleBindings {
  const { role, labels } = parts.rules.snapshot
  return {
    args: call.args,
    agent: { namespace: agent.namespace, name: agent.name, role, labels },
    session: null,
    tool: { name: parts.name, server: parts.server || entry.grant.server },
    peer: null,
  }
}

function judgeIntents(
  parts: CallParts,
  open: readonly CompiledGrant[],
  texts: readonly ReadText[],
  at: number,
): readonly Finding[] {
  let found: readonly Finding[] | null = null
  for (const entry of open) {
    const findings = intentFindings(parts.rules, entry, texts, at)
    if (findings.length === 0) return []
    found ??= findings
  }
  return orderFindings(found ?? [])
}

/** The texts that the grammar has to read for at least one of the entries. */
function questions(
  parts: CallParts,
  open: readonly CompiledGrant[],
  call: WholeCall,
): { readonly questions: readonly Question[]; readonly fault: Finding | null } {
  const { limits, deps } = parts
  const declared = open.some((entry) => entry.declaresSql)
  const only = call.texts.length === 1
  const nested = withNested(call.texts, deps.newJson, { depth: limits.jsonDepth, bytes: Number.POSITIVE_INFINITY })
  if (nested.fault !== null) {
    const detail = `has JSON inside a string that could be read in two ways: ${nested.fault.detail}`
    return { questions: [], fault: findingOf(nested.fault.reason, call.bytes, detail) }
  }
  const asked = new Map<string, Question>()
  for (const one of [...nested.texts, ...keysOf(call.args)]) {
    const asSql = declared && (isSqlKey(one.key) || (only && !one.nested))
    const looks = looksLikeSql(one.text)
    const before = asked.get(one.text)
    if (asSql || looks)
      asked.set(one.text, { text: one.text, asSql: asSql || before?.asSql === true, looksLikeSql: looks })
  }
  const many = asked.size > MAX_SQL_TEXTS || nested.texts.length > MAX_TEXTS
  const fault = many
    ? findingOf('INTENT_SQL_TOO_LARGE', call.bytes, `holds more than ${MAX_SQL_TEXTS} texts that could be SQL`)
    : null
  return { questions: [...asked.values()], fault }
}

/** Keys carry what they like, too. */
function keysOf(args: unknown): readonly ArgumentText[] {
  const found: ArgumentText[] = []
  const stack: unknown[] = [args]
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (typeof value !== 'object' || value === null) continue
    for (const [key, inner] of Object.entries(value)) {
      if (key.length > 5 && !Array.isArray(value)) found.push({ key: null, text: key, nested: true })
      if (typeof inner === 'object') stack.push(inner)
    }
  }
  return found
}

/** One text after the other: the worker has one thread, and each has its own deadline. */
async function ask(parts: CallParts, questions: readonly Question[]): Promise<readonly ReadText[]> {
  const texts: ReadText[] = []
  for (const { text, asSql, looksLikeSql: looks } of questions) {
    texts.push({ reading: await parts.deps.sql.read(text), asSql, looksLikeSql: looks })
  }
  return texts
}
