import { createHash } from 'node:crypto'

/** `sha256:` over tool names, sorted and each once: the claim `tools` of a JWT-SVID. MESH.md §1. */
export function toolDigest(tools: readonly string[]): string {
  const names = [...new Set(tools)].sort()
  return `sha256:${createHash('sha256').update(JSON.stringify(names)).digest('base64url')}`
}

/**
 * Is every tool of `narrow` one that `wide` holds? A trailing-`*` glob holds what begins with it, globs too. Nothing
 * holds nothing: an empty `wide` is no tool at all, never all of them.
 */
export function isWithin(narrow: readonly string[], wide: readonly string[]): boolean {
  const exact = new Set(wide)
  const stems = wide.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  return narrow.every((name) => exact.has(name) || stems.some((stem) => holds(stem, name)))
}

function holds(stem: string, name: string): boolean {
  return name.endsWith('*') ? name.slice(0, -1).startsWith(stem) : name.startsWith(stem)
}
