import type { AnswerBody, Decided, Limits, Message, Reading, RequestView, Work } from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { asArray, type Json } from '#pkg/path/codec/wire/shape'
import { CALLS_FOLLOW, originalOf } from './call.ts'
import { newCallTracker } from './calls.ts'
import { CHUNK_KEYS, type ChoiceNote, type ChunkNote, choicesAsked, chunkOf, readChunk } from './chunk.ts'
import { textMembers } from './refuse.ts'
import { textOf } from './shape.ts'

const encoder = new TextEncoder()
const NO_CALLS: Omit<AnswerBody, 'write'> = { messages: [], original: () => '', answerId: () => null }

/** Reads an answer that does not stream. Bodies without `choices` (errors, model lists) pass as they are. */
export function readAnswer(
  view: RequestView,
  body: Uint8Array,
  work: Work,
): Reading<AnswerBody> | Promise<Reading<AnswerBody>> {
  const bounds = { depth: work.limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'chunk' }, (parsed) => readParsed(view, body, parsed, work.limits))
}

function readParsed(
  view: RequestView,
  body: Uint8Array,
  reading: Reading<unknown>,
  limits: Limits,
): Reading<AnswerBody> {
  const parsed = chunkOf(reading)
  if (!parsed.ok) return parsed
  if (view.endpoint.kind === 'plain') return { ok: true, value: { ...NO_CALLS, write: () => body } }
  const tracker = newCallTracker(limits)
  const messages: Message[] = []
  const note = readChunk(
    parsed.value,
    { member: 'message', choices: choicesAsked(view), tracker, freshEcho: (_, echo) => echo, members: new Set() },
    0,
    messages,
  )
  tracker.end(body.length, messages)
  return {
    ok: true,
    value: {
      messages,
      write: (decided) => (isTouched(note, decided) ? rebuild(view, note, decided) : body),
      callId: (call) => tracker.find(call)?.id ?? null,
      answerId: () => null,
      original: (key) => {
        const call = tracker.find(key)
        return call === undefined || call.overflow ? '' : JSON.stringify(originalOf(call))
      },
    },
  }
}

function isTouched(note: ChunkNote, decided: Decided): boolean {
  const refused = (key: string): boolean => decided.outcome(key).kind === 'refused'
  if (note.strays.some(refused)) return true
  return note.choices.some(
    (choice) =>
      choice.tools.some(refused) ||
      choice.strays.some(refused) ||
      (choice.legacy !== null && refused(choice.legacy)) ||
      choice.texts.some(({ kind, member }) => decided.text({ choice: choice.choice, kind, member }) !== undefined),
  )
}

function rebuild(view: RequestView, note: ChunkNote, decided: Decided): Uint8Array {
  const answer: Record<string, unknown> = {}
  const vouched = note.strays.length === 0 ? [...CHUNK_KEYS] : ['id', 'object', 'created', 'model']
  for (const key of vouched) if (key !== 'choices' && note.value[key] !== undefined) answer[key] = note.value[key]
  const stray = refusalsOf(note.strays, decided)
  answer['choices'] = note.choices.map((choice, position) =>
    rebuildChoice(view, choice, position === 0 ? stray : [], decided),
  )
  return encoder.encode(JSON.stringify(answer))
}

function rebuildChoice(view: RequestView, note: ChoiceNote, stray: readonly string[], decided: Decided): Json {
  const keep = (key: string): boolean => decided.outcome(key).kind === 'released'
  const message: Record<string, unknown> = {}
  if (typeof note.body['role'] === 'string') message['role'] = note.body['role']
  Object.assign(message, textMembers(MEMBERS, note, decided))
  const edits = note.texts.some(({ kind, member }) => decided.text({ choice: note.choice, kind, member }) !== undefined)
  if (note.strays.length === 0 && !edits && note.body['annotations'] !== undefined)
    message['annotations'] = note.body['annotations']
  const elements = asArray(note.body['tool_calls']) ?? []
  const tools = elements.filter((_, position) => keep(note.tools[position] ?? ''))
  if (tools.length > 0) message['tool_calls'] = tools
  const legacy = note.legacy !== null && keep(note.legacy)
  if (legacy) message['function_call'] = note.body['function_call']
  const keys = [...note.tools, ...(note.legacy === null ? [] : [note.legacy]), ...note.strays]
  const refusals = [...refusalsOf(keys, decided), ...stray]
  const member = view.structuredOutput ? 'refusal' : 'content'
  const before = textOf(message[member])
  if (refusals.length > 0) message[member] = [before, ...refusals].filter((text) => text !== '').join('\n\n')
  const finish = note.finish
  const none = refusals.length > 0 && tools.length === 0 && !legacy
  const mapped = none && finish !== null && CALLS_FOLLOW.has(finish) ? 'stop' : finish
  return { index: note.choice, message, logprobs: null, finish_reason: mapped }
}

const MEMBERS = ['content', 'refusal', 'reasoning_content', 'reasoning', 'thinking'] as const

function refusalsOf(keys: readonly string[], decided: Decided): readonly string[] {
  const texts: string[] = []
  for (const key of new Set(keys)) {
    const outcome = decided.outcome(key)
    if (outcome.kind === 'refused') texts.push(outcome.text)
  }
  return texts
}
