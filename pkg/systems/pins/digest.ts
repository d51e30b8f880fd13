import { createHash } from 'node:crypto'
import type { ListedTool } from './contract.ts'

/** JSON with sorted keys, without what JSON cannot say. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`
}

/** `sha256:` of one descriptor, keys in order. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonical(value)).digest('hex')}`
}

/** `sha256:` of a whole list: the digests of its tools in the order of their names. What `pin` of a policy names. */
export function listDigestOf(tools: readonly ListedTool[]): string {
  const rows = tools.map(({ name, value }) => [name, digestOf(value)] as const)
  return digestOf(rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

/** Places that are told of one difference. */
const MAX_PATHS = 16

/** Where two values differ: paths of keys and positions, `?` for a key that is not plain; no values. */
export function differingPaths(before: unknown, after: unknown): readonly string[] {
  const paths: string[] = []
  const visit = (left: unknown, right: unknown, path: string): void => {
    if (paths.length >= MAX_PATHS || canonical(left) === canonical(right)) return
    const isBranch = isObject(left) && isObject(right) && Array.isArray(left) === Array.isArray(right)
    if (!isBranch) {
      paths.push(path === '' ? '/' : path)
      return
    }
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      visit(left[key], right[key], `${path}/${/^[\w$.-]{1,64}$/.test(key) ? key : '?'}`)
    }
  }
  visit(before, after, '')
  return paths
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
