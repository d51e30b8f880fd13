import type { AnswerBody, Decided, Limits, Message, Reading, RequestView, Work } from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { asArray, asObject, asText, type Json, pushTexts, type TextPiece } from '#pkg/path/codec/wire/shape'
import { originalOf } from './block.ts'
import { type CallTracker, newCallTracker } from './blocks.ts'
import { type ContentNote, isContentTouched, readContent, rebuildContent, refusalBlock } from './content.ts'
import { isMisnamed, messageHides, QUIET_IN_MESSAGE } from './event.ts'
import { isKept } from './response.ts'
import { othersOf } from './texts.ts'

const encoder = new TextEncoder()

/** Members that a rebuilt answer keeps where nothing else can be vouched for. */
const VOUCHED = ['id', 'type', 'role', 'model', 'stop_reason', 'stop_sequence'] as const

/** What one answer holds. */
type Note = {
  readonly value: Json
  readonly content: ContentNote
  readonly more: readonly TextPiece[]
  readonly stray: string | null
}

/** Reads an answer that does not stream. Bodies without `content` (errors, model lists) pass if they hide no call. */
export function readAnswer(
  view: RequestView,
  body: Uint8Array,
  work: Work,
): Reading<AnswerBody> | Promise<Reading<AnswerBody>> {
  const bounds = { depth: work.limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'chunk' }, (parsed) => readParsed(view, body, parsed, work.limits))
}

const malformed = (detail: string): Reading<never> => ({ ok: false, reason: 'WIRE_FRAME_MALFORMED', at: 0, detail })

function readParsed(
  view: RequestView,
  body: Uint8Array,
  parsed: Reading<unknown>,
  limits: Limits,
): Reading<AnswerBody> {
  if (!parsed.ok) return parsed.reason === 'WIRE_INVALID_JSON' ? malformed(parsed.detail) : parsed
  const value = asObject(parsed.value)
  if (value === null) return malformed('is not a JSON object')
  const tracker = newCallTracker(view.tools, limits)
  if (view.endpoint.kind === 'plain') {
    return { ok: true, value: { messages: [], write: () => body, original: () => '', answerId: () => null } }
  }
  const messages: Message[] = []
  const note = readMessage(tracker, value, body, messages)
  if (note === null) return malformed('is no message: its "type" is another, or its "content" is no list of blocks')
  return {
    ok: true,
    value: {
      messages,
      write: (decided) => (isTouched(note, decided) ? rebuild(note, decided) : body),
      callId: (call) => tracker.find(call)?.id ?? null,
      answerId: () => (isKept(view) ? asText(value['id']) : null),
      original: (key) => {
        const call = tracker.find(key)
        const original = call === undefined ? null : originalOf(call)
        return original === null ? '' : JSON.stringify(original)
      },
    },
  }
}

function readMessage(tracker: CallTracker, value: Json, body: Uint8Array, out: Message[]): Note | null {
  const list = asArray(value['content'] ?? [])
  if (list === null || (isMisnamed(value) && value['type'] !== 'error')) return null
  const stray = messageHides(value) ? tracker.stray('WIRE_UNKNOWN_SHAPE', 0, out) : null
  const text = list.length === 0 ? '' : new TextDecoder().decode(body)
  const content = readContent(tracker, list, { text, at: 0 }, out)
  if (content === null) return null
  const more = othersOf('message', value, value['type'] === 'error' ? ERROR_KEYS : QUIET_IN_MESSAGE)
  if (more === null) return null
  pushTexts(content.texts, 0, 0, out)
  pushTexts(more, 0, 0, out)
  return { value, content, more, stray }
}

const ERROR_KEYS = new Set(['type', 'error', 'request_id'])

function isTouched(note: Note, decided: Decided): boolean {
  const { content, stray } = note
  if (isContentTouched(content, decided) || isBesideTouched(note, decided)) return true
  return stray !== null && decided.outcome(stray).kind === 'refused'
}

function isBesideTouched({ more }: Note, decided: Decided): boolean {
  return more.some(({ kind, member }) => decided.text({ choice: 0, kind, member }) !== undefined)
}

function rebuild(note: Note, decided: Decided): Uint8Array {
  const { value, content, stray } = note
  const outcome = stray === null ? null : decided.outcome(stray)
  const refused = outcome?.kind === 'refused' ? outcome.text : null
  const answer: Record<string, unknown> = {}
  const bare = refused !== null || isBesideTouched(note, decided)
  for (const key of bare ? VOUCHED : Object.keys(value)) answer[key] = value[key]
  const blocks = [...rebuildContent(content, decided)]
  if (refused !== null) {
    const hasText = blocks.some((block) => block['type'] === 'text')
    blocks.push(refusalBlock(refused, hasText))
  }
  if (bare) answer['usage'] = { input_tokens: 0, output_tokens: 0 }
  answer['content'] = blocks
  const left = content.blocks.some(({ call }) => call !== null && decided.outcome(call.key).kind === 'released')
  const gone = refused !== null || content.blocks.some(({ call }) => call !== null && !left)
  if (answer['stop_reason'] === 'tool_use' && gone && !left) answer['stop_reason'] = 'end_turn'
  return encoder.encode(JSON.stringify(answer))
}
