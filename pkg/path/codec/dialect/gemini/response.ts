import type { AnswerStream, Decided, Frame, Limits, Message, Reading, RequestView } from '#pkg/model'
import { elementFrame } from '#pkg/path/codec/wire/json-array'
import { originalOf } from './call.ts'
import { newCallTracker } from './calls.ts'
import { type ChunkNote, newChunkReader, parseChunk, readChunk } from './chunk.ts'
import { newRewriter } from './refuse.ts'

const encoder = new TextEncoder()
const NOTHING: readonly Uint8Array[] = []

/**
 * A streamed answer: chunks in, messages out, and the same chunks back out. Each chunk is one event, or one element of
 * an array whose end is an event without data. Nothing in the stream says that it is over. WIRE.md §2.
 */
export function openStream(view: RequestView, limits: Limits): AnswerStream {
  const tracker = newCallTracker(limits)
  /** Of frames that have not been written yet. Not a WeakMap: its entries outlive every minor collection. */
  const notes = new Map<Frame, ChunkNote>()
  const rewriter = newRewriter()
  const reader = newChunkReader(view, tracker)
  const asArray = view.endpoint.framing === 'json-array'

  const readEvent = (frame: Frame & { kind: 'event' }, out: Message[], parsed?: Reading<unknown>): void => {
    if (frame.data.trim() === '') {
      if (asArray) tracker.end(frame.at, out)
      return
    }
    const chunk = parseChunk(frame.data, limits, parsed)
    if (!chunk.ok) out.push({ kind: 'fault', at: frame.at, scope: 'stream', reason: chunk.reason, call: null })
    else notes.set(frame, readChunk({ value: chunk.value, text: frame.data, path: [] }, reader, frame.at, out))
  }

  return {
    read(frame, parsed) {
      const out: Message[] = []
      if (frame.kind === 'event') readEvent(frame, out, parsed)
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
    write(frame: Frame, decided: Decided) {
      const note = notes.get(frame)
      if (note === undefined) return [frame.raw]
      notes.delete(frame)
      const json = rewriter.chunk(note, decided)
      if (json === 'same') return [frame.raw]
      if (json === 'nothing') return asArray && frame.at === 0 ? [elementFrame(frame.raw, '{}')] : NOTHING
      return [asArray ? elementFrame(frame.raw, json) : encoder.encode(`data: ${json}\n\n`)]
    },
    callId: (call) => tracker.find(call)?.id ?? null,
    answerId: () => null,
    original: (call) => originalOf(tracker.find(call)),
  }
}
