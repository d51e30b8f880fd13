import type { Channel, Decided, RequestView } from '#pkg/model'
import { asArray, asObject, type Json, type TextPiece } from '#pkg/path/codec/wire/shape'
import { CALLS_FOLLOW } from './call.ts'
import type { CallTracker } from './calls.ts'
import type { ChoiceNote, ChunkNote } from './chunk.ts'
import { rebuiltText } from './text-channels.ts'

/** What left for one choice so far. */
type ChoiceState = {
  /** Text was released before, so that a refusal begins after a blank line. */
  hasText: boolean
  /** A call of this choice was refused: from here on its chunks are rebuilt. */
  refused: boolean
  /** A call or a text of this choice was refused: what tells of it again does not leave. */
  touched: boolean
  released: number
  nextIndex: number
  /** Released calls and the index under which each left; null for one without. */
  readonly indices: Map<string, number | null>
  readonly told: Set<string>
}

/** Rewrites chunks where a call was refused or text was cut out. */
export type Rewriter = {
  /** The bytes that leave for a chunk, or null when the chunk's own bytes may. */
  chunk(note: ChunkNote, decided: Decided): readonly Uint8Array[] | null
}

const encoder = new TextEncoder()

/** Members that a rebuilt chunk keeps. Nothing else leaves: what is not known cannot be vouched for. */
const KEPT = ['id', 'object', 'created', 'model', 'service_tier', 'system_fingerprint'] as const
const KEPT_IN_BODY = ['content', 'refusal', 'reasoning_content', 'reasoning', 'thinking'] as const

/** Makes the rewriter of one streamed answer. */
export function newRewriter(view: RequestView, tracker: CallTracker): Rewriter {
  return new ChunkRewriter(view, tracker)
}

class ChunkRewriter implements Rewriter {
  readonly #view: RequestView
  readonly #tracker: CallTracker
  readonly #states = new Map<number, ChoiceState>()
  #anyRefused = false

  constructor(view: RequestView, tracker: CallTracker) {
    this.#view = view
    this.#tracker = tracker
  }

  chunk(note: ChunkNote, decided: Decided): readonly Uint8Array[] | null {
    let dirty = note.strays.some((key) => decided.outcome(key).kind === 'refused')
    for (const choice of note.choices) if (this.#isDirty(choice, decided)) dirty = true
    this.#anyRefused ||= dirty
    if (dirty) return this.#rebuild(note, decided)
    const echoes = this.#anyRefused && note.choices.some(tellsAgain)
    if (echoes) return this.#rebuild(note, decided)
    for (const choice of note.choices) this.#follow(choice)
    return null
  }

  #stateOf(choice: number): ChoiceState {
    let state = this.#states.get(choice)
    if (state === undefined) {
      state = {
        hasText: false,
        refused: false,
        touched: false,
        released: 0,
        nextIndex: 0,
        indices: new Map(),
        told: new Set(),
      }
      this.#states.set(choice, state)
    }
    return state
  }

  /** Is there anything in this choice that may not leave as it came? */
  #isDirty(note: ChoiceNote, decided: Decided): boolean {
    const state = this.#stateOf(note.choice)
    const keys = callsOf(note)
    if (keys.some((key) => decided.outcome(key).kind === 'refused')) state.refused = true
    const edited = channelsOf(note).some((channel) => decided.text(channel) !== undefined)
    state.touched ||= state.refused || edited
    if (edited || (state.touched && tellsAgain(note))) return true
    return state.refused && (keys.length > 0 || note.finish !== null)
  }

  /** Keeps count of what leaves untouched, so that later survivors are numbered after it. */
  #follow(note: ChoiceNote): void {
    const state = this.#stateOf(note.choice)
    if (hasText(note.texts)) state.hasText = true
    for (const key of callsOf(note)) survive(state, key, this.#tracker.find(key)?.index ?? null)
  }

  #rebuild(note: ChunkNote, decided: Decided): readonly Uint8Array[] {
    const out: Json[] = []
    for (const choice of note.choices) out.push(...this.#rebuildChoice(choice, decided))
    for (const key of note.strays) out.push(...this.#tell(key, 0, decided))
    const head: Record<string, unknown> = {}
    for (const key of KEPT) if (note.value[key] !== undefined) head[key] = note.value[key]
    const chunks = out.map((choice) => ({ ...head, choices: [choice] }) as Record<string, unknown>)
    const last = chunks.at(-1)
    if (note.value['usage'] !== undefined && note.strays.length === 0) {
      if (last !== undefined) last['usage'] = note.value['usage']
      else chunks.push({ ...head, choices: [], usage: note.value['usage'] })
    }
    return chunks.map((chunk) => encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`))
  }

  #rebuildChoice(note: ChoiceNote, decided: Decided): Json[] {
    const state = this.#stateOf(note.choice)
    const body = this.#bodyOf(note, state, decided)
    const refusals = callsOf(note).flatMap((key) => this.#tell(key, note.choice, decided))
    const finish = note.finish === null ? null : finishOf(note.finish, state)
    const chunks: Record<string, unknown>[] = []
    if (Object.keys(body).length > 0) chunks.push(choiceOf(note.choice, body, null))
    chunks.push(...refusals)
    if (finish !== null) {
      const only = chunks.length === 1 && refusals.length === 0 ? chunks[0] : undefined
      if (only !== undefined) only['finish_reason'] = finish
      else chunks.push(choiceOf(note.choice, {}, finish))
    }
    return chunks
  }

  /** The refusal in the place of a call, once. */
  #tell(key: string, choice: number, decided: Decided): Record<string, unknown>[] {
    const state = this.#stateOf(choice)
    const outcome = decided.outcome(key)
    if (outcome.kind === 'released' || state.told.has(key)) return []
    state.told.add(key)
    const text = state.hasText ? `\n\n${outcome.text}` : outcome.text
    state.hasText = true
    return [choiceOf(choice, this.#view.structuredOutput ? { refusal: text } : { content: text }, null)]
  }

  #bodyOf(note: ChoiceNote, state: ChoiceState, decided: Decided): Record<string, unknown> {
    const body: Record<string, unknown> = {}
    if (typeof note.body['role'] === 'string') body['role'] = note.body['role']
    Object.assign(body, textMembers(KEPT_IN_BODY, note, decided))
    if (body['content'] === null && body['role'] === undefined) delete body['content']
    if (hasText(note.texts)) state.hasText = true
    const tools = survivors(note, state, decided, this.#tracker)
    if (tools.length > 0) body['tool_calls'] = tools
    const legacy = note.legacy
    if (legacy !== null && decided.outcome(legacy).kind === 'released') {
      body['function_call'] = note.body['function_call']
      survive(state, legacy, null)
    }
    return body
  }
}

/** The text members of a rebuilt delta or message, as they were decided. */
export function textMembers(keys: readonly string[], note: ChoiceNote, decided: Decided): Record<string, unknown> {
  const edited = ({ kind, member }: TextPiece): string | undefined =>
    decided.text({ choice: note.choice, kind, member })
  const members: Record<string, unknown> = {}
  for (const key of keys) {
    if (note.body[key] !== undefined) members[key] = rebuiltText(key, note.body[key], note.texts, edited)
  }
  return members
}

/** Echoes and log probabilities tell again what a member has told before. */
function tellsAgain(note: ChoiceNote): boolean {
  const { message, text, logprobs } = note.value
  return message !== undefined || text !== undefined || (logprobs !== undefined && logprobs !== null)
}

function hasText(texts: readonly TextPiece[]): boolean {
  return texts.some(({ kind, text }) => (kind === 'text' || kind === 'refusal') && text !== '')
}

function callsOf(note: ChoiceNote): readonly string[] {
  if (note.legacy === null && note.strays.length === 0 && note.tools.length < 2) return note.tools
  const keys = [...note.tools, ...note.strays]
  if (note.legacy !== null) keys.push(note.legacy)
  return keys.length < 2 ? keys : [...new Set(keys)]
}

function channelsOf(note: ChoiceNote): readonly Channel[] {
  return note.texts.map(({ kind, member }) => ({ choice: note.choice, kind, member }))
}

function choiceOf(index: number, delta: Json, finish: string | null): Record<string, unknown> {
  return { index, delta, logprobs: null, finish_reason: finish }
}

function finishOf(finish: string, state: ChoiceState): string {
  return state.refused && state.released === 0 && CALLS_FOLLOW.has(finish) ? 'stop' : finish
}

/** Notes that a call left, under its own index or, after a refusal, under the next free one. */
function survive(state: ChoiceState, key: string, given: number | null): number | null {
  const known = state.indices.get(key)
  if (known !== undefined) return known
  const index = given !== null && state.refused ? state.nextIndex : given
  state.released += 1
  state.indices.set(key, index)
  if (index !== null) state.nextIndex = Math.max(state.nextIndex, index + 1)
  return index
}

/** The elements of `tool_calls` that may leave, numbered without a gap. */
function survivors(note: ChoiceNote, state: ChoiceState, decided: Decided, tracker: CallTracker): Json[] {
  const out: Json[] = []
  for (const [position, element] of (asArray(note.body['tool_calls']) ?? []).entries()) {
    const key = note.tools[position]
    const object = asObject(element)
    if (key === undefined || object === null || decided.outcome(key).kind === 'refused') continue
    const index = survive(state, key, tracker.find(key)?.index ?? null)
    out.push(index === null ? object : { ...object, index })
  }
  return out
}
