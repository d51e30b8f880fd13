import type { Frame, Limits, Reason } from '#pkg/model'
import { FrameBytes } from '#pkg/path/codec/wire/frame-bytes'
import { type Block, newBlock, readBlock } from './block.ts'

/** Cuts one event stream into frames. */
export interface SseSplitter {
  /** Frames that this chunk completes. Frames keep slices of the chunk: do not reuse its memory. */
  push(chunk: Uint8Array): readonly Frame[]
  /** The stream ends here: what was begun is a frame of its own. */
  end(): readonly Frame[]
  /** Bytes of a frame whose end has not come. */
  readonly heldBytes: number
}

/**
 * A splitter for one stream. The `raw` bytes of all frames, in order, are the bytes of the stream, always.
 *
 * - `event`: the lines up to and with a blank line, if they hold `data` or an `event` with a value. Comments between
 *   its lines belong to it. Begun but without blank line at the end of the stream: an event too, since some clients
 *   dispatch it; its `raw` then does not end in a blank line.
 * - `comment`: one comment line, one blank line, or lines that dispatch nothing in any client (`id`, `retry`,
 *   unknown fields) up to and with their blank line.
 * - `fault`: what clients could read differently (`WIRE_FRAMING`), or an event over `frameBytes`, or over 1 MiB in
 *   more than 1,024 lines (`WIRE_FRAME_TOO_LARGE`), with all that came behind it. After a fault there are only faults, cut as the chunks are.
 *
 * Frames do not depend on how the stream was cut into chunks; nor do place and reason of the first fault. A CR that
 * ends a frame waits for the byte behind it, which may be its LF, unless the line before ended in a bare CR: there
 * the frame leaves at once and an LF behind it is a comment frame of its own, so that streams of bare CRs do not lag.
 *
 * Keeps at most `frameBytes` and one chunk. O(bytes); a frame inside one chunk is not copied.
 */
export function newSseSplitter(limits: Pick<Limits, 'frameBytes'>): SseSplitter {
  return new Splitter(limits.frameBytes)
}

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a

// What a CR that was just read may still be joined to.
const NONE = 0
/** It ended a line of the block in hand. */
const LINE = 1
/** It ended the frame in hand, which waits for the LF. */
const FRAME = 2
/** It ended a frame that has left. */
const LEFT = 3

class Splitter implements SseSplitter {
  readonly #frameBytes: number
  /** Offset in the stream of the first byte of the frame in hand. */
  #at = 0
  /** Bytes of the frame in hand that came with earlier chunks. */
  readonly #held = new FrameBytes()
  /** Where the frame in hand begins in the chunk in hand. */
  #from = 0
  /** The first byte of the line in hand; -1 = it has none yet. */
  #first = -1
  #block: Block = newBlock()
  #afterCr = NONE
  #bareCr = false
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
    if (this.#reason === null && this.#held.length > 0) {
      if (this.#afterCr === NONE && this.#first !== -1) this.#endLine(this.#held.length)
      this.#emit(nothing, 0)
      if (this.#reason !== null) this.#emitFault(nothing, this.#reason)
    }
    return this.#out
  }

  #split(chunk: Uint8Array): void {
    let i = this.#joinLf(chunk, 0)
    let lf = chunk.indexOf(LF, i)
    let cr = chunk.indexOf(CR, i)
    while (this.#reason === null && i < chunk.length) {
      if (lf !== -1 && lf < i) lf = chunk.indexOf(LF, i)
      if (cr !== -1 && cr < i) cr = chunk.indexOf(CR, i)
      const at = lf === -1 ? cr : cr === -1 ? lf : Math.min(lf, cr)
      if (at !== i && this.#first === -1) this.#first = chunk[i] ?? -1
      if (at === -1) break
      this.#terminator(chunk, at)
      i = this.#reason === null ? this.#joinLf(chunk, at + 1) : at
    }
    const size = this.#held.length + chunk.length - this.#from
    if (this.#reason === null && size > this.#frameBytes) this.#reason = 'WIRE_FRAME_TOO_LARGE'
  }

  /** Decides what an earlier CR waits for, now that the byte at `i` is here. Returns where the next line begins. */
  #joinLf(chunk: Uint8Array, i: number): number {
    if (this.#afterCr === NONE || i >= chunk.length) return i
    const joins = chunk[i] === LF
    const next = joins ? i + 1 : i
    if (this.#afterCr === FRAME || (this.#afterCr === LEFT && joins)) this.#emit(chunk, next)
    this.#bareCr = !joins
    this.#afterCr = NONE
    return next
  }

  /** A line ends at `at`, in CR or LF. */
  #terminator(chunk: Uint8Array, at: number): void {
    const whole = this.#first === -1 || (this.#first === COLON && this.#block.lines === 0)
    const carriage = chunk[at] === CR
    const now = whole && (!carriage || this.#bareCr)
    if (!whole) this.#endLine(this.#held.length + at - this.#from)
    this.#first = -1
    if (now) this.#emit(chunk, at + 1)
    if (!carriage) this.#bareCr = false
    else this.#afterCr = !whole ? LINE : now ? LEFT : FRAME
  }

  #endLine(end: number): void {
    if (this.#block.lines === 0) this.#block.firstEnd = end
    this.#block.lines += 1
  }

  /** The frame in hand ends before `to`. */
  #emit(chunk: Uint8Array, to: number): void {
    const raw = this.#take(chunk, to)
    const block = this.#block
    const frame = raw.length > this.#frameBytes ? 'WIRE_FRAME_TOO_LARGE' : readBlock(raw, this.#at, block)
    if (typeof frame === 'string') {
      // The bytes go out with the fault, in one piece with what stands behind them.
      this.#held.add(raw)
      this.#reason = frame
      return
    }
    this.#out.push(frame)
    this.#at += raw.length
    if (block.lines > 0) this.#block = newBlock()
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
