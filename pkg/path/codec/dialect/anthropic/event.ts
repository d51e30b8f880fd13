import type { Limits, Message, Reading, Reason } from '#pkg/model'
import { parseStrict, valueSpan } from '#pkg/path/codec/wire/json'
import {
  asArray,
  asObject,
  asText,
  hasStrayArguments,
  hidesCall,
  hidesCallBeside,
  isEmpty,
  type Json,
  pushTexts,
  type TextPiece,
} from '#pkg/path/codec/wire/shape'
import type { Block } from './block.ts'
import type { CallTracker } from './blocks.ts'
import { type ContentNote, MAX_BLOCKS, readContent } from './content.ts'
import { deltaOf } from './delta.ts'
import { othersOf, startTexts } from './texts.ts'

/** What the writer has to know of one event. */
export type EventNote = {
  readonly type: string
  readonly value: Json
  /** Texts of the block or the content. */
  readonly texts: readonly TextPiece[]
  /** Texts beside them, which the event can leave without. */
  readonly more: readonly TextPiece[]
  /** The block that the event is about. */
  readonly block: Block | null
  /** The content that a message brought with its start. */
  readonly content: ContentNote | null
  /** Calls that stand where this dialect defines none; the event does not leave with them. */
  readonly strays: readonly string[]
}

/** Members of each event that hold no calls by definition; whatever else there is gets looked at. */
const EVENT_KEYS: Readonly<Record<string, ReadonlySet<string>>> = {
  message_start: new Set(['type', 'message']),
  content_block_start: new Set(['type', 'index', 'content_block']),
  content_block_delta: new Set(['type', 'index', 'delta']),
  content_block_stop: new Set(['type', 'index']),
  message_delta: new Set(['type', 'delta', 'usage', 'context_management', 'input_transformations']),
  error: new Set(['type', 'error', 'request_id']),
}
const TYPE_ALONE: ReadonlySet<string> = new Set(['type'])

/** Members of a message (or of its delta) with no text of the model's in them. */
const QUIET = new Set(['stop_reason', 'stop_sequence', 'container', 'diagnostics', 'input_transformations'])
const MESSAGE_KEYS: ReadonlySet<string> = new Set(['content', 'usage', 'context_management'])
export const QUIET_IN_MESSAGE: ReadonlySet<string> = new Set([...MESSAGE_KEYS, ...QUIET, 'id', 'type', 'role', 'model'])

/** Members with text in one answer; a provider that makes up more is not read. */
const MAX_MEMBERS = 64

/** One message of the answer: its blocks by their index, and in the order in which they came. */
type MessageState = { readonly byIndex: Map<number, Block>; readonly inOrder: Block[]; stopped: boolean }

/** Where the stream stands. `named` = do its events carry an `event` field; null = none has come. */
export type StreamState = {
  message: MessageState | null
  ended: boolean
  named: boolean | null
  /** The provider's id of the newest message. */
  id: string | null
  /** Every member that has had text in this answer. */
  readonly members: Set<string>
}

/** A stream of which nothing has come. */
export function newStreamState(): StreamState {
  return { message: null, ended: false, named: null, id: null, members: new Set() }
}

/** Reads one event after the other. */
export type EventReader = {
  readonly tracker: CallTracker
  readonly limits: Limits
  readonly state: StreamState
}

type Input = { readonly value: Json; readonly data: string; readonly at: number }

/** Reads the JSON of one event. The type has to be the same in both places: some clients go by one, some by the other. */
export function parseEvent(
  { event, data }: { readonly event: string | null; readonly data: string },
  limits: Limits,
  read?: Reading<unknown>,
): Reading<Json> {
  const parsed = read ?? parseStrict(data, { depth: limits.jsonDepth, bytes: Number.POSITIVE_INFINITY })
  const no = (reason: Reason): Reading<never> => ({ ok: false, reason, at: 0, detail: '' })
  if (!parsed.ok) return no(parsed.reason === 'WIRE_INVALID_JSON' ? 'WIRE_FRAME_MALFORMED' : parsed.reason)
  const value = asObject(parsed.value)
  const type = asText(value?.['type'])
  if (value === null || type === null || (event !== null && event !== type)) return no('WIRE_FRAME_MALFORMED')
  return { ok: true, value }
}

/**
 * Reads one event; messages are appended to `out`. The official SDKs drop an event without an `event` field, and
 * raw readers do not: a stream has it in all of its events or in none.
 */
export function readEvent(reader: EventReader, named: boolean, input: Input, out: Message[]): EventNote | null {
  const { state } = reader
  const type = String(input.value['type'])
  if (type !== 'ping' && type !== 'error') {
    state.named ??= named
    if (state.named !== named) return malformed(input.at, out)
    if (state.ended && type !== 'message_start') return fault('WIRE_AFTER_DONE', input.at, out)
  }
  const note = readByType(reader, type, input, out)
  if (note === null) return null
  const beside = othersOf('event', input.value, EVENT_KEYS[type] ?? TYPE_ALONE)
  if (beside === null) return malformed(input.at, out)
  const more = [...note.more, ...beside]
  for (const { member } of [...note.texts, ...more]) state.members.add(member)
  if (state.members.size > MAX_MEMBERS) return malformed(input.at, out)
  pushTexts(note.texts, 0, input.at, out)
  pushTexts(more, 0, input.at, out)
  return more.length === 0 ? note : { ...note, more }
}

function readByType(reader: EventReader, type: string, input: Input, out: Message[]): EventNote | null {
  switch (type) {
    case 'message_start':
      return readMessageStart(reader, input, out)
    case 'content_block_start':
      return readBlockStart(reader, input, out)
    case 'content_block_delta':
    case 'content_block_stop':
      return readOfBlock(reader, type, input, out)
    case 'message_delta':
      return readMessageDelta(reader, input, out)
    case 'message_stop':
      return readMessageStop(reader, input, out)
    default:
      return readOther(reader, type, input, out)
  }
}

function readMessageStart(reader: EventReader, { value, data, at }: Input, out: Message[]): EventNote | null {
  const { state, tracker } = reader
  const message = asObject(value['message'])
  if (message === null || isMisnamed(message) || (state.message !== null && !state.ended)) return malformed(at, out)
  state.ended = false
  state.id = asText(message['id'])
  tracker.begin()
  const hides = besides(value, 'message_start') || messageHides(message)
  const strays = hides ? [tracker.stray('WIRE_UNKNOWN_SHAPE', at, out)] : []
  const list = message['content'] ?? []
  if (asArray(list) === null) return malformed(at, out)
  const span = isEmpty(list) ? null : valueSpan(data, ['message'])
  const text = span === null ? '' : data.slice(span.start, span.end)
  const content = readContent(tracker, asArray(list) ?? [], { text, at }, out)
  if (content === null) return malformed(at, out)
  state.message = { byIndex: new Map(), inOrder: [...content.blocks], stopped: !isEmpty(message['stop_reason']) }
  for (const block of content.blocks) state.message.byIndex.set(block.index, block)
  const more = othersOf('message', message, QUIET_IN_MESSAGE)
  return more === null
    ? malformed(at, out)
    : { ...note('message_start', value, strays), texts: content.texts, more, content }
}

function readBlockStart(reader: EventReader, { value, data, at }: Input, out: Message[]): EventNote | null {
  const { tracker, state } = reader
  const start = asObject(value['content_block'])
  const { message } = state
  const index = value['index']
  if (message === null || start === null || !isIndex(index) || message.inOrder.length >= MAX_BLOCKS) {
    return malformed(at, out)
  }
  const skewed = index !== message.inOrder.length || message.byIndex.has(index)
  const span = isEmpty(start['input']) ? null : valueSpan(data, ['content_block', 'input'])
  const input = span === null ? null : data.slice(span.start, span.end)
  const block = tracker.open({ start, index, input, skewed, late: message.stopped }, at, out)
  message.byIndex.set(index, block)
  message.inOrder.push(block)
  const strays = besides(value, 'content_block_start') ? [tracker.stray('WIRE_UNKNOWN_SHAPE', at, out)] : []
  const texts = startTexts(block)
  if (texts === null) return malformed(at, out)
  return { ...note('content_block_start', value, strays), texts, block }
}

function readOfBlock(
  reader: EventReader,
  type: 'content_block_delta' | 'content_block_stop',
  { value, at }: Input,
  out: Message[],
): EventNote | null {
  const { tracker, state } = reader
  const block = ownerOf(state.message, value['index'])
  if (block === null) return malformed(at, out)
  const hides = besides(value, type)
  const strays = hides ? [tracker.stray('WIRE_UNKNOWN_SHAPE', at, out)] : []
  if (type === 'content_block_stop') {
    tracker.close(block, 'own', at, out)
    return { ...note(type, value, strays), block }
  }
  const delta = deltaOf(block, value['delta'])
  if (delta === null) return malformed(at, out)
  if (delta.fault !== null) {
    if (block.call === null || block.closed) strays.push(tracker.stray(delta.fault, at, out))
    else tracker.spoil(block, delta.fault, at, out)
  }
  if (delta.input !== '') {
    const stray = block.closed
      ? tracker.stray('WIRE_CALL_REOPENED', at, out)
      : tracker.feed(block, delta.input, at, out)
    if (stray !== null) strays.push(stray)
  }
  return { ...note(type, value, strays), texts: delta.texts, block }
}

/**
 * The block that an index means, if all clients agree: some keep blocks by their index, some in a list, where the
 * index is a place. null = they do not.
 */
function ownerOf(message: MessageState | null, index: unknown): Block | null {
  if (message === null || !isIndex(index)) return null
  const owner = message.byIndex.get(index)
  const placed = message.inOrder[index]
  return owner === undefined || (placed !== undefined && placed !== owner) ? null : owner
}

function readMessageDelta(reader: EventReader, { value, at }: Input, out: Message[]): EventNote | null {
  const { tracker, state } = reader
  const delta = asObject(value['delta']) ?? {}
  const reason = delta['stop_reason']
  if (state.message === null || (!isEmpty(reason) && asText(reason) === null)) return malformed(at, out)
  const odd = !isEmpty(value['delta']) && asObject(value['delta']) === null
  const hides = odd || besides(value, 'message_delta') || hasStrayArguments(delta, QUIET) || noteHides(value)
  const strays = hides ? [tracker.stray('WIRE_UNKNOWN_SHAPE', at, out)] : []
  if (!isEmpty(reason)) {
    tracker.end(at, out)
    state.message.stopped = true
  }
  const more = othersOf('message', delta, QUIET)
  return more === null ? malformed(at, out) : { ...note('message_delta', value, strays), more }
}

function readMessageStop(reader: EventReader, { value, at }: Input, out: Message[]): EventNote | null {
  const { tracker, state } = reader
  if (state.message === null) return malformed(at, out)
  state.ended = true
  tracker.end(at, out)
  const strays = besides(value, 'message_stop') ? [tracker.stray('WIRE_UNKNOWN_SHAPE', at, out)] : []
  return note('message_stop', value, strays)
}

/** Pings, errors, and what this dialect does not define: it passes if no client could rebuild a call from it. */
function readOther(reader: EventReader, type: string, { value, at }: Input, out: Message[]): EventNote | null {
  const { tracker, state } = reader
  const hides = hidesCall(value) || besides(value, type)
  if (hides && (state.message === null || state.ended)) return malformed(at, out)
  return note(type, value, hides ? [tracker.stray('WIRE_UNKNOWN_SHAPE', at, out)] : [])
}

function note(type: string, value: Json, strays: readonly string[]): EventNote {
  return { type, value, texts: [], more: [], block: null, content: null, strays }
}

const isIndex = (index: unknown): index is number =>
  typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 && index < MAX_BLOCKS

/** A call beside what the event is defined to hold; or a part of another event, which some client takes without asking for the type. */
function besides(value: Json, type: string): boolean {
  const known = EVENT_KEYS[type] ?? TYPE_ALONE
  if (hidesCallBeside(value, known) || hasStrayArguments(value, known)) return true
  return PARTS.some((part) => !known.has(part) && typeof value[part] === 'object' && !isEmpty(value[part]))
}

const PARTS = ['delta', 'content_block', 'message', 'content']

/** Does a message call itself something else? Some client may take it for that, a call of its own say. */
export function isMisnamed(message: Json): boolean {
  return !isEmpty(message['type']) && message['type'] !== 'message'
}

/** Is there the look of a call in a message, beside its content? */
export function messageHides(message: Json): boolean {
  if (hidesCallBeside(message, MESSAGE_KEYS) || hasStrayArguments(message, MESSAGE_KEYS)) return true
  return noteHides(message)
}

/** Counts of tokens and notes on the context name tools and uses of tools, as numbers; never a call. */
function noteHides(value: Json): boolean {
  const edits = asArray(asObject(value['context_management'])?.['applied_edits'])
  const plain = edits?.every((edit) => Object.values(asObject(edit) ?? {}).every((each) => typeof each !== 'object'))
  return (plain !== true && hidesCall(value['context_management'])) || hidesCall(value['usage'])
}

function malformed(at: number, out: Message[]): null {
  return fault('WIRE_FRAME_MALFORMED', at, out)
}

function fault(reason: Reason, at: number, out: Message[]): null {
  out.push({ kind: 'fault', at, scope: 'stream', reason, call: null })
  return null
}
