import type { Reason } from '#pkg/model'
import { ESCAPES, hexValue, isHigh, isLow } from './escapes.ts'
import { foldKey, keyFault } from './keys.ts'
import { MAX_NUMBER_CHARS, NUMBER_BAD, NUMBER_END, NUMBER_START, nextInNumber, numberFault } from './numbers.ts'
import { type JsonFault, type JsonLimits, type JsonProfile, PROFILES, type ProfileRules } from './profile.ts'

/**
 * Told what a string *value* holds while it arrives. Keys are not told.
 *
 * - `stringStart`: `path` is where the value stands: keys (decoded) and positions in arrays. It is one array that
 *   the scanner goes on using: copy what you keep.
 * - `stringPiece`: `text` is decoded content. A piece is either raw text, whose UTF-8 bytes stand in the source
 *   from `at` to `end`, or the one character of an escape (or of a pair) that stands there. Half a pair is held back
 *   until its other half has come. Pieces depend on how the text was cut; their concatenation and offsets do not.
 * - `stringEnd`: `end` is the offset behind the closing quote.
 */
export type JsonListener = {
  readonly stringStart?: (path: readonly (string | number)[]) => void
  readonly stringPiece?: (text: string, at: number, end: number) => void
  readonly stringEnd?: (end: number) => void
}

/** Follows one JSON text that comes in pieces. */
export interface JsonScanner {
  /** Takes the next piece. `null` = no fault so far; after a fault always that fault. */
  push(text: string): JsonFault | null
  /** The text ends here. `null` = it was exactly one strict JSON value. */
  end(): JsonFault | null
  /** One whole value was seen and nothing behind it but white space. A bare number is whole at {@link end} only. */
  readonly complete: boolean
}

/**
 * A scanner for a text that is pushed in pieces, cut anywhere. Each unit is looked at once; kept are the keys of the
 * containers that are open, one key or number in the making, and nothing else. Over `limits.bytes` it refuses at
 * that byte. Faults and their offsets do not depend on how the text was cut.
 */
export function newJsonScanner(
  limits: JsonLimits,
  listener: JsonListener = {},
  profile: JsonProfile = 'arguments',
): JsonScanner {
  return new Scanner(limits, listener, PROFILES[profile])
}

// What the scanner waits for, or is in the middle of.
const VALUE = 0
const FIRST_ELEMENT = 1
const FIRST_KEY = 2
const NEXT_KEY = 3
const COLON = 4
const AFTER_VALUE = 5
const DONE = 6
const STRING = 7
const ESCAPE = 8
const UNICODE = 9
const WORD = 10
const NUMBER = 11

const QUOTE = 0x22
const BACKSLASH = 0x5c
const LONE = 'has half a surrogate pair'

class Scanner implements JsonScanner {
  readonly #limits: JsonLimits
  readonly #listener: JsonListener
  readonly #rules: ProfileRules
  #state = VALUE
  #fault: JsonFault | null = null
  /** The offset of unit `i` of the piece in hand is `#base + i`. */
  #base = 0
  /** Where each open container stands: the key in hand, or the position in an array. */
  readonly #path: (string | number)[] = []
  /** The keys of each open container; null for an array. */
  readonly #keys: (Set<string> | null)[] = []
  #inKey = false
  #key = ''
  #stringEmpty = true
  #escapeAt = 0
  #hexDigits = 0
  #hex = 0
  /** The first half of a pair whose second has not come; 0 = none. */
  #high = 0
  #highAt = 0
  #highEscaped = false
  #word = ''
  #wordLength = 0
  #number = ''
  #place = NUMBER_START

  constructor(limits: JsonLimits, listener: JsonListener, rules: ProfileRules) {
    this.#limits = limits
    this.#listener = listener
    this.#rules = rules
  }

  get complete(): boolean {
    return this.#state === DONE && this.#fault === null
  }

  push(text: string): JsonFault | null {
    if (this.#fault !== null) return this.#fault
    const { bytes } = this.#limits
    // A unit is at least one byte: what stands behind the first unit too many cannot matter.
    const room = bytes - this.#base
    const seen = text.length > room ? text.slice(0, room + 1) : text
    let i = 0
    while (i < seen.length && this.#fault === null) i = this.#step(seen, i)
    this.#base += seen.length
    const at = this.#faultAt() ?? this.#base - 1
    if (at >= bytes) this.#fault = { reason: this.#rules.tooLarge, at: bytes, detail: `is larger than ${bytes} bytes` }
    return this.#fault
  }

  end(): JsonFault | null {
    if (this.#fault !== null) return this.#fault
    const whole = this.#state === NUMBER && this.#path.length === 0 && nextInNumber(this.#place, 0) === NUMBER_END
    if (whole) this.#endNumber(0)
    if (this.#state !== DONE) this.#invalid(0, 'ends before its value is whole')
    return this.#fault
  }

  #faultAt(): number | undefined {
    return this.#fault?.at
  }

  #fail(reason: Reason, i: number, detail: string): void {
    this.#fault ??= { reason, at: this.#base + i, detail }
  }

  #invalid(i: number, detail: string): void {
    this.#fail('WIRE_INVALID_JSON', i, detail)
  }

  /** Takes a token, or the part of one that is here, from `i` on; returns where the next begins. */
  #step(text: string, i: number): number {
    switch (this.#state) {
      case STRING:
        return this.#takeString(text, i)
      case ESCAPE:
        return this.#takeEscape(text.charCodeAt(i), i)
      case UNICODE:
        return this.#takeHex(text.charCodeAt(i), i)
      case WORD:
        return this.#takeWord(text.charCodeAt(i), i)
      case NUMBER:
        return this.#takeNumber(text, i)
      default:
        return this.#takeStructure(text.charCodeAt(i), i)
    }
  }

  #takeStructure(c: number, i: number): number {
    if (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) return i + 1
    switch (this.#state) {
      case VALUE:
        return this.#openValue(c, i)
      case FIRST_ELEMENT:
        if (c !== 0x5d) return this.#openValue(c, i)
        this.#closeContainer()
        break
      case FIRST_KEY:
      case NEXT_KEY:
        if (c === QUOTE) this.#openString(true)
        else if (c === 0x7d && this.#state === FIRST_KEY) this.#closeContainer()
        else this.#invalid(i, 'has something else where a key in double quotes has to be')
        break
      case COLON:
        if (c === 0x3a) this.#state = VALUE
        else this.#invalid(i, 'has a key without a colon')
        break
      case AFTER_VALUE:
        this.#afterValue(c, i)
        break
      default:
        this.#invalid(i, 'goes on behind its value')
    }
    return i + 1
  }

  #afterValue(c: number, i: number): void {
    const top = this.#path.length - 1
    const place = this.#path[top]
    const inArray = typeof place === 'number'
    if (c === 0x2c) {
      if (inArray) this.#path[top] = place + 1
      this.#state = inArray ? VALUE : NEXT_KEY
    } else if (c === (inArray ? 0x5d : 0x7d)) this.#closeContainer()
    else this.#invalid(i, 'has a value that neither a comma nor the end of its container follows')
  }

  #openValue(c: number, i: number): number {
    if (c === QUOTE) this.#openString(false)
    else if (c === 0x7b || c === 0x5b) this.#openContainer(c === 0x7b, i)
    else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      this.#state = NUMBER
      this.#number = ''
      this.#place = NUMBER_START
      return i
    } else {
      this.#state = WORD
      this.#word = c === 0x74 ? 'true' : c === 0x66 ? 'false' : c === 0x6e ? 'null' : ''
      this.#wordLength = 1
      if (c === 0xfeff && this.#base + i === 0) this.#invalid(i, 'begins with a byte order mark')
      else if (this.#word === '') this.#invalid(i, 'has something else where a value has to be')
    }
    return i + 1
  }

  #openContainer(object: boolean, i: number): void {
    if (this.#path.length >= this.#limits.depth) {
      this.#fail('WIRE_DEPTH', i, `is nested deeper than ${this.#limits.depth}`)
      return
    }
    this.#path.push(object ? '' : 0)
    this.#keys.push(object ? new Set() : null)
    this.#state = object ? FIRST_KEY : FIRST_ELEMENT
  }

  #closeContainer(): void {
    this.#path.pop()
    this.#keys.pop()
    this.#endValue()
  }

  #endValue(): void {
    this.#state = this.#path.length === 0 ? DONE : AFTER_VALUE
  }

  #openString(key: boolean): void {
    this.#state = STRING
    this.#inKey = key
    this.#key = ''
    this.#stringEmpty = true
    if (!key) this.#listener.stringStart?.(this.#path)
  }

  /** Content up to the quote, an escape, or the end of the piece. */
  #takeString(text: string, from: number): number {
    if (this.#high !== 0) return this.#takeLowHalf(text.charCodeAt(from), from)
    const at = this.#base + from
    let i = from
    for (; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (c === QUOTE || c === BACKSLASH || c < 0x20) break
      if (c < 0x80) continue
      if (c < 0xd800 || c > 0xdfff) this.#base += c < 0x800 ? 1 : 2
      else if (isHigh(c) && isLow(text.charCodeAt(i + 1))) {
        this.#base += 2
        i++
      } else break
    }
    if (i > from) this.#emitRun(text, from, i, at)
    return i < text.length ? this.#leaveRun(text.charCodeAt(i), i) : i
  }

  #emitRun(text: string, from: number, to: number, at: number): void {
    const heard = this.#inKey || this.#listener.stringPiece !== undefined
    this.#piece(heard ? text.slice(from, to) : '', at, this.#base + to)
  }

  #piece(text: string, at: number, end: number): void {
    this.#stringEmpty = false
    if (this.#inKey) this.#key += text
    else this.#listener.stringPiece?.(text, at, end)
  }

  /** `c` is no plain content: the quote, an escape, half a pair, or a control character. */
  #leaveRun(c: number, i: number): number {
    if (c === QUOTE) this.#endString(i)
    else if (c === BACKSLASH) this.#openEscape(i)
    else if (isHigh(c)) {
      this.#holdHigh(c, this.#base + i, false)
      this.#base += 1
    } else if (isLow(c)) this.#fail('WIRE_INVALID_UTF8', i, LONE)
    else this.#invalid(i, 'has a control character in a string')
    return i + 1
  }

  #holdHigh(c: number, at: number, escaped: boolean): void {
    this.#high = c
    this.#highAt = at
    this.#highEscaped = escaped
  }

  /** `c` stands behind a first half: the second in the same form, or the first is alone. */
  #takeLowHalf(c: number, i: number): number {
    if (this.#highEscaped && c === BACKSLASH) this.#openEscape(i)
    else if (!this.#highEscaped && isLow(c)) {
      this.#base += 1
      this.#joinHalves(c, i + 1)
    } else if (this.#highEscaped && c === QUOTE && this.#rules.halves && !this.#inKey) {
      this.#piece(String.fromCharCode(this.#high), this.#highAt, this.#base + i)
      this.#high = 0
      return i
    } else this.#fail('WIRE_INVALID_UTF8', i, LONE)
    return i + 1
  }

  #joinHalves(low: number, end: number): void {
    const pair = String.fromCharCode(this.#high, low)
    this.#high = 0
    this.#piece(pair, this.#highAt, this.#base + end)
  }

  #openEscape(i: number): void {
    this.#state = ESCAPE
    this.#escapeAt = this.#base + i
  }

  #takeEscape(c: number, i: number): number {
    if (c === 0x75) {
      this.#state = UNICODE
      this.#hexDigits = 0
      this.#hex = 0
      return i + 1
    }
    const character = ESCAPES.get(c)
    this.#state = STRING
    if (this.#high !== 0) this.#fail('WIRE_INVALID_UTF8', i, LONE)
    else if (character === undefined) this.#invalid(i, 'has an escape that does not exist')
    else this.#piece(character, this.#escapeAt, this.#base + i + 1)
    return i + 1
  }

  #takeHex(c: number, i: number): number {
    const digit = hexValue(c)
    if (digit < 0) this.#invalid(i, 'has a \\u escape without four hexadecimal digits')
    this.#hex = this.#hex * 16 + digit
    this.#hexDigits += 1
    if (this.#hexDigits === 4 && this.#fault === null) this.#endEscape(this.#hex, i)
    return i + 1
  }

  #endEscape(code: number, i: number): void {
    this.#state = STRING
    const half = isLow(code) && this.#rules.halves && this.#stringEmpty && !this.#inKey
    if (this.#high !== 0 && isLow(code)) this.#joinHalves(code, i + 1)
    else if (this.#high !== 0 || (isLow(code) && !half)) this.#fail('WIRE_INVALID_UTF8', i, LONE)
    else if (isHigh(code)) this.#holdHigh(code, this.#escapeAt, true)
    else this.#piece(String.fromCharCode(code), this.#escapeAt, this.#base + i + 1)
  }

  #endString(i: number): void {
    if (this.#inKey) this.#endKey(i)
    else {
      this.#listener.stringEnd?.(this.#base + i + 1)
      this.#endValue()
    }
  }

  #endKey(i: number): void {
    const top = this.#path.length - 1
    const keys = this.#keys[top]
    const wrong = keyFault(this.#key, this.#rules)
    const one = this.#rules.folds ? foldKey(this.#key) : this.#key
    if (wrong !== null) this.#fail(wrong.reason, i, wrong.detail)
    else if (keys?.has(one) === true) this.#fail('WIRE_DUPLICATE_KEY', i, 'has a key twice in one object')
    keys?.add(one)
    this.#path[top] = this.#key
    this.#state = COLON
  }

  #takeWord(c: number, i: number): number {
    if (c !== this.#word.charCodeAt(this.#wordLength)) {
      this.#invalid(i, 'has a word that is none of true, false and null')
      return i + 1
    }
    this.#wordLength += 1
    if (this.#wordLength === this.#word.length) this.#endValue()
    return i + 1
  }

  #takeNumber(text: string, from: number): number {
    let i = from
    let place = this.#place
    const room = MAX_NUMBER_CHARS - this.#number.length
    for (; i < text.length; i++) {
      place = nextInNumber(place, text.charCodeAt(i))
      if (place < 0) break
      if (i - from >= room) {
        this.#fail('WIRE_NUMBER_RANGE', i, `has a number of more than ${MAX_NUMBER_CHARS} characters`)
        return i
      }
    }
    this.#number += text.slice(from, i)
    if (place === NUMBER_BAD) this.#invalid(i, 'has a number that is not written as JSON writes numbers')
    else if (place === NUMBER_END) this.#endNumber(i)
    else this.#place = place
    return i
  }

  #endNumber(i: number): void {
    const wrong = numberFault(this.#number, this.#rules)
    if (wrong !== null) this.#fail('WIRE_NUMBER_RANGE', i, wrong)
    this.#endValue()
  }
}
