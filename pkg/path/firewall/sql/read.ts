import type { SqlReading } from '../ports.ts'
import { type Classification, classify } from './classify.ts'
import { EVERY_INTENT } from './effect.ts'
import { foreignReadings, hasBacktick, hasInvisibleCode } from './foreign.ts'
import type { SqlGrammar } from './grammar.ts'

/**
 * Reads one whole SQL text: what it does as PostgreSQL reads it, and what it would do besides where another server
 * reads it otherwise. Pure. For the worker: it takes milliseconds for texts near the limit.
 * @throws what the grammar throws when it cannot go on.
 */
export function readSql(text: string, grammar: SqlGrammar): SqlReading {
  // the library would stop reading at a NUL, and a lone surrogate cannot be sent to it
  if (text.includes('\0')) return unparsable('a NUL character')
  if (!text.isWellFormed()) return unparsable('a lone surrogate')
  if (hasInvisibleCode(text))
    return unparsable('white space or an invisible character that is not ASCII, outside of a string')
  if (hasBacktick(text)) return unparsable('a backtick, which is no quote in PostgreSQL')
  if (text.trim() === '') return unparsable('no statement')
  const parsed = grammar.parse(text)
  if (!parsed.ok) return unparsable(parsed.at > 0 ? `a fault at character ${parsed.at}` : 'a fault')
  const found = classify(text, parsed.tree, grammar)
  if (found.statements === 0 && foreignReadings(text).length === 0) return unparsable('no statement')
  return withForeign(text, found, grammar)
}

function withForeign(text: string, found: Classification, grammar: SqlGrammar): SqlReading {
  const all = [found]
  for (const reading of foreignReadings(text)) {
    const parsed = reading.text.trim() === '' ? null : grammar.parse(reading.text)
    if (parsed?.ok === true) all.push(classify(reading.text, parsed.tree, grammar))
    else if (reading.dangerous) return unparsable('a comment or string that another server reads as a statement')
  }
  if (all.every(({ statements }) => statements === 0)) return unparsable('no statement')
  const weightier = all.find(({ intents }) => intents.some((intent) => !found.intents.includes(intent)))
  return {
    ok: true,
    intents: EVERY_INTENT.filter((intent) => all.some(({ intents }) => intents.includes(intent))),
    statements: found.statements,
    bareExpression: all.every(({ bareExpression }) => bareExpression),
    detail: weightier === undefined ? found.detail : `as another server reads it: ${weightier.detail}`,
  }
}

function unparsable(what: string): SqlReading {
  return { ok: false, reason: 'INTENT_SQL_UNPARSABLE', detail: `the SQL holds ${what}` }
}
