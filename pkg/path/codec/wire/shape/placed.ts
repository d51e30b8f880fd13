import type { HistoryContent, PlacedText } from '#pkg/model'
import type { Json } from './shape.ts'

/**
 * Everything below a part of a request that a model could read, each string and number with its place. Nothing is left
 * out as mere structure: what a tool calls `type` is its own affair. O(nodes).
 *
 * @param names The members of the part that count; undefined = all of it.
 */
export function placedContent(
  part: unknown,
  member: string,
  { id = null, names }: { readonly id?: string | null; readonly names?: readonly string[] } = {},
): HistoryContent {
  const texts: PlacedText[] = []
  if (names === undefined) collect(part, member, texts)
  else for (const name of names) collect((part as Json)[name], `${member}.${name}`, texts) // who names members has an object
  return { id, texts }
}

function collect(value: unknown, member: string, out: PlacedText[]): void {
  if (typeof value === 'string') out.push({ member, text: value })
  else if (typeof value === 'number') out.push({ member, text: String(value) })
  else if (Array.isArray(value)) for (const [place, item] of value.entries()) collect(item, `${member}[${place}]`, out)
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) collect(inner, `${member}.${key}`, out)
}
