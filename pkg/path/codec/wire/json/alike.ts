const QUOTE = 0x22
const BACKSLASH = 0x5c
const ZERO = 0x30
const NINE = 0x39

/** Digits of a number that two texts may differ in: no two clients read so few differently. */
const MAX_DIGITS = 15

/** Models taken in vain after which no more are taken. */
const MAX_IN_VAIN = 16

/** A value in which texts of one shape may differ: a string, or a whole number. */
type Hole = { readonly path: string; readonly kind: 'string' | 'number' }

type Shape<Plan> = {
  /** What stands around the holes: one more than there are holes. */
  readonly literals: readonly string[]
  readonly holes: readonly Hole[]
  readonly plan: Plan
}

/** A text of a known shape: what its reader noted of that shape, and the string of the hole that was asked for. */
export type Alike<Plan> = { readonly plan: Plan; readonly text: string }

/** What a reader notes of a shape. `path` (`choices.0.delta.content`) is that of the string that it wants. */
export type AlikePlan = { readonly path: string }

/**
 * Texts that are alike: the same, byte for byte, but for the strings and small whole numbers at a few paths. A stream
 * is mostly that, so its events are compared with one that was read strictly, not read again.
 *
 * A text that matches is as strict as its model: same keys, same containers, same everything but the values in the
 * holes, and these are held to what a strict reading asks of them (closed, no control characters, no halves of pairs,
 * numbers of at most 15 digits). Where there is a doubt there is no match, and the caller reads the text strictly.
 */
export class AlikeTexts<Plan extends AlikePlan> {
  readonly #beside: (path: string) => boolean
  readonly #max: number
  #shapes: readonly Shape<Plan>[] = []
  /** Models taken since a text was last like one. */
  #vain = 0

  /**
   * @param beside Other paths (`obfuscation`) whose value does not change how a text is read.
   * @param max Shapes kept; the one longest unused goes. Default 4.
   */
  constructor(beside: (path: string) => boolean, max = 4) {
    this.#beside = beside
    this.#max = max
  }

  /** The plan of the shape that this text has, or null. */
  match(text: string): Alike<Plan> | null {
    const shapes = this.#shapes
    for (let at = 0; at < shapes.length; at += 1) {
      const shape = shapes[at]
      const filled = shape === undefined ? null : fill(shape, text)
      if (shape === undefined || filled === null) continue
      this.#vain = 0
      if (at > 0) this.#shapes = [shape, ...shapes.filter((other) => other !== shape)]
      return text.isWellFormed() ? { plan: shape.plan, text: filled } : null
    }
    return null
  }

  /**
   * Takes a text that was read strictly for the model of those to come. Void if nothing stands at the plan's path, or
   * if many models were of no use: then no two texts of this stream are alike.
   */
  learn(text: string, plan: Plan): void {
    if (this.#vain >= MAX_IN_VAIN) return
    this.#vain += 1
    const { literals, holes } = outline(text, (path) => path === plan.path || this.#beside(path))
    const wanted = holes.filter(({ path }) => path === plan.path)
    if (wanted.length !== 1 || wanted[0]?.kind !== 'string') return
    this.#shapes = [{ literals, holes, plan }, ...this.#shapes.slice(0, this.#max - 1)]
  }
}

/** The string in the wanted hole of a text of that shape; null if it has another. */
function fill<Plan extends AlikePlan>({ literals, holes, plan }: Shape<Plan>, text: string): string | null {
  let literal = literals[0] ?? ''
  if (!text.startsWith(literal)) return null
  let at = literal.length
  let wanted = ''
  for (let next = 0; next < holes.length; next += 1) {
    const hole = holes[next]
    if (hole === undefined) return null
    const seen = hole.kind === 'string' ? stringEnd(text, at) : numberEnd(text, at)
    if (seen === -1) return null
    const escaped = seen < -1
    const end = escaped ? ESCAPED - seen : seen
    // an escape may be wrong in a hole that nobody asked for, too
    const value = escaped ? unescaped(text.slice(at, end)) : ''
    if (value === null) return null
    if (hole.path === plan.path) wanted = escaped ? value : text.slice(at, end)
    literal = literals[next + 1] ?? ''
    if (!text.startsWith(literal, end)) return null
    at = end + literal.length
  }
  return at === text.length ? wanted : null
}

/** Stands for what is at 0 where it has escapes: the end of such a string is `ESCAPED - end`. */
const ESCAPED = -2

/** Where the string ends whose content begins at `from`, see {@link ESCAPED}; -1 = it does not, or there is a doubt. */
function stringEnd(text: string, from: number): number {
  let escaped = false
  for (let at = from; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) return escaped ? ESCAPED - at : at
    if (unit < 0x20) return -1
    if (unit !== BACKSLASH) continue
    escaped = true
    at += 1
    if (text.charCodeAt(at) === 0x75) return -1 // halves of pairs: the strict reader knows
  }
  return -1
}

/** Where the whole number ends that begins at `from`; -1 = there is none of at most {@link MAX_DIGITS} digits. */
function numberEnd(text: string, from: number): number {
  let at = from
  while (isDigit(text.charCodeAt(at))) at += 1
  const digits = at - from
  if (digits === 0 || digits > MAX_DIGITS) return -1
  return digits > 1 && text.charCodeAt(from) === ZERO ? -1 : at
}

const isDigit = (unit: number): boolean => unit >= ZERO && unit <= NINE

/** The content of a string, decoded; null if an escape in it is none. */
function unescaped(content: string): string | null {
  try {
    // a string by its quotes
    return JSON.parse(`"${content}"`) as string
  } catch {
    return null
  }
}

/** Cuts a text that was read strictly at the values whose path is free. */
function outline(text: string, free: (path: string) => boolean): Pick<Shape<AlikePlan>, 'literals' | 'holes'> {
  const literals: string[] = []
  const holes: Hole[] = []
  let from = 0
  const cut = (start: number, end: number, hole: Hole) => {
    literals.push(text.slice(from, start))
    holes.push(hole)
    from = end
  }
  walk({ text, at: 0, free, cut }, '')
  literals.push(text.slice(from))
  return { literals, holes }
}

type Walk = {
  readonly text: string
  at: number
  readonly free: (path: string) => boolean
  readonly cut: (start: number, end: number, hole: Hole) => void
}

/** Goes over one value of strict JSON. */
function walk(walked: Walk, path: string): void {
  const { text, free, cut } = walked
  const unit = skipSpace(walked)
  const start = walked.at
  if (unit === 0x7b || unit === 0x5b) return walkMembers(walked, path, unit === 0x7b)
  if (unit === QUOTE) {
    walked.at = behindString(text, start + 1)
    if (free(path) && stringEnd(text, start + 1) !== -1) cut(start + 1, walked.at - 1, { path, kind: 'string' })
    return
  }
  while (walked.at < text.length && !',]} \t\n\r'.includes(text.charAt(walked.at))) walked.at += 1
  if (free(path) && numberEnd(text, start) === walked.at) cut(start, walked.at, { path, kind: 'number' })
}

function walkMembers(walked: Walk, path: string, named: boolean): void {
  const { text } = walked
  walked.at += 1
  for (let place = 0; ; place += 1) {
    let unit = skipSpace(walked)
    if (unit === 0x2c) {
      walked.at += 1
      unit = skipSpace(walked)
    }
    if (unit === 0x7d || unit === 0x5d || walked.at >= text.length) break
    let name = String(place)
    if (named) {
      const start = walked.at + 1
      walked.at = behindString(text, start)
      name = text.slice(start, walked.at - 1)
      skipSpace(walked)
      walked.at += 1
    }
    // such a name is on no path: an empty one would put its members a level higher
    walk(walked, name === '' || /[.\\]/.test(name) ? '\\' : path === '' ? name : `${path}.${name}`)
  }
  walked.at += 1
}

function skipSpace(walked: Walk): number {
  let unit = walked.text.charCodeAt(walked.at)
  while (unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)) {
    walked.at += 1
    unit = walked.text.charCodeAt(walked.at)
  }
  return unit
}

/** Behind the closing quote of the string whose content begins at `from`. */
function behindString(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at + 1
}
