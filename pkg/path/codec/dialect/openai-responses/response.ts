import type { AnswerStream, Decided, Frame, Limits, Message, Reading, RequestView } from '#pkg/model'
import type { Json } from '#pkg/path/codec/wire/shape'
import { CallTracker } from './calls.ts'
import { startingAfter } from './endpoints.ts'
import { EventReader, type Note, parseEvent } from './event.ts'
import { contextOf } from './names.ts'
import type { AnswerReader } from './output.ts'
import { refusalEvents } from './refuse.ts'
import { Rewriter, refusedText } from './rewrite.ts'
import { originalOf, releasedItem } from './slot.ts'
import { Texts } from './texts.ts'

/** How an answer to this request is read. */
export function newReader(view: RequestView, limits: Limits): AnswerReader {
  return {
    tracker: new CallTracker(limits, view.tools),
    texts: new Texts(),
    context: contextOf(view),
    types: new Map(),
    about: { id: null, conversation: null, structured: view.structuredOutput },
  }
}

/** A streamed answer of the Responses API: events in, messages out, and the same events back out. WIRE.md §2. */
export function openStream(view: RequestView, limits: Limits): AnswerStream {
  const reader = newReader(view, limits)
  const { tracker, about } = reader
  const events = new EventReader(reader)
  /** Of frames that have not been written yet. Not a WeakMap: its entries outlive every minor collection. */
  const notes = new Map<Frame, Note>()
  const writer = new EventWriter(new Rewriter(about), startingAfter(view.endpoint))
  let done = false

  const readEvent = (frame: Frame & { kind: 'event' }, out: Message[], parsed?: Reading<unknown>): void => {
    const data = frame.data.trim()
    const over = done || events.over
    if (data === '[DONE]') {
      done = true
      return tracker.end({ at: frame.at, out })
    }
    if (data === '') return
    const value = parseEvent(frame, limits, parsed)
    if (!value.ok) return fault(value.reason, frame.at, out)
    const note = events.read(value.value, frame.event, frame.at, out)
    if (note === null) return fault('WIRE_FRAME_MALFORMED', frame.at, out)
    if (over && note.type !== 'error' && note.type !== 'keepalive') return fault('WIRE_AFTER_DONE', frame.at, out)
    notes.set(frame, note)
  }

  return {
    read(frame, parsed) {
      const out: Message[] = []
      if (frame.kind === 'event') readEvent(frame, out, parsed)
      else if (frame.kind === 'fault') fault(frame.reason, frame.at, out)
      return out
    },
    end() {
      const out: Message[] = []
      tracker.end({ at: Number.MAX_SAFE_INTEGER, out })
      return out
    },
    write(frame, decided) {
      const note = notes.get(frame)
      if (note === undefined) return [frame.raw]
      notes.delete(frame)
      return writer.write(note, decided) ?? [frame.raw]
    },
    callId: (key) => tracker.find(key)?.callId ?? null,
    answerId: () => about.conversation ?? about.id,
    original(call) {
      const slot = tracker.find(call)
      return slot === undefined ? '' : originalOf(slot)
    },
  }
}

function fault(reason: (Message & { kind: 'fault' })['reason'], at: number, out: Message[]): void {
  out.push({ kind: 'fault', at, scope: 'stream', reason, call: null })
}

const encoder = new TextEncoder()

/** Writes the events of one answer, numbered without a gap. */
class EventWriter {
  readonly #rewriter: Rewriter
  /** Events up to this number were asked not to be sent again. */
  readonly #after: number | null
  /** How far the numbers of what leaves are from those of what came. */
  #shift = 0
  #last = -1

  constructor(rewriter: Rewriter, after: number | null) {
    this.#rewriter = rewriter
    this.#after = after
  }

  /** The bytes that leave for an event; null = its own. */
  write(note: Note, decided: Decided): readonly Uint8Array[] | null {
    const values = this.#valuesOf(note, decided)
    const own = note.value['sequence_number']
    const number = typeof own === 'number' && Number.isSafeInteger(own) ? own : null
    const first = number === null ? this.#last + 1 : number + this.#shift
    const count = values?.length ?? 1
    const same = values === null && (this.#shift === 0 || number === null)
    this.#shift += number === null ? 0 : count - 1
    this.#last = first + count - 1
    const skipped = this.#after === null ? 0 : this.#after - first + 1
    if (same) return skipped > 0 ? [] : null
    return (values ?? [note.value])
      .map((value, position) => (number === null ? value : { ...value, sequence_number: first + position }))
      .slice(Math.max(0, skipped))
      .map((value) => encode(value, note))
  }

  /** The events in the place of one; null = unchanged. */
  #valuesOf(note: Note, decided: Decided): readonly Json[] | null {
    const { call, value } = note
    if (note.others.some((channel) => decided.text(channel) !== undefined)) return []
    if (call === null) {
      const rebuilt = this.#rewriter.rebuild(value, note, decided)
      return rebuilt === null ? null : [rebuilt]
    }
    const { slot, extras, role } = call
    const fate = this.#rewriter.fateOf(slot, decided)
    if (fate.refusal !== null) {
      const told = fate.told || slot.index === null
      fate.told = true
      return told || slot.index === null ? [] : refusalEvents(fate.refusal, slot.index)
    }
    if (role === 'done' && refusedText(extras, decided) !== null) return [{ ...value, item: releasedItem(slot) }]
    const rebuilt = this.#rewriter.rebuild(value, note, decided)
    return rebuilt === null ? null : [rebuilt]
  }
}

function encode(value: Json, { named }: Note): Uint8Array {
  const event = named && typeof value['type'] === 'string' ? `event: ${value['type']}\n` : ''
  return encoder.encode(`${event}data: ${JSON.stringify(value)}\n\n`)
}
