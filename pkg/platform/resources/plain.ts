import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node } from 'yaml'
import type { FieldFault, FieldPath } from './contract.ts'

/** The value of a document, or why it has none. */
export type Plain = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: FieldFault }

/** An alias is a convenience; a thousand of them is an attack. Counted as what they unfold to, in one document. */
const MAX_ALIASES = 64

/** Nesting of one document. A JSON Schema may need half of it. */
const MAX_DEPTH = 64

/** Values of one document once its aliases are unfolded: more than a file without aliases can hold. */
const MAX_VALUES = 350_000

/**
 * The value of a document as JSON would hold it: a tree. Two aliases of one anchor become two values, since each gets the
 * defaults of the place where it stands.
 */
export function plainOf(document: Document.Parsed): Plain {
  const refuse = (path: FieldPath, message: string): Plain => {
    return { ok: false, fault: { path, code: 'TooLarge', onKey: false, message } }
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES })
    const walk = { left: MAX_VALUES }
    const deep = tooDeep(value, 0, walk)
    if (walk.left < 0) return refuse([], `aliases unfold to more than ${MAX_VALUES} values; write fewer of them`)
    if (deep !== null) return refuse(deep, `nested more than ${MAX_DEPTH} deep, or without end`)
    return { ok: true, value: hasAlias(document.contents) ? copyOf(value) : value }
  } catch (error) {
    // the library throws one error for an alias of nothing and another for too many; both are a ReferenceError
    if (error instanceof ReferenceError && /unresolved/i.test(error.message)) {
      return {
        ok: false,
        fault: { path: [], code: 'YamlSyntax', onKey: false, message: 'an alias has no anchor before it' },
      }
    }
    return refuse([], `aliases unfold to more than ${MAX_ALIASES} uses; write the values out`)
  }
}

/** A key that stands in its map a second time: where, and which. */
export type DoubleKey = { readonly offset: number; readonly name: string }

/** Keys that stand twice in one map. Linear; the library's own check compares each key with each. */
export function doubleKeys(node: Node | null): readonly DoubleKey[] {
  const found: DoubleKey[] = []
  const stack: unknown[] = [node]
  while (stack.length > 0) {
    const here = stack.pop()
    if (isPair(here)) stack.push(here.value)
    else if (isSeq(here)) for (const item of here.items) stack.push(item)
    if (!isMap(here)) continue
    const seen = new Set<string>()
    for (const { key, value } of here.items) {
      stack.push(value)
      if (!isScalar(key)) continue
      const name = String(key.value)
      if (seen.has(name)) found.push({ offset: key.range?.[0] ?? 0, name })
      seen.add(name)
    }
  }
  return found.sort((a, b) => a.offset - b.offset)
}

function hasAlias(node: Node | null): boolean {
  const stack: unknown[] = [node]
  while (stack.length > 0) {
    const here = stack.pop()
    if (isAlias(here)) return true
    if (isPair(here)) stack.push(here.value)
    else if (isSeq(here) || isMap(here)) for (const item of here.items) stack.push(item)
  }
  return false
}

/**
 * Where a value is nested too deep; an alias inside its own anchor is nested without end. Gives up, with `walk.left` below
 * 0, when there are more values than that.
 */
function tooDeep(value: unknown, depth: number, walk: { left: number }): FieldPath | null {
  walk.left -= 1
  if (walk.left < 0) return []
  if (typeof value !== 'object' || value === null) return null
  if (depth >= MAX_DEPTH) return []
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value)
  for (const key of keys) {
    const found = tooDeep((value as Record<string | number, unknown>)[key], depth + 1, walk) // a key of it
    if (found !== null) return [key, ...found]
  }
  return null
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyOf(member)]))
}
