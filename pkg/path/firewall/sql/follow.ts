import type { SqlClass, SqlFollower } from '../ports.ts'
import { POSTGRES, SqlLexer } from './lexer.ts'

const words = (intent: SqlClass['intent'], text: string): readonly (readonly [string, SqlClass['intent']])[] =>
  text.split(' ').map((word) => [word, intent] as const)

/**
 * First words after which no statement of the grammar does less. WITH, EXPLAIN, COPY, PREPARE, EXECUTE, SET and others
 * are decided by what comes, so they stay open.
 */
const DECIDING: ReadonlyMap<string, SqlClass['intent']> = new Map([
  ...words('sql.read', 'select values table show'),
  ...words('sql.write', 'insert update delete merge call do notify lock refresh'),
  ...words(
    'sql.ddl',
    'create drop alter truncate grant revoke comment reindex vacuum analyze analyse cluster security',
  ),
  ...words('sql.ddl', 'import reassign load checkpoint'),
])

/** SQL beyond this many units is not followed; the limit of a whole text is lower. */
const MAX_UNITS = 1024 * 1024

/**
 * Follows one text: a statement's class is known at the unit after its first word, if that word decides. It says no
 * more than the grammar would say of the whole text, once per statement. Where one push completes several statements,
 * the first is answered and the next by the pushes after it; `push('')` asks for them.
 */
export function newSqlFollower(): SqlFollower {
  const found: SqlClass[] = []
  let units = 0
  let statement = 1
  let open = true

  const lexer = new SqlLexer(POSTGRES, (kind, _from, to, word) => {
    if (kind === 'comment') return
    if (kind === 'semicolon') {
      statement++
      open = true
      return
    }
    const intent = open && kind === 'word' ? DECIDING.get(word) : undefined
    open = false
    if (intent !== undefined) found.push({ intent, at: to, detail: `${word.toUpperCase()} (statement ${statement})` })
  })

  return {
    push(text) {
      units += text.length
      if (units <= MAX_UNITS) lexer.push(text)
      return found.shift() ?? null
    },
  }
}
