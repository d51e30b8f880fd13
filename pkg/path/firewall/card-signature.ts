import type { FlattenedJWSInput, JWK } from 'jose'
import { signedForms } from './card-canonical.ts'

/** What the signatures of a card come to. */
export type Signatures = {
  /** Thumbprints of the keys that signed it. */
  readonly keys: readonly string[]
  /** True where a signature rests on a key that the card does not hold. */
  readonly unverified: boolean
  /** What is wrong with one of them; null = nothing. */
  readonly wrong: string | null
}

/** A card without signatures. */
export const UNSIGNED: Signatures = { keys: [], unverified: false, wrong: null }

/** Signatures of one card that are looked at; more is wrong. */
const MAX_SIGNATURES = 8

/** Of two keys, and none that a reader of the card could have made it with. */
const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512', 'EdDSA', 'Ed25519']

type Json = Readonly<Record<string, unknown>>

/**
 * Verifies each signature that brings its key with it (`jwk` in its header). A `jku` is never fetched: it is an address
 * that a stranger chose. Never rejects: what throws is wrong.
 */
export async function readSignatures(card: Json): Promise<Signatures> {
  const list = card['signatures']
  if (!Array.isArray(list) || list.length > MAX_SIGNATURES)
    return { ...UNSIGNED, wrong: `has signatures that are no list, or more than ${MAX_SIGNATURES}` }
  const forms = signedForms(card)
  const keys = new Set<string>()
  let unverified = false
  for (const entry of list) {
    const read = await verified(entry, forms)
    if (read === 'wrong') return { ...UNSIGNED, wrong: 'has a signature that does not verify' }
    if (read === 'no-key') unverified = true
    else keys.add(read.key)
  }
  return { keys: [...keys], unverified, wrong: null }
}

async function verified(entry: unknown, forms: readonly string[]): Promise<{ key: string } | 'wrong' | 'no-key'> {
  const { calculateJwkThumbprint, flattenedVerify, importJWK } = await import('jose')
  try {
    const jws = partsOf(entry)
    const { alg, jwk } = headerOf(jws)
    if (jwk === null) return 'no-key'
    const key = await importJWK(jwk, alg)
    for (const form of forms) {
      const payload = Buffer.from(form, 'utf8').toString('base64url')
      const is = await flattenedVerify({ ...jws, payload }, key, { algorithms: ALGORITHMS }).then(
        () => true,
        () => false,
      )
      if (is) return { key: await calculateJwkThumbprint(jwk) }
    }
    return 'wrong'
  } catch {
    return 'wrong'
  }
}

type Parts = Pick<FlattenedJWSInput, 'header'> & { readonly protected: string; readonly signature: string }

function partsOf(entry: unknown): Parts {
  const { protected: header, signature, header: open } = objectOf(entry)
  if (typeof header !== 'string' || typeof signature !== 'string') throw new Error('no signature')
  // only `jwk` is read of what the signature does not cover, and a wrong key verifies nothing
  return { protected: header, signature, ...(open === undefined || open === null ? {} : { header: objectOf(open) }) }
}

function headerOf(jws: Parts): { readonly alg: string; readonly jwk: JWK | null } {
  const header = objectOf(JSON.parse(Buffer.from(jws.protected, 'base64url').toString('utf8')))
  const { alg, crit, b64 } = header
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg)) throw new Error('no algorithm of two keys')
  if (crit !== undefined || b64 !== undefined) throw new Error('an extension that is not read')
  const given = header['jwk'] ?? jws.header?.['jwk']
  if (given === undefined || given === null) return { alg, jwk: null }
  const jwk = objectOf(given)
  if ('d' in jwk || jwk['kty'] === 'oct') throw new Error('a key that is not public')
  return { alg, jwk: jwk as JWK } // importJWK checks it member by member
}

function objectOf(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('no object')
  return value as Json // checked in the line above
}
