import type { Decided } from '#pkg/model'
import { asArray, asObject, type Json } from '#pkg/path/codec/wire/shape'
import type { AnswerReader, Contents, OutputNote } from './output.ts'
import { type RefusalMessage, refusalItem, refusalMessage } from './refuse.ts'
import { releasedItem, type Slot } from './slot.ts'
import { editsOf, type Path } from './texts.ts'

/** What became of one call, from its first event on. */
export type Fate = { readonly refusal: RefusalMessage | null; told: boolean }

/** What became of the calls of one answer, and what is made of values that tell of them. */
export class Rewriter {
  readonly #about: AnswerReader['about']
  readonly #fates = new Map<Slot, Fate>()
  /** True once anything of the answer was refused or edited: whatever tells it again is rebuilt. */
  #touched = false

  constructor(about: AnswerReader['about']) {
    this.#about = about
  }

  /** Decided at its first event, once for all. */
  fateOf(slot: Slot, decided: Decided): Fate {
    let fate = this.#fates.get(slot)
    if (fate === undefined) {
      const text = refusedText(slot.keys, decided)
      fate = { refusal: text === null ? null : refusalMessage(slot, text, this.#about.structured), told: false }
      this.#fates.set(slot, fate)
      this.#touched ||= text !== null
    }
    return fate
  }

  /** The value with its texts, items and strays as they were decided; null = as it came. */
  rebuild(
    value: Json,
    contents: Pick<Contents, 'outputs' | 'texts' | 'strays' | 'omitted'>,
    decided: Decided,
  ): Json | null {
    let out = value
    for (const { key, path, keep } of contents.strays) {
      if (decided.outcome(key).kind === 'refused') out = setAt(out, path, vouched(valueAt(out, path), keep))
    }
    for (const note of contents.outputs) out = this.#output(out, note, decided)
    for (const { path, text } of editsOf(contents.texts, decided)) out = editText(out, path, text)
    for (const path of [...contents.omitted].reverse()) out = withoutAt(out, path)
    if (out !== value) this.#touched = true
    return this.#touched ? withoutSummary(out, value) : null
  }

  #output(value: Json, { slot, extras, path }: OutputNote, decided: Decided): Json {
    const { refusal } = this.fateOf(slot, decided)
    if (refusal !== null) return setAt(value, path, refusalItem(refusal))
    return refusedText(extras, decided) === null ? value : setAt(value, path, releasedItem(slot))
  }
}

/** The refusal of the first refused reading, or null. */
export function refusedText(keys: readonly string[], decided: Decided): string | null {
  for (const key of keys) {
    const outcome = decided.outcome(key)
    if (outcome.kind === 'refused') return outcome.text
  }
  return null
}

/** `output_text` of a response joins its messages: once they are others, the client has to join them itself. */
function withoutSummary(out: Json, value: Json): Json | null {
  const path = asObject(out['response']) === null ? [] : ['response']
  const response = asObject(valueAt(out, path))
  if (response === null || response['output_text'] === undefined) return out === value ? null : out
  const { output_text: _, ...rest } = response
  return setAt(out, path, rest)
}

function vouched(value: unknown, keep: ReadonlySet<string>): Json {
  if (keep.size === 0) return { type: 'output_text', text: '', annotations: [], logprobs: [] }
  return Object.fromEntries(Object.entries(asObject(value) ?? {}).filter(([key]) => keep.has(key)))
}

/** An edited text; what tells of it beside it is emptied. */
function editText(value: Json, path: Path, text: string): Json {
  let out = setAt(value, path, text)
  const place = path.slice(0, -1)
  for (const key of ['logprobs', 'annotations']) {
    if (asArray(asObject(valueAt(out, place))?.[key]) !== null) out = setAt(out, [...place, key], [])
  }
  return out
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    const list = asArray(at)
    at = list === null ? asObject(at)?.[step] : list[Number(step)]
  }
  return at
}

/** A copy in which the element at a path is gone. */
function withoutAt(value: Json, path: Path): Json {
  const list = asArray(valueAt(value, path.slice(0, -1))) ?? []
  const left = list.filter((_, position) => position !== path.at(-1))
  return setAt(value, path.slice(0, -1), left)
}

/** A copy in which the value at a path is another; what is not on the path is shared. */
function setAt(value: Json, path: Path, next: unknown): Json {
  return asObject(setIn(value, path, next)) ?? value
}

function setIn(value: unknown, path: Path, next: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return next
  const list = asArray(value)
  if (list !== null) return list.map((item, position) => (position === step ? setIn(item, rest, next) : item))
  const object = asObject(value)
  return object === null ? value : { ...object, [step]: setIn(object[step], rest, next) }
}
