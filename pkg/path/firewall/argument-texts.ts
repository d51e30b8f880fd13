import type { JsonFault, JsonListener, NewJsonFollower } from './ports.ts'

/** One string among the arguments, decoded. `key` is the innermost key above it. */
export type ArgumentText = { readonly key: string | null; readonly text: string; readonly nested: boolean }

/** JSON inside strings is read to this depth. EVASIONS I5. */
export const NESTED_JSON_DEPTH = 3
/** Strings of one call that are kept for the intent check; with more the call is refused there. */
export const MAX_TEXTS = 16_384

/** Collects the strings of one JSON text while it is read. */
export class ArgumentTexts {
  readonly texts: ArgumentText[] = []
  #key: string | null = null
  #pieces: string[] = []

  /** The listener that fills it. */
  readonly listener: Required<JsonListener> = {
    stringStart: (path) => {
      this.#key = keyOf(path)
      this.#pieces = []
    },
    stringPiece: (text) => {
      this.#pieces.push(text)
    },
    stringEnd: () => {
      if (this.texts.length <= MAX_TEXTS)
        this.texts.push({ key: this.#key, text: this.#pieces.join(''), nested: false })
    },
  }

  /** The key under which the string in hand stands. */
  get key(): string | null {
    return this.#key
  }
}

/** The innermost key of a path: positions in arrays do not count. */
function keyOf(path: readonly (string | number)[]): string | null {
  for (let index = path.length - 1; index >= 0; index -= 1) {
    const step = path[index]
    if (typeof step === 'string') return step
  }
  return null
}

/** Adds the strings that stand in JSON inside strings, or tells why they cannot be read in one way only. */
export function withNested(
  texts: readonly ArgumentText[],
  newJson: NewJsonFollower,
  limits: { readonly depth: number; readonly bytes: number },
): { readonly texts: readonly ArgumentText[]; readonly fault: JsonFault | null } {
  const all: ArgumentText[] = [...texts]
  let from = 0
  for (let level = 0; level < NESTED_JSON_DEPTH; level += 1) {
    const until = all.length
    for (; from < until; from += 1) {
      const outer = all[from]
      if (outer === undefined || !/^\s*[[{"]/.test(outer.text)) continue
      const inner = new ArgumentTexts()
      const follower = newJson(limits, inner.listener, 'envelope')
      const fault = follower.push(outer.text) ?? follower.end()
      for (const { key, text } of inner.texts) all.push({ key, text, nested: true })
      if (fault !== null && fault.reason !== 'WIRE_INVALID_JSON') return { texts: all, fault }
    }
  }
  return { texts: all, fault: null }
}
