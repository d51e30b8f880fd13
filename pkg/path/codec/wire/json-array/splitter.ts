import { Buffer, isUtf8 } from 'node:buffer'
import type { Frame, Limits, Reason } from '#pkg/model'
import { FrameBytes } from '#pkg/path/codec/wire/frame-bytes'

/** Cuts one streamed JSON array into frames. */
export interface JsonArraySplitter {
  /** Frames that this chunk completes. Frames keep slices of the chunk: do not reuse its memory. */
  push(chunk: Uint8Array): readonly Frame[]
  /** The body ends here: the end of the array is a frame of its own; an array without one is a fault. */
  end(): readonly Frame[]
  /** Bytes of a frame whose end has not come. */
  readonly heldBytes: number
}

/**
 * A splitter for one array of objects. The `raw` bytes of all frames, in order, are the bytes of the body, always.
 *
 * - `event` with data: one element from its `{` to its `}`; `raw` begins with what stands between it and the element
 *   before it, so that the raw bytes of the first begin with `[`.
 * - `event` with empty data: the `]` and the white space around it. It comes from {@link JsonArraySplitter.end} only:
 *   until the body is over nobody knows that nothing follows.
 * - `fault`: what is no array of objects (`WIRE_FRAMING`), or an element over `frameBytes` (`WIRE_FRAME_TOO_LARGE`),
 *   with all that came behind it. After a fault there are only faults, cut as the chunks are.
 *
 * Frames do not depend on how the body was cut into chunks; nor do place and reason of the first fault. A body
 * without any byte has no frames. Keeps at most `frameBytes` and one chunk. O(bytes); an element inside one chunk is
 * not copied.
 */
export function newJsonArraySplitter(limits: Pick<Limits, 'frameBytes'>): JsonArraySplitter {
  return new Splitter(limits.frameBytes)
}

// What is expected next.
const OPENING = 0
/** The first element or the end. */
const FIRST = 1
/** In an element, outside of strings. */
const INSIDE = 2
const STRING = 3
const ESCAPE = 4
/** A comma or the end. */
const BEHIND = 5
/** An element, after a comma. */
const NEXT = 6
const CLOSED = 7

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
const isOpening = (byte: number): boolean => byte === 0x7b || byte === 0x5b
const isClosing = (byte: number): boolean => byte === 0x7d || byte === 0x5d

class Splitter implements JsonArraySplitter {
  readonly #frameBytes: number
  /** Offset in the body of the first byte of the frame in hand. */
  #at = 0
  /** Bytes of the frame in hand that came with earlier chunks. */
  readonly #held = new FrameBytes()
  /** Where the frame in hand begins in the chunk in hand. */
  #from = 0
  #state = OPENING
  #depth = 0
  /** Bytes of the frame in hand that stand before its element. */
  #lead = 0
  #reason: Reason | null = null
  #out: Frame[] = []

  constructor(frameBytes: number) {
    this.#frameBytes = frameBytes
  }

  get heldBytes(): number {
    return this.#held.length
  }

  push(chunk: Uint8Array): readonly Frame[] {
    this.#out = []
    this.#from = 0
    if (chunk.length === 0) return this.#out
    if (this.#reason === null) this.#split(chunk)
    if (this.#reason !== null) this.#emitFault(chunk, this.#reason)
    else this.#held.add(chunk.subarray(this.#from))
    return this.#out
  }

  end(): readonly Frame[] {
    this.#out = []
    this.#from = 0
    const nothing = new Uint8Array(0)
    const empty = this.#state === OPENING && this.#at + this.#held.length === 0
    if (this.#reason !== null || empty) return this.#out
    if (this.#state !== CLOSED) {
      this.#reason = 'WIRE_FRAMING'
      this.#out.push({ kind: 'fault', raw: this.#take(nothing, 0), at: this.#at, reason: this.#reason })
      return this.#out
    }
    this.#out.push({ kind: 'event', raw: this.#take(nothing, 0), at: this.#at, event: null, data: '' })
    return this.#out
  }

  #split(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length && this.#reason === null; ) i = this.#step(chunk, i)
    if (this.#reason === null && this.#held.length + chunk.length - this.#from > this.#frameBytes)
      this.#reason = 'WIRE_FRAME_TOO_LARGE'
  }

  /** Takes the byte at `i`, and more where nothing can happen; returns where to go on. */
  #step(chunk: Uint8Array, i: number): number {
    const byte = chunk[i] ?? 0
    if (this.#state === STRING) return this.#takeString(chunk, i)
    if (this.#state === ESCAPE) this.#state = STRING
    else if (this.#state === INSIDE) this.#takeInside(chunk, byte, i)
    else if (!isSpace(byte)) this.#takeBetween(byte, i)
    return i + 1
  }

  #takeString(chunk: Uint8Array, from: number): number {
    for (let i = from; i < chunk.length; i += 1) {
      const byte = chunk[i]
      if (byte === QUOTE) this.#state = INSIDE
      else if (byte === BACKSLASH) this.#state = ESCAPE
      else continue
      return i + 1
    }
    return chunk.length
  }

  #takeInside(chunk: Uint8Array, byte: number, i: number): void {
    if (byte === QUOTE) this.#state = STRING
    else if (isOpening(byte)) this.#depth += 1
    else if (isClosing(byte)) {
      this.#depth -= 1
      if (this.#depth === 0) this.#emit(chunk, i + 1)
    }
  }

  #takeBetween(byte: number, i: number): void {
    const state = this.#state
    if (state === OPENING && byte === 0x5b) this.#state = FIRST
    else if ((state === FIRST || state === NEXT) && byte === 0x7b) {
      this.#lead = this.#held.length + i - this.#from
      this.#depth = 1
      this.#state = INSIDE
    } else if ((state === FIRST || state === BEHIND) && byte === 0x5d) this.#state = CLOSED
    else if (state === BEHIND && byte === COMMA) this.#state = NEXT
    else this.#reason = 'WIRE_FRAMING'
  }

  /** The frame in hand ends before `to`. */
  #emit(chunk: Uint8Array, to: number): void {
    const raw = this.#take(chunk, to)
    const tooLarge = raw.length > this.#frameBytes
    if (tooLarge || !isUtf8(raw)) {
      // The bytes go out with the fault, in one piece with what stands behind them.
      this.#held.add(raw)
      this.#reason = tooLarge ? 'WIRE_FRAME_TOO_LARGE' : 'WIRE_FRAMING'
      return
    }
    const data = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8', this.#lead)
    this.#out.push({ kind: 'event', raw, at: this.#at, event: null, data })
    this.#at += raw.length
    this.#state = BEHIND
  }

  #take(chunk: Uint8Array, to: number): Uint8Array {
    const here = chunk.subarray(this.#from, to)
    this.#from = to
    return this.#held.takeWith(here)
  }

  #emitFault(chunk: Uint8Array, reason: Reason): void {
    const raw = this.#take(chunk, chunk.length)
    this.#held.drop()
    if (raw.length === 0) return
    this.#out.push({ kind: 'fault', raw, at: this.#at, reason })
    this.#at += raw.length
  }
}
