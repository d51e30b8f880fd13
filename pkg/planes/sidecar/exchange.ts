import {
  type AgentKey,
  agentRefOf,
  type ClientLeg,
  type Dialect,
  type Finding,
  findingOf,
  type Headers,
  type HistoryCall,
  type Inspection,
  type RequestView,
  type RestoreRecord,
  type Standing,
  type StreamPlace,
  type TextCallScanner,
  type Verdict,
  type Voice,
} from '#pkg/model'
import { type ErrorCode, httpStatusOf } from '#pkg/model/errors'
import { placeAfter } from '#pkg/path/codec/wire/json-array'
import type { OpenExchange, Surroundings } from '#pkg/path/enforce'
import type { ExchangeJudge } from './judge.ts'
import type { Outcome } from './outcomes.ts'
import { notingTasks } from './peer.ts'
import type { EgressDeps, Loaded } from './ports.ts'

/** What one exchange is about. */
export type ExchangeParts = {
  readonly agent: AgentKey
  readonly dialect: Dialect
  readonly view: RequestView
  readonly client: ClientLeg
  /** The rules by which the request was let through, and the agent's life at that moment. */
  readonly loaded: Loaded
  readonly standing: Standing
  /** How many calls of the history the agent was never given. */
  readonly unknownCalls: () => number
}

/** Turns of the event loop in which the system takes what a reading client has room for. */
const TURNS_TO_TAKE = 3

const LF = 0x0a
const CR = 0x0d
const BLANK_LINE = Uint8Array.of(LF, LF)

const JSON_HEADERS: Headers = { 'content-type': 'application/json' }

/** Headers of a refusal: the SDKs retry some statuses unless told not to. WIRE.md §2. */
export function refusalHeaders(verdict: Verdict): Headers {
  return { ...JSON_HEADERS, 'x-should-retry': 'false', 'x-sallyport-verdict': verdict.id }
}

/**
 * One exchange from its permit to its end: what the gate asks of its surroundings, and the one place that ends both
 * legs. It ends once; whatever comes after that is void.
 */
export class Exchange implements OpenExchange, Surroundings {
  readonly agent: AgentKey
  readonly view: RequestView
  readonly dialect: Dialect
  readonly client: ClientLeg
  readonly #deps: EgressDeps
  readonly #judge: ExchangeJudge
  readonly #standing: Standing
  readonly #unknownCalls: () => number
  readonly #abort = new AbortController()
  #loaded: Loaded
  #over = false
  #outcome: Outcome = 'answered'
  #severing = false
  #headSent = false
  #wroteAtMs: number
  #lastByte = LF
  #written: StreamPlace['written'] = 'nothing'
  #ending: Promise<void> = Promise.resolve()
  /** Asked by the ticker: do frames wait? */
  holds: () => boolean = () => false

  constructor(deps: EgressDeps, judge: ExchangeJudge, parts: ExchangeParts) {
    this.agent = parts.agent
    this.view = parts.view
    this.dialect = parts.dialect
    this.client = parts.client
    this.#deps = deps
    this.#judge = judge
    this.#loaded = parts.loaded
    this.#standing = parts.standing
    this.#unknownCalls = parts.unknownCalls
    this.#wroteAtMs = deps.clock.nowMs()
    parts.client.onGone(() => this.#leave())
  }

  get #voice(): Voice {
    return this.view.voice ?? this.dialect
  }

  /** Sends to the server what is said to it in the client's place; set once the upstream is open. */
  answerBack: (body: Uint8Array) => void = () => {}

  /** True once both legs have ended. */
  get over(): boolean {
    return this.#over
  }

  /** How it ended; once it has. */
  get outcome(): Outcome {
    return this.#outcome
  }

  /** Aborts when the upstream is no longer wanted. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Resolves when an end that takes a moment has been reached. */
  settled(): Promise<void> {
    return this.#ending
  }

  /** This exchange is about to sever its own agent: it ends by its own verdict, not as one of the many that are cut. */
  severing(): void {
    this.#severing = true
  }

  head(status: number, headers: Headers): void {
    this.#headSent = true
    this.client.head(status, headers)
  }

  write(chunks: readonly Uint8Array[]): Promise<void> | void {
    if (this.#over || chunks.length === 0) return
    this.#wroteAtMs = this.#deps.clock.nowMs()
    this.#lastByte = chunks.at(-1)?.at(-1) ?? this.#lastByte
    if (this.#framing === 'json-array') for (const bytes of chunks) this.#written = placeAfter(this.#written, bytes)
    return this.client.write(chunks)
  }

  get #framing(): StreamPlace['framing'] {
    return this.view.endpoint.framing ?? 'sse'
  }

  get #place(): StreamPlace {
    return { framing: this.#framing, written: this.#written }
  }

  /** A frame of ours, on a line of its own: the provider's last event may have no blank line at its end. */
  #append(frame: Uint8Array): void {
    const broken = this.#lastByte !== LF && this.#lastByte !== CR
    void this.client.write(broken ? [BLANK_LINE, frame] : [frame])
  }

  /** A whole answer. */
  reply(status: number, headers: Headers, body: Uint8Array): void {
    if (this.#over) return
    this.#over = true
    this.client.reply(status, headers, body)
  }

  /** The answer is complete. */
  end(): void {
    if (this.#over) return
    this.#over = true
    this.client.end()
  }

  /** Ends both legs by a verdict: the upstream is cancelled, the client gets the dialect's error where it can read it. */
  finish(verdict: Verdict): void {
    if (this.#over) return
    this.#stop(this.#headSent ? 'cut' : 'refused')
    if (!this.#headSent) {
      return this.client.reply(403, refusalHeaders(verdict), this.#voice.refusal(verdict))
    }
    if (verdict.action === 'Abort') return this.#endWith(this.#voice.sever(verdict, this.#place))
    this.#ending = this.#endIfTaken(this.#voice.sever(verdict, this.#place))
  }

  /** An answer in the place of the server's, with the verdict that led to it. */
  answer(status: number, verdictId: string, body: Uint8Array): void {
    if (this.#over) return
    this.#stop('refused')
    const headers = { ...JSON_HEADERS, 'x-should-retry': 'false', 'x-sallyport-verdict': verdictId }
    this.client.reply(status, headers, body)
  }

  #endWith(frame: Uint8Array): void {
    this.#append(frame)
    this.client.end()
  }

  /**
   * Bytes that wait in this process belong to an agent that may no longer read them: a client that does not take
   * them at once is reset, and them with it. MESH.md §2.
   */
  async #endIfTaken(frame: Uint8Array): Promise<void> {
    for (let turn = 0; turn < TURNS_TO_TAKE && !this.client.flushed; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (this.client.flushed) this.#endWith(frame)
    else this.client.reset()
  }

  /** Refuses what goes on from something that is forgotten: nothing is wrong with it, and trying again does not help. */
  conflict(verdict: Verdict): void {
    if (this.#over) return
    this.#stop('refused')
    this.client.reply(409, refusalHeaders(verdict), this.#voice.refusal(verdict))
  }

  /** Ends both legs by a fault that is no refusal. */
  fault(code: ErrorCode, message: string): void {
    if (this.#over) return
    this.#stop('failed')
    const text = `sallyport: ${code}: ${message}`
    if (!this.#headSent) return this.client.reply(httpStatusOf(code), JSON_HEADERS, this.#voice.fault(code, text))
    this.#append(this.#voice.breakOff(code, text, this.#place))
    this.client.end()
  }

  // What the register asks.

  /**
   * In this very turn: the upstream is reset; the client gets the dialect's error if all before it has left this process,
   * else a reset (HTTP/2: up to three turns later). MESH.md §2.
   */
  cut(): void {
    if (this.#over || this.#severing) return
    const verdict = this.#judge.stream([STALE])
    if (!this.#headSent) return this.finish(verdict)
    this.#stop('cut')
    const frame = this.#voice.sever(verdict, this.#place)
    if (this.client.flushed) this.#endWith(frame)
    else if (this.client.flushesLater === true) this.#ending = this.#endIfTaken(frame)
    else this.client.reset()
  }

  retire(): void {
    if (this.#over || this.view.endless !== true) return
    this.#stop('cut')
    if (this.#headSent) this.client.end()
    else this.client.reset()
  }

  tick(nowMs: number): void {
    if (this.#over || !this.#headSent || !this.holds() || !this.client.flushed) return
    if (this.#framing === 'json-array') return // an array has no comments
    if (nowMs - this.#wroteAtMs < this.#deps.limits.holdPingMs) return
    void this.write([this.dialect.ping])
  }

  // What the gate asks.

  inspect(): Inspection {
    this.#loaded = this.#deps.roster.loaded(this.agent) ?? this.#loaded
    return this.#inspection()
  }

  generation(): number {
    return (this.#deps.roster.loaded(this.agent) ?? this.#loaded).snapshot.generation
  }

  scanner(): TextCallScanner {
    return this.#deps.firewall.textCalls(this.#loaded.rules, this.view)
  }

  isNamed(tool: string): boolean {
    return this.#deps.firewall.isNamed(this.#loaded.rules, this.view, tool)
  }

  released(call: HistoryCall): void {
    this.#deps.released.note(this.agent, call)
  }

  keep(record: RestoreRecord): void {
    this.#deps.records.keep(this.agent, record)
  }

  ended(): Verdict | null {
    const standing = this.#deps.lives.standingOf(this.agent)
    const loaded = this.#deps.roster.loaded(this.agent)
    if (
      standing?.state === 'Active' &&
      standing.thawing !== true &&
      standing.epoch === this.#standing.epoch &&
      loaded !== null
    ) {
      if (loaded === this.#loaded) return null
      this.#loaded = loaded
      if (this.#judge.admits(this.#inspection().request(this.view))) return null
    }
    return this.#judge.stream([STALE])
  }

  #inspection(): Inspection {
    const standing = this.#deps.lives.standingOf(this.agent) ?? this.#standing
    const given = {
      view: this.view,
      agent: agentRefOf(this.agent),
      standing,
      unknownCalls: this.#unknownCalls,
    }
    return notingTasks(this.#deps, this.agent, this.view, this.#deps.firewall.inspect(this.#loaded.rules, given))
  }

  #leave(): void {
    this.#stop('left')
  }

  #stop(outcome: Outcome): void {
    if (!this.#over) this.#outcome = outcome
    this.#over = true
    this.#abort.abort()
  }
}

/** Why an open exchange is cut. */
export const STALE: Finding = findingOf(
  'IDENTITY_EPOCH_STALE',
  0,
  'is cut: the agent was revoked, or its policy changed, while the exchange was open',
)
