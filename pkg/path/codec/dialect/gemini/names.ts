import { asArray, asObject, type Json, wordsOf } from '#pkg/path/codec/wire/shape'

const SNAKES = new Map<string, string>()

/** The name of a member in its protobuf definition: `function_call` for `functionCall`. */
export function snakeOf(name: string): string {
  let snake = SNAKES.get(name)
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    SNAKES.set(name, snake)
  }
  return snake
}

/** A member under either of its names; undefined and null are absent. `name` is in camel case. */
export function member(value: Json, name: string): unknown {
  return value[name] ?? value[snakeOf(name)]
}

/** True where a member stands under both of its names: readers take the one or the other. */
export function isTwofold(value: Json, name: string): boolean {
  const snake = snakeOf(name)
  return snake !== name && present(value[name]) && present(value[snake])
}

/** Members whose content has names of its own: arguments, results, schemas, labels. */
const FREE: ReadonlySet<string> = new Set(
  ['args', 'response', 'parameters', 'responseSchema', 'parametersJsonSchema', 'responseJsonSchema', 'labels'].map(
    wordsOf,
  ),
)

/**
 * The name of a member that stands twice in one object of a request, in two spellings (`functionCall`, `function_call`,
 * `FunctionCall`); null = none does. Readers take the one or the other.
 */
export function twinIn(value: unknown): string | null {
  const list = asArray(value)
  if (list !== null) {
    for (const item of list) {
      const twin = twinIn(item)
      if (twin !== null) return twin
    }
    return null
  }
  const object = asObject(value)
  if (object === null) return null
  const keys = Object.keys(object)
  const words = keys.map(wordsOf)
  if (words.length > 1 && new Set(words).size < words.length) {
    const last = new Map(words.map((word, at) => [word, at]))
    return keys.find((_, at) => last.get(words[at] ?? '') !== at) ?? null
  }
  for (const [at, key] of keys.entries()) {
    const twin = FREE.has(words[at] ?? '') ? null : twinIn(object[key])
    if (twin !== null) return twin
  }
  return null
}

/** Both names of each member. */
export function bothNames(...names: readonly string[]): ReadonlySet<string> {
  return new Set(names.flatMap((name) => [name, snakeOf(name)]))
}

/** The members of a value but some. */
export function without(value: Json, names: ReadonlySet<string>): Json {
  let rest: Record<string, unknown> | null = null
  for (const key in value) {
    if (names.has(key)) continue
    rest ??= {}
    rest[key] = value[key]
  }
  return rest ?? NOTHING
}

const NOTHING: Json = {}

/** Protobuf JSON reads null as absent. */
export function present(value: unknown): boolean {
  return value !== undefined && value !== null
}
