import type { AgentKey } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Log } from '#pkg/platform/log'
import { type AgentKeyPair, newAgentKeyPair, signingRequest } from './agent-key.ts'
import type { IdentityIssuer, JwtHeld, X509Held } from './issuer.ts'
import { agentSpiffeId, type SpiffeId } from './spiffe-id.ts'
import { toolDigest } from './tool-digest.ts'

/** What an agent is at this moment, for those who sign. */
export type IdentitySubject = {
  readonly uid: string
  readonly epoch: number
  readonly generation: number
  readonly role: string
  readonly tools: readonly string[]
}

/** The identity of one agent as it is held now. */
export type Identity = {
  readonly agent: AgentKey
  readonly spiffeId: SpiffeId
  readonly uid: string
  readonly epoch: number
  readonly key: AgentKeyPair
  readonly x509: X509Held
}

/** What the identities of a process are made of. */
export type IdentitiesDeps = {
  readonly clock: { nowMs(): number }
  readonly log: Log
  /** Between 0 and 1; spreads renewals. */
  readonly chance: () => number
  readonly issuer: IdentityIssuer
  readonly trustDomain: string
  /** null = the agent may not have an identity now. */
  readonly subjectOf: (agent: AgentKey) => IdentitySubject | null
}

/** The identities of agents: made when one is first needed, renewed while it is used, gone with the right to it. MESH.md §1. */
export type Identities = {
  /** The identity that is valid now, without a wait; null = there is none. */
  held(agent: AgentKey): Identity | null
  /** The same, made if need be; null = the agent may not have one. @throws SallyportError what the issuer throws */
  get(agent: AgentKey): Promise<Identity | null>
  /** A token of the agent for one audience, and `others` besides, bound to its key. Same errors. */
  tokenFor(identity: Identity, audience: string, others?: readonly string[]): Promise<JwtHeld>
  /** All that are held, for a person. */
  list(): readonly Identity[]
  /** The agent lost its right: key and credentials are forgotten in this turn. */
  withdraw(agent: AgentKey): void
  /** The CA signs with another key: each identity is made anew when it is next due, those of `slot` now. */
  renewFrom(slot: string): void
  /** Told in the turn in which an agent gets another identity, or loses its own; returns how to stop that. */
  onChange(listener: (agent: AgentKey) => void): () => void
  close(): void
}

/** Renewal at half of the life, give or take 10 %. */
const SPREAD = 0.1
/** An identity that nobody used for so long is not renewed: it ends, and is made again when it is needed. Longer than any answer streams. */
const IDLE_MS = 3_600_000
const TICK_MS = 1_000
/** Renewals that are begun in one tick. */
const MAX_RENEWALS = 64
/** Audiences of one agent whose tokens are kept. */
const MAX_AUDIENCES = 64
/** What is about to end is not given out. */
const MARGIN_MS = 5_000

type Entry = {
  identity: Identity
  renewAtMs: number
  usedMs: number
  renewing: boolean
  readonly tokens: Map<string, { readonly made: Promise<JwtHeld>; readonly generation: number; renewAtMs: number }>
}

/** Makes the holder. Its timer does not keep the process alive. */
export function newIdentities(deps: IdentitiesDeps): Identities {
  return new HeldIdentities(deps)
}

class HeldIdentities implements Identities {
  readonly #deps: IdentitiesDeps
  readonly #entries = new Map<AgentKey, Entry>()
  readonly #making = new Map<AgentKey, Promise<Identity | null>>()
  readonly #listeners = new Set<(agent: AgentKey) => void>()
  readonly #ticker: NodeJS.Timeout

  constructor(deps: IdentitiesDeps) {
    this.#deps = deps
    this.#ticker = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  held(agent: AgentKey): Identity | null {
    const entry = this.#entries.get(agent)
    if (entry === undefined) return null
    const nowMs = this.#deps.clock.nowMs()
    const { identity } = entry
    if (nowMs >= identity.x509.notAfterMs || this.#deps.subjectOf(agent)?.epoch !== identity.epoch) return null
    entry.usedMs = nowMs
    return identity
  }

  get(agent: AgentKey): Promise<Identity | null> {
    const held = this.held(agent)
    if (held !== null) return Promise.resolve(held)
    const making = this.#making.get(agent)
    if (making !== undefined) return making
    const made = this.#make(agent).finally(() => this.#making.delete(agent))
    this.#making.set(agent, made)
    return made
  }

  async tokenFor(identity: Identity, audience: string, others: readonly string[] = []): Promise<JwtHeld> {
    const { clock, issuer, subjectOf } = this.#deps
    const { agent } = identity
    const subject = subjectOf(agent)
    const entry = this.#entries.get(agent)
    if (subject === null || subject.epoch !== identity.epoch || entry?.identity.key !== identity.key)
      throw new SallyportError('STATE_UNAVAILABLE', `${agent} has lost the identity that a token would speak for`)
    const wanted = JSON.stringify([audience, ...others]) // an audience may be any text
    const known = entry.tokens.get(wanted)
    if (known !== undefined && known.generation === subject.generation && clock.nowMs() < known.renewAtMs)
      return await known.made
    if (entry.tokens.size >= MAX_AUDIENCES) entry.tokens.delete(entry.tokens.keys().next().value ?? '')
    const { generation, role, epoch, tools } = subject
    const token = { jkt: identity.key.jkt, role, toolsDigest: toolDigest(tools), generation, epoch }
    const ask = { agent, audience, others, ...token }
    const made = issuer.issueJwt(ask)
    const kept = { made, generation, renewAtMs: Number.POSITIVE_INFINITY }
    entry.tokens.set(wanted, kept)
    try {
      const held = await made
      kept.renewAtMs = clock.nowMs() + (held.expiresMs - clock.nowMs()) / 2
      return held
    } catch (error) {
      if (entry.tokens.get(wanted) === kept) entry.tokens.delete(wanted)
      throw error
    }
  }

  list(): readonly Identity[] {
    const nowMs = this.#deps.clock.nowMs()
    return [...this.#entries.values()].map(({ identity }) => identity).filter(({ x509 }) => nowMs < x509.notAfterMs)
  }

  withdraw(agent: AgentKey): void {
    this.#entries.delete(agent)
    this.#making.delete(agent)
    this.#tell(agent)
  }

  renewFrom(slot: string): void {
    for (const entry of this.#entries.values()) {
      for (const [audience, token] of entry.tokens)
        void token.made.then(
          (made) => made.slot === slot && entry.tokens.delete(audience),
          () => undefined,
        )
      if (entry.identity.x509.slot === slot) entry.renewAtMs = 0
    }
  }

  close(): void {
    clearInterval(this.#ticker)
    this.#entries.clear()
    this.#making.clear()
  }

  async #make(agent: AgentKey): Promise<Identity | null> {
    const { clock, issuer, subjectOf, trustDomain, chance } = this.#deps
    const subject = subjectOf(agent)
    if (subject === null) return null
    const { uid, epoch } = subject
    const key = newAgentKeyPair()
    const spiffeId = agentSpiffeId(trustDomain, agent)
    const x509 = await issuer.issueX509({ agent, uid, epoch, csr: signingRequest(key, spiffeId) })
    // while it was being signed the agent may have lost its right to it
    if (subjectOf(agent)?.epoch !== epoch) return null
    const identity: Identity = { agent, spiffeId, uid, epoch, key, x509 }
    const nowMs = clock.nowMs()
    const half = (x509.notAfterMs - nowMs) / 2
    const renewAtMs = nowMs + half * (1 - SPREAD + 2 * SPREAD * chance())
    this.#entries.set(agent, { identity, renewAtMs, usedMs: nowMs, renewing: false, tokens: new Map() })
    this.#tell(agent)
    return identity
  }

  onChange(listener: (agent: AgentKey) => void): () => void {
    const own = (agent: AgentKey): void => listener(agent)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  #tell(agent: AgentKey): void {
    for (const listener of [...this.#listeners]) listener(agent)
  }

  #tick(): void {
    const nowMs = this.#deps.clock.nowMs()
    let begun = 0
    for (const [agent, entry] of this.#entries) {
      if (nowMs >= entry.identity.x509.notAfterMs - MARGIN_MS && nowMs - entry.usedMs > IDLE_MS) {
        this.#entries.delete(agent)
        continue
      }
      const isDue = nowMs >= entry.renewAtMs && nowMs - entry.usedMs <= IDLE_MS
      if (!isDue || entry.renewing || begun >= MAX_RENEWALS) continue
      begun += 1
      this.#renew(agent, entry)
    }
  }

  #renew(agent: AgentKey, entry: Entry): void {
    entry.renewing = true
    this.#make(agent).catch((error: unknown) => {
      // what is held goes on until its end; it is tried again at the next tick
      entry.renewing = false
      this.#deps.log.warn('identity-renewal-failed', { agent, error })
    })
  }
}
