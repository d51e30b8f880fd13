import { asObject, asText, hidesCall, isEmpty, type Json } from '#pkg/path/codec/wire/shape'
import { bothNames, isTwofold, member, present, without } from './names.ts'

/** Read by themselves; everything beside them is looked at as a whole. */
const CALLS = bothNames('functionCall', 'toolCall')
const TOOL_CALL_KEYS = bothNames('id', 'toolType', 'args')

/** True for a part that has a call of the client, whatever is in it. */
export function hasCall(part: Json): boolean {
  return present(part['functionCall']) || present(part['function_call'])
}

/** The part's own text: what clients show or join. */
export function textOf(part: Json): { readonly member: 'text' | 'thought'; readonly text: string } | null {
  const { text } = part
  if (typeof text !== 'string') return null
  return { member: part['thought'] === true ? 'thought' : 'text', text }
}

/** Could a client rebuild a call from something in this part that is not its `functionCall`? */
export function hidesAnother(part: Json): boolean {
  if (hidesCall(without(part, CALLS))) return true
  return isTwofold(part, 'toolCall') || !isServerCall(member(part, 'toolCall'))
}

/** A `toolCall` runs at the provider: it has a type and no name. WIRE.md rule 10. */
function isServerCall(value: unknown): boolean {
  if (isEmpty(value)) return true
  const call = asObject(value)
  if (call === null) return false
  const type = member(call, 'toolType')
  if (typeof type !== 'number' && !/^[A-Z][A-Z0-9_]{0,63}$/.test(asText(type) ?? '')) return false
  return !hidesCall(call) && Object.keys(call).every((key) => TOOL_CALL_KEYS.has(key))
}

/** What of a part is read as text besides its own: code, output, transcripts, and whatever else has letters. */
export function restOf(part: Json): Json {
  const rest: Record<string, unknown> = {}
  for (const key in part) if (!SILENT.has(key)) rest[key] = part[key]
  if (typeof part['text'] !== 'string') rest['text'] = part['text'] ?? null
  if (typeof part['thought'] !== 'boolean') rest['thought'] = part['thought'] ?? null
  return rest
}

const SILENT = bothNames('text', 'thought', 'thoughtSignature', 'functionCall', 'inlineData', 'fileData')
