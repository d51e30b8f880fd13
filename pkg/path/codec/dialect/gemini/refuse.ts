import type { Channel, Decided } from '#pkg/model'
import type { Json, TextPiece } from '#pkg/path/codec/wire/shape'
import { type CandidateNote, type ChunkNote, JOINED, type PartNote } from './chunk.ts'
import { bothNames, member, snakeOf } from './names.ts'

/** What left for one candidate so far. */
type CandidateState = {
  /** Text was released before, so that a refusal begins after a blank line. */
  hasText: boolean
  /** A call of this candidate was refused, or text of it edited: what tells of it again does not leave. */
  touched: boolean
  edited: boolean
  readonly told: Set<string>
}

/** Rewrites chunks where a call was refused or text was cut out. */
export type Rewriter = {
  /**
   * The JSON that leaves for a chunk; `same` when the chunk's own bytes may, `nothing` when all that was in it is gone.
   */
  chunk(note: ChunkNote, decided: Decided): string | 'same' | 'nothing'
}

/** Members that a rebuilt chunk keeps. Nothing else leaves: what is not known cannot be vouched for. */
const KEPT = ['modelVersion', 'responseId', 'createTime', 'promptFeedback', 'usageMetadata'] as const
const KEPT_IN_CANDIDATE = [
  'index',
  'finishReason',
  'safetyRatings',
  'tokenCount',
  'avgLogprobs',
  'urlContextMetadata',
  'continuationToken',
] as const
/** They repeat stretches of the text. */
const KEPT_IF_UNEDITED = ['citationMetadata', 'groundingMetadata'] as const
/** They repeat what the model wrote, calls too. */
const TELLS_AGAIN = ['logprobsResult', 'finishMessage'] as const

/** Makes the rewriter of one answer. */
export function newRewriter(): Rewriter {
  return new ChunkRewriter()
}

/** What there is to say about one candidate of one chunk. */
type Turn = { readonly note: CandidateNote; readonly state: CandidateState; readonly decided: Decided }

class ChunkRewriter implements Rewriter {
  readonly #states = new Map<number, CandidateState>()

  chunk(note: ChunkNote, decided: Decided): string | 'same' | 'nothing' {
    const stray = note.strays.some((key) => isRefused(key, decided))
    const dirty = note.candidates.map((candidate) => this.#isDirty(candidate, decided))
    if (stray || dirty.includes(true)) return this.#rebuild(note, decided)
    for (const candidate of note.candidates) if (hasText(candidate)) this.#stateOf(candidate.choice).hasText = true
    return 'same'
  }

  #stateOf(choice: number): CandidateState {
    let state = this.#states.get(choice)
    if (state === undefined) {
      state = { hasText: false, touched: false, edited: false, told: new Set() }
      this.#states.set(choice, state)
    }
    return state
  }

  /** Is there anything in this candidate that may not leave as it came? */
  #isDirty(note: CandidateNote, decided: Decided): boolean {
    const state = this.#stateOf(note.choice)
    const refused = callsOf(note).some((key) => isRefused(key, decided))
    const edited = note.texts.some((text) => editOf(note, text.member, decided) !== undefined)
    state.edited ||= edited
    state.touched ||= refused || edited
    return refused || edited || (state.touched && tellsAgain(note, state))
  }

  #rebuild(note: ChunkNote, decided: Decided): string | 'nothing' {
    const members: string[] = []
    const first = note.candidates.some(({ choice }) => choice === 0)
    const candidates = note.candidates.map((candidate) => {
      const strays = candidate.choice === 0 ? [...candidate.strays, ...note.strays] : candidate.strays
      const turn = { note: { ...candidate, strays }, state: this.#stateOf(candidate.choice), decided }
      return this.#candidate(turn, note.rawParts(candidate.position))
    })
    const gone = note.candidates.length > 0 && candidates.every((candidate) => candidate === null)
    if (gone && member(note.value, 'promptFeedback') === undefined) return 'nothing'
    const left = candidates.map((candidate, place) => candidate ?? emptied(note.candidates[place]?.choice ?? 0))
    const strays = first ? [] : this.#tell(note.strays, 0, decided)
    if (strays.length > 0) left.unshift(`{"content":{"parts":[${strays.join(',')}],"role":"model"},"index":0}`)
    if (left.length > 0) members.push(`"candidates":[${left.join(',')}]`)
    keep(members, note.value, KEPT, note.strays.length > 0)
    return `{${members.join(',')}}`
  }

  /** One candidate as it may leave; null when nothing is left of it. */
  #candidate(turn: Turn, raws: readonly string[]): string | null {
    const { note, state, decided } = turn
    const parts = this.#parts(turn, raws)
    parts.push(...this.#tell(note.strays, note.choice, decided))
    if (hasText(note)) state.hasText = true
    if (parts.length === 0 && note.parts.length > 0) {
      if (!note.ends) return null
      parts.push(EMPTY_PART) // clients take a content without parts for a broken answer
    }
    const members: string[] = []
    if (parts.length > 0) members.push(`"content":{"parts":[${parts.join(',')}]${roleOf(note)}}`)
    else if (note.value['content'] !== undefined) members.push(`"content":{${roleOf(note).slice(1)}}`)
    const stray = note.strays.length > 0
    keep(members, note.value, KEPT_IN_CANDIDATE, stray)
    if (!state.edited) keep(members, note.value, KEPT_IF_UNEDITED, stray)
    return `{${members.join(',')}}`
  }

  #parts(turn: Turn, raws: readonly string[]): string[] {
    const { note, decided, state } = turn
    const texts = new PartTexts(note, decided)
    const out: string[] = []
    for (const [place, part] of note.parts.entries()) {
      const refused = part.keys.some((key) => isRefused(key, decided))
      const edit = texts.of(part)
      const told = refused || edit !== undefined
      if (!told) out.push(oneLine(raws[place], part.value))
      else if (part.text !== null || edit !== undefined) out.push(...textPart(part, edit))
      if (part.text === 'text' && part.value['text'] !== '') state.hasText = true
      if (refused) out.push(...this.#tell(part.keys, note.choice, decided))
      else if (told && part.keys.length > 0) out.push(callPart(part))
    }
    return out
  }

  /** The refusals in the place of calls, each once. */
  #tell(keys: readonly string[], choice: number, decided: Decided): string[] {
    const state = this.#stateOf(choice)
    const parts: string[] = []
    for (const key of keys) {
      const outcome = decided.outcome(key)
      if (outcome.kind === 'released' || state.told.has(key)) continue
      state.told.add(key)
      state.touched = true
      parts.push(JSON.stringify({ text: state.hasText ? `\n\n${outcome.text}` : outcome.text }))
      state.hasText = true
    }
    return parts
  }
}

/** The text of the parts of one candidate in one chunk, as it was decided. Each channel is told once, where it begins. */
class PartTexts {
  readonly #note: CandidateNote
  readonly #decided: Decided
  readonly #told = new Set<string>()
  readonly #joined: string | undefined

  constructor(note: CandidateNote, decided: Decided) {
    this.#note = note
    this.#decided = decided
    const own = ['text', 'thought'].some((name) => editOf(note, name, decided) !== undefined)
    this.#joined = own ? undefined : editOf(note, JOINED, decided)
  }

  /** The text in the place of a part's; undefined = the part is as it was, empty = its text was told before. */
  of(part: PartNote): string | undefined {
    const { text } = part
    if (text !== null && this.#joined !== undefined) return this.#once(JOINED, this.#joined)
    const names = text === null ? part.others : [text, ...part.others]
    for (const name of names) {
      const edit = editOf(this.#note, name, this.#decided)
      if (edit !== undefined) return this.#once(name, edit)
    }
    return undefined
  }

  #once(name: string, text: string): string {
    if (this.#told.has(name)) return ''
    this.#told.add(name)
    return text
  }
}

/** What was decided about a channel in this chunk, without what was told before. */
function editOf(note: CandidateNote, name: string, decided: Decided): string | undefined {
  const piece = note.texts.find((text) => text.member === name)
  const edit = piece === undefined ? undefined : decided.text(channelOf(note.choice, piece))
  const lead = name === JOINED ? (note.joined?.lead ?? '') : ''
  if (edit === undefined || lead === '') return edit
  let shared = 0
  while (shared < lead.length && lead[shared] === edit[shared]) shared += 1
  return edit.slice(shared)
}

function channelOf(choice: number, { kind, member: name }: TextPiece): Channel {
  return { choice, kind, member: name }
}

/** A part with other text; one whose text is gone stays only for its signature. */
function textPart(part: PartNote, edit: string | undefined): string[] {
  const text = edit ?? part.value['text']
  const signature = member(part.value, 'thoughtSignature')
  const signed = part.keys.length === 0 && part.text !== null && signature !== undefined
  if (text === '' && !signed) return []
  const kept: Record<string, unknown> = { text }
  if (part.text === 'thought') kept['thought'] = true
  if (signed) kept['thoughtSignature'] = signature
  return [JSON.stringify(kept)]
}

/** A part in the provider's own spelling, unless that would break the line of an event. */
function oneLine(raw: string | undefined, value: Json): string {
  return raw === undefined || /[\r\n]/.test(raw) ? JSON.stringify(value) : raw
}

const EMPTY_PART = '{"text":""}'

function emptied(choice: number): string {
  return `{"content":{"parts":[${EMPTY_PART}],"role":"model"},"index":${choice}}`
}

const CALL_MEMBERS = bothNames('functionCall', 'thoughtSignature')

/** The call of a part whose text was edited. */
function callPart(part: PartNote): string {
  return JSON.stringify(Object.fromEntries(Object.entries(part.value).filter(([key]) => CALL_MEMBERS.has(key))))
}

function roleOf(note: CandidateNote): string {
  const role = note.content['role']
  return typeof role === 'string' ? `,"role":${JSON.stringify(role)}` : ''
}

/** Members under the name that the provider gave them; where a call may hide beside them, plain values alone. */
function keep(members: string[], value: Json, names: readonly string[], plain = false): void {
  for (const name of names)
    for (const spelt of new Set([name, snakeOf(name)])) {
      const own = value[spelt]
      if (own === undefined || (plain && typeof own === 'object')) continue
      members.push(`${JSON.stringify(spelt)}:${JSON.stringify(own)}`)
    }
}

function tellsAgain(note: CandidateNote, state: CandidateState): boolean {
  const names = state.edited ? [...TELLS_AGAIN, ...KEPT_IF_UNEDITED, 'groundingAttributions'] : TELLS_AGAIN
  return names.some((name) => member(note.value, name) !== undefined)
}

function callsOf(note: CandidateNote): readonly string[] {
  return [...note.parts.flatMap((part) => part.keys), ...note.strays]
}

function isRefused(key: string, decided: Decided): boolean {
  return decided.outcome(key).kind === 'refused'
}

function hasText(note: CandidateNote): boolean {
  return note.parts.some((part) => part.text === 'text' && part.value['text'] !== '')
}
