/** One agent of a delegation chain and the tools that it may use in it: names, trailing-`*` globs. */
export type Delegate = { readonly sub: string; readonly tools: readonly string[] }

/** What a proof says of one request. MESH.md §1. */
export type ProofClaims = {
  /** SPIFFE ID of the agent that asks. */
  readonly iss: string
  /** SPIFFE ID of the one that is asked. */
  readonly aud: string
  /** Seconds since 1970. `exp` is at most {@link PROOF_MAX_SECONDS} later. */
  readonly iat: number
  readonly exp: number
  /** Once in all proofs: 128 bits that nobody can guess, base64url. */
  readonly jti: string
  /** Method and path (with its query) of the request, as on its first line. */
  readonly htm: string
  readonly htu: string
  /** SHA-256 of the body, base64url; of an empty body, too. */
  readonly bd: string
  /** SHA-256 of the JWT-SVID that goes with it, base64url. */
  readonly ath: string
  /** The session that the request belongs to, or null. */
  readonly sid: string | null
  /** From the agent that began to the one that asks, each with no more tools than the one before. */
  readonly act: readonly [Delegate, ...Delegate[]]
  /** All tools of the agent that asks; the JWT-SVID holds their digest. */
  readonly tools: readonly string[]
  /** Labels of what the session has read. */
  readonly taint: readonly string[]
}

/** A proof lives no longer. MESH.md §1. */
export const PROOF_MAX_SECONDS = 30
/** How far the clocks of who signs and who verifies may be apart. */
export const PROOF_SKEW_SECONDS = 5
/** Agents in one chain. */
const CHAIN_MAX = 8
/** Tools of one delegate, and labels of one taint. */
const LIST_MAX = 512

const DIGEST = /^[A-Za-z0-9_-]{43}$/
const KEYS = new Set(['iss', 'aud', 'iat', 'exp', 'jti', 'htm', 'htu', 'bd', 'ath', 'sid', 'act', 'tools', 'taint'])

/** The claims of a payload, or null when they are anything but these. */
export function readClaims(value: unknown): ProofClaims | null {
  if (!isRecord(value) || Object.keys(value).length !== KEYS.size) return null
  if (!Object.keys(value).every((key) => KEYS.has(key))) return null
  const { iss, aud, iat, exp, jti, htm, htu, bd, ath, sid, act, tools, taint } = value
  if (!isId(iss) || !isId(aud) || !isSeconds(iat) || !isSeconds(exp)) return null
  if (!matches(jti, /^[A-Za-z0-9_-]{22}$/) || !matches(htm, /^[A-Z]{1,16}$/) || !isText(htu, 8_192)) return null
  if (!matches(bd, DIGEST) || !matches(ath, DIGEST) || !(sid === null || isText(sid, 128))) return null
  if (!isTexts(tools) || !isTexts(taint) || !Array.isArray(act) || act.length > CHAIN_MAX) return null
  const [first, ...rest] = act.map(readDelegate)
  if (first === undefined || first === null) return null
  const chain: [Delegate, ...Delegate[]] = [first]
  for (const delegate of rest) {
    if (delegate === null) return null
    chain.push(delegate)
  }
  return { iss, aud, iat, exp, jti, htm, htu, bd, ath, sid, act: chain, tools, taint }
}

function readDelegate(value: unknown): Delegate | null {
  if (!isRecord(value) || Object.keys(value).length !== 2) return null
  const { sub, tools } = value
  return isId(sub) && isTexts(tools) ? { sub, tools } : null
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 40
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= max
}

function isId(value: unknown): value is string {
  return isText(value, 2_048) && value.startsWith('spiffe://')
}

function matches(value: unknown, shape: RegExp): value is string {
  return typeof value === 'string' && shape.test(value)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= LIST_MAX && value.every((text) => isText(text, 256))
}
