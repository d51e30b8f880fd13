/** How a server cuts text into tokens, where servers differ. */
export type LexRules = {
  /** `/* /* *\/ *\/` is one comment. */
  readonly nestedComments: boolean
  /** `\'` inside of any quotes does not end them. */
  readonly backslashEscapes: boolean
  /** `\'` inside of `E'…'`, and of the strings on later lines that go on with it, does not end them. Else `E` is a word. */
  readonly escapeStrings: boolean
  /** `#` begins a comment. */
  readonly hashComments: boolean
  /** `--` begins a comment only before white space. */
  readonly dashNeedsSpace: boolean
  /** The content of `/*! *\/` is code. */
  readonly executableComments: boolean
  /** `` `name` `` is a name. */
  readonly backticks: boolean
  /** `[name]` is a name. */
  readonly brackets: boolean
  /** `$tag$ … $tag$` is a string: everywhere, or only in DO and CREATE, which no other server runs with one. */
  readonly dollarQuotes: 'everywhere' | 'in-programs'
}

/** As PostgreSQL reads it. */
export const POSTGRES: LexRules = {
  nestedComments: true,
  backslashEscapes: false,
  escapeStrings: true,
  hashComments: false,
  dashNeedsSpace: false,
  executableComments: false,
  backticks: false,
  brackets: false,
  dollarQuotes: 'everywhere',
}

/** `word`: keyword, name or `$1`; `quoted`: a name in quotes; `symbol`: one character; white space is no token. */
export type LexKind = 'word' | 'number' | 'quoted' | 'string' | 'comment' | 'symbol' | 'semicolon'

/** Takes a finished token: [from, to) in UTF-16 units. `word` is its text in lower case, '' for other kinds and for words longer than 63. */
export type LexSink = (kind: LexKind, from: number, to: number, word: string) => void

type Mode =
  | 'code'
  | 'word'
  | 'number'
  | 'dash'
  | 'dashes'
  | 'slash'
  | 'bang'
  | 'version'
  | 'star'
  | 'dollar' // undecided, still code
  | 'line'
  | 'block'
  | 'string'
  | 'quoted'
  | 'body' // hidden

const NAME_LIMIT = 63

/**
 * Cuts SQL into tokens while it comes, each unit looked at once; memory is one word or one dollar tag. It never fails:
 * whether the tokens make sense is for the grammar to say.
 */
export class SqlLexer {
  readonly #rules: LexRules
  readonly #sink: LexSink
  #mode: Mode = 'code'
  #at = 0
  #from = 0
  #word = ''
  #long = false
  /** Of nested comments; in a dollar-quoted body, units of its tag that match. */
  #depth = 0
  #previous = ''
  #close = ''
  #escapes = false
  #escaped = false
  #closing = false
  #inExecutable = false
  /** After E'…': a string on a later line goes on with the same rules. 1 = closed, 2 = and a line break came. */
  #continues = 0
  /** The first word of this statement, for what counts as a program. */
  #first: string | null = null

  constructor(rules: LexRules, sink: LexSink) {
    this.#rules = rules
    this.#sink = sink
  }

  push(text: string): void {
    for (let at = 0; at < text.length; at++) {
      const run = this.#mode === 'word' ? wordUnits(text, at) : 0
      if (run > 0) {
        this.#takeWord(text.slice(at, at + run))
        this.#at += run
        at += run - 1
      } else {
        this.#step(text.charAt(at))
        this.#at++
      }
    }
  }

  /** The text is over: what was open ends here. Answers whether a quote or comment was still open. */
  end(): boolean {
    const open = this.#hidden() && this.#mode !== 'line' && !this.#closing
    if (this.#mode === 'dashes') this.#emit('comment', this.#at)
    else if (this.#hidden()) this.#emit(this.#hiddenKind(), this.#at)
    else this.#settle()
    this.#mode = 'code'
    return open
  }

  #step(unit: string): void {
    const mode = this.#mode
    if (mode === 'code') this.#code(unit)
    else if (mode === 'word' || mode === 'number') this.#inWord(unit)
    else if (mode === 'string' || mode === 'quoted') this.#quotes(unit)
    else if (mode === 'block') this.#block(unit)
    else if (mode === 'body') this.#body(unit)
    else if (mode === 'dash' || mode === 'dashes') this.#dash(unit)
    else if (mode === 'slash') this.#slash(unit)
    else if (mode === 'bang') this.#bang(unit)
    else if (mode === 'version') this.#version(unit)
    else if (mode === 'star') this.#star(unit)
    else if (mode === 'dollar') this.#dollar(unit)
    else if (isLineEnd(unit)) this.#hide('comment', unit)
  }

  #code(unit: string): void {
    this.#from = this.#at
    if (isSpace(unit)) {
      if (this.#continues === 1 && isLineEnd(unit)) this.#continues = 2
    } else if (unit === "'") this.#open('string', unit, this.#rules.backslashEscapes || this.#continues === 2)
    else if (unit === '-') this.#mode = 'dash'
    else if (unit === '#' && this.#rules.hashComments) this.#mode = 'line'
    else {
      this.#continues = 0
      this.#token(unit)
    }
  }

  #token(unit: string): void {
    if (unit === '/') this.#mode = 'slash'
    else if (unit === '"') this.#open('quoted', unit, this.#rules.backslashEscapes)
    else if (unit === '`' && this.#rules.backticks) this.#open('quoted', unit, false)
    else if (unit === '[' && this.#rules.brackets) this.#open('quoted', ']', false)
    else if (unit === '$') this.#startDollar()
    else if (unit === '*' && this.#inExecutable) this.#mode = 'star'
    else if (isDigit(unit)) this.#startWord('number', unit)
    else if (isNameStart(unit)) this.#startWord('word', unit)
    else this.#symbol(unit)
  }

  #startWord(mode: 'word' | 'number', unit: string): void {
    this.#mode = mode
    this.#word = unit
    this.#long = false
  }

  /** More of the word in hand. */
  #takeWord(units: string): void {
    const room = NAME_LIMIT - this.#word.length
    if (units.length > room) this.#long = true
    this.#word += units.length > room ? units.slice(0, room) : units
  }

  #inWord(unit: string): void {
    const more = isNameStart(unit) || isDigit(unit) || (unit === '$' && this.#mode === 'word')
    if (more) return this.#takeWord(unit)
    const escapes =
      this.#rules.escapeStrings && this.#mode === 'word' && this.#word.toLowerCase() === 'e' && unit === "'"
    this.#settle()
    if (escapes) {
      this.#from = this.#at
      this.#open('string', unit, true)
      this.#continues = 1
    } else this.#code(unit)
  }

  #dash(unit: string): void {
    if (this.#mode === 'dash' && unit === '-') {
      this.#mode = this.#rules.dashNeedsSpace ? 'dashes' : 'line'
    } else if (this.#mode === 'dashes' && unit <= ' ') {
      this.#mode = 'line'
      if (isLineEnd(unit)) this.#hide('comment', unit)
    } else {
      this.#continues = 0
      this.#settle()
      this.#code(unit)
    }
  }

  #slash(unit: string): void {
    if (unit === '*') {
      this.#mode = this.#rules.executableComments ? 'bang' : 'block'
      this.#depth = 1
      this.#previous = ''
    } else {
      this.#settle()
      this.#code(unit)
    }
  }

  /** After `/*`: `!` or `M!` makes its content code. */
  #bang(unit: string): void {
    if (unit === '!') {
      this.#inExecutable = true
      this.#mode = 'version'
    } else if (unit !== 'M' || this.#previous === 'M') {
      this.#mode = 'block'
      this.#block(unit)
    } else this.#previous = unit
  }

  /** The version of the server from which on it is code; which one we face is not known. */
  #version(unit: string): void {
    if (isDigit(unit)) return
    this.#mode = 'code'
    this.#code(unit)
  }

  #star(unit: string): void {
    if (unit === '/') {
      this.#inExecutable = false
      this.#mode = 'code'
      return
    }
    this.#settle()
    this.#code(unit)
  }

  #block(unit: string): void {
    const pair = this.#previous + unit
    this.#previous = unit
    if (pair === '*/') this.#depth--
    else if (pair === '/*' && this.#rules.nestedComments) this.#depth++
    else return
    this.#previous = ''
    if (this.#depth === 0) this.#leave('comment')
  }

  #open(mode: 'string' | 'quoted', close: string, escapes: boolean): void {
    this.#mode = mode
    this.#close = close
    this.#escapes = escapes
    this.#escaped = false
    this.#closing = false
    this.#continues = escapes && this.#rules.escapeStrings ? 1 : 0
  }

  #quotes(unit: string): void {
    if (this.#closing && unit !== this.#close) this.#hide(this.#hiddenKind(), unit)
    else if (this.#closing) this.#closing = false
    else if (this.#escaped) this.#escaped = false
    else if (unit === '\\' && this.#escapes) this.#escaped = true
    else if (unit === this.#close) this.#closing = true
  }

  #startDollar(): void {
    const program = this.#first === 'do' || this.#first === 'create'
    if (this.#rules.dollarQuotes === 'in-programs' && !program) this.#startWord('word', '$')
    else {
      this.#mode = 'dollar'
      this.#close = '$'
    }
  }

  #dollar(unit: string): void {
    const starts = this.#close === '$'
    if (unit === '$') {
      this.#close += unit
      this.#depth = 0
      this.#mode = 'body'
    } else if (starts && isDigit(unit)) {
      this.#startWord('number', `$${unit}`)
    } else if (isNameStart(unit) || (!starts && isDigit(unit))) {
      this.#close += unit
    } else {
      this.#undoDollar()
      this.#code(unit)
    }
  }

  /** No `$` closed the tag: a `$` by itself, and a word. */
  #undoDollar(): void {
    const tag = this.#close
    this.#mode = 'code'
    this.#sink('symbol', this.#from, this.#from + 1, '')
    if (tag.length === 1) return
    this.#from++
    this.#startWord('word', tag.slice(1))
    this.#long = tag.length > NAME_LIMIT
    this.#settle()
  }

  /** No part of a tag but its first `$` is how the tag begins, so a mismatch falls back to that. */
  #body(unit: string): void {
    if (unit === this.#close.charAt(this.#depth)) this.#depth++
    else this.#depth = unit === '$' ? 1 : 0
    if (this.#depth === this.#close.length) this.#leave('string')
  }

  #symbol(unit: string): void {
    this.#sink(unit === ';' ? 'semicolon' : 'symbol', this.#at, this.#at + 1, '')
    if (unit === ';') this.#first = null
    else this.#first ??= unit
  }

  /** What was undecided is code after all. */
  #settle(): void {
    const mode = this.#mode
    this.#mode = 'code'
    if (mode === 'word' || mode === 'number') {
      const word = this.#long ? '' : this.#word.toLowerCase()
      this.#first ??= word
      this.#sink(mode, this.#from, this.#at, word)
    } else if (mode === 'dollar') this.#undoDollar()
    else if (mode !== 'code' && mode !== 'version')
      for (let at = this.#from; at < this.#at; at++) this.#sink('symbol', at, at + 1, '')
  }

  /** A quote or comment ends with this unit. */
  #leave(kind: LexKind): void {
    this.#emit(kind, this.#at + 1)
    this.#mode = 'code'
  }

  /** A quote or comment ended before this unit. */
  #hide(kind: LexKind, unit: string): void {
    this.#emit(kind, this.#at)
    this.#mode = 'code'
    this.#closing = false
    this.#code(unit)
  }

  #emit(kind: LexKind, to: number): void {
    if (kind !== 'comment') this.#first ??= ''
    this.#sink(kind, this.#from, to, '')
  }

  #hidden(): boolean {
    return ['line', 'block', 'bang', 'string', 'quoted', 'body'].includes(this.#mode)
  }

  #hiddenKind(): LexKind {
    if (this.#mode === 'quoted') return 'quoted'
    return this.#mode === 'string' || this.#mode === 'body' ? 'string' : 'comment'
  }
}

function isSpace(unit: string): boolean {
  return unit === ' ' || (unit >= '\t' && unit <= '\r')
}

function isLineEnd(unit: string): boolean {
  return unit === '\n' || unit === '\r'
}

function isDigit(unit: string): boolean {
  return unit >= '0' && unit <= '9'
}

/** How many units from `from` on belong to a word that has begun. */
function wordUnits(text: string, from: number): number {
  let at = from
  while (at < text.length && WORD_UNITS[Math.min(text.charCodeAt(at), 0x80)] === 1) at += 1
  return at - from
}

/** By unit; the last stands for everything beyond ASCII. */
const WORD_UNITS = Uint8Array.from({ length: 0x81 }, (_, unit) => {
  const text = String.fromCharCode(unit)
  return isNameStart(text) || isDigit(text) || text === '$' ? 1 : 0
})

/** Every unit beyond ASCII belongs to a name, white space of Unicode included. */
function isNameStart(unit: string): boolean {
  return (unit >= 'a' && unit <= 'z') || (unit >= 'A' && unit <= 'Z') || unit === '_' || unit >= '\u0080'
}
