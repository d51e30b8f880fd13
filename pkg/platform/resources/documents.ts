import { Composer, type Document, Lexer, type LineCounter, Parser } from 'yaml'

/** What one file may hold before reading stops. */
export type DocumentLimits = { readonly maxTokens: number }

/** The documents of a file; or where reading stopped, and why. */
export type Documents =
  | { readonly ok: true; readonly documents: readonly Document.Parsed[] }
  | { readonly ok: false; readonly offset: number; readonly message: string }

/** Collections inside collections. Twice what a value may have: a value that is somewhat too deep is told by its field. */
const MAX_OPEN = 128

/** What opens a collection costs more than a word; counted twice. */
const COSTLY: ReadonlySet<string> = new Set(['[', '{', '?'])

/** One without content costs as much as ten tokens. */
const MAX_DOCUMENTS = 10_000

/** `uniqueKeys` compares each key with each; `plain.ts` does it in one pass. */
const OPTIONS = { uniqueKeys: false, stringKeys: true, version: '1.2', prettyErrors: false } as const

/**
 * Parses a file token by token, and stops at the token that is one too many or nested too deep: what is refused costs no
 * more than what is accepted, and no recursion of the library gets deep.
 */
export function documentsOf(text: string, lines: LineCounter, limits: DocumentLimits): Documents {
  return withoutStacks(() => {
    const parser = new Parser(lines.addNewLine)
    const composer = new Composer(OPTIONS)
    const documents: Document.Parsed[] = []
    let tokens = 0
    lines.addNewLine(0)
    for (const token of new Lexer().lex(text)) {
      tokens += COSTLY.has(token) ? 2 : 1
      if (tokens > limits.maxTokens) return stopped(parser.offset, tooMany(limits.maxTokens))
      for (const part of parser.next(token)) documents.push(...composer.next(part))
      if (documents.length > MAX_DOCUMENTS) return stopped(parser.offset, TOO_MANY_DOCUMENTS)
      if (parser.stack.length > MAX_OPEN) return stopped(parser.offset, TOO_DEEP)
    }
    for (const part of parser.end()) documents.push(...composer.next(part))
    documents.push(...composer.end())
    return { ok: true, documents }
  })
}

const TOO_DEEP = `nested more than ${MAX_OPEN} deep, so the file is not read; put fewer collections into one another`

const TOO_MANY_DOCUMENTS = `the file holds more than ${MAX_DOCUMENTS} documents; split it here`

function tooMany(maxTokens: number): string {
  return `the file holds more than ${maxTokens} words, signs, indents and line ends of YAML; split it here`
}

function stopped(offset: number, message: string): Documents {
  return { ok: false, offset, message }
}

/** A fault of YAML is an Error to the library; a hundred thousand of them with their stacks take seconds, and nobody looks. */
function withoutStacks<T>(body: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return body()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
