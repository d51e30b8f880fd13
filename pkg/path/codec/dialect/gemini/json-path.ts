/** A JSON path as steps: keys of objects, positions in arrays. */
export type JsonPath = readonly (string | number)[]

/** Steps of a path; deeper ones nest deeper than any JSON that is read. */
const MAX_STEPS = 128
const STEP =
  /\.([A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff-]*)|\[(0|[1-9]\d{0,5})\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]/y

/**
 * The steps of a singular path (RFC 9535 §2.3.5.1) below the root, such as `$.items[0]['first name']`; null for any
 * other path: wildcards, slices, escapes, negative positions, and the root itself.
 */
export function readJsonPath(path: string): JsonPath | null {
  if (!path.startsWith('$') || path.length === 1) return null
  const steps: (string | number)[] = []
  STEP.lastIndex = 1
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path)
    if (match === null || steps.length >= MAX_STEPS) return null
    const [, name, position, single, double] = match
    steps.push(position === undefined ? (name ?? single ?? double ?? '') : Number(position))
  }
  return steps
}
