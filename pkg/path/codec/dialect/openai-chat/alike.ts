import type { ArgumentForm, Channel, Message } from '#pkg/model'
import { type AlikePlan, AlikeTexts } from '#pkg/path/codec/wire/json'
import { asArray, asObject, type Json, type TextPiece } from '#pkg/path/codec/wire/shape'
import { type CallTracker, onlyArguments } from './calls.ts'
import type { ChoiceNote, ChunkNote } from './chunk.ts'

/** What a chunk of one shape says: more text of a member, or more arguments of a call. */
type ChunkPlan = AlikePlan & { readonly choice: number } & (
    | { readonly kind: 'text'; readonly channel: Channel }
    | { readonly kind: 'call'; readonly index: number; readonly form: ArgumentForm }
  )

/** Reads chunks that are like one before them. Most of a stream is. */
export type AlikeChunks = {
  /** Reads such a chunk; messages are appended to `out`. null = it has to be read by itself. */
  read(data: string, at: number, out: Message[]): ChunkNote | null
  /** Takes a chunk that was read by itself, with what was found in it, for a model. */
  learn(data: string, note: ChunkNote, found: readonly Message[]): void
}

/** Members of a delta that are text when they are strings. */
const TEXT_MEMBERS: ReadonlySet<string> = new Set(['content', 'refusal', 'reasoning', 'reasoning_content', 'thinking'])

/** Makes the reader of one stream. */
export function newAlikeChunks(tracker: CallTracker): AlikeChunks {
  const alike = new AlikeTexts<ChunkPlan>((path) => path === 'obfuscation')
  return {
    read(data, at, out) {
      const found = alike.match(data)
      if (found === null || found.text === '') return null
      const { plan, text } = found
      if (plan.kind === 'call') {
        const key = tracker.more(plan, text, at, out)
        return new AlikeChunk(data, plan.choice, NO_TEXTS, [key])
      }
      out.push({ kind: 'text', at, channel: plan.channel, text })
      const { member, kind } = plan.channel
      return new AlikeChunk(data, plan.choice, [{ member, kind, text }], NO_TOOLS)
    },
    learn(data, note, found) {
      const plan = planOf(note, found)
      if (plan !== null) alike.learn(data, plan)
    },
  }
}

/** The plan of a chunk that says one thing only, in one string of its first choice. */
function planOf(note: ChunkNote, found: readonly Message[]): ChunkPlan | null {
  const [message] = found
  const [choice] = note.choices
  if (found.length !== 1 || message === undefined || note.choices.length !== 1 || choice === undefined) return null
  if (note.strays.length > 0 || choice.strays.length > 0 || choice.legacy !== null || choice.finish !== null)
    return null
  // echoes and log probabilities tell the text once more
  const { message: echo, text, logprobs } = choice.value
  if (echo !== undefined || text !== undefined || (logprobs !== undefined && logprobs !== null)) return null
  if (message.kind === 'text') return textPlanOf(choice, message)
  return message.kind === 'call-delta' ? callPlanOf(choice, message) : null
}

function textPlanOf(choice: ChoiceNote, message: Message & { kind: 'text' }): ChunkPlan | null {
  const { member } = message.channel
  const only = choice.texts.length === 1 && choice.tools.length === 0
  if (!only || !TEXT_MEMBERS.has(member) || choice.body[member] !== message.text) return null
  return { path: `choices.0.delta.${member}`, choice: choice.choice, kind: 'text', channel: message.channel }
}

function callPlanOf(choice: ChoiceNote, message: Message & { kind: 'call-delta' }): ChunkPlan | null {
  const list = asArray(choice.body['tool_calls'])
  const element = asObject(list?.[0])
  const index = element?.['index']
  if (choice.texts.length > 0 || list?.length !== 1 || element === null || typeof index !== 'number') return null
  const form = onlyArguments(element)
  if (form === null) return null
  const [place, member] = form === 'json' ? (['function', 'arguments'] as const) : (['custom', 'input'] as const)
  if (asObject(element[place])?.[member] !== message.text) return null
  const path = `choices.0.delta.tool_calls.0.${place}.${member}`
  return { path, choice: choice.choice, kind: 'call', index, form }
}

const NO_TEXTS: readonly TextPiece[] = []
const NO_TOOLS: readonly string[] = []
const NO_STRAYS: readonly string[] = []

/** The note of a chunk that was read by its likeness: its JSON is read only where the chunk has to be rebuilt. */
class AlikeChunk implements ChunkNote {
  readonly choices: readonly [AlikeChoice]
  readonly strays = NO_STRAYS
  readonly #data: string
  #value: Json | null = null

  constructor(data: string, choice: number, texts: readonly TextPiece[], tools: readonly string[]) {
    this.#data = data
    this.choices = [new AlikeChoice(this, choice, texts, tools)]
  }

  get value(): Json {
    this.#value ??= asObject(JSON.parse(this.#data)) ?? {} // as strict as its model
    return this.#value
  }
}

class AlikeChoice implements ChoiceNote {
  readonly choice: number
  readonly texts: readonly TextPiece[]
  readonly tools: readonly string[]
  readonly legacy = null
  readonly finish = null
  readonly strays = NO_STRAYS
  readonly #chunk: AlikeChunk

  constructor(chunk: AlikeChunk, choice: number, texts: readonly TextPiece[], tools: readonly string[]) {
    this.#chunk = chunk
    this.choice = choice
    this.texts = texts
    this.tools = tools
  }

  get value(): Json {
    return asObject(asArray(this.#chunk.value['choices'])?.[0]) ?? {}
  }

  get body(): Json {
    return asObject(this.value['delta']) ?? {}
  }
}
