import type { Limits, Message, Reading, RequestView } from '#pkg/model'
import { parseStrict } from '#pkg/path/codec/wire/json'
import {
  asArray,
  asObject,
  hidesCall,
  hidesCallBeside,
  isEmpty,
  type Json,
  pushTexts,
  type TextPiece,
  textsOf,
} from '#pkg/path/codec/wire/shape'
import type { CallTracker } from './calls.ts'
import { TEXT_KEYS } from './text-channels.ts'

/** What the writer has to know of one choice of one chunk. */
export type ChoiceNote = {
  readonly choice: number
  readonly value: Json
  readonly body: Json
  readonly texts: readonly TextPiece[]
  /** The call that each element of `tool_calls` belongs to. */
  readonly tools: readonly string[]
  readonly legacy: string | null
  /** Calls that stand where this dialect defines none; their members never leave in a rebuilt chunk. */
  readonly strays: readonly string[]
  readonly finish: string | null
}

/** What the writer has to know of one chunk. */
export type ChunkNote = {
  readonly value: Json
  readonly choices: readonly ChoiceNote[]
  readonly strays: readonly string[]
}

/** Members of a chunk that hold no calls by definition; whatever else there is gets looked at. */
export const CHUNK_KEYS: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'service_tier',
  'system_fingerprint',
  'usage',
  'obfuscation',
  'choices',
  'error',
])
const CHOICE_KEYS = new Set(['index', 'delta', 'message', 'finish_reason', 'logprobs', 'text'])
const BODY_KEYS: ReadonlySet<string> = new Set(['role', 'tool_calls', 'function_call', ...TEXT_KEYS])
const MAX_CHOICES = 128

/** Choices that a request asks for: `n`, by default one. */
export function choicesAsked(view: RequestView): number {
  const asked = view.value?.['n']
  return typeof asked === 'number' && asked >= 1 ? Math.min(Math.trunc(asked), MAX_CHOICES) : 1
}

/** Reads the JSON of one chunk (or whole answer): strict, an object. */
export function parseChunk(data: string, limits: Limits, parsed?: Reading<unknown>): Reading<Json> {
  return chunkOf(parsed ?? parseStrict(data, { depth: limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }))
}

/** A chunk (or whole answer) is an object; what is no JSON at all is a malformed frame. */
export function chunkOf(parsed: Reading<unknown>): Reading<Json> {
  if (!parsed.ok) {
    const reason = parsed.reason === 'WIRE_INVALID_JSON' ? 'WIRE_FRAME_MALFORMED' : parsed.reason
    return { ok: false, reason, at: parsed.at, detail: parsed.detail }
  }
  const value = asObject(parsed.value)
  if (value === null) return { ok: false, reason: 'WIRE_FRAME_MALFORMED', at: 0, detail: 'is not a JSON object' }
  return { ok: true, value }
}

/** How the chunks of one answer are read. */
export type ChunkReader = {
  /** Where calls stand by definition: `delta` in streams, `message` in whole answers. */
  readonly member: 'delta' | 'message'
  /** How many choices were asked for. One more is malformed: clients that ask for one take the first in the list for it. */
  readonly choices: number
  readonly tracker: CallTracker
  /** The part of an echo that has not been seen before. */
  readonly freshEcho: (key: string, text: string) => string
  /** Every member that has had text in this answer. */
  readonly members: Set<string>
}

/** Reads the choices of a chunk; messages are appended to `out`. */
export function readChunk(value: Json, reader: ChunkReader, at: number, out: Message[]): ChunkNote {
  const { tracker } = reader
  const strays: string[] = []
  if (hidesCallBeside(value, CHUNK_KEYS) || hidesCall(value['usage']) || hidesCall(value['error']))
    strays.push(tracker.unknown(0, at, out))
  const choices: ChoiceNote[] = []
  const list = value['choices']
  if (!isEmpty(list) && asArray(list) === null) malformed(at, out)
  const seen = new Set<number>()
  for (const [position, entry] of (asArray(list) ?? []).entries()) {
    if (isOver(out)) break // nothing after it can be let through
    const choice = asObject(entry)
    const index = choice?.['index'] ?? position
    if (
      choice === null ||
      typeof index !== 'number' ||
      !Number.isSafeInteger(index) ||
      index < 0 ||
      index >= reader.choices ||
      seen.has(index)
    ) {
      malformed(at, out)
      break
    }
    seen.add(index)
    choices.push(readChoice({ choice: index, value: choice, at }, reader, out))
  }
  return { value, choices, strays }
}

type ChoiceInput = { readonly choice: number; readonly value: Json; readonly at: number }

function readChoice(input: ChoiceInput, reader: ChunkReader, out: Message[]): ChoiceNote {
  const { choice, value, at } = input
  const { member, tracker } = reader
  const strays: string[] = []
  const body = asObject(value[member]) ?? {}
  if (!isEmpty(value[member]) && asObject(value[member]) === null) strays.push(tracker.unknown(choice, at, out))
  const own = textsOf(body)
  const echoes = textsOf(echoOf(value, member))
  if (own === null || echoes === null || hasTooMany(reader.members, [...(own ?? []), ...(echoes ?? [])])) {
    malformed(at, out)
  }
  const texts = [...(own ?? []), ...(echoes ?? []).flatMap((echo) => readEcho(reader, choice, echo))]
  pushTexts(texts, choice, at, out)
  const tools: string[] = []
  const list = asArray(body['tool_calls'])
  if (list === null && !isEmpty(body['tool_calls'])) strays.push(tracker.unknown(choice, at, out))
  for (const [position, element] of (list ?? []).entries()) {
    if (isOver(out)) break
    tools.push(tracker.tool(choice, member === 'message' ? indexed(element, position) : element, at, out))
  }
  const legacy = isEmpty(body['function_call']) ? null : tracker.legacy(choice, body['function_call'], at, out)
  if (
    hidesCallBeside(body, BODY_KEYS) ||
    hidesCallBeside(value, CHOICE_KEYS) ||
    strayEcho(value, member) ||
    textHides(body) ||
    logprobsHide(value['logprobs'])
  ) {
    strays.push(tracker.unknown(choice, at, out))
  }
  const finish = value['finish_reason']
  if (finish !== undefined && finish !== null && typeof finish !== 'string') malformed(at, out)
  const reason = typeof finish === 'string' && finish !== '' ? finish : null
  if (reason !== null) tracker.finish(choice, reason, at, out)
  return { choice, value, body, texts, tools, legacy, strays, finish: reason }
}

/** In a whole answer the place in the list is the index; a stated one that differs would be read two ways. */
function indexed(element: unknown, position: number): unknown {
  const object = asObject(element)
  if (object === null || object['index'] === position) return element
  return object['index'] === undefined || object['index'] === null
    ? { ...object, index: position }
    : { ...object, index: -1 }
}

/** Members that this kind of answer should not have: echoes that some clients show. */
function echoOf(value: Json, member: 'delta' | 'message'): Json {
  const other = member === 'delta' ? 'message' : 'delta'
  if (value[other] === undefined && value['text'] === undefined) return NO_ECHO
  return { [`echo ${other}`]: value[other] ?? null, 'echo text': value['text'] ?? null }
}

const NO_ECHO: Json = {}

/** An echo is read in both ways that clients have: as more text, and as all text so far. */
function readEcho(reader: ChunkReader, choice: number, echo: TextPiece): readonly TextPiece[] {
  const fresh = reader.freshEcho(`${choice}:${echo.member}`, echo.text)
  const whole = { ...echo, member: `${echo.member} so far`, text: fresh }
  return fresh === '' ? [echo] : [echo, whole]
}

/** Members with text in one answer; a provider that makes up more is not read. */
const MAX_MEMBERS = 64

function hasTooMany(members: Set<string>, texts: readonly TextPiece[]): boolean {
  for (const { member } of texts) members.add(member)
  return members.size > MAX_MEMBERS
}

function strayEcho(value: Json, member: 'delta' | 'message'): boolean {
  const echo = value[member === 'delta' ? 'message' : 'delta']
  return hidesCall(echo)
}

/** A text member that is no plain text, with a call in another dialect's clothes in it. */
function textHides(body: Json): boolean {
  return TEXT_KEYS.some((key) => typeof body[key] === 'object' && hidesCall(body[key]))
}

/** True once a fault of the whole stream has been found. */
function isOver(out: readonly Message[]): boolean {
  const last = out.at(-1)
  return last?.kind === 'fault' && last.scope === 'stream'
}

/** Lists of tokens with their probabilities, and nothing else; anything else is looked at like a member of its own. */
function logprobsHide(value: unknown): boolean {
  const object = asObject(value)
  if (object === null) return !isEmpty(value) && hidesCall(value)
  for (const key in object) {
    const list = asArray(object[key])
    if ((key === 'content' || key === 'refusal') && list?.every(isTokenLogprob) === true) continue
    if (hidesCall({ [key]: object[key] })) return true
  }
  return false
}

const TOKEN_KEYS = new Set(['token', 'logprob', 'bytes', 'top_logprobs'])

function isTokenLogprob(value: unknown): boolean {
  const token = asObject(value)
  if (token === null) return false
  for (const key in token) {
    if (!TOKEN_KEYS.has(key)) return false
    if (key === 'top_logprobs' && asArray(token[key])?.every(isTokenLogprob) === false) return false
  }
  return true
}

function malformed(at: number, out: Message[]): void {
  out.push({ kind: 'fault', at, scope: 'stream', reason: 'WIRE_FRAME_MALFORMED', call: null })
}
