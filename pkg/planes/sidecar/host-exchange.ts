import { type AgentKey, agentRefOf, type Finding, type RequestView, type Standing, type Verdict } from '#pkg/model'
import type { OpenExchange } from '#pkg/path/enforce'
import { STALE } from './exchange.ts'
import type { ExchangeJudge } from './judge.ts'
import type { Outcome } from './outcomes.ts'
import { ownedFindings } from './owned.ts'
import type { HostDeps, Loaded } from './ports.ts'

/** What an exchange with another host is about. */
export type HostParts = {
  readonly agent: AgentKey
  readonly view: RequestView
  readonly loaded: Loaded
  readonly standing: Standing
}

/** One exchange with another host, plain or opaque, from its permit to its end. It ends once; what comes after that is void. */
export class HostExchange implements OpenExchange {
  readonly agent: AgentKey
  readonly view: RequestView
  readonly #deps: HostDeps
  readonly #judge: ExchangeJudge
  readonly #standing: Standing
  readonly #abort = new AbortController()
  #loaded: Loaded
  #over = false
  #severing = false
  #outcome: Outcome = 'answered'
  /** True once the client was told that it is open. */
  begun = false
  /** Carries out a verdict that ends it. */
  onVerdict: (verdict: Verdict) => void = () => {}
  /** Asked once a second. */
  onTick: (nowMs: number) => void = () => {}

  constructor(deps: HostDeps, judge: ExchangeJudge, parts: HostParts) {
    this.agent = parts.agent
    this.view = parts.view
    this.#deps = deps
    this.#judge = judge
    this.#loaded = parts.loaded
    this.#standing = parts.standing
  }

  /** True once it has ended. */
  get over(): boolean {
    return this.#over
  }

  /** How it ended; once it has. */
  get outcome(): Outcome {
    return this.#outcome
  }

  /** Aborts when the other side is no longer wanted. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** It is about to sever its own agent. */
  severing(): void {
    this.#severing = true
  }

  /** What is found about its request by the rules that hold now. */
  findings(): readonly Finding[] {
    this.#loaded = this.#deps.roster.loaded(this.agent) ?? this.#loaded
    return this.#found()
  }

  /** May it go on? Asked for every chunk; if not, it has ended by a verdict that is on record. */
  goesOn(): boolean {
    if (this.#over) return false
    const standing = this.#deps.lives.standingOf(this.agent)
    const loaded = this.#deps.roster.loaded(this.agent)
    if (
      standing?.state === 'Active' &&
      standing.thawing !== true &&
      standing.epoch === this.#standing.epoch &&
      loaded !== null
    ) {
      if (loaded === this.#loaded) return true
      this.#loaded = loaded
      if (this.#judge.admits(this.#found())) return true
    }
    this.finish(this.#judge.stream([STALE]))
    return false
  }

  /** Ends it by a verdict. */
  finish(verdict: Verdict): void {
    if (!this.stop(this.begun ? 'cut' : 'refused')) return
    this.onVerdict(verdict)
  }

  /** Ends it; false if it has ended before. */
  stop(outcome: Outcome): boolean {
    if (this.#over) return false
    this.#outcome = outcome
    this.#over = true
    this.#abort.abort()
    return true
  }

  // What the register asks.

  cut(): void {
    if (!this.#over && !this.#severing) this.finish(this.#judge.stream([STALE]))
  }

  review(): void {
    this.goesOn()
  }

  retire(): void {}

  tick(nowMs: number): void {
    if (!this.#over) this.onTick(nowMs)
  }

  #found(): readonly Finding[] {
    const { snapshot, rules } = this.#loaded
    const standing = this.#deps.lives.standingOf(this.agent) ?? this.#standing
    const given = { view: this.view, agent: agentRefOf(this.agent), standing }
    const found = this.#deps.firewall.inspect(rules, given).request(this.view)
    return [...found, ...ownedFindings(this.#deps, snapshot, this.view)]
  }
}
