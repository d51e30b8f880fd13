import type { Reason } from '#pkg/model'
import { asObject, asText, hasStrayArguments, hidesCall, hidesCallBeside, type Json } from '#pkg/path/codec/wire/shape'
import type { Crossing } from './crossing.ts'

/**
 * What a content block is to a client.
 *
 * - `call`: something that the client runs, or that looks as if it could.
 * - `evidence`: what the provider ran itself, and what came of it. WIRE.md rule 10.
 * - `other`: a block without a call that is neither text nor thinking.
 */
export type BlockKind = 'text' | 'thinking' | 'call' | 'evidence' | 'other'

/** One content block of an answer while it is read. */
export type Block = {
  readonly key: string
  /** Blocks are counted over the whole answer. */
  readonly serial: number
  readonly kind: BlockKind
  /** The index that the provider gave. */
  readonly index: number
  /** The block as it started. */
  readonly start: Json
  closed: boolean
  readonly call: Call | null
}

/** The call in a block. */
export type Call = {
  readonly key: string
  readonly id: string | null
  readonly name: string | null
  readonly start: Json
  /** The input that came with the start, as it is written there; null = none, or empty. */
  readonly given: string | null
  pieces: string[]
  /** UTF-16 units seen, also those beyond the cap. */
  length: number
  /** True when the input was longer than the cap and is not all kept. */
  overflow: boolean
  /** Set once pieces of another block have come since this call did. */
  crossing: Crossing | null
  closed: boolean
  faulted: Reason | null
}

/** Blocks that tell of what the provider ran; results are known by their ending. */
const EVIDENCE = new Set(['server_tool_use', 'mcp_tool_use', 'mcp_tool_listing'])
const RESULT = /^[a-z_]+_tool_result$/
const RESULT_MEMBERS = new Set(['type', 'tool_use_id', 'content', 'is_error', 'caller', 'cache_control'])

/** Members of the blocks that this dialect defines; a call beside them is none that it defines. */
const MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set(['type', 'text', 'citations']),
  thinking: new Set(['type', 'thinking', 'signature']),
  redacted_thinking: new Set(['type', 'data']),
  compaction: new Set(['type', 'content', 'encrypted_content']),
  fallback: new Set(['type', 'from', 'to', 'trigger']),
  container_upload: new Set(['type', 'file_id']),
}

/** Members of a call that hold no second name and no second input. */
export const CALL_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'id',
  'name',
  'input',
  'caller',
  'toolset_name',
  'cache_control',
  'server_name',
])

const TYPE_ALONE: ReadonlySet<string> = new Set(['type'])

/** The members that this dialect defines for a block that is no call. */
export function membersOf(start: Json): ReadonlySet<string> {
  return MEMBERS[asText(start['type']) ?? ''] ?? TYPE_ALONE
}

/**
 * Sorts a block. What the provider ran counts as a call of the client all the same if it bears the name of a tool
 * that the client declares: some client goes by the name alone.
 */
export function kindOf(start: Json, declared: ReadonlySet<string>): BlockKind {
  const type = asText(start['type']) ?? ''
  if (type === 'tool_use') return 'call'
  if (EVIDENCE.has(type)) return declared.has(asText(start['name']) ?? '') ? 'call' : 'evidence'
  if (RESULT.test(type)) return hasStrayArguments(start, RESULT_MEMBERS) ? 'call' : 'evidence'
  const members = MEMBERS[type]
  if (members === undefined) return hidesCall(start) ? 'call' : 'other'
  if (hidesCallBeside(start, members) || hasStrayArguments(start, members)) return 'call'
  if (hidesCall(start['citations']) || hidesCall(start['content'])) return 'call'
  return type === 'text' || type === 'thinking' ? type : 'other'
}

/** Does this block get its input in pieces, as evidence of what the provider ran? */
export function takesInput({ kind, start }: Block): boolean {
  return kind === 'evidence' && !RESULT.test(String(start['type']))
}

/** Can this block be read as a call of this dialect, or has it only the look of one? */
export function isDefinedCall(start: Json): boolean {
  const type = start['type']
  return type === 'tool_use' || (typeof type === 'string' && EVIDENCE.has(type))
}

/** The call as the provider made it; what `restore` puts back. `block` is its JSON text. */
export type Original = { readonly block: string; readonly id: string; readonly toolset: string | null }

/** What some client would have to be given back if the input is no JSON object; Anthropic's own advice. */
const INVALID_INPUT = 'INVALID_JSON'

/** The original of a call that has been read; null where nothing could be put back. */
export function originalOf(call: Call): Original | null {
  if (call.start['type'] !== 'tool_use' || call.id === null || call.name === null || call.overflow) return null
  const keys = new Set([...Object.keys(call.start), 'input'])
  const members = [...keys].map((key) => {
    return `${JSON.stringify(key)}:${key === 'input' ? inputOf(call) : JSON.stringify(call.start[key])}`
  })
  return { block: `{${members.join(',')}}`, id: call.id, toolset: asText(call.start['toolset_name']) }
}

/** The input as the provider wrote it, if it is an object; numbers keep their form. */
function inputOf(call: Call): string {
  const text = argumentsOf(call)
  try {
    if (asObject(JSON.parse(text)) !== null) return text
  } catch {
    // broken off, or never JSON
  }
  return JSON.stringify({ [INVALID_INPUT]: text })
}

/** The input as text: what came in pieces, else what came with the start. */
export function argumentsOf(call: Call): string {
  return call.pieces.length > 0 ? call.pieces.join('') : (call.given ?? '{}')
}
