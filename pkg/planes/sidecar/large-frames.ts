import type { AnswerStream, Frame, Limits, Reading } from '#pkg/model'
import { parseTextChunked } from '#pkg/path/codec/wire/json'
import type { HeldBudget } from '#pkg/path/enforce'

/** Events above this are read in turns: a scan of 256 KiB takes about two milliseconds. WIRE.md §4. */
const ONE_TURN_BYTES = 256 * 1024

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

/** What the data of a large event holds, read in turns, as strictly as the stream reads its small ones. */
export function readLarge(
  frame: Frame & { kind: 'event' },
  stream: AnswerStream,
  limits: Pick<Limits, 'jsonDepth' | 'turnBytes'>,
  yieldTurn: () => Promise<void>,
): Promise<Reading<unknown>> {
  const bounds = { depth: limits.jsonDepth, bytes: Number.POSITIVE_INFINITY }
  return parseTextChunked(frame.data, bounds, { turnBytes: limits.turnBytes, yieldTurn }, stream.json)
}
