import type { Message } from '#pkg/model'
import { asArray, asObject, asText, isEmpty, type Json } from '#pkg/path/codec/wire/shape'
import type { CallTracker, Seen, Snapshot } from './calls.ts'
import { callIn, hides, hidesBeside, hidesBesideEvidence, type ItemContext, VOUCHED_IN_ITEM } from './item.ts'
import { MAX_PART, type Path, type TextNote, type TextPiece, type Texts, type Thread } from './texts.ts'

/** How one answer is read. */
export type AnswerReader = {
  readonly tracker: CallTracker
  readonly texts: Texts
  readonly context: ItemContext
  /** Types of the items seen so far, by place. */
  readonly types: Map<number, string>
  /** What the response says of itself. */
  readonly about: { id: string | null; conversation: string | null; structured: boolean }
}

/** How a response object is read: as a snapshot in a stream, or by itself while the answer is still being made. */
export type Reading = Snapshot | 'unfinished'

/** A call item in a snapshot of the output. */
export type OutputNote = Seen & { readonly path: Path }

/** Something that could be a call where none is defined; if it is refused, only the vouched members of its place stay. */
export type Stray = { readonly key: string; readonly path: Path; readonly keep: ReadonlySet<string> }

/** What is in one event, or in a whole answer. Filled while it is read. */
export type Contents = {
  readonly at: number
  readonly out: Message[]
  readonly outputs: OutputNote[]
  readonly pieces: TextPiece[]
  readonly texts: TextNote[]
  readonly strays: Stray[]
  /** Calls of an answer that is still being made: they are not whole, and told when they are. */
  readonly omitted: Path[]
}

/** Starts a reading. */
export function newContents(at: number, out: Message[]): Contents {
  return { at, out, outputs: [], pieces: [], texts: [], strays: [], omitted: [] }
}

const OUTPUT_TEXT: Thread = { kind: 'text', member: 'output_text' }
const REFUSAL: Thread = { kind: 'refusal', member: 'refusal' }
const REASONING: Thread = { kind: 'reasoning', member: 'reasoning_text' }
const SUMMARY: Thread = { kind: 'reasoning', member: 'summary_text' }
const OTHER: Thread = { kind: 'other', member: 'part' }
const ALL_TEXT: Thread = { kind: 'other', member: 'all text' }

/** The threads, by the type of the part that carries them. */
export const THREADS: ReadonlyMap<string, Thread> = new Map([
  ['output_text', OUTPUT_TEXT],
  ['text', OUTPUT_TEXT],
  ['refusal', REFUSAL],
  ['reasoning_text', REASONING],
  ['summary_text', SUMMARY],
])

const PART_KEYS: ReadonlySet<string> = new Set(['type', 'text', 'refusal', 'annotations', 'logprobs', 'transcript'])
const NOTHING: ReadonlySet<string> = new Set()

/** Members of a response that hold no calls of the answer by definition. */
export const RESPONSE_KEYS: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created_at',
  'completed_at',
  'status',
  'background',
  'error',
  'incomplete_details',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'model',
  'output',
  'output_text',
  'parallel_tool_calls',
  'previous_response_id',
  'conversation',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'prompt_cache_diagnostics',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'usage',
  'user',
  'frequency_penalty',
  'presence_penalty',
  'moderation',
  'tool_usage',
  'content_filters',
])

/** Members that are looked at although they are defined: a client may show or read them. */
const LOOKED_INTO = ['error', 'incomplete_details', 'usage', 'metadata', 'moderation', 'tool_usage', 'content_filters']

/** Reads a response object: what it says of itself, and each item of its output. False = it has no one reading. */
export function readResponse(response: Json, path: Path, how: Reading, reader: AnswerReader, to: Contents): boolean {
  noteAbout(response, reader.about)
  const inside = LOOKED_INTO.some((key) => hides(response[key]))
  if (inside || hidesBeside(response, RESPONSE_KEYS)) {
    const plain = new Set([...RESPONSE_KEYS].filter((key) => !LOOKED_INTO.includes(key)))
    stray(reader, { path, keep: inside ? plain : RESPONSE_KEYS }, to)
  }
  return readOutput(response['output'], path, how, reader, to) && readSummary(response['output_text'], path, to)
}

function readOutput(output: unknown, path: Path, how: Reading, reader: AnswerReader, to: Contents): boolean {
  if (isEmpty(output)) return true
  const items = asArray(output)
  if (items === null || items.length > MAX_PART) return false
  return items.every((entry, position) => {
    const item = asObject(entry)
    if (item === null) return false
    const at = [...path, 'output', position]
    const face = callIn(item, reader.context)
    if (face === null) return readItem(item, at, position, reader, to)
    if (how === 'unfinished' && face.status === 'in_progress') {
      to.omitted.push(at)
      return true
    }
    const seen = reader.tracker.echo(position, { item, face }, how === 'unfinished' ? 'final' : how, to)
    to.outputs.push({ ...seen, path: at })
    return true
  })
}

/** Some tell the texts of all messages once more, joined. */
function readSummary(summary: unknown, path: Path, to: Contents): boolean {
  if (summary === undefined || summary === null) return true
  if (typeof summary !== 'string') return false
  const texts = to.pieces.filter(({ thread }) => thread === OUTPUT_TEXT).map(({ text }) => text)
  if (texts.join('') === summary) return true
  to.pieces.push({ thread: ALL_TEXT, item: 0, part: 0, path: [...path, 'output_text'], text: summary })
  return true
}

function noteAbout(response: Json, about: AnswerReader['about']): void {
  about.id = asText(response['id']) ?? about.id
  const conversation = response['conversation']
  about.conversation = asText(asObject(conversation)?.['id']) ?? asText(conversation) ?? about.conversation
  const format = asText(asObject(asObject(response['text'])?.['format'])?.['type'])
  if (format !== null) about.structured = format !== 'text'
}

/** Reads an item that is no call: its texts, and whether a call hides in it. */
export function readItem(item: Json, path: Path, index: number, reader: AnswerReader, to: Contents): boolean {
  if (hidesBesideEvidence(item)) stray(reader, { path, keep: VOUCHED_IN_ITEM }, to)
  const type = item['type']
  if (type !== 'message' && type !== 'reasoning') return true
  const parts = { reader, item: index, to }
  const content = item['content']
  if (typeof content === 'string') {
    to.pieces.push({ thread: OUTPUT_TEXT, item: index, part: 0, path: [...path, 'content'], text: content })
  } else if (!readParts(content, [...path, 'content'], parts)) return false
  return readParts(item['summary'], [...path, 'summary'], parts)
}

type PartPlace = { readonly reader: AnswerReader; readonly item: number; readonly to: Contents }

function readParts(value: unknown, path: Path, place: PartPlace): boolean {
  if (value === undefined || value === null) return true
  const list = asArray(value)
  if (list === null || list.length > MAX_PART) return false
  return list.every((entry, position) => {
    const part = asObject(entry)
    return part !== null && readPart(part, [...path, position], { ...place, part: position })
  })
}

/** Reads one part of a message or of what was thought. */
export function readPart(part: Json, path: Path, place: PartPlace & { readonly part: number }): boolean {
  const { reader, to } = place
  const type = asText(part['type']) ?? ''
  const thread = THREADS.get(type)
  if (thread === undefined && hides(part)) stray(reader, { path, keep: NOTHING }, to)
  else if (hidesBeside(part, PART_KEYS) || hides(part['annotations']) || !areLogprobs(part['logprobs'])) {
    stray(reader, { path, keep: new Set(['type', 'text', 'refusal']) }, to)
  }
  for (const member of ['text', 'refusal', 'transcript']) {
    const text = part[member]
    if (text === undefined || text === null) continue
    if (typeof text !== 'string') return false
    const own = member === 'refusal' ? REFUSAL : member === 'text' ? (thread ?? OTHER) : OTHER
    to.pieces.push({ thread: own, item: place.item, part: place.part, path: [...path, member], text })
  }
  return true
}

/** Notes something that could be a call, and where it stands. */
export function stray(reader: AnswerReader, where: Omit<Stray, 'key'>, to: Contents): void {
  const slot = reader.tracker.stray('WIRE_UNKNOWN_SHAPE', to)
  to.strays.push({ key: slot.keys[0] ?? '', ...where })
}

const TOKEN_KEYS = new Set(['token', 'logprob', 'bytes', 'top_logprobs'])

/** True for nothing, or a list of tokens with their probabilities and nothing else. */
export function areLogprobs(value: unknown): boolean {
  if (value === undefined || value === null) return true
  return asArray(value)?.every(isTokenLogprob) === true
}

function isTokenLogprob(value: unknown): boolean {
  const token = asObject(value)
  if (token === null) return false
  for (const key in token) {
    if (!TOKEN_KEYS.has(key)) return false
    if (key === 'top_logprobs' && !areLogprobs(token[key])) return false
  }
  return true
}
