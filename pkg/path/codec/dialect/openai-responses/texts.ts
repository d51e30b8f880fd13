import type { Channel, Decided, Message } from '#pkg/model'

/** Where a value stands in an event. */
export type Path = readonly (string | number)[]

/** The threads of text that clients join over all items, in their order. */
export type Thread = { readonly kind: Channel['kind']; readonly member: string }

/** One text of one event. */
export type TextPiece = {
  readonly thread: Thread
  /** Place of the item and of the part in it. */
  readonly item: number
  readonly part: number
  readonly path: Path
  readonly text: string
}

/** One part of one item, as its deltas tell it. */
type Part = {
  readonly order: number
  /** Text so far; null = too long to be remembered. */
  read: string[] | null
  units: number
  written: number
  /** What left, once that is not what was read. */
  out: string[] | null
}

type Echo = { readonly channel: Channel; readonly text: string; edited: string | undefined; settled: boolean }

type ThreadState = { readonly parts: Map<number, Part>; last: number; readonly echoes: Echo[] }

/** What the writer has to know of the texts of one event. */
export type TextNote =
  | {
      readonly kind: 'new'
      readonly channel: Channel
      readonly parts: readonly { readonly part: Part; readonly path: Path; readonly text: string }[]
    }
  | { readonly kind: 'same'; readonly part: Part; readonly path: Path }
  | { readonly kind: 'echo'; readonly echo: Echo; readonly paths: readonly Path[] }

/** A text that leaves in another form than it came. */
export type TextEdit = { readonly path: Path; readonly text: string }

/** Text remembered for one answer, UTF-16 units; an echo of what is beyond is read as a text of its own. */
const MAX_UNITS = 1024 * 1024
/** Echoes of one answer that differ from what was told before; more have no reading. */
const MAX_ECHOES = 64
/** Parts of text in one answer. */
const MAX_PARTS = 4096
/** Parts of one item. */
export const MAX_PART = 1023

/**
 * All text of one answer. A thread goes on over the borders of parts and items, as clients join it; a part may not
 * go on once a later one has begun, since no two clients would join that alike.
 */
export class Texts {
  readonly #threads = new Map<string, ThreadState>()
  #units = 0
  #echoes = 0
  #parts = 0

  /** More text. null = it has no one reading. */
  delta(piece: TextPiece, at: number, out: Message[]): TextNote | null {
    const state = this.#stateOf(piece.thread)
    const part = this.#partOf(state, piece)
    if (part === null) return null
    if (piece.text !== '') {
      if (part.order < state.last) return null
      state.last = part.order
    }
    return this.#push(piece.thread, [{ part, path: piece.path, text: piece.text }], at, out)
  }

  /** Texts that tell the whole of their part, all those of one event. null = they have no one reading. */
  whole(pieces: readonly TextPiece[], at: number, out: Message[]): readonly TextNote[] | null {
    const notes: TextNote[] = []
    for (const thread of new Set(pieces.map(({ thread }) => thread))) {
      const own = pieces.filter((piece) => piece.thread === thread && piece.text !== '')
      const found = own.length === 0 ? [] : this.#wholeThread(thread, own, at, out)
      if (found === null) return null
      notes.push(...found)
    }
    return notes
  }

  #wholeThread(thread: Thread, pieces: readonly TextPiece[], at: number, out: Message[]): readonly TextNote[] | null {
    const state = this.#stateOf(thread)
    const fresh: { part: Part; path: Path; text: string }[] = []
    const same: TextNote[] = []
    for (const piece of pieces) {
      const part = this.#partOf(state, piece)
      if (part === null) return null
      if (part.units === 0 && part.order >= state.last) {
        fresh.push({ part, path: piece.path, text: piece.text })
        state.last = part.order
      } else if (part.units === piece.text.length && part.read !== null && joined(part) === piece.text) {
        same.push({ kind: 'same', part, path: piece.path })
      } else return this.#echo(thread, state, pieces, { at, out })
    }
    return fresh.length === 0 ? same : [...same, this.#push(thread, fresh, at, out)]
  }

  #echo(
    thread: Thread,
    state: ThreadState,
    pieces: readonly TextPiece[],
    to: { readonly at: number; readonly out: Message[] },
  ): readonly TextNote[] | null {
    const text = pieces.map((piece) => piece.text).join('')
    const paths = pieces.map(({ path }) => path)
    const known = state.echoes.find((echo) => echo.text === text)
    if (known !== undefined) return [{ kind: 'echo', echo: known, paths }]
    this.#echoes += 1
    if (this.#echoes > MAX_ECHOES) return null
    const channel = { choice: 0, kind: thread.kind, member: `${thread.member} echo ${this.#echoes}` }
    const echo: Echo = { channel, text, edited: undefined, settled: false }
    if (this.#remembers(text.length)) state.echoes.push(echo)
    to.out.push({ kind: 'text', at: to.at, channel, text })
    return [{ kind: 'echo', echo, paths }]
  }

  #push(
    { kind, member }: Thread,
    parts: readonly { readonly part: Part; readonly path: Path; readonly text: string }[],
    at: number,
    out: Message[],
  ): TextNote {
    const channel = { choice: 0, kind, member }
    for (const { part, text } of parts) {
      part.units += text.length
      if (part.read !== null && this.#remembers(text.length)) part.read.push(text)
      else part.read = null
    }
    const text = parts.map((each) => each.text).join('')
    if (text !== '') out.push({ kind: 'text', at, channel, text })
    return { kind: 'new', channel, parts }
  }

  #remembers(units: number): boolean {
    if (this.#units + units > MAX_UNITS) return false
    this.#units += units
    return true
  }

  #stateOf({ member }: Thread): ThreadState {
    let state = this.#threads.get(member)
    if (state === undefined) {
      state = { parts: new Map(), last: 0, echoes: [] }
      this.#threads.set(member, state)
    }
    return state
  }

  #partOf(state: ThreadState, { item, part }: TextPiece): Part | null {
    const order = item * (MAX_PART + 1) + part
    let known = state.parts.get(order)
    if (known === undefined) {
      this.#parts += 1
      if (this.#parts > MAX_PARTS) return null
      known = { order, read: [], units: 0, written: 0, out: null }
      state.parts.set(order, known)
    }
    return known
  }
}

/** The texts of one event that may not leave as they came. To be asked once, in the order of the events. */
export function editsOf(notes: readonly TextNote[], decided: Decided): readonly TextEdit[] {
  return notes.flatMap((note) => {
    if (note.kind === 'new') return editsOfNew(note, decided)
    if (note.kind === 'same') return note.part.out === null ? [] : [{ path: note.path, text: note.part.out.join('') }]
    const { echo, paths } = note
    if (!echo.settled) echo.edited = decided.text(echo.channel)
    echo.settled = true
    return spread(paths, echo.edited)
  })
}

function editsOfNew(note: TextNote & { kind: 'new' }, decided: Decided): readonly TextEdit[] {
  const edited = decided.text(note.channel)
  const edits: TextEdit[] = []
  for (const [position, { part, path, text }] of note.parts.entries()) {
    const left = edited === undefined ? text : position === 0 ? edited : ''
    if (edited !== undefined) {
      part.out ??= [joined(part).slice(0, part.written)]
      edits.push({ path, text: left })
    }
    part.written += text.length
    part.out?.push(left)
  }
  return edits
}

/** An edited text of several parts goes into the first of them. */
function spread(paths: readonly Path[], edited: string | undefined): readonly TextEdit[] {
  return edited === undefined ? [] : paths.map((path, position) => ({ path, text: position === 0 ? edited : '' }))
}

function joined(part: Part): string {
  if (part.read !== null && part.read.length > 1) part.read = [part.read.join('')]
  return part.read?.[0] ?? ''
}
