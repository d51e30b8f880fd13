/** What opens a call that is written as text. */
export type TextTag =
  /** `<tool_call>`, `<invoke name=…>`, `<function=…>`; `declared` when the policy names it in `textTools`. */
  | { readonly kind: 'element'; readonly name: string; readonly declared: boolean }
  /** `<|tool_call_begin|>` and its like. */
  | { readonly kind: 'token'; readonly name: string }
  /** `[TOOL_CALLS]` and its like. */
  | { readonly kind: 'bracket'; readonly name: string }
  /** A code fence that the policy names. `mark` is its character, `run` its length. */
  | { readonly kind: 'fence'; readonly name: string; readonly mark: string; readonly run: number }

/** A place in a text as an opening: none, perhaps one once more has come, or one that ends at `end`. */
export type TagMatch =
  | { readonly kind: 'none' }
  | { readonly kind: 'partial' }
  | { readonly kind: 'tag'; readonly tag: TextTag; readonly end: number }

/** The words of `textTools`, folded → as written. */
export type TagWords = { readonly tags: ReadonlyMap<string, string>; readonly fences: ReadonlyMap<string, string> }

const NONE: TagMatch = { kind: 'none' }
const PARTIAL: TagMatch = { kind: 'partial' }

/** Elements that always open a call; those with `=` only when a `=` follows. Joined words are told from type parameters by what stands before. */
const ELEMENTS = new Map([
  ['tool_call', ''],
  ['tool_calls', ''],
  ['toolcall', 'joined'],
  ['toolcalls', 'joined'],
  ['/tool_call', ''],
  ['tool_use', ''],
  ['tool_uses', ''],
  ['tooluse', 'joined'],
  ['function_call', ''],
  ['function_calls', ''],
  ['functioncall', 'joined'],
  ['functioncalls', 'joined'],
  ['function', '='],
  ['functionname', '='],
  ['invoke', ''],
  ['longcat_tool_call', ''],
  ['start_function_call', ''],
  ['tool_code', ''],
  ['execute_tool', ''],
  ['use_mcp_tool', ''],
])
const BRACKETS = ['tool_calls', 'tool_call', 'function_calls', 'function_call', 'tool_request']
const TOKEN_WORD = /tool|function|call|python_?tag|plugin|action|channel|recipient|constrain|invoke/
/** A word that opens a call when a list follows it at once; it may have left by then. */
const WORD_BEFORE_LIST = /functools$/i
/** How many units before a candidate matter. */
export const UNITS_BEFORE = 'functools'.length
/** `ns:` or `|ns|` before an element's name does not count. */
const NAMESPACE = /^[a-z_]{1,16}$/
const IGNORED = /[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Mn}]/u

/** True for a word that opens calls of the usual shapes, whatever a policy says. */
export function isWellKnown(word: string): boolean {
  return ELEMENTS.has(foldWord(word))
}

/** One character as tags are compared: lower case, NFKC, one sort of dash; nothing for what nobody sees. */
function foldUnit(unit: string): string {
  const c = unit.charCodeAt(0)
  if (c < 0x80) return unit === '-' ? '_' : unit.toLowerCase()
  if (unit === '▁' || /\p{Pd}/u.test(unit)) return '_'
  if (IGNORED.test(unit)) return ''
  return unit.normalize('NFKC').toLowerCase()
}

/** A word of the policy as tags are compared. */
export function foldWord(word: string): string {
  return [...word].map(foldUnit).join('')
}

/** Where a candidate stands. */
export type TagPlace = {
  readonly words: TagWords
  /** No candidate is longer, in units. */
  readonly window: number
  /** The units before the candidate, `UNITS_BEFORE` of them where there are as many. */
  readonly before: string
}

/** Is there an opening at `at`, where a trigger stands? */
export function matchTag(text: string, at: number, place: TagPlace): TagMatch {
  const mark = foldUnit(text.charAt(at))
  if (mark === '<') return matchElement(text, at, place)
  if (mark === '[') return matchBracket(text, at, place)
  if (mark === '`' || mark === '~') return matchFence(text, at, place)
  return NONE
}

function matchElement(text: string, at: number, { words, window, before }: TagPlace): TagMatch {
  let name = ''
  let piped = false
  for (let i = at + 1; i < text.length; i += 1) {
    if (i - at > window) return NONE
    const unit = foldUnit(text.charAt(i))
    if (name === '' && unit === '|' && !piped) {
      const token = matchToken(text, at, i + 1, window)
      if (token.kind !== 'none') return token
      piped = true
    } else if ((unit === ':' || (unit === '|' && piped)) && NAMESPACE.test(name)) name = ''
    else if (!/^[a-z0-9_/]*$/.test(unit)) {
      const tag = elementOf(name, unit, before, words)
      if (tag !== null) return { kind: 'tag', tag, end: i }
      if (unit.trim() !== '' || !mayBeElement(name, words)) return NONE
    } else {
      name += unit
      if (!mayBeElement(name, words) && !NAMESPACE.test(name)) return NONE
    }
  }
  return PARTIAL
}

function elementOf(name: string, delimiter: string, before: string, words: TagWords): TextTag | null {
  const declared = words.tags.get(name)
  if (declared !== undefined) return { kind: 'element', name: declared, declared: true }
  const rule = ELEMENTS.get(name)
  if (rule === undefined || (rule === '=' && delimiter !== '=')) return null
  if (rule === 'joined' && /[A-Za-z0-9_]$/.test(before)) return null
  return { kind: 'element', name, declared: false }
}

function mayBeElement(name: string, words: TagWords): boolean {
  for (const known of ELEMENTS.keys()) if (known.startsWith(name)) return true
  for (const known of words.tags.keys()) if (known.startsWith(name)) return true
  return false
}

function matchToken(text: string, at: number, from: number, window: number): TagMatch {
  let name = ''
  for (let i = from; i < text.length; i += 1) {
    if (i - at > window || name.length > 64) return NONE
    const unit = foldUnit(text.charAt(i))
    if (unit === '|' || unit === '>') {
      if (!TOKEN_WORD.test(name)) return NONE
      if (unit === '>') return { kind: 'tag', tag: { kind: 'token', name }, end: i + 1 }
      continue
    }
    if (!/^[a-z0-9_/.\s]*$/.test(unit)) return NONE
    name += unit.trim()
  }
  return PARTIAL
}

function matchBracket(text: string, at: number, { window, before }: TagPlace): TagMatch {
  if (WORD_BEFORE_LIST.test(before)) return { kind: 'tag', tag: { kind: 'bracket', name: 'functools' }, end: at }
  let name = ''
  for (let i = at + 1; i < text.length; i += 1) {
    if (i - at > window) return NONE
    const unit = foldUnit(text.charAt(i)).trim()
    if (unit === ']') {
      return BRACKETS.includes(name) ? { kind: 'tag', tag: { kind: 'bracket', name }, end: i + 1 } : NONE
    }
    name += unit
    if (!BRACKETS.some((known) => known.startsWith(name))) return NONE
  }
  return PARTIAL
}

function matchFence(text: string, at: number, { words, window, before }: TagPlace): TagMatch {
  const mark = foldUnit(text.charAt(at))
  if (foldUnit(before.slice(-1)) === mark) return NONE // a run counts from its first mark
  let i = at
  let run = 0
  let word = ''
  for (; i < text.length && (foldUnit(text.charAt(i)) === mark || foldUnit(text.charAt(i)) === ''); i += 1) {
    if (foldUnit(text.charAt(i)) === mark) run += 1
    if (i - at > window) return NONE
  }
  if (i < text.length && run < 3) return NONE
  for (; i < text.length; i += 1) {
    if (i - at > window) return NONE
    const unit = foldUnit(text.charAt(i))
    if (word === '' && (unit === ' ' || unit === '\t')) continue
    if (/^[\s{,:(]$/.test(unit)) {
      const name = words.fences.get(word)
      return name === undefined ? NONE : { kind: 'tag', tag: { kind: 'fence', name, mark, run }, end: i }
    }
    word += unit
    if (![...words.fences.keys()].some((known) => known.startsWith(word))) return NONE
  }
  return PARTIAL
}

/** Does the closing tag of an element stand at `at`? A partial one is at most `window` units long. */
export function matchClose(
  text: string,
  at: number,
  element: string,
  window: number,
): TagMatch | { readonly kind: 'close'; readonly end: number } {
  const starts = /^start_/.test(element)
  const sign = starts ? 'end' : '/'
  const wanted = sign + element.replace(/^start_/, '').replaceAll('_', '')
  let name = ''
  for (let i = at + 1; i < text.length; i += 1) {
    if (i - at > window) return NONE
    const unit = foldUnit(text.charAt(i)).trim().replace('_', '')
    if (unit === '>') return name === wanted ? { kind: 'close', end: i + 1 } : NONE
    if (!starts && ((unit === ':' && name.length > 1) || (unit === '|' && name !== ''))) {
      name = sign
      continue
    }
    name += unit
    if (!wanted.startsWith(name) && !/^\/[a-z]{1,16}$/.test(name)) return NONE
  }
  return PARTIAL
}

/** Does the token `name` stand at `at`? */
export function matchTokenNamed(
  text: string,
  at: number,
  name: string,
  window: number,
): TagMatch | { readonly kind: 'close'; readonly end: number } {
  let from = at + 1
  while (from < text.length && foldUnit(text.charAt(from)).trim() === '') from += 1
  if (from >= text.length) return PARTIAL
  if (foldUnit(text.charAt(from)) !== '|') return NONE
  const found = matchToken(text, at, from + 1, window)
  if (found.kind !== 'tag') return found
  return found.tag.name === name ? { kind: 'close', end: found.end } : NONE
}
