import type { AnswerStream, Frame, Limits, Reading } from '#pkg/model'
import { type ChunkedText, parseTextChunked } from '#pkg/path/codec/wire/json'
import type { HeldBudget } from '#pkg/path/enforce'

/** Events above this are read in turns: a scan of 256 KiB takes about two milliseconds. WIRE.md §4. */
const ONE_TURN_BYTES = 256 * 1024

/** A string from this size on is taken for a picture or the like. */
const LONG_STRING_UNITS = 64 * 1024

/**
 * What one stream has in hand of a frame that is not offered yet: its end has not come, or it is being read. Up to
 * `heldBytesPerStream` are the stream's own; what is beyond counts for the process, so that many streams with frames
 * that never end cost no more than one.
 */
export class FrameDebt {
  readonly #budget: HeldBudget
  readonly #ownBytes: number
  #owed = 0

  constructor(budget: HeldBudget, limits: Pick<Limits, 'heldBytesPerStream'>) {
    this.#budget = budget
    this.#ownBytes = limits.heldBytesPerStream
  }

  /** So many bytes are in hand now; false when the process has no room for them, and then nothing changes. */
  cover(bytes: number): boolean {
    const owed = Math.max(0, bytes - this.#ownBytes)
    if (owed > this.#owed && !this.#budget.take(owed - this.#owed)) return false
    if (owed < this.#owed) this.#budget.give(this.#owed - owed)
    this.#owed = owed
    return true
  }
}

/** True for an event that takes too long to read in one turn. */
export function isLarge(frame: Frame): frame is Frame & { kind: 'event' } {
  return frame.kind === 'event' && frame.data.length > ONE_TURN_BYTES
}

/**
 * What the data of a large event holds, read in turns, as strictly as the stream reads its small ones. It may be
 * large because of long strings, such as pictures, and not otherwise: what stands outside of them is bounded as what
 * a stream may hold back, since all that comes after this looks at it in one turn.
 */
export function readLarge(
  frame: Frame & { kind: 'event' },
  stream: AnswerStream,
  limits: Pick<Limits, 'heldBytesPerStream' | 'jsonDepth' | 'turnBytes'>,
  yieldTurn: () => Promise<void>,
): Promise<Reading<unknown>> {
  const bounds = { depth: limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }
  const turns = { turnBytes: limits.turnBytes, yieldTurn }
  return parseTextChunked(frame.data, bounds, turns, {
    profile: stream.json ?? 'chunk',
    ...boundOf(limits.heldBytesPerStream),
  })
}

/** Ends the reading once more than `max` units stand outside of long strings. */
function boundOf(max: number): Pick<ChunkedText, 'listener' | 'bound'> {
  let long = 0
  let string = 0
  return {
    listener: {
      stringPiece: (text) => {
        string += text.length
      },
      stringEnd: () => {
        if (string >= LONG_STRING_UNITS) long += string
        string = 0
      },
    },
    bound: (units) =>
      units - long - string <= max
        ? null
        : { reason: 'WIRE_FRAME_TOO_LARGE', at: 0, detail: `holds more than ${max} units beside its long strings` },
  }
}
