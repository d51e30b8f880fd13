import type { Limits, Message, Reading, RequestView } from '#pkg/model'
import { elementSpans, parseStrict, valueSpan } from '#pkg/path/codec/wire/json'
import {
  asArray,
  asObject,
  hidesCall,
  isEmpty,
  type Json,
  pushTexts,
  type TextPiece,
  textsOf,
} from '#pkg/path/codec/wire/shape'
import type { CallTracker } from './calls.ts'
import { type Joined, JoinedText } from './joined-text.ts'
import { bothNames, member, present, without } from './names.ts'
import { hasCall, hidesAnother, restOf, textOf } from './part.ts'

/** What the writer has to know of one part. */
export type PartNote = {
  readonly value: Json
  /** Its call, and whatever in it could be another. */
  readonly keys: readonly string[]
  /** The channel of its own text. */
  readonly text: 'text' | 'thought' | null
  /** The channels of all other text in it. */
  readonly others: readonly string[]
}

/** What the writer has to know of one candidate of one chunk. */
export type CandidateNote = {
  readonly choice: number
  readonly position: number
  readonly value: Json
  readonly content: Json
  readonly parts: readonly PartNote[]
  readonly texts: readonly TextPiece[]
  readonly joined: Joined | null
  /** Calls that stand outside of the parts; their members never leave in a rebuilt chunk. */
  readonly strays: readonly string[]
  readonly ends: boolean
}

/** What the writer has to know of one chunk. */
export type ChunkNote = {
  readonly value: Json
  readonly candidates: readonly CandidateNote[]
  readonly strays: readonly string[]
  /** The text of each part of a candidate, as the provider wrote it. */
  readonly rawParts: (position: number) => readonly string[]
}

/** Read by themselves; everything beside them is looked at as a whole. */
const CANDIDATES: ReadonlySet<string> = new Set(['candidates'])
const CONTENT_AND_LOGPROBS: ReadonlySet<string> = new Set(['content', ...bothNames('logprobsResult')])
const PARTS: ReadonlySet<string> = new Set(['parts'])
const CONTENT_KEYS: ReadonlySet<string> = new Set(['role', 'parts'])
/** The channel of all text of a candidate, thoughts or not. */
export const JOINED = 'all parts'
const FINISH_MESSAGE = 'candidate finishMessage'
const MAX_CANDIDATES = 8
/** Values in one piece of evidence; long answers have many sources. */
const EVIDENCE_NODES = 65_536
/** Members with text in one answer; a provider that makes up more is not read. */
const MAX_MEMBERS = 64

/** Candidates that a request asks for: `candidateCount`, by default one. */
export function candidatesAsked(view: RequestView): number {
  const config = asObject(view.value === null ? null : member(view.value, 'generationConfig'))
  const asked = config === null ? null : member(config, 'candidateCount')
  return typeof asked === 'number' && asked >= 1 ? Math.min(Math.trunc(asked), MAX_CANDIDATES) : 1
}

/** How the chunks of one answer are read. */
export type ChunkReader = {
  /** One candidate more than asked for is malformed: clients that ask for one take the first in the list for it. */
  readonly candidates: number
  readonly tracker: CallTracker
  readonly joined: Map<number, JoinedText>
  /** Every member that has had text in this answer. */
  readonly members: Set<string>
}

/** A reader for one answer. */
export function newChunkReader(view: RequestView, tracker: CallTracker): ChunkReader {
  return { candidates: candidatesAsked(view), tracker, joined: new Map(), members: new Set() }
}

/** Reads the JSON of one chunk: strict, an object. */
export function parseChunk(data: string, limits: Limits, read?: Reading<unknown>): Reading<Json> {
  const parsed = read ?? parseStrict(data, { depth: limits.jsonDepth, bytes: Number.POSITIVE_INFINITY })
  return parsed.ok ? chunkOf(parsed.value) : malformedReading(parsed)
}

/** What is no JSON at all is a malformed frame. */
export function malformedReading(fault: Reading<never> & { readonly ok: false }): Reading<never> {
  const reason = fault.reason === 'WIRE_INVALID_JSON' ? 'WIRE_FRAME_MALFORMED' : fault.reason
  return { ok: false, reason, at: fault.at, detail: fault.detail }
}

/** A chunk is an object. */
export function chunkOf(value: unknown): Reading<Json> {
  const object = asObject(value)
  if (object === null) return { ok: false, reason: 'WIRE_FRAME_MALFORMED', at: 0, detail: 'is not a JSON object' }
  return { ok: true, value: object }
}

/** The chunk in hand: its value, and its text with the way to it where it stands in a longer one. */
export type Chunk = { readonly value: Json; readonly text: string; readonly path: readonly (string | number)[] }

/** Reads the candidates of a chunk; messages are appended to `out`. */
export function readChunk(chunk: Chunk, reader: ChunkReader, at: number, out: Message[]): ChunkNote {
  const { value } = chunk
  const rawParts = (position: number): readonly string[] => {
    const { text, path } = chunk
    const spans = elementSpans(text, [...path, 'candidates', position, 'content', 'parts']) ?? []
    return spans.map(({ start, end }) => text.slice(start, end))
  }
  const strays: string[] = []
  if (hidesCall(without(value, CANDIDATES), { nodes: EVIDENCE_NODES })) strays.push(reader.tracker.unknown(0, at, out))
  const candidates: CandidateNote[] = []
  const list = asArray(value['candidates'])
  if (list === null && present(value['candidates'])) malformed(at, out)
  for (const [position, entry] of (list ?? []).entries()) {
    if (isOver(out)) break // nothing after it can be let through
    const candidate = asObject(entry)
    const choice = candidate?.['index'] ?? position
    if (candidate === null || !isChoice(choice, reader) || candidates.some((other) => other.choice === choice)) {
      malformed(at, out)
      break
    }
    candidates.push(readCandidate({ choice, position, value: candidate, rawParts, at }, reader, out))
  }
  return { value, candidates, strays, rawParts }
}

function isChoice(choice: unknown, reader: ChunkReader): choice is number {
  return typeof choice === 'number' && Number.isSafeInteger(choice) && choice >= 0 && choice < reader.candidates
}

type CandidateInput = {
  readonly choice: number
  readonly position: number
  readonly value: Json
  readonly rawParts: ChunkNote['rawParts']
  readonly at: number
}

function readCandidate(input: CandidateInput, reader: ChunkReader, out: Message[]): CandidateNote {
  const { choice, position, value, at } = input
  const { tracker } = reader
  const content = asObject(value['content']) ?? {}
  const strays: string[] = []
  const badContent = asObject(value['content']) === null && !isEmpty(value['content'])
  const badParts = asArray(content['parts']) === null && !isEmpty(content['parts'])
  if (badContent || badParts || hidesInCandidate(value, content)) strays.push(tracker.unknown(choice, at, out))
  const texts = new Map<string, TextPiece>()
  const parts = readParts(input, asArray(content['parts']) ?? [], reader, { texts, out })
  const beside = { [FINISH_MESSAGE]: member(value, 'finishMessage') ?? null, content: without(content, CONTENT_KEYS) }
  addTexts(texts, textsOf(beside), at, out)
  const joined = reader.joined.get(choice)?.take() ?? null
  if (joined !== null) addTexts(texts, [{ member: JOINED, kind: 'other', text: joined.lead + joined.text }], at, out)
  for (const key of texts.keys()) reader.members.add(key)
  if (reader.members.size > MAX_MEMBERS) malformed(at, out)
  pushTexts([...texts.values()], choice, at, out)
  const ends = !isEmpty(member(value, 'finishReason'))
  if (ends) tracker.finish(choice, at, out)
  return { choice, position, value, content, parts, texts: [...texts.values()], joined, strays, ends }
}

type Into = { readonly texts: Map<string, TextPiece>; readonly out: Message[] }

function readParts(input: CandidateInput, list: readonly unknown[], reader: ChunkReader, into: Into): PartNote[] {
  const { choice, position, at } = input
  const { texts, out } = into
  const notes: PartNote[] = []
  let raws: readonly string[] | null = null
  for (const [place, entry] of list.entries()) {
    if (isOver(out)) break
    const value = asObject(entry)
    if (value === null) {
      malformed(at, out)
      break
    }
    const keys: string[] = []
    if (hasCall(value)) {
      const raw = (): string => {
        raws ??= input.rawParts(position)
        return raws[place] ?? '{}'
      }
      keys.push(reader.tracker.part(choice, callPartOf(value, raw), at, out))
    }
    if (hidesAnother(value)) keys.push(reader.tracker.unknown(choice, at, out))
    const others = textsOf(restOf(value))
    addTexts(texts, others, at, out)
    const own = textOf(value)
    if (own !== null) {
      addTexts(
        texts,
        [{ member: own.member, kind: own.member === 'text' ? 'text' : 'reasoning', text: own.text }],
        at,
        out,
      )
      joinedOf(reader, choice).push(own.member, own.text)
    }
    notes.push({ value, keys, text: own?.member ?? null, others: (others ?? []).map((other) => other.member) })
  }
  return notes
}

function callPartOf(value: Json, raw: () => string) {
  const name = present(value['functionCall']) ? 'functionCall' : 'function_call'
  return {
    value,
    /** Without text of its own, which stays where it is. */
    raw: () => (value['text'] === undefined ? raw() : JSON.stringify(without(value, OWN_TEXT))),
    rawArgs: () => {
      const text = raw()
      const span = valueSpan(text, [name, 'args'])
      return span === null ? '{}' : text.slice(span.start, span.end)
    },
  }
}

const OWN_TEXT: ReadonlySet<string> = new Set(['text'])

function joinedOf(reader: ChunkReader, choice: number): JoinedText {
  let joined = reader.joined.get(choice)
  if (joined === undefined) {
    joined = new JoinedText()
    reader.joined.set(choice, joined)
  }
  return joined
}

/** Adds text to its channels: at most one piece for each leaves a frame. null = too many to read. */
function addTexts(texts: Map<string, TextPiece>, more: readonly TextPiece[] | null, at: number, out: Message[]): void {
  if (more === null) malformed(at, out)
  for (const piece of more ?? []) {
    const known = texts.get(piece.member)
    texts.set(piece.member, known === undefined ? piece : { ...piece, text: known.text + piece.text })
  }
}

function hidesInCandidate(value: Json, content: Json): boolean {
  return (
    hidesCall(without(value, CONTENT_AND_LOGPROBS), { nodes: EVIDENCE_NODES }) ||
    hidesCall(without(content, PARTS)) ||
    logprobsHide(value['logprobsResult']) ||
    logprobsHide(value['logprobs_result'])
  )
}

const TOKEN_KEYS = bothNames('token', 'logProbability', 'tokenId')

/** Lists of tokens with their probabilities, and nothing else; anything else is looked at like a member of its own. */
function logprobsHide(value: unknown): boolean {
  const object = asObject(value)
  if (object === null) return !isEmpty(value) && hidesCall(value)
  for (const key in object) {
    const list = asArray(object[key])
    const tokens = /^chosen_?candidates$/i.test(key)
      ? list
      : list?.flatMap((top) => asArray(asObject(top)?.['candidates']) ?? [null])
    if (tokens?.every(isToken) !== true && hidesCall({ [key]: object[key] })) return true
  }
  return false
}

function isToken(value: unknown): boolean {
  const token = asObject(value)
  return token !== null && Object.keys(token).every((key) => TOKEN_KEYS.has(key))
}

/** True once a fault of the whole stream has been found. */
function isOver(out: readonly Message[]): boolean {
  const last = out.at(-1)
  return last?.kind === 'fault' && last.scope === 'stream'
}

function malformed(at: number, out: Message[]): void {
  out.push({ kind: 'fault', at, scope: 'stream', reason: 'WIRE_FRAME_MALFORMED', call: null })
}
