import type { Closer } from './text-closers.ts'
import type { ToolNames } from './text-names.ts'

/** What is known about an opening: a call, no call, or not enough text yet. */
export type Ahead = 'call' | 'text' | 'wait'

/** What looking ahead needs. */
export type AheadParts = {
  readonly names: ToolNames
  /** A closer of its own for the opening. */
  readonly closer: Closer
  /** Bytes behind the opening within which the call must show; white space does not count. */
  readonly window: number
  /** The same opening once more: what stood before it, without a name or `{`, was talk about calls. null = no such. */
  readonly again: RegExp | null
  /** Units behind the opening, white space included, from which on it is a call that is too large. */
  readonly cap: number
}

/**
 * Watches what follows an opening: it becomes a call when the name of a tool or `{` follows within the window. Each
 * unit is looked at once, so that white space, which any parser of JSON skips, may be as long as a call may be.
 */
export class LookAhead {
  readonly #parts: AheadParts
  #units = 0
  #looked = 0
  #bytes = 0
  /** What came, with runs of white space as one space. */
  #seen = ''

  constructor(parts: AheadParts) {
    this.#parts = parts
  }

  /** How many units it took to answer, wherever the text was cut. */
  get looked(): number {
    return this.#looked
  }

  /** More text. Not to be called again once it answered other than `wait`. */
  push(text: string): Ahead {
    const { closer, window, cap } = this.#parts
    const piece = text.slice(0, this.#reach(text))
    const closed = closer.push(piece)
    const inside = closed === null ? piece : piece.slice(0, Math.max(0, closed - this.#units))
    const brace = inside.search(/[{｛]/)
    this.#looked = this.#units + (brace === -1 ? inside.length : brace)
    this.#units += piece.length
    if (brace !== -1) return this.#isTalk(inside.slice(0, brace)) ? 'text' : 'call'
    const full = closed !== null || this.#bytes >= window
    if (!this.#add(inside) && !full) return this.#units < cap ? 'wait' : 'call'
    if (this.#named(full)) return 'call'
    if (full) return 'text'
    return this.#units < cap ? 'wait' : 'call'
  }

  /** The text is over. */
  end(): Ahead {
    return this.#named(true) ? 'call' : 'text'
  }

  /** Was everything before the `{` words about calls, up to an opening that stands nearer to it? */
  #isTalk(before: string): boolean {
    const { again } = this.#parts
    if (again === null || !again.test(this.#seen + before)) return false
    this.#add(before)
    return !this.#named(true)
  }

  /** How much of a piece the window has room for. */
  #reach(text: string): number {
    const { window, cap } = this.#parts
    for (let at = 0; at < text.length; at += 1) {
      if (this.#bytes >= window || this.#units + at >= cap) return at
      const opens = this.#units + at === 0 && /[>＞﹥]/.test(text.charAt(at))
      if (!opens) this.#bytes += costOf(text.charCodeAt(at))
      if (this.#bytes > window) return at
    }
    return text.length
  }

  /** Answers whether that tells anything new. */
  #add(text: string): boolean {
    const short = text.replace(BLANKS, ' ')
    const more = this.#seen.endsWith(' ') && short.startsWith(' ') ? short.slice(1) : short
    this.#seen += more
    return more !== ''
  }

  #named(whole: boolean): boolean {
    return this.#parts.names.standsIn(this.#seen, whole)
  }
}

/** White space of JavaScript, and what Python takes for it besides. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: separators that Python strips
const BLANKS = /[\s\x1c-\x1f\x85]+/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: separators that Python strips
const BLANK = /[\s\x1c-\x1f\x85]/

/** Bytes of one unit in UTF-8; none for white space. */
function costOf(code: number): number {
  if (code > 0x20 && code < 0x7f) return 1
  return BLANK.test(String.fromCharCode(code)) ? 0 : bytesOf(code)
}

/** Bytes of one unit in UTF-8, half of four for a half of a pair. */
export function bytesOf(code: number): number {
  if (code < 0x80) return 1
  return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3
}
