import type { AnswerBody, Decided, Message, Reading, RequestView, Work } from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { requestOf } from './asked.ts'
import { type Shown, shownCard } from './card.ts'
import { ItemReader, listWithout, type Note, refusedText } from './items.ts'
import { jsonOf, refusalOf, rejectedTask, resultOf } from './refuse.ts'

/** Reads an answer that does not stream. */
export function readAnswer(
  view: RequestView,
  body: Uint8Array,
  work: Work,
): Reading<AnswerBody> | Promise<Reading<AnswerBody>> {
  const bounds = { depth: work.limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }
  const read = (parsed: Reading<unknown>): Reading<AnswerBody> => {
    if (!parsed.ok) return parsed
    const messages: Message[] = []
    const note = new ItemReader(view, work.limits).read(parsed.value, 0, messages)
    if (note === null) {
      const detail = 'is no answer to what was asked'
      return { ok: false, reason: 'WIRE_FRAME_MALFORMED', at: 0, detail }
    }
    return { ok: true, value: bodyOf(view, body, note, messages) }
  }
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'envelope' }, read)
}

function bodyOf(view: RequestView, body: Uint8Array, note: Note, messages: readonly Message[]): AnswerBody {
  const request = requestOf(view)
  // an error of the HTTP binding is one by its status
  const isFault = (decided: Decided): boolean =>
    request.binding === 'http' &&
    note.leaves !== 'list' &&
    refusedText(note.calls, decided) !== null &&
    isError(note, view)
  return {
    messages,
    write: (decided) => writeBody(view, body, note, decided),
    status: (decided) => (isFault(decided) ? 403 : null),
    original: () => '',
    answerId: () => null,
  }
}

/** The body as it came, unless something of it was refused, is not this agent's, or would lead past the facade. */
function writeBody(view: RequestView, body: Uint8Array, note: Note, decided: Decided): Uint8Array {
  const request = requestOf(view)
  const left = (result: unknown): Uint8Array => (result === note.result ? body : jsonOf(resultOf(request, result)))
  if (note.leaves === 'list') return left(listWithout(note, decided))
  const text = refusedText(note.calls, decided)
  if (text === null) return note.isCard === true ? left(shownCard(note.result, shownTo(view))) : body
  if (isError(note, view)) return jsonOf(refusalOf(request, text))
  const wrapped = request.operation === 'send' || request.operation === 'stream'
  return jsonOf(resultOf(request, rejectedTask(request, text, wrapped)))
}

/** Without a task there is nothing that could be rejected. */
function isError(note: Note, view: RequestView): boolean {
  return note.leaves === 'error' || requestOf(view).live.task === null
}

function shownTo(view: RequestView): Shown {
  return { urls: view.peer?.urls ?? [], skills: view.peer?.skills ?? [], address: requestOf(view).address }
}
