import type { SqlIntent } from '../ports.ts'

/** What a piece of SQL does, and how that is said: kinds of statements and functions of a table, never names or values of the text. */
export type Effect = { readonly intents: readonly SqlIntent[]; readonly says: string }

/** Makes an {@link Effect}. */
export function effect(says: string, ...intents: readonly SqlIntent[]): Effect {
  return { says, intents }
}

/** Everything that SQL can do, in the order of the intents of `#pkg/model`. What cannot be told is all of it. */
export const EVERY_INTENT: readonly SqlIntent[] = [
  'sql.read',
  'sql.write',
  'sql.ddl',
  'shell.exec',
  'fs.read',
  'fs.write',
  'net.egress',
]

/** The effect of code that cannot be read. */
export function anything(says: string): Effect {
  return { says, intents: EVERY_INTENT }
}

/** A JSON object of a parse tree. */
export type Tree = { readonly [field: string]: unknown }

/** True for a JSON object. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object in this field, or an empty one. */
export function treeOf(value: unknown): Tree {
  return isTree(value) ? value : {}
}

/** The list in this field, or an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The text in this field, or an empty one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The text of a `String` node, or null. */
export function stringNode(node: unknown): string | null {
  const sval = treeOf(treeOf(node)['String'])['sval']
  return typeof sval === 'string' ? sval : null
}

/** The text of a string constant in an expression, also as `'…'::text`, or null. Other casts may change it. */
export function stringConstant(node: unknown): string | null {
  const cast = treeOf(node)['TypeCast']
  if (isTree(cast)) {
    const names = listOf(treeOf(cast['typeName'])['names'])
    return names.length === 1 && stringNode(names[0]) === 'text' ? stringConstant(cast['arg']) : null
  }
  const constant = treeOf(treeOf(node)['A_Const'])
  if (!isTree(constant['sval'])) return null
  return textOf(constant['sval']['sval'])
}
