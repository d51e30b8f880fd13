import type { KeyObject } from 'node:crypto'
import type { AuditSink } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Disk } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import type { RandomBytes } from '#pkg/platform/random'
import { type BundleDocument, bundleDocument } from '../bundle.ts'
import type { IdentityIssuer, JwtAsk, JwtHeld, X509Ask, X509Held } from '../issuer.ts'
import { type JwtSvidClaims, SVID_SECONDS } from '../jwt-svid.ts'
import { agentSpiffeId } from '../spiffe-id.ts'
import { serialText } from './certificates.ts'
import type { CaResult, CaWorker } from './contract.ts'
import { setAsideFirstVersion } from './first-version.ts'
import { Journal, type JournalEntry } from './journal.ts'
import type { KeyManager } from './key-manager.ts'
import { type KeyStore, newKeyStore } from './key-store.ts'
import { OpenKeys } from './open-keys.ts'
import {
  type AuthorityKind,
  isPublished,
  movesOf,
  prepareRefusal,
  type Slot,
  type SlotMove,
  type SlotRefusal,
  type SlotVerb,
} from './slots.ts'

/** What an authority is made of. */
export type AuthorityDeps = {
  readonly clock: { nowMs(): number }
  readonly log: Log
  readonly random: RandomBytes
  readonly audit: AuditSink
  readonly worker: CaWorker
  readonly keys: KeyManager
  readonly disk?: Disk
}

/** `dir`: made with 0700 if it is not there. `lifetimeMs`: of a signing key, default 90 days; it is replaced when a third is left. */
export type AuthorityOptions = { readonly dir: string; readonly trustDomain: string; readonly lifetimeMs?: number }

/** What `ca status` shows. */
export type AuthorityStatus = {
  readonly trustDomain: string
  readonly sequence: number
  readonly slots: readonly Slot[]
}

/** Who asks for a move of the slots, and why. */
export type SlotAsk = {
  readonly authority: AuthorityKind
  readonly slot: string | null
  readonly by: string | null
  readonly reason: string | null
}

/** The certificate authority of one trust domain. MESH.md §1 "CA". */
export type Authority = IdentityIssuer & {
  /** Resolves once there is an active key of both kinds; makes them where there are none. @throws SallyportError STATE_UNAVAILABLE, OVERLOADED */
  ready(): Promise<void>
  /** The keys that prove something now. Sequence 0 and no keys before {@link ready} at a first start. */
  bundle(): BundleDocument
  readonly trustDomain: string
  status(): AuthorityStatus
  /** Carries out one verb. @throws SallyportError MOVE_REFUSED, ADMIN_NOT_FOUND, STATE_UNAVAILABLE, OVERLOADED */
  move(verb: SlotVerb, ask: SlotAsk): Promise<AuthorityStatus>
  /** Replaces keys of which a third of their life is left, and lets go of those that are over. */
  maintain(): Promise<void>
  /** Told after each change of the bundle or of the key that signs; returns how to stop that. */
  onChange(listener: () => void): () => void
  close(): Promise<void>
}

const DAY_MS = 24 * 3_600_000
const LIFETIME_MS = 90 * DAY_MS
const NOT_BEFORE_MS = 30_000
const REFRESH_HINT_SECONDS = 60
const KINDS: readonly AuthorityKind[] = ['X509', 'Jwt']

/** Opens the CA of a folder. Reads the journal at once; keys are opened and made when they are needed. */
export function newAuthority(deps: AuthorityDeps, options: AuthorityOptions): Authority {
  return new FolderAuthority(deps, options)
}

class FolderAuthority implements Authority {
  readonly trustDomain: string
  readonly #deps: AuthorityDeps
  readonly #journal: Journal
  readonly #store: KeyStore
  readonly #lifetimeMs: number
  readonly #open: OpenKeys
  readonly #listeners = new Set<() => void>()
  #ready: Promise<void> | null = null
  /** Moves happen one after the other. */
  #last: Promise<unknown> = Promise.resolve()
  #bundle: BundleDocument | null = null

  constructor(deps: AuthorityDeps, { dir, trustDomain, lifetimeMs = LIFETIME_MS }: AuthorityOptions) {
    this.#deps = deps
    this.trustDomain = trustDomain
    this.#lifetimeMs = lifetimeMs
    const { log, keys, disk } = deps
    setAsideFirstVersion(dir, trustDomain, log)
    this.#store = newKeyStore(dir, disk === undefined ? { log } : { log, disk })
    this.#open = new OpenKeys(keys, this.#store)
    this.#journal = new Journal(dir, trustDomain, { log, disk: this.#store.disk })
  }

  ready(): Promise<void> {
    this.#ready ??= this.#begin().catch((error: unknown) => {
      this.#ready = null // the next one that asks tries again
      throw error
    })
    return this.#ready
  }

  bundle(): BundleDocument {
    this.#bundle ??= bundleDocument(this.#content())
    return this.#bundle
  }

  status(): AuthorityStatus {
    const { slots, sequence } = this.#journal.state
    return { trustDomain: this.trustDomain, sequence, slots: [...slots.values()] }
  }

  async issueX509(ask: X509Ask): Promise<X509Held> {
    const { slot, key } = await this.#signer('X509')
    if (slot.key.kind !== 'X509') throw new SallyportError('INTERNAL', 'a slot for certificates holds another key')
    const nowMs = Math.floor(this.#deps.clock.nowMs() / 1_000) * 1_000
    const notBeforeMs = nowMs - NOT_BEFORE_MS
    const notAfterMs = nowMs + SVID_SECONDS * 1_000
    const serial = this.#deps.random(16)
    const issuer = Buffer.from(slot.key.issuer, 'base64')
    const spiffeId = agentSpiffeId(this.trustDomain, ask.agent)
    const leaf = { spiffeId, uid: ask.uid, epoch: ask.epoch, notBeforeMs, notAfterMs, serial, issuer }
    const made = await this.#deps.worker.run({ do: 'issue', csr: ask.csr, leaf, key })
    if (made.did === 'refused')
      throw new SallyportError('CSR_REFUSED', `the signing request of ${ask.agent} is refused: ${made.fault}`)
    const { der } = of(made, 'issue')
    const issued = { serial: serialText(serial), notBeforeMs, notAfterMs, slot: slot.id }
    this.#deps.audit.record({
      kind: 'issuance',
      agent: ask.agent,
      credential: 'X509Svid',
      spiffeId,
      serial: issued.serial,
      notAfter: new Date(notAfterMs).toISOString(),
      epoch: ask.epoch,
      slot: slot.id,
      audience: null,
    })
    return { chain: [der, issuer], ...issued }
  }

  async issueJwt(ask: JwtAsk): Promise<JwtHeld> {
    const { slot, key } = await this.#signer('Jwt')
    const iat = Math.floor(this.#deps.clock.nowMs() / 1_000)
    const jti = Buffer.from(this.#deps.random(16)).toString('base64url')
    const sub = agentSpiffeId(this.trustDomain, ask.agent)
    const claims: JwtSvidClaims = {
      sub,
      aud: [ask.audience, ...(ask.others ?? [])],
      iat,
      exp: iat + SVID_SECONDS,
      jti,
      cnf: { jkt: ask.jkt },
      sallyport: { role: ask.role, tools: ask.toolsDigest, gen: ask.generation, epoch: ask.epoch },
    }
    const text = `${encoded({ alg: 'RS256', kid: slot.id, typ: 'JWT' })}.${encoded(claims)}`
    const { signature } = of(await this.#deps.worker.run({ do: 'sign', text, key }), 'sign')
    const expiresMs = claims.exp * 1_000
    this.#deps.audit.record({
      kind: 'issuance',
      agent: ask.agent,
      credential: 'JwtSvid',
      spiffeId: sub,
      serial: jti,
      notAfter: new Date(expiresMs).toISOString(),
      epoch: ask.epoch,
      slot: slot.id,
      audience: claims.aud.join(' '),
    })
    return { token: `${text}.${Buffer.from(signature).toString('base64url')}`, expiresMs, jti, slot: slot.id }
  }

  move(verb: SlotVerb, ask: SlotAsk): Promise<AuthorityStatus> {
    return this.#inTurn(async () => {
      if (verb === 'prepare') await this.#prepare(ask)
      else await this.#move(verb, ask)
      return this.status()
    })
  }

  maintain(): Promise<void> {
    return this.#inTurn(async () => {
      for (const authority of KINDS) {
        const nowMs = this.#deps.clock.nowMs()
        const own = { authority, slot: null, by: null, reason: 'due' }
        const active = this.#slotsOf(authority).find(({ state }) => state === 'Active')
        // a CA that lost its keys is a person's to replace
        if (active !== undefined) await this.#open.of(active.id)
        if (active !== undefined && active.notAfterMs - nowMs < this.#lifetimeMs / 3) {
          const waits = this.#slotsOf(authority).some(({ state }) => state === 'Published')
          if (!waits) await this.#prepare(own)
          await this.#move('activate', own)
        }
        for (const { id: slot, state: from, notAfterMs } of this.#slotsOf(authority)) {
          if (notAfterMs > nowMs || from === 'Active' || from === 'Revoked') continue
          this.#carryOut([{ slot, from, to: 'Revoked' }], own, null)
        }
      }
    })
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    await this.#deps.worker.close()
  }

  async #begin(): Promise<void> {
    this.#store.sweep(new Set([...this.#journal.state.slots.values()].filter(isKept).map(({ id }) => id)))
    await this.#inTurn(async () => {
      this.#journal.begin()
      for (const authority of KINDS) {
        if (this.#slotsOf(authority).some(({ state }) => state === 'Active')) continue
        const made = await this.#make(authority)
        const moves: JournalEntry['moves'] = [
          { slot: made.id, from: null, to: 'Prepared' },
          { slot: made.id, from: 'Prepared', to: 'Published' },
          { slot: made.id, from: 'Published', to: 'Active' },
        ]
        this.#carryOut(moves, { authority, slot: null, by: null, reason: 'first' }, made.known)
      }
    })
  }

  /** What is to sign opens first: a key that is damaged is not found out by the agents. */
  async #move(verb: Exclude<SlotVerb, 'prepare'>, ask: SlotAsk): Promise<void> {
    const moves = movedBy(movesOf(this.#slotsOf(ask.authority), verb, ask.slot))
    for (const { slot, to } of moves) if (to === 'Active') await this.#open.of(slot)
    this.#carryOut(moves, ask, null)
  }

  /** A slot is published as it is prepared: what verifies asks for the bundle long before anybody activates it. */
  async #prepare(ask: SlotAsk): Promise<void> {
    const refusal = prepareRefusal(this.#slotsOf(ask.authority))
    if (refusal !== null) throw refusedMove(refusal)
    const made = await this.#make(ask.authority)
    const moves: JournalEntry['moves'] = [
      { slot: made.id, from: null, to: 'Prepared' },
      { slot: made.id, from: 'Prepared', to: 'Published' },
    ]
    this.#carryOut(moves, ask, made.known)
  }

  /** Makes a key and seals it. It is nobody's until the journal says so. */
  async #make(
    authority: AuthorityKind,
  ): Promise<{ readonly id: string; readonly known: NonNullable<JournalEntry['made']> }> {
    const { clock, random, worker, keys } = this.#deps
    const id = `${authority === 'X509' ? 'x' : 'j'}_${Buffer.from(random(9)).toString('base64url')}`
    const madeMs = Math.floor(clock.nowMs() / 1_000) * 1_000
    const notAfterMs = madeMs + this.#lifetimeMs
    const times = { madeMs, notAfterMs }
    if (authority === 'Jwt') {
      const { key, n, e } = of(await worker.run({ do: 'make-jwt' }), 'make-jwt')
      this.#store.write(id, await keys.seal(id, key))
      return { id, known: { ...times, key: { kind: 'Jwt', n, e } } }
    }
    const serials = { rootSerial: random(16), issuerSerial: random(16) }
    const spec = {
      trustDomain: this.trustDomain,
      slot: id,
      notBeforeMs: madeMs - NOT_BEFORE_MS,
      notAfterMs,
      ...serials,
    }
    const { key, root, issuer } = of(await worker.run({ do: 'make-x509', spec }), 'make-x509')
    this.#store.write(id, await keys.seal(id, key))
    const known = { kind: 'X509' as const, root: base64(root), issuer: base64(issuer) }
    return { id, known: { ...times, key: known } }
  }

  #carryOut(moves: JournalEntry['moves'], { authority, by, reason }: SlotAsk, made: JournalEntry['made']): void {
    const time = new Date(this.#deps.clock.nowMs()).toISOString()
    this.#journal.append({ time, authority, by, reason, made, moves })
    for (const { slot, from, to } of moves) {
      this.#deps.log.info('ca-slot', { authority, slot, from, to, by, reason })
      this.#deps.audit.record({ kind: 'ca', authority, slot, from, to, by, reason })
      if (to === 'Revoked') this.#open.forget(slot)
    }
    this.#bundle = null
    for (const listener of [...this.#listeners]) listener()
  }

  async #signer(authority: AuthorityKind): Promise<{ readonly slot: Slot; readonly key: KeyObject }> {
    await this.ready()
    const slot = this.#slotsOf(authority).find(({ state }) => state === 'Active')
    if (slot === undefined) throw new SallyportError('STATE_UNAVAILABLE', `no ${authority} key of the CA is active`)
    return { slot, key: await this.#open.of(slot.id) }
  }

  #slotsOf(authority: AuthorityKind): readonly Slot[] {
    return [...this.#journal.state.slots.values()].filter((slot) => slot.authority === authority)
  }

  #content(): Parameters<typeof bundleDocument>[0] {
    const published = [...this.#journal.state.slots.values()].filter(isPublished)
    return {
      sequence: this.#journal.state.sequence,
      refreshHintSeconds: REFRESH_HINT_SECONDS,
      x509: published.flatMap(({ key }) => (key.kind === 'X509' ? [Buffer.from(key.root, 'base64')] : [])),
      jwt: published.flatMap(({ id, key }) => (key.kind === 'Jwt' ? [{ kid: id, n: key.n, e: key.e }] : [])),
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work)
    this.#last = next.catch(() => undefined)
    return next
  }
}

const isKept = ({ state }: Slot): boolean => state !== 'Revoked'
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The result of a job of that kind. */
function of<K extends CaResult['did']>(result: CaResult, did: K): Extract<CaResult, { did: K }> {
  if (result.did !== did) throw new SallyportError('INTERNAL', `the CA was asked to ${did}, and did ${result.did}`)
  return result as Extract<CaResult, { did: K }> // its `did` was compared
}

function movedBy(moves: readonly SlotMove[] | SlotRefusal): JournalEntry['moves'] {
  if ('refused' in moves) throw refusedMove(moves)
  const [first, ...rest] = moves
  if (first === undefined) throw new SallyportError('INTERNAL', 'a verb moves no slot')
  return [first, ...rest]
}

function refusedMove({ refused, detail }: SlotRefusal): SallyportError {
  return new SallyportError(refused === 'UNKNOWN' ? 'ADMIN_NOT_FOUND' : 'MOVE_REFUSED', detail)
}
