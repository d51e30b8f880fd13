import {
  anything,
  type Effect,
  effect,
  isTree,
  listOf,
  stringConstant,
  stringNode,
  type Tree,
  textOf,
  treeOf,
} from './effect.ts'
import { functionEffect } from './functions.ts'
import { isHarmlessSetting } from './settings.ts'
import type { SpecialStatement } from './statements.ts'

/** What has been prepared by the statements before, in this text. */
export type Prepared = { has(name: string): boolean }

/** The effect of a statement whose contents decide it, its queries and bodies aside. */
export const SPECIAL: { readonly [Kind in SpecialStatement]: (node: Tree, prepared: Prepared) => Effect } = {
  SelectStmt: (node) =>
    isTree(node['intoClause'])
      ? effect('SELECT INTO', 'sql.read', 'sql.write', 'sql.ddl')
      : effect('SELECT', 'sql.read'),
  CopyStmt: copyEffect,
  ExplainStmt: () => effect('EXPLAIN', 'sql.read'),
  VariableSetStmt: settingEffect,
  TransactionStmt: transactionEffect,
  DiscardStmt: (node) =>
    ['DISCARD_PLANS', 'DISCARD_SEQUENCES'].includes(textOf(node['target']))
      ? effect('DISCARD', 'sql.read')
      : effect('DISCARD', 'sql.ddl'),
  ExecuteStmt: executeEffect,
  // a body may be empty, but it is still a program: what is in it comes on top
  DoStmt: () => effect('DO', 'sql.write'),
  CreateFunctionStmt: () => effect('CREATE FUNCTION', 'sql.ddl'),
  AlterSystemStmt: alterSystemEffect,
  CreateForeignTableStmt: foreignTableEffect,
  AlterTableStmt: (node) =>
    node['objtype'] === 'OBJECT_FOREIGN_TABLE'
      ? effect('ALTER FOREIGN TABLE', 'sql.ddl', 'net.egress', 'fs.read', 'shell.exec')
      : effect('ALTER TABLE', 'sql.ddl'),
}

function copyEffect(node: Tree): Effect {
  const into = node['is_from'] === true
  if (node['is_program'] === true)
    return effect('COPY … PROGRAM', into ? 'sql.write' : 'sql.read', 'sql.write', 'shell.exec')
  const file = textOf(node['filename']) !== ''
  if (into) return file ? effect('COPY from a file', 'sql.write', 'fs.read') : effect('COPY FROM', 'sql.write')
  return file ? effect('COPY to a file', 'sql.read', 'fs.write') : effect('COPY TO', 'sql.read')
}

function settingEffect(node: Tree): Effect {
  if (node['kind'] === 'VAR_SET_MULTI')
    return writesAgain(node['args'])
      ? effect('SET TRANSACTION READ WRITE', 'sql.write')
      : effect('SET TRANSACTION', 'sql.read')
  if (node['kind'] === 'VAR_RESET_ALL') return effect('RESET ALL', 'sql.ddl')
  const value = listOf(node['args']).map((part) => stringConstant(part))
  return isHarmlessSetting(textOf(node['name']), value.length === 1 ? (value[0] ?? null) : null)
    ? effect('SET', 'sql.read')
    : effect('SET of a role or of a setting that is not known as harmless', 'sql.ddl')
}

function transactionEffect(node: Tree): Effect {
  const kind = textOf(node['kind'])
  if (/PREPARE/.test(kind)) return effect('a two-phase transaction', 'sql.write')
  if (writesAgain(node['options'])) return effect('BEGIN READ WRITE', 'sql.write')
  return effect('transaction control', 'sql.read')
}

/** READ WRITE lifts a guard that the session or the driver may have set. */
function writesAgain(options: unknown): boolean {
  return listOf(options).some((option) => {
    const element = treeOf(treeOf(option)['DefElem'])
    const value = treeOf(treeOf(treeOf(element['arg'])['A_Const'])['ival'])['ival']
    return element['defname'] === 'transaction_read_only' && value !== 1
  })
}

/** What this text prepared has been counted there; anything else may be a procedure of another kind of server. */
function executeEffect(node: Tree, prepared: Prepared): Effect {
  const name = textOf(node['name'])
  if (prepared.has(name)) return effect('EXECUTE', 'sql.read')
  return (
    functionEffect('', name.toLowerCase()) ??
    effect('EXECUTE of what this text did not prepare', 'sql.read', 'sql.write', 'sql.ddl')
  )
}

/** Settings whose value is a command line or a library. */
function alterSystemEffect(node: Tree): Effect {
  const name = textOf(treeOf(node['setstmt'])['name'])
  return /_(command|library|libraries|library_path)$/.test(name)
    ? effect('ALTER SYSTEM of a command or library', 'sql.ddl', 'shell.exec')
    : effect('ALTER SYSTEM', 'sql.ddl')
}

function foreignTableEffect(node: Tree): Effect {
  const options = listOf(node['options']).map((option) =>
    textOf(treeOf(treeOf(option)['DefElem'])['defname']).toLowerCase(),
  )
  if (options.includes('program'))
    return effect('CREATE FOREIGN TABLE of a program', 'sql.ddl', 'shell.exec', 'net.egress')
  if (options.includes('filename')) return effect('CREATE FOREIGN TABLE of a file', 'sql.ddl', 'fs.read', 'net.egress')
  return effect('CREATE FOREIGN TABLE', 'sql.ddl', 'net.egress')
}

/** True if an EXPLAIN runs what it explains; of several ANALYZE options any one that is on decides. */
export function explainRuns(node: Tree): boolean {
  return listOf(node['options']).some((option) => {
    const element = treeOf(treeOf(option)['DefElem'])
    return textOf(element['defname']).toLowerCase() === 'analyze' && !isOff(element['arg'])
  })
}

function isOff(value: unknown): boolean {
  const text = stringNode(value)
  if (text !== null) return ['false', 'off'].includes(text.toLowerCase())
  const integer = treeOf(value)['Integer']
  return isTree(integer) && (integer['ival'] ?? 0) === 0
}

/** The language and the text of a DO or of a function. The default language of DO is plpgsql; a function without one has a body in SQL. */
export function programOf(
  options: unknown,
  fallback: string,
): { readonly language: string; readonly text: string | null } {
  let language = fallback
  let text: string | null = null
  for (const option of listOf(options)) {
    const element = treeOf(treeOf(option)['DefElem'])
    const argument = element['arg']
    if (element['defname'] === 'language') language = (stringNode(argument) ?? '').toLowerCase()
    if (element['defname'] !== 'as') continue
    const parts = listOf(treeOf(treeOf(argument)['List'])['items'])
    text = parts.length > 0 ? (stringNode(parts[0]) ?? '') : (stringNode(argument) ?? '')
  }
  return { language, text }
}

/** The effect of a body in a language that is not read here. */
export function foreignProgram(language: string): Effect {
  return anything(language === 'c' || language === 'internal' ? 'native code' : 'a body in a language that is not read')
}
