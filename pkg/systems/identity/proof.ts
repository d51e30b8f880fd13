import { createHash, type KeyObject, sign } from 'node:crypto'
import type { RandomBytes } from '#pkg/platform/random'
import { type Delegate, PROOF_MAX_SECONDS, type ProofClaims } from './proof-claims.ts'

/** The media type in the header of a proof. */
export const PROOF_TYPE = 'sallyport-proof+jwt'

/** Headers in which proof and JWT-SVID go. */
export const PROOF_HEADER = 'x-sallyport-proof'
/** The JWT-SVID that a proof rests on. */
export const SVID_HEADER = 'x-sallyport-svid'

/** The request that is signed, as the other end will see it. */
export type SignedRequest = {
  readonly method: string
  /** With its query, as on the request line. */
  readonly path: string
  readonly body: Uint8Array
}

/** What the agent that asks is, at this moment. */
export type ProofSubject = {
  readonly spiffeId: string
  /** P-256; the key of its SVID. */
  readonly key: KeyObject
  /** The public half, as a JWK in the order of RFC 7638. */
  readonly jwk: { readonly crv: 'P-256'; readonly kty: 'EC'; readonly x: string; readonly y: string }
  /** For the one that is asked. */
  readonly jwtSvid: string
  /** All its tools. */
  readonly tools: readonly string[]
}

/** What a proof says besides. */
export type ProofContext = {
  /** SPIFFE ID of the one that is asked. */
  readonly audience: string
  readonly session: string | null
  /** Those before the agent, from the first on; empty = the agent acts on its own. */
  readonly chain: readonly Delegate[]
  /** Tools that the agent may use in this; must be within those of the last of the chain. */
  readonly delegated: readonly string[]
  readonly taint: readonly string[]
}

/** Signs proofs: ES256, compact, for one request each. */
export type ProofSigner = {
  sign(subject: ProofSubject, context: ProofContext, request: SignedRequest): string
}

/** What signing takes. `seconds`: how long a proof lives, 1 … 30. Default 30. */
export type ProofSignerDeps = {
  readonly clock: { nowMs(): number }
  readonly random: RandomBytes
  readonly seconds?: number
}

/** Makes a signer. It holds no key. */
export function newProofSigner({ clock, random, seconds = PROOF_MAX_SECONDS }: ProofSignerDeps): ProofSigner {
  return {
    sign: (subject, context, request) => {
      const iat = Math.floor(clock.nowMs() / 1_000)
      const claims: ProofClaims = {
        iss: subject.spiffeId,
        aud: context.audience,
        iat,
        exp: iat + Math.min(Math.max(seconds, 1), PROOF_MAX_SECONDS),
        jti: Buffer.from(random(16)).toString('base64url'),
        htm: request.method,
        htu: request.path,
        bd: digestOf(request.body),
        ath: digestOf(subject.jwtSvid),
        sid: context.session,
        act: chainOf(context.chain, { sub: subject.spiffeId, tools: context.delegated }),
        tools: subject.tools,
        taint: context.taint,
      }
      const { crv, kty, x, y } = subject.jwk
      const head = encoded({ alg: 'ES256', typ: PROOF_TYPE, jwk: { crv, kty, x, y } })
      const text = `${head}.${encoded(claims)}`
      const mac = sign('sha256', Buffer.from(text), { key: subject.key, dsaEncoding: 'ieee-p1363' })
      return `${text}.${mac.toString('base64url')}`
    },
  }
}

/** SHA-256, base64url. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('base64url')
}

/** RFC 7638: the name of a P-256 key. */
export function thumbprintOf({ crv, kty, x, y }: ProofSubject['jwk']): string {
  return digestOf(JSON.stringify({ crv, kty, x, y }))
}

function chainOf(before: readonly Delegate[], last: Delegate): ProofClaims['act'] {
  const [first, ...rest] = before
  return first === undefined ? [last] : [first, ...rest, last]
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
