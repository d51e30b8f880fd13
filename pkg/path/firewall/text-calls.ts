import type { Limits, Reason, TextCallScanner, TextItem } from '#pkg/model'
import type { NewJsonFollower } from './ports.ts'
import type { Rules } from './rules.ts'
import { bytesOf, LookAhead } from './text-ahead.ts'
import { type Closer, closerOf } from './text-closers.ts'
import { newToolNames, type ToolNames } from './text-names.ts'
import { type ReadParts, readCalls, type WrittenCalls } from './text-read.ts'
import { foldWord, matchTag, type TagWords, type TextTag, UNITS_BEFORE } from './text-tags.ts'

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

/** A call in the making. `units` and `bytes` are what was read of it. */
type Open = {
  readonly tag: TextTag
  /** Length of the opening itself. */
  readonly opened: number
  readonly closer: Closer
  readonly pieces: string[]
  units: number
  bytes: number
}

/**
 * An opening behind which these many units were looked at in vain, and these many for each unit of text, is taken for a
 * call at once: nobody talks of calls that often, and looking on would cost the square of the text.
 */
const AHEAD_FIRST = 65_536
const AHEAD_SHARE = 4

const TRIGGER = /[<[＜﹤［]/g
const TRIGGER_OR_FENCE = /[<[＜﹤［`~｀]/g

/** What stands at a trigger: text, perhaps an opening, an opening that waits for more, or a call whose opening ends at `end`. */
type Standing = 'text' | 'wait' | LookAhead | { readonly tag: TextTag; readonly end: number }

class Scanner implements TextCallScanner {
  readonly #options: Options
  readonly #trigger: RegExp
  /** Text from `#base` on that is to be scanned next, or null. */
  #next: string | null = null
  /** Text that may be an opening, or an opening that may be a call; begins at `#base`. */
  #held: string[] = []
  /** Of an opening that is held. */
  #ahead: LookAhead | null = null
  #base = 0
  /** Units that were looked at ahead of openings that were none. */
  #looked = 0
  /** The units before `#base`. */
  #before = ''
  #open: Open | null = null
  #ended = false
  #items: TextItem[] = []

  constructor(options: Options) {
    this.#options = options
    this.#trigger = options.words.fences.size > 0 ? TRIGGER_OR_FENCE : TRIGGER
  }

  push(text: string): readonly TextItem[] {
    if (text === '') return []
    this.#items = []
    if (this.#open !== null) this.#take(this.#open, text)
    else {
      this.#held.push(text)
      if (this.#ahead !== null && this.#ahead.push(text) === 'wait') return []
      this.#next = this.#held.join('')
    }
    this.#scanAll()
    return this.#items
  }

  end(): readonly TextItem[] {
    this.#items = []
    this.#ended = true
    if (this.#open === null) this.#next = this.#held.join('')
    this.#scanAll()
    // What follows a call that the end closes is scanned in turn; each round takes a part of the text away.
    while (this.#open !== null) {
      this.#endOpen(this.#open)
      this.#scanAll()
    }
    return this.#items
  }

  #scanAll(): void {
    while (this.#next !== null) {
      const text = this.#next
      this.#next = null
      this.#scan(text)
    }
  }

  /** Text that begins at `#base` and belongs to no call so far. */
  #scan(text: string): void {
    this.#held = []
    this.#ahead = null
    // At the end of all text a word is whole that could still grow before.
    const seen = this.#ended ? `${text}\n` : text
    for (let at = this.#find(text, 0); at !== -1; at = this.#find(text, at + 1)) {
      const standing = this.#standingAt(seen, at)
      if (standing === 'text') continue
      this.#plain(text, at)
      const rest = text.slice(at)
      if (standing === 'wait' || standing instanceof LookAhead) {
        this.#held = [rest]
        this.#ahead = standing === 'wait' ? null : standing
      } else this.#begin(standing.tag, Math.min(standing.end - at, rest.length), rest)
      return
    }
    this.#plain(text, text.length)
  }

  #find(text: string, from: number): number {
    this.#trigger.lastIndex = from
    return this.#trigger.exec(text)?.index ?? -1
  }

  #plain(text: string, units: number): void {
    if (units === 0) return
    this.#before = this.#beforeOf(text, units)
    this.#base += units
    const last = this.#items.at(-1)
    if (last?.kind === 'plain') this.#items.pop()
    this.#items.push({ kind: 'plain', end: this.#base })
  }

  #standingAt(text: string, at: number): Standing {
    const { words, window } = this.#options
    const found = matchTag(text, at, { words, window, before: this.#beforeOf(text, at) })
    if (found.kind === 'none') return 'text'
    if (found.kind === 'partial') return this.#ended ? 'text' : 'wait'
    const { tag, end } = found
    if (tag.kind === 'fence' || (tag.kind === 'element' && tag.declared)) return { tag, end }
    if (this.#looked > AHEAD_FIRST + AHEAD_SHARE * (this.#base + at)) return { tag, end }
    const ahead = this.#aheadOf(tag)
    const pushed = ahead.push(text.slice(end, end + this.#options.bytes))
    const follows = pushed === 'wait' && this.#ended ? ahead.end() : pushed
    if (follows === 'wait') return ahead
    if (follows === 'call') return { tag, end }
    this.#looked += ahead.looked
    return 'text'
  }

  #aheadOf(tag: TextTag): LookAhead {
    const { names, window, bytes } = this.#options
    return new LookAhead({ names, closer: closerOf(tag, window), window, cap: bytes, again: againOf(tag) })
  }

  /** The units before `at` of a text that begins at `#base`. */
  #beforeOf(text: string, at: number): string {
    return at >= UNITS_BEFORE
      ? text.slice(at - UNITS_BEFORE, at)
      : (this.#before + text.slice(0, at)).slice(-UNITS_BEFORE)
  }

  #begin(tag: TextTag, opened: number, text: string): void {
    if (tag.kind === 'fence') this.#items.push({ kind: 'open', start: this.#base, name: tag.name, form: 'text' })
    const closer = closerOf(tag, this.#options.window)
    const open: Open = { tag, opened, closer, pieces: [], units: 0, bytes: 0 }
    this.#open = open
    this.#take(open, text)
  }

  /** More of a call, which may end in it. Nothing behind the unit that goes over the cap is read, wherever the text is cut. */
  #take(open: Open, text: string): void {
    const skipped = Math.max(0, open.opened - open.units)
    const reach = this.#reach(open, text)
    open.pieces.push(text)
    open.units += reach
    const closed = open.closer.push(text.slice(skipped, reach))
    if (closed !== null) this.#close(open, open.opened + closed)
    else if (open.bytes > this.#options.bytes) this.#fault(open, open.units, 'WIRE_ARGUMENT_TOO_LARGE')
  }

  /** How many units of a piece are read: up to the one that goes over the cap. */
  #reach(open: Open, text: string): number {
    for (let at = 0; at < text.length; at += 1) {
      open.bytes += bytesOf(text.charCodeAt(at))
      if (open.bytes > this.#options.bytes) return at + 1
    }
    return text.length
  }

  #endOpen(open: Open): void {
    const closed = open.closer.end()
    if (closed === null) this.#fault(open, open.units, 'WIRE_CALL_TRUNCATED')
    else this.#close(open, open.opened + closed)
  }

  /** The call ends `length` units behind its start; what follows is text again. */
  #close(open: Open, length: number): void {
    const text = open.pieces.join('')
    const read = this.#read(open, text.slice(0, length))
    if (!read.ok) {
      this.#fault(open, length, read.reason)
      return
    }
    let start = this.#base
    for (const call of read.calls) {
      if (open.tag.kind !== 'fence') this.#items.push({ kind: 'open', start, name: call.name, form: call.form })
      if (call.text !== '') this.#items.push({ kind: 'arguments', text: call.text })
      start = this.#base + call.end
      this.#items.push({ kind: 'close', end: start })
    }
    this.#leave(text, length)
  }

  #read(open: Open, raw: string): WrittenCalls {
    if (open.bytes > this.#options.bytes && raw.length >= open.units)
      return { ok: false, reason: 'WIRE_ARGUMENT_TOO_LARGE' }
    if (open.closer.doubtful) return { ok: false, reason: 'WIRE_UNKNOWN_SHAPE' }
    return readCalls(this.#options.read, raw, open.tag, open.opened)
  }

  #fault(open: Open, length: number, reason: Reason): void {
    this.#items.push({ kind: 'fault', start: this.#base, end: this.#base + length, reason })
    this.#leave(open.pieces.join(''), length)
  }

  #leave(text: string, length: number): void {
    this.#open = null
    this.#base += length
    this.#before = this.#beforeOf(text, length)
    if (length < text.length) this.#next = text.slice(length)
  }
}

/** A tag of an element without attributes, as it may stand once more. */
function againOf(tag: TextTag): RegExp | null {
  return tag.kind === 'element' ? new RegExp(`<${tag.name.replaceAll(/[^a-z_]/gi, '.')}>`, 'i') : null
}
