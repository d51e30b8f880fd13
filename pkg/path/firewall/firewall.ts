import {
  type AgentCard,
  type AgentRef,
  type ArgumentForm,
  type Finding,
  findingOf,
  type Inspection,
  type Limits,
  type RequestView,
  type Said,
  type ServerRequest,
  type Snapshot,
  type Standing,
  type TextCallScanner,
  type ToolPage,
} from '#pkg/model'
import { FollowedCall } from './call.ts'
import { checkCard } from './check-card.ts'
import { checkName, isNamed } from './check-name.ts'
import { checkSaid } from './check-peer.ts'
import { checkRequest } from './check-request.ts'
import { checkAsk, checkDrifted, checkList } from './check-server.ts'
import { judgeWhole } from './judge-whole.ts'
import type { FirewallDeps } from './ports.ts'
import { grantsFor, loadRules, newRuleCache, type Rules } from './rules.ts'
import { newTextCalls } from './text-calls.ts'

/** Whose exchange is inspected, and how that agent stands. */
export type Given = {
  readonly view: RequestView
  readonly agent: AgentRef
  readonly standing: Standing
  /** How many calls of the history the agent was never given; undefined = nobody keeps count. */
  readonly unknownCalls?: () => number
}

/** The checks, ready for any agent. */
export type Firewall = {
  /** Makes a snapshot ready. What snapshots share, by identity or by content, is compiled once. Never throws: an entry that does not compile grants nothing. */
  load(snapshot: Snapshot): Rules
  /** Opens the inspection of one exchange. */
  inspect(rules: Rules, given: Given): Inspection
  /** A scanner for calls that one more channel of the answer writes as text. */
  textCalls(rules: Rules, view: RequestView): TextCallScanner
  /** May this tool's name be printed? DESIGN §6. */
  isNamed(rules: Rules, view: RequestView, tool: string): boolean
}

/** Makes the firewall. Limits: those of arguments, SQL, JSON depth and the text-call window. */
export function newFirewall(deps: FirewallDeps, limits: Limits): Firewall {
  const cache = newRuleCache()
  return {
    load: (snapshot) => loadRules(snapshot, cache),
    inspect: (rules, given) => new Inspected(deps, limits, rules, given),
    textCalls: (rules, view) => newTextCalls({ rules, declared: view.tools, newJson: deps.newJson, limits }),
    isNamed: (rules, view, tool) => isNamed(rules, view.tools, tool),
  }
}

/** One exchange under inspection. Holds the arguments of its open calls and nothing else. */
class Inspected implements Inspection {
  readonly #deps: FirewallDeps
  readonly #limits: Limits
  readonly #rules: Rules
  readonly #given: Given
  readonly #calls = new Map<string, FollowedCall>()

  constructor(deps: FirewallDeps, limits: Limits, rules: Rules, given: Given) {
    this.#deps = deps
    this.#limits = limits
    this.#rules = rules
    this.#given = given
  }

  request(view: RequestView): readonly Finding[] {
    return checkRequest(this.#rules, view, this.#given)
  }

  callOpen(call: string, name: string, form: ArgumentForm): readonly Finding[] {
    const rules = this.#rules
    const server = this.#server
    const entries = grantsFor(rules, name, server)
    const parts = { deps: this.#deps, limits: this.#limits, rules, entries, name, server, form }
    this.#calls.set(call, new FollowedCall(parts))
    const named = checkName(rules, name, server)
    return named.length > 0 || server === '' ? named : checkDrifted(this.#deps.tools, rules, server, name)
  }

  ask(request: ServerRequest): readonly Finding[] {
    return checkAsk(this.#rules, this.#server, request)
  }

  list(page: ToolPage): readonly Finding[] {
    return checkList(this.#deps.tools, this.#rules, { agent: this.#given.agent, server: this.#server, page })
  }

  said(said: Said, direction: 'ToPeer' | 'FromPeer'): readonly Finding[] {
    const { caller } = this.#given.view.endpoint
    return checkSaid(this.#deps, this.#rules, { peer: this.#peer, caller, said, direction })
  }

  card(card: AgentCard): readonly Finding[] | Promise<readonly Finding[]> {
    // its own card is not another agent's: nothing of it is pinned here
    if (this.#given.view.endpoint.caller !== undefined) return []
    return checkCard(this.#deps, this.#rules, { agent: this.#given.agent, peer: this.#peer, card })
  }

  get #peer(): string {
    return this.#given.view.endpoint.peer ?? ''
  }

  get #server(): string {
    return this.#given.view.endpoint.server ?? ''
  }

  callDelta(call: string, text: string): readonly Finding[] {
    return this.#calls.get(call)?.delta(text) ?? neverOpened()
  }

  callClose(call: string): readonly Finding[] | Promise<readonly Finding[]> {
    const followed = this.#calls.get(call)
    this.#calls.delete(call)
    if (followed === undefined) return neverOpened()
    const whole = followed.whole()
    return whole.ok ? judgeWhole(followed.parts, this.#given.agent, whole.call) : whole.findings
  }
}

/** Feeding out of order is a fault of ours; doubt denies. */
function neverOpened(): readonly Finding[] {
  return [findingOf('CHECK_FAILED', 0, 'was judged out of order')]
}
