import { type Document, isCollection, isMap, isNode, isScalar, type LineCounter } from 'yaml'
import type { FieldPath } from './contract.ts'

/** One document of a file while it is read. */
export type Draft = { readonly file: string; readonly document: Document.Parsed; readonly lines: LineCounter }

/** Where something stands; both begin at 1. */
export type Place = { readonly line: number; readonly column: number }

/** Where a byte stands. */
export function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

/** Where a field stands: its value, or with `onKey` its key; the nearest field above it where it is absent. */
export function placeOf({ document, lines }: Draft, path: FieldPath, onKey: boolean): Place {
  let node: unknown = document.contents
  let offset = offsetOf(node)
  for (const [depth, step] of path.entries()) {
    if (!isCollection(node)) break
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === step) : undefined
    const child: unknown = pair === undefined ? node.get(step, true) : pair.value
    if (pair !== undefined) offset = offsetOf(pair.key) ?? offset
    if (child === undefined || child === null) break
    const isNamed = onKey && depth === path.length - 1 && pair !== undefined
    if (!isNamed) offset = offsetOf(child) ?? offset
    node = child
  }
  return placeAt(lines, offset ?? 0)
}

function offsetOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null
}
