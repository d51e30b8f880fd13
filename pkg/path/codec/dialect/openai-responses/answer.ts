import type { AnswerBody, Limits, Message, Reading, RequestView, Work } from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { asObject, type Json } from '#pkg/path/codec/wire/shape'
import { newContents, readResponse } from './output.ts'
import { newReader } from './response.ts'
import { Rewriter } from './rewrite.ts'
import { originalOf } from './slot.ts'

const encoder = new TextEncoder()
const NO_CALLS: Omit<AnswerBody, 'write'> = { messages: [], original: () => '', answerId: () => null }

/** Reads an answer that does not stream. Bodies without `output` (errors) pass as they are, if no call hides in them. */
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
  parsed: Reading<unknown>,
  limits: Limits,
): Reading<AnswerBody> {
  if (!parsed.ok) {
    const reason = parsed.reason === 'WIRE_INVALID_JSON' ? 'WIRE_FRAME_MALFORMED' : parsed.reason
    return { ok: false, reason, at: parsed.at, detail: parsed.detail }
  }
  const value = asObject(parsed.value)
  if (value === null) return malformed('is not a JSON object')
  if (view.endpoint.kind === 'plain') return { ok: true, value: { ...NO_CALLS, write: () => body } }
  return readJudged(view, body, value, limits)
}

function readJudged(view: RequestView, body: Uint8Array, value: Json, limits: Limits): Reading<AnswerBody> {
  const reader = newReader(view, limits)
  const { tracker, about, texts } = reader
  const messages: Message[] = []
  const contents = newContents(0, messages)
  const unfinished = value['status'] === 'in_progress' || value['status'] === 'queued'
  if (!readResponse(value, [], unfinished ? 'unfinished' : 'final', reader, contents))
    return malformed('has an output that is no list of items')
  const found = texts.whole(contents.pieces, 0, messages)
  if (found === null) return malformed('has more texts than an answer may')
  contents.texts.push(...found)
  tracker.end({ at: body.length, out: messages })
  return {
    ok: true,
    value: {
      messages,
      write: (decided) => {
        const rebuilt = new Rewriter(about).rebuild(value, contents, decided)
        return rebuilt === null ? body : encoder.encode(JSON.stringify(rebuilt))
      },
      callId: (key) => tracker.find(key)?.callId ?? null,
      answerId: () => about.conversation ?? about.id,
      original: (key) => {
        const slot = tracker.find(key)
        return slot === undefined ? '' : originalOf(slot)
      },
    },
  }
}

const malformed = (detail: string): Reading<never> => ({ ok: false, reason: 'WIRE_FRAME_MALFORMED', at: 0, detail })
