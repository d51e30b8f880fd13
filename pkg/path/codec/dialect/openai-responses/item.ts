import type { ArgumentForm, Reason } from '#pkg/model'
import {
  asArray,
  asObject,
  asText,
  hasStrayArguments,
  hidesCall,
  hidesCallBeside,
  type Json,
} from '#pkg/path/codec/wire/shape'

/** What one output item says about a call that the client would act on. */
export type CallFace = {
  readonly type: string
  readonly form: ArgumentForm
  /** True where the arguments also come in deltas, as text; else they stand whole in the item. */
  readonly streams: boolean
  readonly name: string | null
  readonly namespace: string | null
  /** By which its result names it. */
  readonly callId: string | null
  /** The arguments as this item has them; null = none here. */
  readonly text: string | null
  readonly status: string | null
  readonly fault: Reason | null
}

/** What the request says about items that look alike. */
export type ItemContext = {
  /** The name under which a computer tool is declared. */
  readonly computer: string
  /** True when a shell in a container of the provider cannot be mistaken for one of the client's. */
  readonly hostedShell: boolean
}

type Row = {
  readonly form: ArgumentForm
  /** Members that are the arguments; one alone is taken as it is, of several an object is made. */
  readonly members: readonly string[]
  readonly streams: boolean
  /** The name of a tool that has none of its own; `@computer` = as declared. */
  readonly name?: string
  /** Where the id stands by which a result names the call. */
  readonly id: 'call_id' | 'id'
}

const row = (form: ArgumentForm, members: readonly string[], more: Partial<Row> = {}): Row => ({
  form,
  members,
  streams: false,
  id: 'call_id',
  ...more,
})

/** The calls that the client runs (or approves). */
const CALLS: ReadonlyMap<string, Row> = new Map([
  ['function_call', row('json', ['arguments'], { streams: true })],
  ['custom_tool_call', row('text', ['input'], { streams: true })],
  ['mcp_approval_request', row('json', ['arguments'], { streams: true, id: 'id' })],
  ['computer_call', row('json', ['action', 'actions', 'pending_safety_checks'], { name: '@computer' })],
  ['local_shell_call', row('json', ['action'], { name: 'local_shell' })],
  ['shell_call', row('json', ['action'], { name: 'shell' })],
  ['apply_patch_call', row('json', ['operation'], { name: 'apply_patch' })],
  ['tool_search_call', row('json', ['arguments'], { name: 'tool_search' })],
])

const CALL_KEYS = [
  'id',
  'type',
  'status',
  'call_id',
  'created_by',
  'caller',
  'async',
  'namespace',
  'server_label',
  'environment',
  'execution',
]

/** Items that are no call of the client: what the provider ran itself, what it thought, what came back. WIRE.md rule 10. */
const EVIDENCE = new Set([
  'message',
  'reasoning',
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_response',
  'program',
  'additional_tools',
  'compaction',
])

/** Members of evidence that may look like anything: nobody takes a call out of them. */
const EVIDENCE_KEYS: ReadonlySet<string> = new Set([
  ...CALL_KEYS,
  'role',
  'content',
  'summary',
  'phase',
  'encrypted_content',
  'action',
  'queries',
  'results',
  'code',
  'container_id',
  'outputs',
  'output',
  'result',
  'prompt',
  'revised_prompt',
  'error',
  'tools',
  'name',
  'arguments',
  'approval_request_id',
  'approve',
  'reason',
  'fingerprint',
  'operation',
])

const isText = (value: unknown): boolean => value === undefined || value === null || typeof value === 'string'

/** Is this item something that the provider did, thought or said, and nothing that a client acts on? */
function isEvidence(type: string, item: Json, context: ItemContext): boolean {
  if (EVIDENCE.has(type) || type.endsWith('_output')) return true
  if (type === 'tool_search_call') return item['execution'] === 'server'
  const place = asObject(item['environment'])?.['type']
  return type === 'shell_call' && context.hostedShell && place === 'container_reference'
}

/**
 * The call in an output item, or null for an item that holds none. What looks like a call and is not defined here has
 * a face with a fault. WIRE.md rule 7.
 */
export function callIn(item: Json, context: ItemContext): CallFace | null {
  const type = asText(item['type'])
  if (type === null) return UNKNOWN
  if (isEvidence(type, item, context)) return null
  const known = CALLS.get(type)
  if (known !== undefined) return faceOf(type, known, item, context)
  return /call|request|tool|function/i.test(type) || hides(item) ? { ...UNKNOWN, type } : null
}

/** What a call's deltas may be told of before its item is known: the type that such a delta belongs to. */
export function faceOfType(type: string): CallFace {
  const known = CALLS.get(type)
  if (known === undefined) return { ...UNKNOWN, type }
  const name = known.name ?? null
  return { ...UNKNOWN, type, form: known.form, streams: known.streams, name, fault: null }
}

/** True when an evidence item has a member in which a call could hide. */
export function hidesBesideEvidence(item: Json): boolean {
  return hidesBeside(item, EVIDENCE_KEYS)
}

/** Members of `value` beyond `known` among which a call could hide: one of any API, or an item of this one. */
export function hidesBeside(value: Json, known: ReadonlySet<string>): boolean {
  return hidesCallBeside(value, known) || Object.keys(value).some((key) => !known.has(key) && holdsCallItem(value[key]))
}

/** True when a call could be rebuilt from this value: one of any API, or an item of this one. */
export function hides(value: unknown): boolean {
  return hidesCall(value) || holdsCallItem(value)
}

/** Has the value, wherever in it, an item of a type that this API would give a call? */
function holdsCallItem(value: unknown, budget = { nodes: 4096 }): boolean {
  if (typeof value !== 'object' || value === null) return false
  budget.nodes -= 1
  if (budget.nodes < 0) return true
  if (Array.isArray(value)) return value.some((item) => holdsCallItem(item, budget))
  const type = asText(asObject(value)?.['type'])
  if (type !== null && /(?:_call|_request)$/.test(type) && !EVIDENCE.has(type)) return true
  return Object.values(value).some((member) => holdsCallItem(member, budget))
}

/** Members of an evidence item that stay when it hides a call elsewhere. */
export const VOUCHED_IN_ITEM: ReadonlySet<string> = EVIDENCE_KEYS

const UNKNOWN: CallFace = {
  type: 'unknown',
  form: 'json',
  streams: false,
  name: null,
  namespace: null,
  callId: null,
  text: null,
  status: null,
  fault: 'WIRE_UNKNOWN_SHAPE',
}

function faceOf(type: string, known: Row, item: Json, context: ItemContext): CallFace {
  const keys = new Set([...CALL_KEYS, ...known.members, ...(known.name === undefined ? ['name'] : [])])
  const broken =
    !['name', 'namespace', 'call_id', 'id', 'status'].every((key) => isText(item[key])) ||
    hasStrayArguments(item, keys) ||
    !hasOwnArguments(known, item)
  return {
    type,
    form: known.form,
    streams: known.streams,
    name: known.name === '@computer' ? context.computer : (known.name ?? asText(item['name'])),
    namespace: asText(item['namespace']),
    callId: asText(item[known.id]),
    text: textOf(known, item),
    status: asText(item['status']),
    fault: broken ? 'WIRE_UNKNOWN_SHAPE' : null,
  }
}

/** Text where text belongs, an object or list where one belongs: anything else is read in more than one way. */
function hasOwnArguments(known: Row, item: Json): boolean {
  return known.members.every((member) => {
    const value = item[member]
    if (known.streams) return isText(value)
    return value === undefined || value === null || asObject(value) !== null || asArray(value) !== null
  })
}

function textOf(known: Row, item: Json): string | null {
  const present = known.members.filter((member) => item[member] !== undefined && item[member] !== null)
  const [first] = known.members
  if (first === undefined || present.length === 0) return null
  if (known.streams) return typeof item[first] === 'string' ? item[first] : null
  if (known.members.length === 1) return JSON.stringify(item[first])
  return JSON.stringify(Object.fromEntries(present.map((member) => [member, item[member]])))
}

/** The item with other arguments: what a client gets that was promised the call as it was judged. */
export function withArguments(item: Json, text: string): Json {
  const known = CALLS.get(asText(item['type']) ?? '')
  const [member] = known?.members ?? []
  if (known === undefined || member === undefined || !known.streams) return item
  return { ...item, [member]: text }
}
