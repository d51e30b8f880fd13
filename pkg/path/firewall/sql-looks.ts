const KEYWORD =
  /select|insert|update|delete|merge|truncate|drop|alter|create|grant|revoke|copy|do|call|execute|prepare|explain|values|table|with|comment|security|reassign|refresh|import|reindex|cluster|lock|set|reset|declare|load|\/\*!/i
const BREAK = /[;\n\r]|\*\//g

const OBJECTS = new Set(
  (
    'table view index schema database role user group function procedure routine aggregate sequence type domain extension ' +
    'trigger policy rule materialized or temp temporary unlogged global local recursive unique constraint event foreign default ' +
    'operator procedural trusted language publication subscription server cast collation conversion access text transform ' +
    'statistics tablespace owned large system'
  ).split(' '),
)

/** The text around a first word: what stands next, and whether a word stands anywhere in the whole text. */
type Around = { readonly next: string; readonly symbol: string; readonly has: (word: string) => boolean }

const always = (): boolean => true
const nextIs =
  (...words: readonly string[]) =>
  (around: Around): boolean =>
    words.includes(around.next)
const anywhere =
  (...words: readonly string[]) =>
  (around: Around): boolean =>
    words.some(around.has)
const object = (around: Around): boolean => OBJECTS.has(around.next)

/** First words of statements that count, and what else must be there. */
const STARTS: ReadonlyMap<string, (around: Around) => boolean> = new Map([
  ['select', always],
  ['explain', always],
  ['table', always],
  ['truncate', always],
  ['reindex', always],
  ['with', anywhere('as')],
  ['insert', nextIs('into')],
  ['merge', nextIs('into')],
  ['update', anywhere('set')],
  ['delete', nextIs('from')],
  ['drop', object],
  ['alter', object],
  ['create', object],
  ['grant', anywhere('to')],
  ['revoke', anywhere('from')],
  ['copy', anywhere('from', 'to')],
  ['do', (around) => around.symbol === "'" || around.symbol === '$' || ['language', 'e', 'u'].includes(around.next)],
  ['call', anywhere('(')],
  ['execute', anywhere('(')],
  ['prepare', anywhere('as')],
  ['values', (around) => around.symbol === '('],
  ['comment', nextIs('on')],
  ['security', nextIs('label')],
  ['reassign', nextIs('owned')],
  ['refresh', nextIs('materialized')],
  ['import', nextIs('foreign')],
  ['cluster', anywhere('using')],
  ['lock', anywhere('table', 'mode')],
  ['set', nextIs('role', 'session', 'local')],
  ['reset', nextIs('role', 'session')],
  ['declare', anywhere('cursor')],
  ['load', (around) => around.symbol === "'"],
])

/**
 * Could a text be SQL at all? Asked before the grammar is, so that prose and code seldom reach it. A statement can
 * begin at the beginning, behind `;`, or behind a comment; its first word is looked up, and what must follow it.
 * Statements that only keep house in their own session (SHOW, RESET x, SET x, LISTEN, ANALYZE, VACUUM, BEGIN, …) do not
 * count: alone they are plain English ("reset password"), and what stands behind them counts by itself. O(n).
 */
export function looksLikeSql(text: string): boolean {
  if (!KEYWORD.test(text)) return false
  const lower = text.toLowerCase()
  const has = memoHas(lower)
  let remark = false
  for (let start: number | null = 0; start !== null; ) {
    const at = skipBlank(lower, start)
    // What MySQL reads as code is left to the grammar's reader.
    if (begins(lower, at, has) || lower.startsWith('/*!', at)) return true
    if (lower.startsWith('--', at)) remark = true
    const next: { start: number | null; remark: boolean } = nextStart(lower, start, remark)
    start = next.start
    remark = next.remark
  }
  return false
}

/** The next place where a statement can begin; a line's end only counts behind a `--` that stood where one can. */
function nextStart(lower: string, from: number, remark: boolean): { start: number | null; remark: boolean } {
  BREAK.lastIndex = from
  for (let found = BREAK.exec(lower); found !== null; found = BREAK.exec(lower)) {
    const line = found[0] === '\n' || found[0] === '\r'
    if (!line || remark) return { start: BREAK.lastIndex, remark: remark && !line }
  }
  return { start: null, remark }
}

function begins(lower: string, at: number, has: (word: string) => boolean): boolean {
  const word = wordAt(lower, at)
  const rule = STARTS.get(word)
  if (rule === undefined) return false
  const behind = at + word.length
  const then = skipBlank(lower, behind, false)
  // A comment may stand between any two words: then it takes the grammar to tell.
  if (lower.startsWith('/*', then) || lower.startsWith('--', then)) return true
  return rule({ next: wordAt(lower, then), symbol: lower.charAt(then), has })
}

function wordAt(lower: string, at: number): string {
  let end = at
  while (end < lower.length && end - at < 24 && isWordUnit(lower.charCodeAt(end))) end += 1
  return lower.slice(at, end)
}

function isWordUnit(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x5f || c >= 0x80
}

/** Skips white space, and opening brackets where a statement begins: `(SELECT 1)`. */
function skipBlank(lower: string, from: number, brackets = true): number {
  let at = from
  for (; at < lower.length; at += 1) {
    const c = lower.charCodeAt(at)
    if (c !== 0x20 && !(c >= 0x09 && c <= 0x0d) && !(brackets && c === 0x28)) break
  }
  return at
}

/** `has`, remembered: each word is looked for once in a text. */
function memoHas(lower: string): (word: string) => boolean {
  const known = new Map<string, boolean>()
  return (word) => {
    let found = known.get(word)
    if (found === undefined) {
      found = lower.includes(word)
      known.set(word, found)
    }
    return found
  }
}
