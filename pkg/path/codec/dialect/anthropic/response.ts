import type { AnswerStream, Frame, Limits, Message, Reading, RequestView } from '#pkg/model'
import { asObject } from '#pkg/path/codec/wire/shape'
import { originalOf } from './block.ts'
import { newCallTracker } from './blocks.ts'
import { type EventNote, newStreamState, parseEvent, readEvent } from './event.ts'
import { newRewriter } from './refuse.ts'

/** A streamed answer of the Messages API: events in, messages out, and the same events back out. WIRE.md §2. */
export function openStream(view: RequestView, limits: Limits): AnswerStream {
  const tracker = newCallTracker(view.tools, limits)
  const state = newStreamState()
  const reader = { tracker, limits, state }
  /** Of frames that have not been written yet. */
  const notes = new Map<Frame, EventNote>()
  const rewriter = newRewriter()

  const readFrame = (frame: Frame & { kind: 'event' }, out: Message[], parsed?: Reading<unknown>): void => {
    const data = frame.data.trim()
    if (data === '') return
    if (data === '[DONE]' && frame.event === null) {
      state.ended = true
      return tracker.end(frame.at, out)
    }
    const event = parseEvent(frame, limits, parsed)
    if (!event.ok) {
      out.push({ kind: 'fault', at: frame.at, scope: 'stream', reason: event.reason, call: null })
      return
    }
    const input = { value: event.value, data: frame.data, at: frame.at }
    const note = readEvent(reader, frame.event !== null, input, out)
    if (note !== null) notes.set(frame, note)
  }

  return {
    read(frame, parsed) {
      const out: Message[] = []
      if (frame.kind === 'event') readFrame(frame, out, parsed)
      else if (frame.kind === 'fault') {
        out.push({ kind: 'fault', at: frame.at, scope: 'stream', reason: frame.reason, call: null })
      }
      return out
    },
    end() {
      const out: Message[] = []
      tracker.end(Number.MAX_SAFE_INTEGER, out)
      return out
    },
    write(frame, decided) {
      const note = notes.get(frame)
      if (note === undefined) return [frame.raw]
      notes.delete(frame)
      const named = frame.kind === 'event' && frame.event !== null
      return rewriter.event(note, named, decided) ?? [frame.raw]
    },
    callId: (call) => tracker.find(call)?.id ?? null,
    answerId: () => (isKept(view) ? state.id : null),
    original(key) {
      const call = tracker.find(key)
      const original = call === undefined ? null : originalOf(call)
      return original === null ? '' : JSON.stringify(original)
    },
  }
}

/** Does the provider keep this conversation, so that a later request goes on from it by the id of its last answer? */
export function isKept(view: RequestView): boolean {
  return asObject(view.value?.['thread']) !== null
}
