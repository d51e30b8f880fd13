import { matchClose, matchTokenNamed, type TagMatch, type TextTag } from './text-tags.ts'

/** Finds where a call that is written as text ends. Offsets are units since the end of its opening. */
export interface Closer {
  /** More text. The offset behind the call, or null as long as it may go on. */
  push(text: string): number | null
  /** The offset behind the call if the text ends here; null = it is broken off. */
  end(): number | null
  /** True when some clients would read on where it ended. */
  readonly doubtful: boolean
}

/** The closer that belongs to an opening. No half-read mark is longer than `window` units. */
export function closerOf(tag: TextTag, window: number): Closer {
  switch (tag.kind) {
    case 'element': {
      const name = tag.name
        .replace(/^\//, '')
        .replace(/^functionname$/, 'function')
        .toLowerCase()
      return new MarkCloser((text, at) => matchClose(text, at, name.replaceAll('-', '_'), window))
    }
    case 'token': {
      const last = tag.name.replace(/begin|start/, 'end')
      return last === tag.name
        ? new JsonCloser()
        : new MarkCloser((text, at) => matchTokenNamed(text, at, last, window))
    }
    case 'bracket':
      return new JsonCloser()
    case 'fence':
      return new FenceCloser(tag.mark)
  }
}

type Match = TagMatch | { readonly kind: 'close'; readonly end: number }

/** A mark that begins with `<`, wherever it first stands. */
class MarkCloser implements Closer {
  readonly doubtful = false
  readonly #match: (text: string, at: number) => Match
  #base = 0
  #tail = ''

  constructor(match: (text: string, at: number) => Match) {
    this.#match = match
  }

  push(piece: string): number | null {
    const text = this.#tail + piece
    for (let at = nextMark(text, 0); at !== -1; at = nextMark(text, at + 1)) {
      const found = this.#match(text, at)
      if (found.kind === 'close') return this.#base + found.end
      if (found.kind === 'partial') {
        this.#base += at
        this.#tail = text.slice(at)
        return null
      }
    }
    this.#base += text.length
    this.#tail = ''
    return null
  }

  end(): number | null {
    return null
  }
}

function nextMark(text: string, from: number): number {
  MARK.lastIndex = from
  return MARK.exec(text)?.index ?? -1
}

const MARK = /[<＜﹤]/g

/** JSON values, with words before them and `,` `;` between; what else follows a value is no longer the call. */
class JsonCloser implements Closer {
  readonly doubtful = false
  #at = 0
  #depth = 0
  #inString = false
  #escaped = false
  /** Behind the last whole value, or null when a value has to come. */
  #whole: number | null = null

  push(piece: string): number | null {
    for (let index = 0; index < piece.length; index += 1) {
      const unit = piece.charAt(index)
      this.#at += 1
      if (this.#inString) this.#stringUnit(unit)
      else if (this.#depth > 0) this.#innerUnit(unit)
      else if (unit === '{' || unit === '[') this.#depth = 1
      else if (this.#whole !== null && !/[\s;,]/.test(unit)) return this.#whole
    }
    return null
  }

  end(): number | null {
    return this.#depth === 0 ? this.#whole : null
  }

  #stringUnit(unit: string): void {
    if (this.#escaped) this.#escaped = false
    else if (unit === '\\') this.#escaped = true
    else if (unit === '"') this.#inString = false
  }

  #innerUnit(unit: string): void {
    if (unit === '"') this.#inString = true
    else if (unit === '{' || unit === '[') this.#depth += 1
    else if (unit === '}' || unit === ']') this.#depth -= 1
    if (this.#depth === 0) this.#whole = this.#at
  }
}

/**
 * The first run of three or more of the fence's mark, known to be one by the end of its line. With anything else on
 * that line it ends the fence for some readers only.
 */
class FenceCloser implements Closer {
  doubtful = false
  readonly #mark: string
  #at = 0
  #run = 0
  #behind: number | null = null

  constructor(mark: string) {
    this.#mark = mark
  }

  push(piece: string): number | null {
    for (let index = 0; index < piece.length; index += 1, this.#at += 1) {
      const unit = piece.charAt(index)
      if (unit === this.#mark && this.#behind === null) this.#run += 1
      else if (this.#run >= 3) {
        this.#behind ??= this.#at
        if (unit === ' ' || unit === '\t' || unit === '\r') continue
        this.doubtful = unit !== '\n'
        return this.#behind
      } else this.#run = 0
    }
    return null
  }

  end(): number | null {
    return this.#run >= 3 ? (this.#behind ?? this.#at) : null
  }
}
