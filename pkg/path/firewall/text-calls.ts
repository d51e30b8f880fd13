import type { Limits, Reason, TextCallScanner, TextItem } from '#pkg/model'
import type { NewJsonFollower } from './ports.ts'
import type { Rules } from './rules.ts'
import { type Closer, closerOf } from './text-closers.ts'
import { newToolNames, type ToolNames } from './text-names.ts'
import { type ReadParts, readCalls } from './text-read.ts'
import { foldWord, matchTag, type TagWords, type TextTag } from './text-tags.ts'

/** What a scanner of one channel needs. */
export type TextCallParts = {
  readonly rules: Rules
  /** The tools that the request declares. */
  readonly declared: readonly string[]
  readonly newJson: NewJsonFollower
  readonly limits: Limits
}

/** Finds the calls that one channel writes as text. WIRE.md rule 7. */
export function newTextCalls(parts: TextCallParts): TextCallScanner {
  const { textTools, grants } = parts.rules.snapshot
  const words: TagWords = { tags: wordsOf(textTools, 'tag'), fences: wordsOf(textTools, 'fence') }
  return new Scanner({
    words,
    names: newToolNames(parts.declared, grants),
    read: { newJson: parts.newJson, limits: { depth: parts.limits.jsonDepth, bytes: parts.limits.argumentBytes } },
    window: parts.limits.textCallWindowBytes,
    bytes: parts.limits.argumentBytes,
  })
}

function wordsOf(textTools: Rules['snapshot']['textTools'], kind: 'fence' | 'tag'): ReadonlyMap<string, string> {
  return new Map(textTools.filter((tool) => tool.kind === kind).map(({ word }) => [foldWord(word), word]))
}

type Options = {
  readonly words: TagWords
  readonly names: ToolNames
  readonly read: ReadParts
  readonly window: number
  readonly bytes: number
}

/** A call in the making. */
type Open = {
  readonly tag: TextTag
  /** Length of the opening itself. */
  readonly opened: number
  readonly closer: Closer
  readonly pieces: string[]
  units: number
  bytes: number
}

const TRIGGER = /[<[＜﹤［]/g
const TRIGGER_OR_FENCE = /[<[＜﹤［`~｀]/g

class Scanner implements TextCallScanner {
  readonly #options: Options
  readonly #trigger: RegExp
  /** Text that may be an opening, or an opening whose window is not full; begins at `#base`. Short. */
  #held = ''
  #base = 0
  /** The unit before `#base`. */
  #before = ''
  #open: Open | null = null
  #items: TextItem[] = []

  constructor(options: Options) {
    this.#options = options
    this.#trigger = options.words.fences.size > 0 ? TRIGGER_OR_FENCE : TRIGGER
  }

  push(text: string): readonly TextItem[] {
    if (text === '') return []
    this.#items = []
    if (this.#open !== null) this.#follow(this.#open, text)
    else this.#scan(this.#held + text, false)
    return this.#items
  }

  end(): readonly TextItem[] {
    this.#items = []
    if (this.#open === null) this.#scan(this.#held, true)
    // What follows a call that the end closes is scanned in turn; each round takes a part of the text away.
    while (this.#open !== null) this.#endOpen(this.#open)
    return this.#items
  }

  /** Text that begins at `#base` and belongs to no call so far. */
  #scan(given: string, atEnd: boolean): void {
    this.#held = ''
    for (let at = this.#next(given, 0); at !== -1; at = this.#next(given, at + 1)) {
      const verdict = this.#at(given, at, atEnd)
      if (verdict === 'text') continue
      this.#plain(given, at)
      const rest = given.slice(at)
      if (verdict === 'wait') this.#held = rest
      else this.#begin(verdict.tag, verdict.end - at, rest)
      return
    }
    this.#plain(given, given.length)
  }

  /** What stands at a trigger: plain text, perhaps a call, or a call. */
  #at(text: string, at: number, atEnd: boolean): 'text' | 'wait' | { readonly tag: TextTag; readonly end: number } {
    const { words, window } = this.#options
    const before = at === 0 ? this.#before : text.charAt(at - 1)
    const found = matchTag(atEnd ? `${text}\n` : text, at, { words, window, before })
    if (found.kind === 'none') return 'text'
    if (found.kind === 'partial') return atEnd ? 'text' : 'wait'
    const end = Math.min(found.end, text.length)
    const call = this.#isCall(text, { tag: found.tag, end }, atEnd)
    return call === 'call' ? { tag: found.tag, end } : call
  }

  #next(text: string, from: number): number {
    this.#trigger.lastIndex = from
    return this.#trigger.exec(text)?.index ?? -1
  }

  #plain(text: string, units: number): void {
    if (units === 0) return
    this.#before = text.charAt(units - 1)
    this.#base += units
    const last = this.#items.at(-1)
    if (last?.kind === 'plain') this.#items.pop()
    this.#items.push({ kind: 'plain', end: this.#base })
  }

  /** An opening becomes a call when a tool's name or `{` follows soon; what the policy names is one at once. */
  #isCall(text: string, found: { readonly tag: TextTag; readonly end: number }, atEnd: boolean): 'call' | 'wait' | 'text' {
    const { tag, end } = found
    if (tag.kind === 'fence' || (tag.kind === 'element' && tag.declared)) return 'call'
    const seen = within(text.slice(end, end + this.#options.window), this.#options.window)
    const full = atEnd || Buffer.byteLength(text.slice(end)) >= this.#options.window
    const closed = closerOf(tag, this.#options.window).push(seen)
    const inside = closed === null ? seen : seen.slice(0, closed)
    if (inside.includes('{') || inside.includes('｛') || this.#options.names.standsIn(inside, full || closed !== null)) return 'call'
    return full || closed !== null ? 'text' : 'wait'
  }

  #begin(tag: TextTag, opened: number, text: string): void {
    if (tag.kind === 'fence') this.#items.push({ kind: 'open', start: this.#base, name: tag.name, form: 'text' })
    const open: Open = {
      tag,
      opened,
      closer: closerOf(tag, this.#options.window),
      pieces: [text.slice(0, opened)],
      units: opened,
      bytes: Buffer.byteLength(text.slice(0, opened)),
    }
    this.#open = open
    this.#follow(open, text.slice(opened))
  }

  #follow(open: Open, text: string): void {
    const closed = open.closer.push(text)
    open.pieces.push(text)
    open.units += text.length
    open.bytes += Buffer.byteLength(text)
    if (closed !== null) this.#close(open, open.opened + closed, false)
    else if (open.bytes > this.#options.bytes) this.#fault(open, open.units, 'WIRE_ARGUMENT_TOO_LARGE')
  }

  #endOpen(open: Open): void {
    const closed = open.closer.end()
    if (closed === null) this.#fault(open, open.units, 'WIRE_CALL_TRUNCATED')
    else this.#close(open, open.opened + closed, true)
  }

  /** The call ends `length` units behind its start; what follows is text again. */
  #close(open: Open, length: number, atEnd: boolean): void {
    const text = open.pieces.join('')
    const raw = text.slice(0, length)
    if (Buffer.byteLength(raw) > this.#options.bytes) return this.#fault(open, length, 'WIRE_ARGUMENT_TOO_LARGE', atEnd)
    const read = readCalls(this.#options.read, raw, open.tag, open.opened)
    if (open.closer.doubtful) return this.#fault(open, length, 'WIRE_UNKNOWN_SHAPE', atEnd)
    if (!read.ok) return this.#fault(open, length, read.reason, atEnd)
    let start = this.#base
    for (const call of read.calls) {
      if (open.tag.kind !== 'fence') this.#items.push({ kind: 'open', start, name: call.name, form: call.form })
      if (call.text !== '') this.#items.push({ kind: 'arguments', text: call.text })
      start = this.#base + call.end
      this.#items.push({ kind: 'close', end: start })
    }
    this.#leave(text, length, atEnd)
  }

  #fault(open: Open, length: number, reason: Reason, atEnd = false): void {
    this.#items.push({ kind: 'fault', start: this.#base, end: this.#base + length, reason })
    this.#leave(open.pieces.join(''), length, atEnd)
  }

  #leave(text: string, length: number, atEnd: boolean): void {
    this.#open = null
    this.#base += length
    this.#before = text.charAt(length - 1)
    if (length < text.length) this.#scan(text.slice(length), atEnd)
  }
}

/** The beginning of a text that fits into so many bytes. */
function within(text: string, bytes: number): string {
  let units = Math.min(text.length, bytes)
  while (Buffer.byteLength(text.slice(0, units)) > bytes) units -= 1
  return text.slice(0, units)
}
