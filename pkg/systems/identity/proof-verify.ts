import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { digestOf, PROOF_TYPE, type SignedRequest, thumbprintOf } from './proof.ts'
import { type Delegate, PROOF_MAX_SECONDS, PROOF_SKEW_SECONDS, type ProofClaims, readClaims } from './proof-claims.ts'
import type { ReplayCache } from './replay.ts'
import { isWithin, toolDigest } from './tool-digest.ts'

/** Why a proof proves nothing. */
export type ProofFault =
  | 'IDENTITY_PROOF_MISSING'
  | 'IDENTITY_PROOF_INVALID'
  | 'IDENTITY_PROOF_AUDIENCE'
  | 'IDENTITY_PROOF_EXPIRED'
  | 'IDENTITY_PROOF_REQUEST'
  | 'IDENTITY_PROOF_REPLAYED'
  | 'IDENTITY_PROOF_STALE'
  | 'IDENTITY_DELEGATION_WIDENED'

/** What a JWT-SVID that verified says. */
export type VerifiedSvid = {
  readonly spiffeId: string
  /** `cnf.jkt`: the key that its proofs are signed with. */
  readonly jkt: string
  readonly toolsDigest: string
  readonly epoch: number
  readonly generation: number
  /** Milliseconds since 1970. */
  readonly expiresMs: number
}

/** What a request proves. */
export type Proven =
  | {
      readonly ok: true
      /** SPIFFE ID of the agent that asks. */
      readonly caller: string
      readonly session: string | null
      /** From the first agent to the caller. */
      readonly chain: readonly [Delegate, ...Delegate[]]
      readonly taint: readonly string[]
    }
  | { readonly ok: false; readonly reason: ProofFault; readonly detail: string }

/** What verifying takes. */
export type ProofVerifierDeps = {
  readonly clock: { nowMs(): number }
  /** Verifies a JWT-SVID for an audience; null = it does not verify. Called once for each token while it is remembered. */
  readonly verifySvid: (token: string, audience: string) => VerifiedSvid | null
  /** The oldest epoch and generation that still count for an agent; null = it is unknown, so nothing counts. */
  readonly oldestOf: (spiffeId: string) => { readonly epoch: number; readonly generation: number } | null
  readonly replay: ReplayCache
  /** Tokens whose verification is remembered. Default 4,096. */
  readonly rememberedTokens?: number
}

/** A request with what it brought. `peerKey`: thumbprint of the key of its connection; null = a connection without one. */
export type ProofAsk = {
  readonly request: SignedRequest
  readonly proof: string | null
  readonly svid: string | null
  /** SPIFFE ID of the one that is asked. */
  readonly audience: string
  readonly peerKey: string | null
}

/** Verifies proofs. MESH.md §1. */
export type ProofVerifier = {
  verify(ask: ProofAsk): Proven
  /** Verified tokens are asked about again: the trust bundle has changed. */
  forget(): void
}

/** No proof of ours is longer. */
const MAX_PROOF_LENGTH = 64 * 1024
const MAX_SVID_LENGTH = 16 * 1024
const DEFAULT_TOKENS = 4_096
const KEYS_REMEMBERED = 4_096

/** Makes a verifier. What it cannot tell, it refuses. */
export function newProofVerifier(deps: ProofVerifierDeps): ProofVerifier {
  const svids = newSvidMemory(deps)
  const sinceSeconds = Math.floor(deps.clock.nowMs() / 1_000)
  const keys = new Map<string, KeyObject>()
  const keyOf = (jwk: Jwk, jkt: string): KeyObject | null => {
    const known = keys.get(jkt)
    if (known !== undefined) return known
    try {
      const key = createPublicKey({ format: 'jwk', key: jwk })
      if (keys.size >= KEYS_REMEMBERED) keys.clear()
      keys.set(jkt, key)
      return key
    } catch {
      return null
    }
  }
  return {
    verify: (ask) => {
      if (ask.proof === null || ask.svid === null) return no('IDENTITY_PROOF_MISSING', 'brings no proof or no JWT-SVID')
      const parts = readParts(ask.proof)
      if (parts === null || ask.svid.length > MAX_SVID_LENGTH) return no('IDENTITY_PROOF_INVALID', 'is no proof')
      const svid = svids.find(ask.svid, ask.audience)
      if (svid === null) return no('IDENTITY_PROOF_INVALID', 'rests on a JWT-SVID that does not verify')
      const jkt = thumbprintOf(parts.jwk)
      if (jkt !== svid.jkt || (ask.peerKey !== null && ask.peerKey !== jkt))
        return no('IDENTITY_PROOF_INVALID', 'is signed with another key than that of the SVID')
      const key = keyOf(parts.jwk, jkt)
      const signed = { key, dsaEncoding: 'ieee-p1363' as const }
      if (key === null || !verify('sha256', Buffer.from(parts.text), { ...signed, key }, parts.signature))
        return no('IDENTITY_PROOF_INVALID', 'does not verify')
      // what was used before this process began, nobody remembers
      if (parts.claims.iat < sinceSeconds)
        return no(
          'IDENTITY_PROOF_REPLAYED',
          'was made before this process began, and may have been used; make a new one',
        )
      return judge(deps, ask, { claims: parts.claims, svid })
    },
    forget: () => svids.clear(),
  }
}

type Read = { readonly claims: ProofClaims; readonly svid: VerifiedSvid }

function judge(deps: ProofVerifierDeps, ask: ProofAsk, { claims, svid }: Read): Proven {
  const now = deps.clock.nowMs() / 1_000
  if (claims.iss !== svid.spiffeId || claims.ath !== digestOf(ask.svid ?? ''))
    return no('IDENTITY_PROOF_INVALID', 'belongs to another JWT-SVID')
  if (claims.aud !== ask.audience) return no('IDENTITY_PROOF_AUDIENCE', 'is for another audience')
  if (claims.exp - claims.iat > PROOF_MAX_SECONDS || claims.exp <= claims.iat)
    return no('IDENTITY_PROOF_INVALID', `lives longer than ${PROOF_MAX_SECONDS} s, or not at all`)
  if (now > claims.exp + PROOF_SKEW_SECONDS || now < claims.iat - PROOF_SKEW_SECONDS)
    return no('IDENTITY_PROOF_EXPIRED', 'is expired, or not valid yet')
  const { method, path, body } = ask.request
  if (claims.htm !== method || claims.htu !== path || claims.bd !== digestOf(body))
    return no('IDENTITY_PROOF_REQUEST', 'was made for another request')
  const oldest = deps.oldestOf(svid.spiffeId)
  if (oldest === null || svid.epoch < oldest.epoch || svid.generation < oldest.generation)
    return no('IDENTITY_PROOF_STALE', 'rests on an epoch or a policy that no longer counts')
  const widened = widenedAt(claims, svid)
  if (widened !== null) return no('IDENTITY_DELEGATION_WIDENED', widened)
  const seen = deps.replay.take(claims.jti)
  if (seen !== 'new')
    return no('IDENTITY_PROOF_REPLAYED', seen === 'seen' ? 'was used before' : 'comes while too many are remembered')
  return { ok: true, caller: claims.iss, session: claims.sid, chain: claims.act, taint: claims.taint }
}

/** What is wrong with the chain, or null: it ends with the caller, names nobody twice, and narrows from hop to hop. */
function widenedAt({ iss, act, tools }: ProofClaims, svid: VerifiedSvid): string | null {
  if (act.at(-1)?.sub !== iss) return 'has a chain that does not end with its caller'
  if (new Set(act.map(({ sub }) => sub)).size !== act.length) return 'has a chain that comes back to an agent'
  if (toolDigest(tools) !== svid.toolsDigest) return 'names other tools than its JWT-SVID'
  let wide = act[0].tools
  for (const delegate of act) {
    if (!isWithin(delegate.tools, wide)) return 'has a chain in which an agent has tools that the one before has not'
    wide = delegate.tools
  }
  return isWithin(wide, tools) ? null : 'takes tools that its agent has not'
}

type Jwk = Parameters<typeof thumbprintOf>[0]
type Parts = {
  readonly text: string
  readonly signature: Uint8Array
  readonly jwk: Jwk
  readonly claims: ProofClaims
}

function readParts(proof: string): Parts | null {
  if (proof.length > MAX_PROOF_LENGTH) return null
  const [, head = '', body = '', mac = ''] =
    /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/.exec(proof) ?? []
  const jwk = readHead(parsed(head))
  const claims = readClaims(parsed(body))
  const signature = Buffer.from(mac, 'base64url')
  // base64url in its one form: the last character has bits that say nothing
  if (jwk === null || claims === null || signature.toString('base64url') !== mac) return null
  return { text: `${head}.${body}`, signature, jwk, claims }
}

function readHead(value: unknown): Jwk | null {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 3) return null
  if (!('alg' in value) || value.alg !== 'ES256' || !('typ' in value) || value.typ !== PROOF_TYPE) return null
  if (!('jwk' in value) || typeof value.jwk !== 'object' || value.jwk === null) return null
  const { jwk } = value
  if (Object.keys(jwk).length !== 4 || !('kty' in jwk) || jwk.kty !== 'EC' || !('crv' in jwk) || jwk.crv !== 'P-256')
    return null
  if (!('x' in jwk) || !isCoordinate(jwk.x) || !('y' in jwk) || !isCoordinate(jwk.y)) return null
  return { crv: 'P-256', kty: 'EC', x: jwk.x, y: jwk.y }
}

function isCoordinate(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}

type SvidMemory = { find: ProofVerifierDeps['verifySvid']; clear(): void }

/** Verified tokens by themselves and their audience; one that is expired is asked about again. */
function newSvidMemory(deps: ProofVerifierDeps): SvidMemory {
  const known = new Map<string, VerifiedSvid>()
  const most = deps.rememberedTokens ?? DEFAULT_TOKENS
  const find: SvidMemory['find'] = (token, audience) => {
    const name = `${audience} ${token}`
    const found = known.get(name)
    if (found !== undefined && deps.clock.nowMs() < found.expiresMs) return found
    known.delete(name)
    const svid = deps.verifySvid(token, audience)
    if (svid === null) return null
    if (known.size >= most) known.delete(known.keys().next().value ?? '')
    known.set(name, svid)
    return svid
  }
  return { find, clear: () => known.clear() }
}

function no(reason: ProofFault, detail: string): Proven {
  return { ok: false, reason, detail }
}
