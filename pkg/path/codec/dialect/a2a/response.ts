import type { AnswerStream, Decided, Frame, Limits, Message, RequestView } from '#pkg/model'
import { parseStrict } from '#pkg/path/codec/wire/json'
import { requestOf } from './asked.ts'
import { ItemReader, type Note, refusedText } from './items.ts'
import { refusedEvent } from './refuse.ts'

/** A streamed answer: one result an event. Readers of JSON-RPC look at no event's name, so none hides anything. */
export function openStream(view: RequestView, limits: Limits): AnswerStream {
  return new EventStream(view, limits)
}

class EventStream implements AnswerStream {
  readonly #view: RequestView
  readonly #limits: Limits
  readonly #reader: ItemReader
  /** Of frames that have not been written yet. */
  readonly #notes = new Map<Frame, Note>()
  /** A task that was rejected has come to its end: nothing of it follows. */
  #over = false

  constructor(view: RequestView, limits: Limits) {
    this.#view = view
    this.#limits = limits
    this.#reader = new ItemReader(view, limits)
  }

  read(frame: Frame): readonly Message[] {
    if (frame.kind === 'fault') return [streamFault(frame.reason, frame.at)]
    if (this.#over || frame.kind === 'comment' || frame.data.trim() === '') return []
    const bounds = { depth: this.#limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }
    const parsed = parseStrict(frame.data, bounds, 'envelope')
    if (!parsed.ok) return [streamFault(parsed.reason, frame.at)]
    const out: Message[] = []
    const note = this.#reader.read(parsed.value, frame.at, out)
    if (note === null) return [streamFault('WIRE_FRAME_MALFORMED', frame.at)]
    if (note.calls.length > 0) this.#notes.set(frame, note)
    return out
  }

  get over(): boolean {
    return this.#over
  }

  end(): readonly Message[] {
    return []
  }

  write(frame: Frame, decided: Decided): readonly Uint8Array[] {
    const note = this.#notes.get(frame)
    this.#notes.delete(frame)
    if (this.#over) return []
    const text = note === undefined ? null : refusedText(note.calls, decided)
    if (text === null) return [frame.raw]
    this.#over = true
    return [refusedEvent(requestOf(this.#view), text)]
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
