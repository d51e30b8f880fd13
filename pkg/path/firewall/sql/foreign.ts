import { type LexKind, type LexRules, POSTGRES, SqlLexer } from './lexer.ts'

/**
 * What servers that are not PostgreSQL would make of a text: the tool may have one behind it. Each entry differs from
 * PostgreSQL in what is code and what is comment, string or name.
 */
const SERVERS: readonly LexRules[] = [
  // MySQL, MariaDB
  {
    nestedComments: false,
    backslashEscapes: true,
    escapeStrings: false,
    hashComments: true,
    dashNeedsSpace: true,
    executableComments: true,
    backticks: true,
    brackets: false,
    dollarQuotes: 'in-programs',
  },
  // SQLite; SQL Server in part
  {
    nestedComments: false,
    backslashEscapes: false,
    escapeStrings: false,
    hashComments: false,
    dashNeedsSpace: false,
    executableComments: false,
    backticks: true,
    brackets: true,
    dollarQuotes: 'in-programs',
  },
]

/** A reading of a text that has code where PostgreSQL sees none. */
export type ForeignReading = {
  /** The text as that server reads it, in PostgreSQL's spelling: strings are emptied, comments are gone. */
  readonly text: string
  /** True if the hidden code begins a statement, or names what only a dangerous statement has. */
  readonly dangerous: boolean
}

type Token = { readonly kind: LexKind; readonly from: number; readonly to: number; readonly word: string }

const BEGINS = new Set(
  `select insert update delete merge replace drop create alter truncate rename grant revoke call do exec execute prepare
  set reset load copy attach detach pragma vacuum reindex analyze lock unlock handler use kill shutdown flush purge with
  declare begin backup restore import install comment explain`.split(/\s+/),
)
const DANGEROUS = new Set('outfile dumpfile exec execute xp_cmdshell load_file attach pragma'.split(' '))

/** What no text without it is read differently. */
const DIFFERENT = /[\\#`[$]|--|\/\*/

/** Every foreign reading that has code where PostgreSQL sees a comment, a string or a name. Most texts have none. */
export function foreignReadings(text: string): readonly ForeignReading[] {
  if (!DIFFERENT.test(text)) return []
  const hidden = new Uint8Array(text.length)
  for (const { kind, from, to } of tokensOf(text, POSTGRES)) if (isHidden(kind)) hidden.fill(1, from, to)
  const readings: ForeignReading[] = []
  for (const rules of SERVERS) {
    const { tokens, open } = lex(text, rules)
    if (tokens.some((token) => !isHidden(token.kind) && hidden[token.from] === 1))
      readings.push({
        text: respell(text, tokens),
        dangerous: isDangerous(tokens, hidden, open ? brokenFrom(text, tokens) : text.length),
      })
  }
  return readings
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the whole range is meant
const ONLY_ASCII = /^[\x00-\x7f]*$/

/** Characters outside of strings and quoted names that look like white space or like nothing: some servers skip them. */
export function hasInvisibleCode(text: string): boolean {
  if (ONLY_ASCII.test(text)) return false
  return tokensOf(text, POSTGRES).some(
    ({ kind, from, to }) =>
      (kind === 'word' || kind === 'number') &&
      /[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/u.test(text.slice(from, to)),
  )
}

/** A backtick outside of strings: an operator that nobody has in PostgreSQL, a quote elsewhere. */
export function hasBacktick(text: string): boolean {
  return (
    text.includes('`') &&
    tokensOf(text, POSTGRES).some(({ kind, from }) => kind === 'symbol' && text.charAt(from) === '`')
  )
}

type Lexed = { readonly tokens: readonly Token[]; readonly open: boolean }

function lex(text: string, rules: LexRules): Lexed {
  const tokens: Token[] = []
  const lexer = new SqlLexer(rules, (kind, from, to, word) => tokens.push({ kind, from, to, word }))
  lexer.push(text)
  return { open: lexer.end(), tokens }
}

function tokensOf(text: string, rules: LexRules): readonly Token[] {
  return lex(text, rules).tokens
}

/**
 * Where the last statement of a text begins if it ends within a string: no server runs that one. With a `#` in it the
 * string may be a comment to a server.
 */
function brokenFrom(text: string, tokens: readonly Token[]): number {
  const last = tokens.slice(tokens.findLastIndex(({ kind }) => kind === 'semicolon') + 1)
  const opened = last.at(-1)
  const broken = opened?.kind === 'string' && text.charAt(opened.from) === "'"
  return broken && !text.slice(last[0]?.from, opened.from).includes('#') ? (last[0]?.from ?? text.length) : text.length
}

function isHidden(kind: LexKind): boolean {
  return kind === 'comment' || kind === 'string' || kind === 'quoted'
}

function respell(text: string, tokens: readonly Token[]): string {
  return tokens
    .map(({ kind, from, to, word }, at) => {
      if (kind === 'comment') return ' '
      if (kind === 'string') return ` '' `
      if (kind === 'quoted') return ` "q" `
      if (word.startsWith('$')) return ' NULL '
      // operators stay together, but two signs must not become a comment
      const joins = tokens[at - 1]?.to === from && kind === 'symbol' && text.charAt(from) !== '-'
      return joins ? text.slice(from, to) : ` ${text.slice(from, to)}`
    })
    .join('')
}

/** What begins a statement from `broken` on is never run. */
function isDangerous(tokens: readonly Token[], hidden: Uint8Array, broken: number): boolean {
  const codes = tokens.filter(({ kind }) => !isHidden(kind))
  return codes.some((token, at) => {
    if (hidden[token.from] !== 1) return false
    return (
      DANGEROUS.has(token.word) ||
      (token.from < broken && codes[at - 1]?.kind === 'semicolon' && BEGINS.has(token.word))
    )
  })
}
