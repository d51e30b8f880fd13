import type { Channel, Frame, Limits, Message, Reading } from '#pkg/model'
import { parseStrict } from '#pkg/path/codec/wire/json'
import { asObject, asText, type Json, textsOf } from '#pkg/path/codec/wire/shape'
import type { Seen, Snapshot } from './calls.ts'
import { callIn, hides, hidesBeside } from './item.ts'
import {
  type AnswerReader,
  areLogprobs,
  type Contents,
  newContents,
  readItem,
  readPart,
  readResponse,
  stray,
  THREADS,
} from './output.ts'
import type { Slot } from './slot.ts'
import { MAX_PART } from './texts.ts'

/** What the writer has to know of one event. */
export type Note = Pick<Contents, 'outputs' | 'texts' | 'strays' | 'omitted'> & {
  readonly value: Json
  readonly type: string
  /** False when the frame has no `event:` line. */
  readonly named: boolean
  /** The call that the event tells of. */
  call: (Seen & { readonly role: 'added' | 'inner' | 'done' }) | null
  /** Texts of members that this dialect does not define; one that is cut takes its event with it. */
  readonly others: Channel[]
}

/** Events that tell more (`delta`) or all (`whole`) of a part's text: the thread, the member, the index of the part. */
type TextRow = readonly [string, string, 'content_index' | 'summary_index', 'delta' | 'whole']
const TEXT_EVENTS: ReadonlyMap<string, TextRow> = new Map<string, TextRow>([
  ['response.output_text.delta', ['output_text', 'delta', 'content_index', 'delta']],
  ['response.output_text.done', ['output_text', 'text', 'content_index', 'whole']],
  ['response.refusal.delta', ['refusal', 'delta', 'content_index', 'delta']],
  ['response.refusal.done', ['refusal', 'refusal', 'content_index', 'whole']],
  ['response.reasoning_text.delta', ['reasoning_text', 'delta', 'content_index', 'delta']],
  ['response.reasoning_text.done', ['reasoning_text', 'text', 'content_index', 'whole']],
  ['response.reasoning_summary_text.delta', ['summary_text', 'delta', 'summary_index', 'delta']],
  ['response.reasoning_summary_text.done', ['summary_text', 'text', 'summary_index', 'whole']],
])

const PART_EVENTS: ReadonlyMap<string, 'content_index' | 'summary_index'> = new Map<
  string,
  'content_index' | 'summary_index'
>([
  ['response.content_part.added', 'content_index'],
  ['response.content_part.done', 'content_index'],
  ['response.reasoning_summary_part.added', 'summary_index'],
  ['response.reasoning_summary_part.done', 'summary_index'],
])

/** Events that tell the arguments of a call: the type of its item, the member, and whether it is all of them. */
type CallRow = readonly [string, string, 'delta' | 'whole' | 'part' | 'part-whole']
const CALL_EVENTS: ReadonlyMap<string, CallRow> = new Map<string, CallRow>([
  ['response.function_call_arguments.delta', ['function_call', 'delta', 'delta']],
  ['response.function_call_arguments.done', ['function_call', 'arguments', 'whole']],
  ['response.custom_tool_call_input.delta', ['custom_tool_call', 'delta', 'delta']],
  ['response.custom_tool_call_input.done', ['custom_tool_call', 'input', 'whole']],
  ['response.shell_call_command.added', ['shell_call', 'command', 'part-whole']],
  ['response.shell_call_command.delta', ['shell_call', 'delta', 'part']],
  ['response.shell_call_command.done', ['shell_call', 'command', 'part-whole']],
  ['response.apply_patch_call_operation_diff.delta', ['apply_patch_call', 'delta', 'part']],
  ['response.apply_patch_call_operation_diff.done', ['apply_patch_call', 'diff', 'part-whole']],
])

/** Snapshots of the whole answer, and how they count for what is still open. Any other with a `response` is one in between. */
const SNAPSHOTS: ReadonlyMap<string, Snapshot> = new Map<string, Snapshot>([
  ['response.completed', 'final'],
  ['response.failed', 'cut'],
  ['response.incomplete', 'cut'],
])

/** What the provider tells of its own tools, and bytes that are no text. */
const EVIDENCE_EVENT =
  /^response\.(?:web_search_call|file_search_call|code_interpreter_call|code_interpreter_call_code|image_generation_call|mcp_call|mcp_call_arguments|mcp_list_tools|shell_call_output_content|compaction|audio)\.[a-z_]+$/

/** Members of events that hold no call by definition. */
const EVENT_KEYS: ReadonlySet<string> = new Set([
  'type',
  'sequence_number',
  'item_id',
  'output_index',
  'content_index',
  'summary_index',
  'annotation_index',
  'command_index',
  'partial_image_index',
  'obfuscation',
  'logprobs',
])

/** Members of evidence: what stands in them is no call of the client. */
const EVIDENCE_EVENT_KEYS: ReadonlySet<string> = new Set([
  ...EVENT_KEYS,
  'delta',
  'arguments',
  'code',
  'output',
  'partial_image_b64',
])

/** Members beside {@link EVENT_KEYS} that an event may have: looked at by its own reading. */
const OWN_KEYS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['response.output_item.added', ['item']],
  ['response.output_item.done', ['item']],
  ['response.function_call_arguments.done', ['arguments', 'name']],
])

/** Texts of members that nobody defines, in one answer. */
const MAX_OTHERS = 64

/** Reads the JSON of one event: strict, an object, with a type that its `event:` line does not contradict. */
export function parseEvent(frame: Frame & { kind: 'event' }, limits: Limits, read?: Reading<unknown>): Reading<Json> {
  const parsed = read ?? parseStrict(frame.data, { depth: limits.jsonDepth, bytes: Number.POSITIVE_INFINITY })
  if (!parsed.ok) {
    const reason = parsed.reason === 'WIRE_INVALID_JSON' ? 'WIRE_FRAME_MALFORMED' : parsed.reason
    return { ok: false, reason, at: parsed.at, detail: parsed.detail }
  }
  const value = asObject(parsed.value)
  const type = value === null ? null : typeOf(value, frame.event)
  const agrees = frame.event === null || frame.event === '' || frame.event === type
  if (value !== null && type !== null && agrees) return { ok: true, value }
  return { ok: false, reason: 'WIRE_FRAME_MALFORMED', at: 0, detail: 'is no event of this API' }
}

/** An error may come bare: SDKs throw at its `error` member, or at its name. */
function typeOf(value: Json, event: string | null): string | null {
  const type = value['type']
  if (type !== undefined && type !== null) return asText(type)
  return event === 'error' || asObject(value['error']) !== null ? 'error' : null
}

/** Reads the events of one answer, in order. */
export class EventReader {
  readonly #reader: AnswerReader
  readonly #others = new Set<string>()
  /** True once the answer has told its own end. */
  over = false

  constructor(reader: AnswerReader) {
    this.#reader = reader
  }

  /** Messages go to `out`; null = the event has no one reading. */
  read(value: Json, event: string | null, at: number, out: Message[]): Note | null {
    const type = typeOf(value, event) ?? ''
    const to = newContents(at, out)
    const named = event !== null && event !== ''
    const note: Note = { value, type, named, call: null, others: [], ...to }
    if (!this.#dispatch(note, to)) return null
    const texts = this.#reader.texts.whole(to.pieces, at, out)
    if (texts === null) return null
    to.texts.push(...texts)
    if (SNAPSHOTS.has(type)) {
      this.over = true
      this.#reader.tracker.end(to)
    }
    return note
  }

  #dispatch(note: Note, to: Contents): boolean {
    const { type, value } = note
    if (type === 'response.output_item.added' || type === 'response.output_item.done') return this.#item(note, to)
    const text = TEXT_EVENTS.get(type)
    if (text !== undefined) return this.#text(note, text, to)
    const part = PART_EVENTS.get(type)
    if (part !== undefined) return this.#part(note, part, to)
    if (CALL_EVENTS.has(type)) return this.#callPiece(note, to)
    const response = asObject(value['response'])
    if (response !== null) {
      this.#beside(note, ['response'], to)
      return readResponse(response, ['response'], SNAPSHOTS.get(type) ?? 'interim', this.#reader, to)
    }
    return this.#rest(note, to)
  }

  /** What the event has beside what it is defined to have. */
  #beside({ value, type }: Note, own: readonly string[], to: Contents): void {
    const known = new Set([...EVENT_KEYS, ...own, ...(OWN_KEYS.get(type) ?? [])])
    if (hidesBeside(value, known) || !areLogprobs(value['logprobs'])) {
      stray(this.#reader, { path: [], keep: new Set([...known].filter((key) => key !== 'logprobs')) }, to)
    }
  }

  #item(note: Note, to: Contents): boolean {
    const { value, type } = note
    this.#beside(note, [], to)
    const index = indexOf(value['output_index'])
    if (index === null) return false
    if (value['item'] === null) return true
    const item = asObject(value['item'])
    if (item === null) return false
    const { tracker, context, types } = this.#reader
    const face = callIn(item, context)
    const kind = face === null ? String(item['type']) : `call ${face.type}`
    const before = types.get(index)
    if (before !== undefined && before !== kind) return false
    types.set(index, kind)
    if (face === null) {
      if (tracker.at(index) !== undefined) return false
      tracker.claimItem(asText(item['id']), index, to)
      return readItem(item, ['item'], index, this.#reader, to)
    }
    const added = type === 'response.output_item.added'
    const seen = added
      ? { slot: tracker.added(index, { item, face }, to), extras: [] }
      : tracker.done(index, { item, face }, to)
    note.call = { ...seen, role: added ? 'added' : 'done' }
    tracker.claimItem(asText(item['id']), index, to)
    return true
  }

  #text(note: Note, row: TextRow, to: Contents): boolean {
    const [name, member, place, how] = row
    const { value } = note
    this.#beside(note, [member], to)
    const item = indexOf(value['output_index'])
    const part = value[place] === undefined && place === 'summary_index' ? 0 : indexOf(value[place])
    const text = value[member]
    const thread = THREADS.get(name)
    if (item === null || part === null || typeof text !== 'string' || thread === undefined) return false
    if (this.#reader.tracker.at(item) !== undefined) return false
    const piece = { thread, item, part, path: [member], text }
    if (how === 'whole') {
      to.pieces.push(piece)
      return true
    }
    const delta = this.#reader.texts.delta(piece, to.at, to.out)
    if (delta === null) return false
    to.texts.push(delta)
    return true
  }

  #part(note: Note, place: 'content_index' | 'summary_index', to: Contents): boolean {
    const { value } = note
    this.#beside(note, ['part'], to)
    const item = indexOf(value['output_index'])
    const index = indexOf(value[place])
    const part = asObject(value['part'])
    if (item === null || index === null || part === null || this.#reader.tracker.at(item) !== undefined) return false
    return readPart(part, ['part'], { reader: this.#reader, item, part: index, to })
  }

  #callPiece(note: Note, to: Contents): boolean {
    const { value, type } = note
    const [itemType = '', member = '', how = 'delta'] = CALL_EVENTS.get(type) ?? []
    this.#beside(note, [member], to)
    const index = indexOf(value['output_index'])
    if (index === null) return false
    const kind = this.#reader.types.get(index)
    if (kind !== undefined && !kind.startsWith('call ')) return kind === itemType // a shell of the provider's own
    note.call = {
      slot: this.#tell({ index, itemType, how, value, text: value[member] }, to),
      extras: [],
      role: 'inner',
    }
    this.#reader.tracker.claimItem(asText(value['item_id']), index, to)
    return true
  }

  #tell(piece: CallPiece, to: Contents): Slot {
    const { tracker } = this.#reader
    const { index, itemType, how, value, text } = piece
    if (typeof text !== 'string') {
      const slot = tracker.delta(index, itemType, '', to)
      tracker.fail(slot, 'WIRE_UNKNOWN_SHAPE', to)
      return slot
    }
    if (how === 'delta') return tracker.delta(index, itemType, text, to)
    if (how === 'whole') return tracker.told(index, itemType, { text, name: asText(value['name']) }, to)
    const key = String(value['command_index'] ?? 0)
    return tracker.part(index, itemType, { key, text, whole: how === 'part-whole' }, to)
  }

  /** What the provider tells of itself passes; what nobody defines is looked at like a stranger. */
  #rest(note: Note, to: Contents): boolean {
    const { value, type } = note
    if (EVIDENCE_EVENT.test(type)) {
      if (hidesBeside(value, EVIDENCE_EVENT_KEYS)) stray(this.#reader, { path: [], keep: EVIDENCE_EVENT_KEYS }, to)
      return true
    }
    const index = indexOf(value['output_index'])
    const slot = index === null ? undefined : this.#reader.tracker.at(index)
    if (type === 'error' || type === 'keepalive' || type === 'response.output_text.annotation.added') {
      if (hides(value)) stray(this.#reader, { path: [], keep: EVENT_KEYS }, to)
      return true
    }
    if (slot !== undefined) {
      if (!slot.closed) this.#reader.tracker.fail(slot, 'WIRE_UNKNOWN_SHAPE', to)
      note.call = {
        slot: slot.closed ? this.#reader.tracker.stray('WIRE_CALL_REOPENED', to) : slot,
        extras: [],
        role: 'inner',
      }
      return true
    }
    if (hides(value)) stray(this.#reader, { path: [], keep: EVENT_KEYS }, to)
    return this.#otherTexts(note, to)
  }

  #otherTexts(note: Note, to: Contents): boolean {
    const found = textsOf(note.value)
    if (found === null) return false
    for (const { member, text } of found) {
      if (EVENT_KEYS.has(member)) continue
      const channel: Channel = { choice: 0, kind: 'other', member: `${note.type} ${member}` }
      this.#others.add(channel.member)
      if (this.#others.size > MAX_OTHERS) return false
      note.others.push(channel)
      to.out.push({ kind: 'text', at: to.at, channel, text })
    }
    return true
  }
}

type CallPiece = {
  readonly index: number
  readonly itemType: string
  readonly how: 'delta' | 'whole' | 'part' | 'part-whole'
  readonly value: Json
  readonly text: unknown
}

/** A place in a list: a small whole number. */
function indexOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_PART ? value : null
}
