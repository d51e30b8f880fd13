import { foldKey } from '#pkg/path/codec/wire/json'
import { asArray, asObject, type Json } from '#pkg/path/codec/wire/shape'

/** Two readers could take what was read for two things, or for nothing that the protocol has. */
export class Doubt extends Error {
  override readonly name = 'Doubt'
}

/** The members of one kind of object. Readers of one version know them as `taskId`, others as `task_id`, too. */
export type Known = { readonly exact: ReadonlySet<string>; readonly folded: ReadonlySet<string> }

/** Names as the protocol writes them; the spelling with underscores comes with each. */
export function known(...names: readonly string[]): Known {
  const exact = new Set(names.flatMap((name) => [name, snake(name)]))
  return { exact, folded: new Set([...exact].map(foldKey)) }
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** An object of a kind; a key that some reader would take for another is a {@link Doubt}. */
export function objectOf(value: unknown, members: Known, what: string): Json {
  const object = asObject(value)
  if (object === null) throw new Doubt(`has ${what} that is no object`)
  for (const key in object) {
    if (members.exact.has(key)) continue
    if (members.folded.has(foldKey(key)))
      throw new Doubt(`has ${what} with a member that some reader takes for another one`)
  }
  return object
}

/** A member by its name in either spelling; undefined = absent, or null. In both spellings, or under two names: a {@link Doubt}. */
export function member(object: Json, ...names: readonly string[]): unknown {
  let found: unknown
  for (const name of names) {
    for (const key of name === snake(name) ? [name] : [name, snake(name)]) {
      const value = object[key]
      if (value === undefined || value === null) continue
      if (found !== undefined) throw new Doubt(`has "${names[0]}" twice, in two spellings`)
      found = value
    }
  }
  return found
}

/** A text; null = absent or empty. */
export function textOf(object: Json, ...names: readonly string[]): string | null {
  const value = member(object, ...names)
  if (value === undefined || value === '') return null
  if (typeof value !== 'string') throw new Doubt(`has a "${names[0]}" that is no text`)
  return value
}

/** A list; absent = empty. */
export function listOf(object: Json, ...names: readonly string[]): readonly unknown[] {
  const value = member(object, ...names)
  const list = value === undefined ? [] : asArray(value)
  if (list === null) throw new Doubt(`has a "${names[0]}" that is no list`)
  return list
}
