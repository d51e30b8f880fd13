import type { AnswerStream, Decided, Frame, Limits, Message, Reading, RequestView } from '#pkg/model'
import { newAlikeChunks } from './alike.ts'
import { originalOf } from './call.ts'
import { newCallTracker } from './calls.ts'
import { type ChunkNote, type ChunkReader, choicesAsked, parseChunk, readChunk } from './chunk.ts'
import { newRewriter } from './refuse.ts'

/** A streamed answer of Chat Completions: chunks in, messages out, and the same chunks back out. WIRE.md §2. */
export function openStream(view: RequestView, limits: Limits): AnswerStream {
  const tracker = newCallTracker(limits)
  /** Of frames that have not been written yet. Not a WeakMap: its entries outlive every minor collection. */
  const notes = new Map<Frame, ChunkNote>()
  const rewriter = newRewriter(view, tracker)
  const reader: ChunkReader = {
    member: 'delta',
    choices: choicesAsked(view),
    tracker,
    freshEcho: newFreshEcho(),
    members: new Set(),
  }
  const alike = newAlikeChunks(tracker)
  let done = false

  const readEvent = (frame: Frame & { kind: 'event' }, out: Message[], parsed?: Reading<unknown>): void => {
    const known = done || parsed !== undefined ? null : alike.read(frame.data, frame.at, out)
    if (known !== null) {
      notes.set(frame, known)
      return
    }
    const data = frame.data.trim()
    if (data === '[DONE]') {
      done = true
      return tracker.end(frame.at, out)
    }
    if (data === '') return
    if (done) {
      out.push({ kind: 'fault', at: frame.at, scope: 'stream', reason: 'WIRE_AFTER_DONE', call: null })
      return
    }
    const chunk = parseChunk(frame.data, limits, parsed)
    if (chunk.ok) {
      const note = readChunk(chunk.value, reader, frame.at, out)
      notes.set(frame, note)
      if (parsed === undefined) alike.learn(frame.data, note, out)
    } else out.push({ kind: 'fault', at: frame.at, scope: 'stream', reason: chunk.reason, call: null })
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
      return rewriter.chunk(note, decided) ?? [frame.raw]
    },
    callId: (call) => tracker.find(call)?.id ?? null,
    answerId: () => null,
    original(call) {
      const known = tracker.find(call)
      return known === undefined || known.overflow ? '' : JSON.stringify(originalOf(known))
    },
  }
}

/** Echoed text remembered for one answer, UTF-16 units; an echo beyond it is read whole each time. */
const MAX_ECHO_UNITS = 1024 * 1024

/** Providers that echo the message so far send it again with each chunk: only what is new is looked at again. */
function newFreshEcho(): ChunkReader['freshEcho'] {
  const seen = new Map<string, string>()
  let units = 0
  return (key, text) => {
    const before = seen.get(key) ?? ''
    units += text.length - before.length
    if (units <= MAX_ECHO_UNITS) seen.set(key, text)
    else {
      units -= text.length
      seen.delete(key)
    }
    return text.startsWith(before) ? text.slice(before.length) : `\n${text}`
  }
}
