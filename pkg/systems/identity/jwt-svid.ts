import { verify } from 'node:crypto'
import type { TrustBundle } from './bundle.ts'
import { readSpiffeId, type SpiffeId } from './spiffe-id.ts'

/** Why a token proves no identity. */
export type JwtFault =
  | 'MALFORMED'
  | 'ALGORITHM'
  | 'HEADER'
  | 'SIGNATURE'
  | 'SPIFFE_ID'
  | 'TRUST_DOMAIN'
  | 'AUDIENCE'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'CLAIMS'

/** What a token that verified says. */
export type VerifiedJwtSvid = {
  readonly spiffeId: SpiffeId
  /** `cnf.jkt`: the key that its proofs are signed with. */
  readonly jkt: string
  /** `sha256:` of the names of all its tools. */
  readonly toolsDigest: string
  readonly role: string
  readonly epoch: number
  readonly generation: number
  readonly jti: string
  readonly kid: string
  readonly audience: readonly string[]
  /** Milliseconds since 1970. */
  readonly expiresMs: number
}

/** The outcome of {@link verifyJwtSvid}. */
export type JwtVerdict =
  | { readonly ok: true; readonly svid: VerifiedJwtSvid }
  | { readonly ok: false; readonly reason: JwtFault }

/** What the operator says of an agent in a token. MESH.md §1. */
export type JwtSvidClaims = {
  readonly sub: string
  readonly aud: readonly [string, ...string[]]
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly cnf: { readonly jkt: string }
  readonly sallyport: { readonly role: string; readonly tools: string; readonly gen: number; readonly epoch: number }
}

/** Characters of a token that is read. */
const JWT_LENGTH = 16 * 1024
/** An SVID lives no longer. MESH.md §1. */
export const SVID_SECONDS = 300
/** How far two clocks may be apart. */
const JWT_SKEW_SECONDS = 5
const AUDIENCES = 16

/**
 * Verifies a JWT-SVID against the bundle of its trust domain: RS256 alone, by `kid`, for that audience. JWT-SVID §2–4.
 * About 40 µs; callers remember what verified.
 */
export function verifyJwtSvid(
  token: string,
  { bundle, audience, nowMs }: { readonly bundle: TrustBundle; readonly audience: string; readonly nowMs: number },
): JwtVerdict {
  if (token.length > JWT_LENGTH) return no('MALFORMED')
  const [, head = '', body = '', mac = ''] = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/.exec(token) ?? []
  const header = decoded(head)
  const claims = decoded(body)
  const signature = bytesOf(mac)
  if (header === null || claims === null || signature === null) return no('MALFORMED')
  const kid = readHeader(header)
  if (typeof kid !== 'object') return no(kid)
  const key = bundle.jwt.get(kid.kid)
  if (key === undefined || !verify('sha256', Buffer.from(`${head}.${body}`), key, signature)) return no('SIGNATURE')
  const read = readClaims(claims, kid.kid)
  if (typeof read === 'string') return no(read)
  if (!read.svid.spiffeId.startsWith(`spiffe://${bundle.trustDomain}/`)) return no('TRUST_DOMAIN')
  if (!read.svid.audience.includes(audience)) return no('AUDIENCE')
  const now = nowMs / 1_000
  if (now >= read.svid.expiresMs / 1_000) return no('EXPIRED')
  return now < read.iat - JWT_SKEW_SECONDS ? no('NOT_YET_VALID') : { ok: true, svid: read.svid }
}

function no(reason: JwtFault): JwtVerdict {
  return { ok: false, reason }
}

/** Only what JWT-SVID §2 permits. */
function readHeader(header: Readonly<Record<string, unknown>>): { readonly kid: string } | JwtFault {
  const { alg, kid, typ, ...rest } = header
  if (alg !== 'RS256') return 'ALGORITHM'
  if (Object.keys(rest).length > 0 || !(typ === undefined || typ === 'JWT' || typ === 'JOSE')) return 'HEADER'
  return typeof kid === 'string' && kid !== '' ? { kid } : 'HEADER'
}

type ReadClaims = { readonly svid: VerifiedJwtSvid; readonly iat: number }

function readClaims(claims: Readonly<Record<string, unknown>>, kid: string): ReadClaims | JwtFault {
  const { sub, aud, exp, iat, jti, cnf, sallyport, nbf } = claims
  const id = typeof sub === 'string' ? readSpiffeId(sub) : 'SCHEME'
  if (typeof id === 'string' || id.segments.length === 0) return 'SPIFFE_ID'
  const audience: unknown = typeof aud === 'string' ? [aud] : aud
  if (!isTexts(audience)) return 'AUDIENCE'
  if (!isSeconds(exp) || !isSeconds(iat) || exp - iat > SVID_SECONDS || exp <= iat || nbf !== undefined) return 'CLAIMS'
  if (!isRecord(cnf) || !isRecord(sallyport)) return 'CLAIMS'
  const { jkt } = cnf
  const { role, tools, gen, epoch } = sallyport
  if (typeof jkt !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(jkt)) return 'CLAIMS'
  if (typeof role !== 'string' || typeof tools !== 'string' || typeof jti !== 'string' || jti === '') return 'CLAIMS'
  if (!isCount(gen) || !isCount(epoch)) return 'CLAIMS'
  const named = { spiffeId: id.id, jkt, toolsDigest: tools, role, epoch, generation: gen, jti, kid, audience }
  return { iat, svid: { ...named, expiresMs: exp * 1_000 } }
}

/** Base64url in its one form. */
function bytesOf(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return text !== '' && bytes.toString('base64url') === text ? bytes : null
}

function decoded(text: string): Readonly<Record<string, unknown>> | null {
  const bytes = bytesOf(text)
  if (bytes === null) return null
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

function isTexts(value: unknown): value is readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > AUDIENCES) return false
  return value.every((each) => typeof each === 'string' && each !== '')
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isSeconds(value: unknown): value is number {
  return isCount(value) && value > 0 && value < 2 ** 40
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
