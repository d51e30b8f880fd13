import type { AnswerStream, Decided, Frame, Limits, Message, Reading, RequestView } from '#pkg/model'
import { parseStrict } from '#pkg/path/codec/wire/json'
import { ItemReader, keptOf, type Note, refusedText } from './items.ts'
import { errorOf } from './refuse.ts'

const encoder = new TextEncoder()

/** A streamed answer, or the events of a session: one JSON-RPC message an event. */
export function openStream(view: RequestView, limits: Limits): AnswerStream {
  return new EventStream(view, limits)
}

/** Clients read events named `message`. What stands in others nobody has to get, and a careless client must not. */
const OF_ANOTHER_NAME: Note = { items: [], isBatch: false }

class EventStream implements AnswerStream {
  readonly #view: RequestView
  readonly #limits: Limits
  readonly #reader: ItemReader
  /** Of frames that have not been written yet. */
  readonly json = 'envelope'
  readonly #notes = new Map<Frame, Note>()
  #replies: Uint8Array[] = []

  constructor(view: RequestView, limits: Limits) {
    this.#view = view
    this.#limits = limits
    this.#reader = new ItemReader(view, limits)
  }

  read(frame: Frame, whole?: Reading<unknown>): readonly Message[] {
    if (frame.kind === 'fault') return [streamFault(frame.reason, frame.at)]
    // an event without data says where a stream may be taken up again, and nothing else
    if (frame.kind === 'comment' || frame.data.trim() === '') return []
    if (frame.event !== null && frame.event !== 'message') {
      this.#notes.set(frame, OF_ANOTHER_NAME)
      return []
    }
    const bounds = { depth: this.#limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }
    const parsed = whole ?? parseStrict(frame.data, bounds, this.json)
    if (!parsed.ok) return [streamFault(parsed.reason, frame.at)]
    const out: Message[] = []
    const note = this.#reader.read(parsed.value, frame.at, out)
    if (note === null) return [streamFault('WIRE_FRAME_MALFORMED', frame.at)]
    if (this.#reader.overflown) return [streamFault('WIRE_CALL_LIMIT', frame.at)]
    if (note.items.some(({ calls }) => calls.length > 0)) this.#notes.set(frame, note)
    return out
  }

  end(): readonly Message[] {
    return []
  }

  write(frame: Frame, decided: Decided): readonly Uint8Array[] {
    const note = this.#notes.get(frame)
    if (note === undefined) return [frame.raw]
    this.#notes.delete(frame)
    const kept = note.items.map((item) => keptOf(item, decided, this.#view))
    if (kept.length > 0 && kept.every(({ kind }) => kind === 'same')) return [frame.raw]
    const left: unknown[] = []
    for (const [position, item] of note.items.entries()) {
      const one = kept[position]
      if (one?.kind === 'same') left.push(item.rpc.value)
      else if (one?.kind === 'other') left.push(one.value)
      else if (item.rpc.kind === 'request') this.#answer(item.rpc.id, refusedText(item.calls, decided) ?? '')
    }
    if (left.length === 0) return []
    const data = JSON.stringify(note.isBatch ? left : left[0])
    return [encoder.encode(`event: message\ndata: ${data}\n\n`)]
  }

  /** The server waits for an answer that the client, which never saw the question, does not give. */
  #answer(id: string | number, text: string): void {
    this.#replies.push(encoder.encode(JSON.stringify(errorOf(id, text))))
  }

  replies(): readonly Uint8Array[] {
    const replies = this.#replies
    if (replies.length > 0) this.#replies = []
    return replies
  }

  original(): string {
    return ''
  }

  answerId(): null {
    return null
  }
}

function streamFault(reason: (Message & { kind: 'fault' })['reason'], at: number): Message {
  return { kind: 'fault', at, scope: 'stream', reason, call: null }
}
