import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import postgres from 'libpg-query'
import { type LexKind, POSTGRES, SqlLexer } from './lexer.ts'

before(() => postgres.loadModule())

type Hidden = { readonly kind: string; readonly from: number; readonly to: number }

function ours(text: string): readonly Hidden[] {
  const hidden: Hidden[] = []
  const kinds: readonly LexKind[] = ['string', 'quoted', 'comment']
  const lexer = new SqlLexer(POSTGRES, (kind, from, to) => {
    if (kinds.includes(kind)) hidden.push({ kind, from, to })
  })
  lexer.push(text)
  assert.equal(lexer.end(), false, 'what the server reads to its end is closed')
  return hidden
}

/** The strings, quoted names and comments as PostgreSQL's own lexer cuts them; null for a text that it refuses. */
function theirs(text: string): readonly Hidden[] | null {
  try {
    return postgres.scanSync(text).tokens.flatMap(({ start, end, text: token }) => {
      if (token.startsWith('--') || token.startsWith('/*')) return [{ kind: 'comment', from: start, to: end }]
      const prefix = /^(?:u&|[a-z])?(?=['"])|^(?=\$[^0-9])/i.exec(token)?.[0]
      if (prefix === undefined) return []
      return [{ kind: token[prefix.length] === '"' ? 'quoted' : 'string', from: start + prefix.length, to: end }]
    })
  } catch {
    return null
  }
}

/**
 * Strings as one that PostgreSQL joins itself: on several lines, and those of B'…', where two quotes are an end and a
 * beginning instead of one quote.
 */
function joined(sql: string, hidden: readonly Hidden[]): readonly Hidden[] {
  const all: Hidden[] = []
  for (const next of hidden) {
    const last = all.at(-1)
    if (last?.kind === next.kind && /^(\s*[\r\n]\s*)?$/.test(sql.slice(last.to, next.from)))
      all[all.length - 1] = { ...last, to: next.to }
    else all.push(next)
  }
  return all
}

test('[INTENT-SQL-13] strings, quoted names and comments end where the lexer of PostgreSQL ends them', () => {
  const parts = `' '' " $$ $a$ $ab$ $a a$ $1 \\ \\' \\" - -- / /* */ * # \` ; a b1 e E' e' U&' u&" B' x' n' 1 1.5 . = + [ ] ( ) E''`
  const text = fc.array(fc.constantFrom(...parts.split(' '), ' ', '\n', '\r', '\t'), { maxLength: 30 })
  let read = 0
  fc.assert(
    fc.property(text, (pieces) => {
      const sql = pieces.join('')
      const expected = theirs(sql)
      if (expected === null) return
      // a number with a tail is no token of the grammar, wherever it ends
      if (/[0-9][a-z_]/i.test(sql)) return
      // the library's lexer, unlike the server's, does not let a comment stand within a string of several lines
      if (/e'/i.test(sql) && /--/.test(sql)) return
      read++
      assert.deepEqual(joined(sql, ours(sql)), joined(sql, expected), JSON.stringify(sql))
    }),
    { numRuns: 6_000 },
  )
  assert.ok(read > 500, `${read} texts read`)
})
