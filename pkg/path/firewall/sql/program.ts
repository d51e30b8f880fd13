import { isTree, listOf, stringConstant, textOf, treeOf } from './effect.ts'
import type { SqlGrammar } from './grammar.ts'
import { POSTGRES, SqlLexer } from './lexer.ts'

/** A piece of SQL that a PL/pgSQL body runs: its parse tree, a text that it runs as SQL, or what cannot be read. */
export type ProgramPart =
  | { readonly kind: 'tree'; readonly sql: string; readonly tree: unknown }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable' }

const UNREADABLE: ProgramPart = { kind: 'unreadable' }

/** All SQL in the tree of a PL/pgSQL body, whatever statement of it holds it. */
export function partsOfProgram(program: unknown, grammar: SqlGrammar): readonly ProgramPart[] {
  const parts: ProgramPart[] = []
  const stack: { readonly field: string; readonly value: unknown }[] = [{ field: '', value: program }]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { field, value } = next
    if (Array.isArray(value)) for (const item of value) stack.push({ field, value: item })
    if (!isTree(value)) continue
    const expression = value['PLpgSQL_expr']
    if (isTree(expression))
      parts.push(...partsOf(field, textOf(expression['query']), Number(expression['parseMode']), grammar))
    for (const [name, child] of Object.entries(value)) {
      // the text to run stands in `query` there, as the query itself does elsewhere
      const runs = field === 'PLpgSQL_stmt_dynexecute' || field === 'PLpgSQL_stmt_dynfors'
      stack.push({ field: runs && name === 'query' ? 'dynquery' : name, value: child })
    }
  }
  return parts
}

/** `mode` as the server has it: 0 a statement, 2 an expression, 3 and up an assignment. */
function partsOf(field: string, query: string, mode: number, grammar: SqlGrammar): readonly ProgramPart[] {
  const sql = mode === 0 ? query : mode === 2 ? `SELECT ${query}` : assignment(query)
  const parsed = sql === null || sql === '' ? null : grammar.parse(sql)
  if (sql === null || parsed === null || !parsed.ok) return [UNREADABLE]
  if (field !== 'dynquery') return [{ kind: 'tree', sql, tree: parsed.tree }]
  const text = onlyConstant(parsed.tree)
  return text === null ? [UNREADABLE] : [{ kind: 'text', text }]
}

function assignment(text: string): string | null {
  const sign = /:?=/.exec(text)
  return sign === null ? null : `SELECT ${text.slice(0, sign.index)}, ${text.slice(sign.index + sign[0].length)}`
}

/** The text of `SELECT 'text'`, or null for any other statement. */
function onlyConstant(tree: unknown): string | null {
  const statements = listOf(treeOf(tree)['stmts'])
  const select = treeOf(treeOf(treeOf(statements[0])['stmt'])['SelectStmt'])
  const targets = listOf(select['targetList'])
  if (statements.length !== 1 || targets.length !== 1) return null
  return stringConstant(treeOf(treeOf(targets[0])['ResTarget'])['val'])
}

/** The words of a body outside of its strings and comments: a second look, for a place that the tree should leave out. */
export function wordsOf(body: string): ReadonlySet<string> {
  const words = new Set<string>()
  const lexer = new SqlLexer(POSTGRES, (kind, _from, _to, word) => {
    if (kind === 'word' && word !== '') words.add(word)
  })
  lexer.push(body)
  lexer.end()
  return words
}
