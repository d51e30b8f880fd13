import type { Channel, Message } from '#pkg/model'
import { asText, type Json } from './shape.ts'

/** Text of one member of one choice in one frame. */
export type TextPiece = { readonly member: string; readonly kind: Channel['kind']; readonly text: string }

/** Members without text of the model: names, ids, and bytes of sound. */
const SILENT = new Set([
  'role',
  'tool_calls',
  'function_call',
  'type',
  'id',
  'signature',
  'encrypted_content',
  'data',
  'name',
  'index',
  'format',
])

/** Text leaves of one choice in one frame; more has no reading. */
const MAX_LEAVES = 4096

/** The kind of the text under a member. */
function kindOf(member: string): Channel['kind'] {
  if (member === 'content' || member === 'content.text') return 'text'
  if (member === 'refusal' || member === 'content.refusal') return 'refusal'
  return /reasoning|thinking/.test(member) ? 'reasoning' : 'other'
}

/**
 * Every text of a delta (or of a whole message), by the member that it stands in; parts of lists are joined in order.
 * null = too many to read.
 */
export function textsOf(delta: Json): readonly TextPiece[] | null {
  const texts = new Map<string, string>()
  const budget = { leaves: MAX_LEAVES }
  for (const key in delta) {
    const value = delta[key]
    if (value === null || value === '' || SILENT.has(key)) continue
    if (typeof value === 'string') texts.set(key, value)
    else if (typeof value === 'object') collect(value, key, texts, budget)
  }
  if (budget.leaves < 0) return null
  return [...texts].map(([member, text]) => ({ member, kind: kindOf(member), text }))
}

function collect(value: object, member: string, texts: Map<string, string>, budget: { leaves: number }): void {
  for (const [key, inner] of Object.entries(value)) {
    budget.leaves -= 1
    if (budget.leaves < 0) return
    const name = Array.isArray(value) ? member : `${member}.${key}`
    if (typeof inner === 'object' && inner !== null) collect(inner, name, texts, budget)
    else if (asText(inner) !== null && !(SILENT.has(key) && !Array.isArray(value))) {
      texts.set(name, (texts.get(name) ?? '') + String(inner))
    }
  }
}

/** Text messages of one choice, one for each member that has text. */
export function pushTexts(texts: readonly TextPiece[], choice: number, at: number, out: Message[]): void {
  for (const { member, kind, text } of texts) out.push({ kind: 'text', at, channel: { choice, kind, member }, text })
}
