import { isTree, listOf, stringConstant, type Tree, textOf, treeOf } from './effect.ts'

/** A word of English: what no SQL name needs to be, but every look-alike is. */
const isWord = (text: unknown): boolean => typeof text === 'string' && /^[a-z]+$/i.test(text)

/**
 * Statements that ordinary words make by accident: `end`, `show me`, `lock door`, `set alarm to 7`. The grammar has
 * folded case already. None of them drops, grants, creates or changes rows.
 */
const LOOK_ALIKES: Readonly<Record<string, (node: Tree) => boolean>> = {
  SelectStmt: isComputation,
  TransactionStmt: (node) => !/PREPARE/.test(textOf(node['kind'])) && listOf(node['options']).length === 0,
  VariableShowStmt: (node) => isWord(node['name']),
  VariableSetStmt: (node) =>
    isWord(node['name']) && !['role', 'TRANSACTION'].includes(textOf(node['name'])) && node['kind'] !== 'VAR_SET_MULTI',
  FetchStmt: (node) => isWord(node['portalname']),
  ClosePortalStmt: (node) => node['portalname'] === undefined || isWord(node['portalname']),
  ListenStmt: (node) => isWord(node['conditionname']),
  UnlistenStmt: (node) => node['conditionname'] === undefined || isWord(node['conditionname']),
  NotifyStmt: (node) => isWord(node['conditionname']) && node['payload'] === undefined,
  DeallocateStmt: (node) => node['name'] === undefined || isWord(node['name']),
  ExecuteStmt: (node) => isWord(node['name']) && listOf(node['params']).length === 0,
  CallStmt: (node) => isPlainCall(treeOf(node['funccall'])),
  LoadStmt: (node) => isWord(node['filename']),
  LockStmt: (node) => listOf(node['relations']).every(isPlainRelation),
  VacuumStmt: (node) =>
    listOf(node['options']).length === 0 &&
    listOf(node['rels']).every((rel) =>
      isPlainRelation({ RangeVar: treeOf(treeOf(rel)['VacuumRelation'])['relation'] }),
    ),
  ClusterStmt: (node) => node['relation'] === undefined || isPlainRelation({ RangeVar: node['relation'] }),
  CheckPointStmt: () => true,
  DiscardStmt: () => true,
}

/** True for a statement that may as well be English, or that only computes. `statement` is `{ SelectStmt: … }`. */
export function isBare(statement: Tree): boolean {
  const [kind, node] = Object.entries(statement)[0] ?? ['', null]
  return Object.hasOwn(LOOK_ALIKES, kind) && LOOK_ALIKES[kind]?.(treeOf(node)) === true
}

/** `SELECT 3 items`, `VALUES (1)`, `TABLE lamp`: no table but in the last, no function, nothing nested. */
function isComputation(node: Tree): boolean {
  if (isTableCommand(node)) return true
  const stack: unknown[] = [node]
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (Array.isArray(value)) stack.push(...value)
    if (!isTree(value)) continue
    for (const [name, child] of Object.entries(value)) {
      if (['fromClause', 'funcname', 'intoClause', 'withClause', 'lockingClause', 'SubLink'].includes(name))
        return false
      stack.push(child)
    }
  }
  return true
}

/** `TABLE name` reads as `SELECT * FROM name`, but its star stands nowhere in the text. */
function isTableCommand(node: Tree): boolean {
  const [target] = listOf(node['targetList'])
  const column = treeOf(treeOf(treeOf(treeOf(target)['ResTarget'])['val'])['ColumnRef'])
  const from = listOf(node['fromClause'])
  return column['location'] === -1 && from.length === 1 && from.every(isPlainRelation)
}

function isPlainRelation(node: unknown): boolean {
  const relation = treeOf(treeOf(node)['RangeVar'])
  return isWord(relation['relname']) && relation['schemaname'] === undefined
}

/** `call mom()` */
function isPlainCall(call: Tree): boolean {
  const names = listOf(call['funcname'])
  const sval = treeOf(treeOf(names[0])['String'])['sval']
  return names.length === 1 && isWord(sval) && listOf(call['args']).length === 0 && stringConstant(call) === null
}
