import { type Channel, channelKey, type TextCallScanner, type TextItem } from '#pkg/model'

/** A stretch of a channel's text that a refusal replaces. Offsets are UTF-16 units of the channel. */
type Edit = { readonly start: number; readonly end: number; readonly text: string }

/** The text of one frame in one channel. */
export type TextSpan = {
  readonly channel: Channel
  readonly state: ChannelState
  readonly start: number
  readonly text: string
}

/** One channel: only {@link TextHolds} looks into it. */
type ChannelState = {
  readonly key: string
  readonly scanner: TextCallScanner
  length: number
  /** Text before this offset is decided: plain, allowed, or replaced. */
  decided: number
  readonly edits: Edit[]
}

/** Text of all channels of one answer: what is decided, and what stands in its place. */
export class TextHolds {
  readonly #channels = new Map<string, ChannelState>()
  readonly #newScanner: () => TextCallScanner

  constructor(newScanner: () => TextCallScanner) {
    this.#newScanner = newScanner
  }

  /** Takes more text; answers where it stands and what the scanner made of it. */
  push(channel: Channel, text: string): { readonly span: TextSpan; readonly items: readonly TextItem[] } {
    const state = this.#stateOf(channel)
    const span: TextSpan = { channel, state, start: state.length, text }
    state.length += text.length
    return { span, items: state.scanner.push(text) }
  }

  /** What the end of the answer makes of text that is still held, channel by channel. */
  *end(): Iterable<{ readonly key: string; readonly items: readonly TextItem[] }> {
    for (const [key, state] of this.#channels) yield { key, items: state.scanner.end() }
  }

  /** Everything before `end` may leave. */
  decide(key: string, end: number): void {
    const state = this.#channels.get(key)
    if (state !== undefined) state.decided = Math.max(state.decided, end)
  }

  /** A refusal takes the place of a stretch of text; where two touch, a blank line stands between them. */
  replace(key: string, edit: Edit): void {
    const state = this.#channels.get(key)
    if (state === undefined) return
    const touches = (state.edits.at(-1)?.end ?? -1) >= edit.start
    state.edits.push(touches ? { ...edit, text: `\n\n${edit.text}` } : edit)
    this.decide(key, edit.end)
  }

  isDecided(span: TextSpan): boolean {
    return span.start + span.text.length <= span.state.decided
  }

  /** The text of a frame after replacement; undefined when nothing in it was replaced. */
  edited(span: TextSpan): string | undefined {
    const { edits } = span.state
    if (edits.length === 0) return
    const end = span.start + span.text.length
    let out = ''
    let at = span.start
    let touched = false
    for (const edit of edits) {
      if (edit.end <= span.start || edit.start >= end) continue
      touched = true
      out += span.text.slice(at - span.start, Math.max(edit.start, span.start) - span.start)
      if (edit.start >= span.start) out += edit.text
      at = Math.min(edit.end, end)
    }
    return touched ? out + span.text.slice(at - span.start) : undefined
  }

  #stateOf(channel: Channel): ChannelState {
    const key = channelKey(channel)
    let state = this.#channels.get(key)
    if (state === undefined) {
      state = { key, scanner: this.#newScanner(), length: 0, decided: 0, edits: [] }
      this.#channels.set(key, state)
    }
    return state
  }
}
