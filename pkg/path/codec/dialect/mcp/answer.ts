import type { AnswerBody, Decided, Message, Reading, RequestView, Work } from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { ItemReader, keptOf, type Note, refusedText } from './items.ts'
import { errorOf } from './refuse.ts'
import { requestOf } from './request.ts'

const encoder = new TextEncoder()

/** Reads an answer in JSON: one message, or in the oldest revision several. */
export function readAnswer(
  view: RequestView,
  body: Uint8Array,
  work: Work,
): Reading<AnswerBody> | Promise<Reading<AnswerBody>> {
  const bounds = { depth: work.limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }
  const read = (parsed: Reading<unknown>): Reading<AnswerBody> =>
    parsed.ok ? readMessages(view, body, parsed.value, work) : parsed
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'envelope' }, read)
}

function readMessages(view: RequestView, body: Uint8Array, value: unknown, { limits }: Work): Reading<AnswerBody> {
  const messages: Message[] = []
  const reader = new ItemReader(view, limits)
  const note = reader.read(value, 0, messages)
  if (note === null) {
    const detail = 'is no JSON-RPC message that answers what was asked'
    return { ok: false, reason: 'WIRE_FRAME_MALFORMED', at: 0, detail }
  }
  if (reader.overflown)
    return { ok: false, reason: 'WIRE_CALL_LIMIT', at: 0, detail: 'asks for more than the limit of one answer' }
  const write = (decided: Decided): Uint8Array => rebuild(view, body, note, decided)
  return { ok: true, value: { messages, write, original: () => '', answerId: () => null } }
}

/** The body as it came unless something of it was refused; then each message as it came, or what stands in its place. */
function rebuild(view: RequestView, body: Uint8Array, note: Note, decided: Decided): Uint8Array {
  const kept = note.items.map((item) => keptOf(item, decided, view))
  if (kept.every(({ kind }) => kind === 'same')) return body
  const left = note.items.flatMap((item, position) => {
    const one = kept[position]
    if (one?.kind === 'same') return [item.rpc.value]
    return one?.kind === 'other' ? [one.value] : []
  })
  if (note.isBatch && left.length > 0) return jsonOf(left)
  return jsonOf(left[0] ?? errorOf(firstIdOf(view), textOf(note, decided)))
}

function firstIdOf(view: RequestView): string | number | null {
  for (const rpc of requestOf(view)?.messages ?? []) if (rpc.kind === 'request') return rpc.id
  return null
}

function textOf(note: Note, decided: Decided): string {
  return (
    refusedText(
      note.items.flatMap(({ calls }) => calls),
      decided,
    ) ?? ''
  )
}

const jsonOf = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))
