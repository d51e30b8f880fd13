import type { Reason } from '#pkg/model'
import {
  asObject,
  asText,
  hasStrayArguments,
  hidesCall,
  isEmpty,
  type Json,
  type TextPiece,
} from '#pkg/path/codec/wire/shape'
import { type Block, takesInput } from './block.ts'
import { othersOf } from './texts.ts'

/** What one delta tells of its block. */
export type Delta = {
  readonly texts: readonly TextPiece[]
  /** Input of a call, or of what the provider runs. */
  readonly input: string
  /** The delta has the look of a call, or of another block. */
  readonly fault: Reason | null
}

/** Deltas that are defined: the member that they fill, and what it is. */
const DELTAS: Readonly<Record<string, { readonly member: string; readonly also: readonly string[] }>> = {
  text_delta: { member: 'text', also: [] },
  thinking_delta: { member: 'thinking', also: ['estimated_tokens'] },
  signature_delta: { member: 'signature', also: [] },
  input_json_delta: { member: 'partial_json', also: [] },
  compaction_delta: { member: 'content', also: ['encrypted_content'] },
}
const KNOWN: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(DELTAS).map(([type, { member, also }]) => [type, new Set(['type', member, ...also])]),
)

/** Reads the delta of a block; null = it is malformed. */
export function deltaOf(block: Block, value: unknown): Delta | null {
  const delta = asObject(value)
  const type = asText(delta?.['type'])
  if (delta === null || type === null) return null
  const known = KNOWN.get(type)
  const form = DELTAS[type]
  if (known === undefined || form === undefined) return unknownDelta(block, type, delta)
  const text = delta[form.member] ?? ''
  const more = othersOf('delta', delta, known)
  if (typeof text !== 'string' || more === null) return null
  const stray = hasStrayArguments(delta, known) || (form.member === 'partial_json' && !isEmpty(delta['id']))
  const fault: Reason | null = stray ? 'WIRE_UNKNOWN_SHAPE' : null
  if (form.member === 'partial_json') return inputDelta(block, text, { texts: more, input: '', fault })
  if (block.call !== null && (text !== '' || more.length > 0)) return FAULT
  const piece = pieceOf(type, text)
  return { texts: piece === null ? more : [piece, ...more], input: '', fault }
}

function pieceOf(type: string, text: string): TextPiece | null {
  if (text === '' || type === 'signature_delta') return null
  if (type === 'text_delta') return { member: 'text', kind: 'text', text }
  if (type === 'thinking_delta') return { member: 'thinking', kind: 'reasoning', text }
  return { member: 'compaction', kind: 'other', text }
}

/** Input for what is neither a call nor evidence could be taken for that of the call before it. */
function inputDelta(block: Block, input: string, delta: Delta): Delta {
  if (input === '') return delta
  return block.call === null && !takesInput(block) ? FAULT : { ...delta, input }
}

/**
 * Whatever comes for a call in another way than it is defined spoils it: some client joins it. Citations are
 * evidence; what nobody defines passes if it has not the look of a call.
 */
function unknownDelta(block: Block, type: string, delta: Json): Delta | null {
  if (block.call !== null || hidesCall(delta) || hasStrayArguments(delta, TYPE_ALONE)) return FAULT
  if (type === 'citations_delta') return { texts: [], input: '', fault: null }
  const texts = othersOf('delta', delta, TYPE_ALONE)
  return texts === null ? null : { texts, input: '', fault: null }
}

const FAULT: Delta = { texts: [], input: '', fault: 'WIRE_UNKNOWN_SHAPE' }
const TYPE_ALONE: ReadonlySet<string> = new Set(['type'])
