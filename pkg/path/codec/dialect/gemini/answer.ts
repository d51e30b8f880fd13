import type { AnswerBody, Limits, Message, Reading, RequestView, Work } from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { asArray, type Json } from '#pkg/path/codec/wire/shape'
import { originalOf } from './call.ts'
import { newCallTracker } from './calls.ts'
import { chunkOf, malformedReading, newChunkReader, readChunk } from './chunk.ts'
import { newRewriter } from './refuse.ts'

const encoder = new TextEncoder()
const NO_CALLS: Omit<AnswerBody, 'write'> = { messages: [], original: () => '', answerId: () => null }

/**
 * Reads an answer that does not stream: one chunk, or the array that an error comes in where an array was asked for.
 * Bodies without `candidates` (errors, model lists) pass as they are.
 */
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
  if (!reading.ok) return malformedReading(reading)
  const list = view.endpoint.framing === 'json-array' ? asArray(reading.value) : null
  const chunks: Json[] = []
  for (const element of list ?? [reading.value]) {
    const chunk = chunkOf(element)
    if (!chunk.ok) return chunk
    if (list !== null && chunk.value['candidates'] !== undefined) return STREAM
    chunks.push(chunk.value)
  }
  if (view.endpoint.kind === 'plain') return { ok: true, value: { ...NO_CALLS, write: () => body } }
  return { ok: true, value: judged(view, chunks, { body, limits, isList: list !== null }) }
}

const STREAM: Reading<never> = {
  ok: false,
  reason: 'WIRE_FRAME_MALFORMED',
  at: 0,
  detail: 'is a list of answers where an error is expected',
}

type Whole = { readonly body: Uint8Array; readonly limits: Limits; readonly isList: boolean }

function judged(view: RequestView, chunks: readonly Json[], whole: Whole): AnswerBody {
  const { body, isList } = whole
  const tracker = newCallTracker(whole.limits)
  const reader = newChunkReader(view, tracker)
  const messages: Message[] = []
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  const notes = chunks.map((value, place) =>
    readChunk({ value, text, path: isList ? [place] : [] }, reader, 0, messages),
  )
  tracker.end(body.length, messages)
  return {
    messages,
    write: (decided) => {
      const rewriter = newRewriter()
      const written = notes.map((note) => rewriter.chunk(note, decided))
      if (written.every((json) => json === 'same')) return body
      const left = written.map((json, place) => (json === 'same' ? JSON.stringify(chunks[place]) : json))
      return encoder.encode(isList ? `[${left.join(',\n')}]` : (left[0] ?? '{}'))
    },
    callId: (call) => tracker.find(call)?.id ?? null,
    answerId: () => null,
    original: (call) => originalOf(tracker.find(call)),
  }
}
