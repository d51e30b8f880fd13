import type { RequestView } from '#pkg/model'
import { parseStrict } from '#pkg/path/codec/wire/json'
import { asArray, asObject, asText } from '#pkg/path/codec/wire/shape'
import type { CallFace, ItemContext } from './item.ts'

/**
 * The names under which clients could run a call; all are judged. One in a namespace is `namespace.name`; where the
 * request does not say that there is only this one of that name, also the name alone.
 */
export function namesOf(face: CallFace, declared: readonly string[]): readonly string[] {
  const { name, namespace } = face
  if (name === null) return []
  if (namespace === null) return [name]
  const full = `${namespace}.${name}`
  if (declared.includes(full)) {
    const others = declared.some((other) => other === name || (other !== full && other.endsWith(`.${name}`)))
    return others ? [full, name] : [full]
  }
  return namespace === name ? [name] : [full, name] // a tool that was searched for stands in a space of its own name
}

/** One call that others are packed into. */
export type Packed = { readonly name: string; readonly text: string }

const PACKERS = new Set(['parallel', 'multi_tool_use.parallel'])

/** Calls that some clients unpack from one `parallel` call; none for any other. */
export function packedIn(name: string, text: string, depth: number): readonly Packed[] {
  if (!PACKERS.has(name)) return []
  const parsed = parseStrict(text, { depth, bytes: Number.POSITIVE_INFINITY }, 'arguments')
  const uses = parsed.ok ? asArray(asObject(parsed.value)?.['tool_uses']) : null
  return (uses ?? []).map((entry) => {
    const use = asObject(entry)
    const recipient = asText(use?.['recipient_name']) ?? ''
    return { name: recipient.replace(/^functions\./, ''), text: JSON.stringify(use?.['parameters'] ?? {}) }
  })
}

/** How items of the answer to this request are told apart. */
export function contextOf(view: RequestView): ItemContext {
  const computer = view.tools.find((name) => name === 'computer' || name === 'computer_use_preview')
  const shells = view.hostedTools.some(({ name }) => name === 'shell') && !view.tools.includes('shell')
  // what is fetched later was asked for elsewhere: the provider's own word must do
  return { computer: computer ?? 'computer', hostedShell: shells || view.modelless }
}
