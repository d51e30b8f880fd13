import {
  type ArgumentForm,
  type Channel,
  type Decided,
  type Finding,
  findingOf,
  type Inspection,
  type Limits,
  type Message,
  type Outcome,
  type Reason,
  reasonRow,
  type Subject,
  type TextItem,
  type Verdict,
} from '#pkg/model'
import { type Held, newHeld } from './held.ts'
import type { Judge, Surroundings } from './ports.ts'
import { TextHolds, type TextSpan } from './text-holds.ts'

type Look = (inspection: Inspection) => readonly Finding[] | Promise<readonly Finding[]>

const RELEASED: Outcome = { kind: 'released' }

/** How often a call is judged again because the rules changed meanwhile, before doubt denies it. */
const MAX_ROUNDS = 3

/** What the judging of one answer is made of. `original` tells how the provider wrote a call. */
export type JudgingParts = {
  readonly judge: Judge
  readonly around: Surroundings
  readonly original: (call: string) => string
  readonly answerId: () => string | null
  /** The provider's own id of a call. */
  readonly callId: (call: string) => string | null
  readonly limits: Pick<Limits, 'callsPerAnswer'>
  /** True for what a request says, false for an answer. Default false. */
  readonly outbound?: boolean
}

/**
 * Judges the messages of one answer, in order: each call at the earliest byte that decides it, each stretch of text.
 * Whether the answer streams makes no difference here. WIRE.md rules 2–4, 7, 8.
 */
export class Judging {
  readonly #judge: Judge
  readonly #around: Surroundings
  readonly #original: (call: string) => string
  readonly #answerId: () => string | null
  readonly #callId: (call: string) => string | null
  readonly #maxCalls: number
  readonly #direction: 'ToPeer' | 'FromPeer'
  readonly #calls = new Map<string, Held>()
  readonly #texts: TextHolds
  readonly #textCalls = new Map<string, { readonly held: Held; readonly start: number }>()
  #inspection: Inspection
  #generation: number
  #ordinal = 0
  /** The verdict that ended the answer (Abort, Sever), or null. */
  ended: Verdict | null = null

  constructor(parts: JudgingParts) {
    const { judge, around } = parts
    this.#judge = judge
    this.#around = around
    this.#original = parts.original
    this.#answerId = parts.answerId
    this.#callId = parts.callId
    this.#maxCalls = parts.limits.callsPerAnswer
    this.#direction = parts.outbound === true ? 'ToPeer' : 'FromPeer'
    this.#texts = new TextHolds(() => around.scanner())
    this.#inspection = around.inspect()
    this.#generation = around.generation()
  }

  /** Takes messages in order. A promise only where a parser in the worker is needed. Spans of text go to `spans`. */
  take(messages: readonly Message[], spans: TextSpan[]): Promise<void> | void {
    for (let next = 0; next < messages.length; next += 1) {
      const message = messages[next]
      if (message === undefined || this.ended !== null) return
      const pending = this.#one(message, spans)
      if (pending !== undefined) return pending.then(() => this.take(messages.slice(next + 1), spans))
    }
  }

  /** The answer is over: text that is still held is decided, refused calls are remembered. */
  async end(): Promise<void> {
    for (const { key, items } of this.#texts.end()) await this.#textItems(key, items)
    for (const held of this.#calls.values()) this.#keep(held)
  }

  isDecided(call: string): boolean {
    return this.#calls.get(call)?.outcome != null
  }

  /**
   * The call is about to leave: if the rules changed while it waited behind something else, its verdict is worth
   * nothing, and it is refused. WIRE.md §4, "compared at the write".
   */
  leave(call: string): void {
    const held = this.#calls.get(call)
    if (held === undefined || held.left || held.outcome?.kind !== 'released') return
    held.left = true
    if (held.generation === this.#around.generation()) return this.#tellReleased(held)
    held.outcome = null
    this.#settle(
      held,
      [findingOf('IDENTITY_EPOCH_STALE', 0, 'waited while the policy changed; ask for it again')],
      this.#judge.nowUs(),
    )
  }

  /** Everything leaves at once. A call in a text has left with the decision on that text. */
  leaveAll(): void {
    for (const held of this.#calls.values()) {
      if (this.ended !== null) return
      if (held.inText) continue
      this.leave(held.key)
      this.#keep(held)
    }
  }

  #tellReleased(held: Held): void {
    const { key, name, form, argumentText } = held
    held.argumentText = ''
    if (held.about !== 'call' || name === null || held.inText) return
    this.#around.released({ id: this.#callId(key), name, form, arguments: argumentText })
  }

  /** What was said has left: nothing asks for it again. A conversation has no end that would be known. */
  forget(calls: readonly string[]): void {
    for (const call of calls) if (this.#calls.get(call)?.about === 'said') this.#calls.delete(call)
  }

  /** The verdict on the first call that was refused; null = none was. */
  refusedBy(): string | null {
    for (const held of this.#calls.values()) if (held.outcome?.kind === 'refused') return held.verdictId
    return null
  }

  isTextDecided(span: TextSpan): boolean {
    return this.#texts.isDecided(span)
  }

  /** What was decided about the calls and texts of one frame, for the dialect's writer. */
  decided(spans: readonly TextSpan[]): Decided {
    return {
      outcome: (call) => this.#calls.get(call)?.outcome ?? { kind: 'refused', text: '' },
      text: (channel) => {
        const span = spans.find((candidate) => isSame(candidate.channel, channel))
        return span === undefined ? undefined : this.#texts.edited(span)
      },
    }
  }

  /** Ends the answer with a finding of its own: a limit, or rules that no longer allow it. */
  fail(reason: Reason, at: number, detail: string): void {
    this.ended ??= this.#judge.stream([findingOf(reason, at, detail)])
  }

  #one(message: Message, spans: TextSpan[]): Promise<void> | void {
    switch (message.kind) {
      case 'text': {
        const { span, items } = this.#texts.push(message.channel, message.text)
        spans.push(span)
        return this.#textItems(span.state.key, items)
      }
      case 'call-open':
        return this.#open(this.#held(message.call, false), message.name, message.form)
      case 'call-delta':
        return this.#delta(this.#held(message.call, false), message.text)
      case 'call-close':
        return this.#close(this.#held(message.call, false), message.cause === 'truncated')
      case 'ask':
        return this.#whole(message.call, 'ask', (inspection) => inspection.ask(message.request))
      case 'list':
        return this.#whole(message.call, 'list', (inspection) => inspection.list(message.page))
      case 'said':
        return this.#whole(message.call, 'said', (inspection) => inspection.said(message.said, this.#direction))
      case 'card':
        return this.#whole(message.call, 'card', (inspection) => inspection.card(message.card))
      case 'fault':
        return this.#fault(message)
    }
  }

  /** What is judged in one look: by the rules that hold now. A promise only where the look takes a while. */
  #whole(key: string, about: Held['about'], look: Look): Promise<void> | void {
    const held = this.#held(key, false)
    held.about = about
    if (this.#around.generation() !== this.#generation) this.#renew()
    held.generation = this.#generation
    const started = this.#judge.nowUs()
    if (held.outcome !== null) return
    const found = look(this.#inspection)
    return found instanceof Promise ? this.#wholeLater(held, look, found, started) : this.#settle(held, found, started)
  }

  async #wholeLater(held: Held, look: Look, first: ReturnType<Look>, started: number): Promise<void> {
    let findings = await this.#orDoubt(first)
    for (let round = 0; held.generation !== this.#around.generation(); round += 1) {
      this.#renew()
      held.generation = this.#generation
      findings = await this.#orDoubt(round < MAX_ROUNDS ? look(this.#inspection) : [this.#doubt('CHECK_FAILED')])
    }
    this.#settle(held, findings, started)
  }

  #held(key: string, inText: boolean): Held {
    let held = this.#calls.get(key)
    if (held === undefined) {
      this.#ordinal += 1
      held = newHeld({ key, inText, ordinal: this.#ordinal }, this.#generation, this.#inspection)
      this.#calls.set(key, held)
    }
    return held
  }

  #open(held: Held, name: string, form: ArgumentForm): void {
    if (this.#around.generation() !== this.#generation) this.#renew()
    held.name = name
    held.form = form
    held.generation = this.#generation
    held.inspection = this.#inspection
    const started = this.#judge.nowUs()
    const findings = held.inspection.callOpen(held.key, name, form)
    this.#settleIfFound(held, findings, started)
  }

  #delta(held: Held, text: string): void {
    if (held.outcome !== null) return
    held.pieces.push(text)
    const started = this.#judge.nowUs()
    const findings = held.inspection.callDelta(held.key, text)
    this.#settleIfFound(held, findings, started)
  }

  #close(held: Held, truncated: boolean): Promise<void> | void {
    if (held.outcome !== null) return this.#keep(held)
    const started = this.#judge.nowUs()
    if (truncated) {
      return this.#settle(held, [this.#doubt('WIRE_CALL_TRUNCATED')], started)
    }
    const current = this.#current(held)
    if (current.length > 0) return this.#settle(held, current, started)
    const found = held.inspection.callClose(held.key)
    if (!(found instanceof Promise)) return this.#settle(held, found, started)
    return this.#closeLater(held, found, started)
  }

  /** The worker answers later; if the rules changed meanwhile its answer is worth nothing and the call is judged anew. */
  async #closeLater(held: Held, first: Promise<readonly Finding[]>, started: number): Promise<void> {
    let findings = await this.#orDoubt(first)
    for (let round = 0; held.generation !== this.#around.generation(); round += 1) {
      const current = round < MAX_ROUNDS ? this.#current(held) : [this.#doubt('CHECK_FAILED')]
      if (current.length > 0) {
        findings = current
        break
      }
      findings = await this.#orDoubt(held.inspection.callClose(held.key))
    }
    this.#settle(held, findings, started)
  }

  async #orDoubt(found: ReturnType<Look>): Promise<readonly Finding[]> {
    try {
      return await found
    } catch {
      return [this.#doubt('CHECK_FAILED')]
    }
  }

  /** Judges a held call again from its first byte if the rules have changed since it opened. */
  #current(held: Held): readonly Finding[] {
    if (held.generation === this.#around.generation()) return []
    this.#renew()
    held.generation = this.#generation
    held.inspection = this.#inspection
    held.noted = []
    const found = [
      ...held.inspection.callOpen(held.key, held.name ?? '', held.form),
      ...held.inspection.callDelta(held.key, held.pieces.join('')),
    ]
    const refusing = found.filter((finding) => !this.#judge.lets(this.#subjectOf(held), [finding]))
    if (refusing.length === 0) held.noted = found
    return refusing
  }

  #renew(): void {
    this.#generation = this.#around.generation()
    this.#inspection = this.#around.inspect()
  }

  /** An early refusal lists only its deciding finding; what is let pass is noted and hides nothing that comes after. */
  #settleIfFound(held: Held, findings: readonly Finding[], started: number): void {
    const refusing = findings.find((finding) => !this.#judge.lets(this.#subjectOf(held), [finding]))
    if (refusing !== undefined) return this.#settle(held, [refusing], started)
    held.noted = findings.length === 0 ? held.noted : [...held.noted, ...findings]
    held.spentUs += this.#judge.nowUs() - started
  }

  #subjectOf(held: Held): Subject {
    const named = held.name !== null && this.#around.isNamed(held.name)
    return { kind: held.about, tool: held.name, named, ordinal: held.ordinal }
  }

  #settle(held: Held, findings: readonly Finding[], started: number): void {
    const fresh = held.noted.filter(
      (noted) => !findings.some((one) => one.reason === noted.reason && one.at === noted.at),
    )
    const inText = held.inText ? [findingOf('TOOL_IN_TEXT', 0, 'was written as text')] : []
    const all = [...fresh, ...findings, ...inText]
    const { verdict, open } = this.#judge.call(this.#subjectOf(held), all, started - held.spentUs)
    held.argumentText = open && held.about === 'call' ? held.pieces.join('') : ''
    held.pieces.length = 0
    held.verdictId = verdict.id
    held.outcome = open ? RELEASED : { kind: 'refused', text: verdict.message }
    if (!open && verdict.action !== 'Deny') this.ended = verdict
  }

  #fault(message: Message & { kind: 'fault' }): void {
    if (message.scope === 'stream' || message.call === null) {
      return this.fail(message.reason, message.at, detailOf(message.reason))
    }
    const held = this.#held(message.call, false)
    if (held.outcome === null) this.#settle(held, [this.#doubt(message.reason)], this.#judge.nowUs())
  }

  #doubt(reason: Reason): Finding {
    return findingOf(reason, 0, detailOf(reason))
  }

  /** Remembers a refused call once the provider has written all of it. */
  #keep(held: Held): void {
    const { outcome, verdictId } = held
    if (held.kept || outcome?.kind !== 'refused' || verdictId === null || held.inText) return
    held.kept = true
    const original = this.#original(held.key)
    if (original === '' && this.#answerId() === null) return // nothing that could be put back
    this.#around.keep({ verdictId, text: outcome.text, original, answerId: this.#answerId() })
  }

  #textItems(key: string, items: readonly TextItem[]): Promise<void> | void {
    for (let next = 0; next < items.length; next += 1) {
      const item = items[next]
      if (item === undefined || this.ended !== null) return
      const pending = this.#textItem(key, item)
      if (pending !== undefined) return pending.then(() => this.#textItems(key, items.slice(next + 1)))
    }
  }

  #textItem(key: string, item: TextItem): Promise<void> | void {
    const open = this.#textCalls.get(key)
    switch (item.kind) {
      case 'plain':
        return this.#texts.decide(key, item.end)
      case 'open': {
        if (this.#calls.size >= this.#maxCalls) return this.fail('WIRE_CALL_LIMIT', 0, detailOf('WIRE_CALL_LIMIT'))
        const held = this.#held(`text:${key}:${item.start}:${this.#ordinal}`, true)
        this.#textCalls.set(key, { held, start: item.start })
        return this.#open(held, item.name, item.form)
      }
      case 'arguments':
        return open === undefined ? undefined : this.#delta(open.held, item.text)
      case 'fault': {
        if (open === undefined && this.#calls.size >= this.#maxCalls) {
          return this.fail('WIRE_CALL_LIMIT', 0, detailOf('WIRE_CALL_LIMIT'))
        }
        const held = open?.held ?? this.#held(`text:${key}:${item.start}:${this.#ordinal}`, true)
        if (held.outcome === null) this.#settle(held, [this.#doubt(item.reason)], this.#judge.nowUs())
        return this.#settleText(key, held, open?.start ?? item.start, item.end)
      }
      case 'close': {
        if (open === undefined) return this.#texts.decide(key, item.end)
        const pending = this.#close(open.held, false)
        const settle = (): void => this.#settleText(key, open.held, open.start, item.end)
        return pending === undefined ? settle() : pending.then(settle)
      }
    }
  }

  #settleText(key: string, held: Held, start: number, end: number): void {
    this.#textCalls.delete(key)
    if (held.outcome?.kind === 'refused') this.#texts.replace(key, { start, end, text: held.outcome.text })
    else this.#texts.decide(key, end)
  }
}

const isSame = (one: Channel, other: Channel): boolean => one.choice === other.choice && one.member === other.member

const detailOf = (reason: Reason): string => `was refused: ${reasonRow(reason).text}`
