import type { AnswerStream, Frame, Limits, Message, Reading, Verdict } from '#pkg/model'
import type { HeldBudget } from './held-budget.ts'
import { Judging } from './judging.ts'
import type { Judge, Surroundings } from './ports.ts'
import type { TextSpan } from './text-holds.ts'

/** A frame that waits for the verdicts on what is in it. */
type Entry = { readonly frame: Frame; readonly calls: readonly string[]; readonly spans: TextSpan[] }

/** What a gate is made of. */
export type GateParts = {
  readonly stream: AnswerStream
  readonly judge: Judge
  readonly around: Surroundings
  readonly budget: HeldBudget
  readonly limits: Pick<Limits, 'heldBytesPerStream' | 'callsPerAnswer'>
}

/**
 * The gate of one streamed answer: frames go in, are held while a call or a text in them is not decided, and leave in
 * their original order. One FIFO; only comments overtake. WIRE.md rules 2–6.
 */
export class Gate {
  readonly #parts: GateParts
  readonly #judging: Judging
  #queue: Entry[] = []
  #heldBytes = 0
  #ready: Uint8Array[] = []

  constructor(parts: GateParts) {
    this.#parts = parts
    const { judge, around, limits, stream } = parts
    this.#judging = new Judging({
      judge,
      around,
      limits,
      original: (call) => stream.original(call),
      answerId: () => stream.answerId(),
      callId: (call) => stream.callId?.(call) ?? null,
    })
  }

  /** The verdict that ended the answer (Abort, Sever), or null. Once set, nothing more is let through. */
  get ended(): Verdict | null {
    return this.#judging.ended
  }

  /** True while frames wait. */
  get holds(): boolean {
    return this.#queue.length > 0
  }

  /**
   * Takes the next frame. Frames must be offered one after the other: await what it answers, if anything. `parsed` is
   * what its data holds, where that was read before.
   */
  offer(frame: Frame, parsed?: Reading<unknown>): Promise<void> | void {
    if (this.ended !== null) return
    this.#release() // what is decided by now leaves, whatever this frame brings: the cut into chunks must not show
    if (frame.kind === 'comment') {
      this.#ready.push(frame.raw)
      return
    }
    const messages = this.#parts.stream.read(frame, parsed)
    if (this.#isTooMuchText(frame, messages))
      return this.#judging.fail('WIRE_FRAME_TOO_LARGE', frame.at, 'holds more text than one event may')
    // a fault ends the answer whatever else is held, and how much comes with it depends on the cut
    if (frame.kind === 'fault') return this.#judging.take(messages, [])
    if (!this.#hold(frame)) return
    const entry: Entry = { frame, calls: callsOf(messages), spans: [] }
    this.#queue.push(entry)
    const taken = this.#judging.take(messages, entry.spans)
    if (frame.raw.length <= this.#parts.limits.heldBytesPerStream) return taken
    return taken === undefined ? this.#passOrFail(entry) : taken.then(() => this.#passOrFail(entry))
  }

  /** A frame that is larger than what a stream may hold back may be looked at, and not wait. */
  #passOrFail(entry: Entry): void {
    if (this.ended === null && !this.#isDecided(entry)) this.#tooMuch(entry.frame, 'for one stream')
  }

  /** The entity is over: what is open counts as broken off. */
  async end(): Promise<void> {
    if (this.ended !== null) return
    await this.#judging.take(this.#parts.stream.end(), [])
    if (this.ended === null) await this.#judging.end()
  }

  /**
   * What may leave now. After a verdict of its own ended the answer: what was decided before it, once. After the
   * exchange around it died: nothing.
   */
  take(): readonly Uint8Array[] {
    if (this.#judging.ended === null) this.#release()
    const out = this.#ready
    if (out.length === 0) return out
    this.#ready = []
    if (this.#judging.ended !== null) return out
    this.#judging.ended = this.#parts.around.ended()
    return this.#judging.ended === null ? out : []
  }

  /** Gives back what is still held. Call it when the exchange is over, however it ended. */
  close(): void {
    this.#parts.budget.give(this.#heldBytes)
    this.#heldBytes = 0
    this.#queue = []
    this.#ready = []
  }

  #hold(frame: Frame): boolean {
    const bytes = frame.raw.length
    const fits = this.#queue.length === 0 || this.#heldBytes + bytes <= this.#parts.limits.heldBytesPerStream
    if (fits && this.#parts.budget.take(bytes)) {
      this.#heldBytes += bytes
      return true
    }
    this.#tooMuch(frame, fits ? 'in this process' : 'for one stream')
    return false
  }

  /** An event may be larger than what a stream may hold back, as pictures are; its text, which is read at once, not. */
  #isTooMuchText({ raw }: Frame, messages: readonly Message[]): boolean {
    const { heldBytesPerStream } = this.#parts.limits
    if (raw.length <= heldBytesPerStream) return false
    let units = 0
    for (const message of messages) if (message.kind === 'text') units += message.text.length
    return units > heldBytesPerStream
  }

  #tooMuch(frame: Frame, which: string): void {
    this.#judging.fail('WIRE_HELD_TOO_LARGE', frame.at, `would have to be held back beyond the limit ${which}`)
  }

  #release(): void {
    let count = 0
    for (const entry of this.#queue) {
      if (!this.#isDecided(entry)) break
      for (const call of entry.calls) this.#judging.leave(call)
      if (this.ended !== null) break
      count += 1
      const bytes = entry.frame.raw.length
      this.#heldBytes -= bytes
      this.#parts.budget.give(bytes)
      this.#ready.push(...this.#parts.stream.write(entry.frame, this.#judging.decided(entry.spans)))
      this.#judging.forget(entry.calls)
    }
    if (count > 0) this.#queue.splice(0, count)
  }

  #isDecided(entry: Entry): boolean {
    return (
      entry.calls.every((call) => this.#judging.isDecided(call)) &&
      entry.spans.every((span) => this.#judging.isTextDecided(span))
    )
  }
}

/** The calls that a frame shows something of: it may not leave before they are decided. */
function callsOf(messages: readonly Message[]): readonly string[] {
  let calls: string[] | null = null
  for (const message of messages) {
    if (message.kind === 'text' || message.kind === 'call-close' || !('call' in message) || message.call === null)
      continue
    calls ??= []
    if (!calls.includes(message.call)) calls.push(message.call)
  }
  return calls ?? NONE
}

const NONE: readonly string[] = []
