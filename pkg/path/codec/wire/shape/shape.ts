/** A parsed JSON object whose members are not known yet. */
export type Json = Readonly<Record<string, unknown>>

/** The value as an object, or null for anything else (arrays too). */
export function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null // checked in the line
}

/** The value as an array, or null. */
export function asArray(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null
}

/** The value as a non-empty string, or null. */
export function asText(value: unknown): string | null {
  return typeof value === 'string' && value.length > 0 ? value : null
}

/** True for what clients treat as absent: undefined, null, an empty string, list or object. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.keys(value).length === 0
}

const CALL_KEYS = new Set(['toolcalls', 'toolcall', 'functioncall', 'functioncalls', 'tooluse', 'tooluses'])
const NAME_KEYS = new Set(['name', 'toolname', 'functionname'])
const ARGUMENT_KEYS = new Set(['arguments', 'args', 'input', 'parameters', 'params', 'partialarguments', 'partialjson'])
const CALL_TYPE = /(?:tool|function|mcp|shell|computer|patch|bash)[^a-z]*(?:call|use|approval)/i

/** Calls that the provider ran itself: evidence, nothing that a client acts on. WIRE.md rule 10. */
const EVIDENCE_KEYS = new Set(['executedtools', 'xgroq', 'searchresults'])

const folded = (key: string): string =>
  PLAIN_WORD.test(key)
    ? key
    : key
        .normalize('NFKC')
        .toLowerCase()
        .replace(/[^a-z]/g, '')

/** Folds to itself. */
const PLAIN_WORD = /^[a-z]+$/

/**
 * Could a lenient client rebuild a tool call out of this value? Asked of every member that the dialect does not
 * define. WIRE.md rule 7. Walks at most `budget` nodes; a larger value counts as one that could.
 */
export function hidesCall(value: unknown, budget = { nodes: 4096 }): boolean {
  if (typeof value !== 'object' || value === null) return false
  budget.nodes -= 1
  if (budget.nodes < 0) return true
  if (Array.isArray(value)) return value.some((item) => hidesCall(item, budget))
  let named = false
  let argued = false
  for (const [key, member] of Object.entries(value)) {
    const word = folded(key)
    if (EVIDENCE_KEYS.has(word)) continue
    if (CALL_KEYS.has(word) && !isEmpty(member)) return true
    if (word === 'type' && typeof member === 'string' && CALL_TYPE.test(member)) return true
    named ||= NAME_KEYS.has(word) && asText(member) !== null
    argued ||= ARGUMENT_KEYS.has(word) && member !== null && member !== undefined
    if (hidesCall(member, budget)) return true
  }
  return named && argued
}

/** Members of `value` beyond `known` among which a call could hide. */
export function hidesCallBeside(value: Json, known: ReadonlySet<string>): boolean {
  for (const key in value) {
    if (known.has(key)) continue
    const word = folded(key)
    if (EVIDENCE_KEYS.has(word)) continue
    if (CALL_KEYS.has(word) && !isEmpty(value[key])) return true
    if (hidesCall(value[key])) return true
  }
  return false
}

/** True when an object that stands for a call has its arguments, or a second name, where the dialect has none. */
export function hasStrayArguments(value: Json, known: ReadonlySet<string>): boolean {
  for (const key in value) {
    if (known.has(key)) continue
    const word = folded(key)
    if (
      (ARGUMENT_KEYS.has(word) || word.includes('argument') || NAME_KEYS.has(word) || CALL_KEYS.has(word)) &&
      !isEmpty(value[key])
    )
      return true
    if (word === 'function' || word === 'custom' || hidesCall(value[key])) return true
  }
  return false
}
