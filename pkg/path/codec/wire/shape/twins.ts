import { foldKey } from '../json/keys.ts'
import { asArray, asObject, type Json } from './shape.ts'

/** Members by their names, and by what some reader takes for one of them. */
export type Named = { readonly exact: ReadonlySet<string>; readonly folded: ReadonlySet<string> }

/** Keys that were folded before: the same few stand in every request. */
const FOLDED = new Map<string, string>()
const MAX_FOLDED = 1_024
const MAX_KEPT_KEY = 48

/** The key without case, Unicode form and what stands between its words: `tool_calls`, `toolCalls` and `Tool-Calls` are one. */
export function wordsOf(key: string): string {
  const known = FOLDED.get(key)
  if (known !== undefined) return known
  const words = foldKey(key).replace(/[^a-z0-9]/g, '')
  if (FOLDED.size < MAX_FOLDED && key.length <= MAX_KEPT_KEY) FOLDED.set(key, words)
  return words
}

/** Names as a dialect writes them. */
export function named(...names: readonly string[]): Named {
  return { exact: new Set(names), folded: new Set(names.map(wordsOf)) }
}

/** A key that some reader takes for a member that the dialect reads, and that is not it; null = none. */
export function twinOf(value: Json, { exact, folded }: Named): string | null {
  for (const key in value) if (!exact.has(key) && folded.has(wordsOf(key))) return key
  return null
}

/** Where a dialect reads: the members of an object by name, and those of what stands below some of them. */
export type Places = Named & { readonly below: Readonly<Record<string, Places>> }

/** The members of one object that a dialect reads. A list below a member stands for each of its items. */
export function places(below: Readonly<Record<string, Places>>, ...more: readonly string[]): Places {
  return { ...named(...Object.keys(below), ...more), below }
}

/**
 * The name of a member that stands, in some object that the dialect reads, under another spelling that some reader
 * takes for it: `Tools` beside `tools`, or in its place. null = none.
 */
export function twinIn(value: unknown, at: Places): string | null {
  const list = asArray(value)
  if (list !== null) {
    for (const item of list) {
      const twin = twinIn(item, at)
      if (twin !== null) return twin
    }
    return null
  }
  const object = asObject(value)
  if (object === null) return null
  const twin = twinOf(object, at)
  if (twin !== null) return [...at.exact].find((name) => wordsOf(name) === wordsOf(twin)) ?? ''
  for (const name in at.below) {
    const places = at.below[name]
    const found = places === undefined ? null : twinIn(object[name], places)
    if (found !== null) return found
  }
  return null
}
