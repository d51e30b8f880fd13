import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Certificate, readCertificate } from './certificate.ts'

/** What proves the identities of one trust domain. SPIFFE Trust Domain and Bundle §3. */
export type TrustBundle = {
  /** Told from outside; the document does not say it. */
  readonly trustDomain: string
  /** Grows with every change; 64 bits, so no number; null = the document does not say. */
  readonly sequence: bigint | null
  readonly refreshHintSeconds: number | null
  readonly x509: readonly Certificate[]
  /** By `kid`. RSA of 2,048 bits or more. */
  readonly jwt: ReadonlyMap<string, KeyObject>
}

/** Why a document is no bundle. */
export type BundleFault = 'TOO_LARGE' | 'NOT_JSON' | 'NO_KEYS' | 'TOO_MANY_KEYS' | 'SEQUENCE' | 'REFRESH_HINT'

/** What a bundle document is made of. */
export type BundleContent = {
  readonly sequence: number
  readonly refreshHintSeconds: number
  /** DER, one root each. */
  readonly x509: readonly Uint8Array[]
  readonly jwt: readonly { readonly kid: string; readonly n: string; readonly e: string }[]
}

/** Bytes of a document that is read. */
const BUNDLE_BYTES = 1024 * 1024
/** Keys of a document that is read. */
const BUNDLE_KEYS = 256
const RSA_BITS = 2_048

/** One entry of `keys`. */
export type BundleKey = {
  readonly kty: 'RSA'
  readonly use: 'x509-svid' | 'jwt-svid'
  readonly kid?: string
  readonly n: string
  readonly e: string
  readonly x5c?: readonly [string]
}

/** The document. */
export type BundleDocument = {
  readonly keys: readonly BundleKey[]
  readonly spiffe_sequence: number
  readonly spiffe_refresh_hint: number
}

/** Makes a bundle's document: RSA keys, each for one kind of SVID. */
export function bundleDocument({ sequence, refreshHintSeconds, x509, jwt }: BundleContent): BundleDocument {
  const roots = x509.map((root): BundleKey => {
    const { n = '', e = '' } = publicKeyOf(readCertificate(root))?.export({ format: 'jwk' }) ?? {}
    return { kty: 'RSA', use: 'x509-svid', n, e, x5c: [Buffer.from(root).toString('base64')] }
  })
  const keys = jwt.map(({ kid, n, e }): BundleKey => ({ kty: 'RSA', use: 'jwt-svid', kid, n, e }))
  return { keys: [...roots, ...keys], spiffe_sequence: sequence, spiffe_refresh_hint: refreshHintSeconds }
}

/** The key of a certificate, or null when it is of no kind that is known. */
export function publicKeyOf(certificate: Certificate | null): KeyObject | null {
  if (certificate === null) return null
  try {
    return createPublicKey({ key: Buffer.from(certificate.spki), format: 'der', type: 'spki' })
  } catch {
    return null
  }
}

/** Reads a bundle of a trust domain. Entries of unknown type or use are passed over, as the standard asks. */
export function readBundle(trustDomain: string, text: string): TrustBundle | BundleFault {
  if (text.length > BUNDLE_BYTES) return 'TOO_LARGE'
  let value: unknown
  try {
    value = JSON.parse(text, exactSequence)
  } catch {
    return 'NOT_JSON'
  }
  if (!isRecord(value) || !Array.isArray(value['keys'])) return 'NO_KEYS'
  const keys: readonly unknown[] = value['keys']
  if (keys.length > BUNDLE_KEYS) return 'TOO_MANY_KEYS'
  const sequence = value['spiffe_sequence'] ?? null
  const hint = value['spiffe_refresh_hint'] ?? null
  if (sequence !== null && typeof sequence !== 'bigint') return 'SEQUENCE'
  if (!isCountOrNull(hint)) return 'REFRESH_HINT'
  const x509: Certificate[] = []
  const jwt = new Map<string, KeyObject>()
  for (const key of keys) {
    if (!isRecord(key) || typeof key['kty'] !== 'string') continue
    if (key['use'] === 'x509-svid') x509.push(...rootOf(key))
    if (key['use'] === 'jwt-svid') takeJwtKey(jwt, key)
  }
  return { trustDomain, sequence, refreshHintSeconds: hint, x509, jwt }
}

/** The sequence as it is written: as a number it would lose what is beyond 53 bits. Trust-Bundle §4.1.1. */
function exactSequence(name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const written = context?.source ?? ''
  return name === 'spiffe_sequence' && /^\d{1,20}$/.test(written) ? BigInt(written) : value
}

/** Of several certificates only the first counts, X509-SVID §6.2; its key is that of the entry, RFC 7517 §4.7. */
function rootOf(key: Readonly<Record<string, unknown>>): readonly Certificate[] {
  const first: unknown = Array.isArray(key['x5c']) ? key['x5c'][0] : undefined
  if (typeof first !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(first)) return []
  const certificate = readCertificate(Buffer.from(first, 'base64'))
  const own = keyOfEntry(key)
  const isOwn = own !== null && publicKeyOf(certificate)?.equals(own) === true
  return certificate?.isCa === true && isOwn ? [certificate] : []
}

/** The public key of an entry; null when it has none of a known type. */
function keyOfEntry(entry: Readonly<Record<string, unknown>>): KeyObject | null {
  const members = Object.entries(entry).filter(([name, value]) => KEY_MEMBERS.has(name) && typeof value === 'string')
  try {
    return createPublicKey({ format: 'jwk', key: Object.fromEntries(members) })
  } catch {
    return null // a key that does not parse proves nothing
  }
}

const KEY_MEMBERS: ReadonlySet<string> = new Set(['kty', 'n', 'e', 'crv', 'x', 'y'])

function takeJwtKey(keys: Map<string, KeyObject>, entry: Readonly<Record<string, unknown>>): void {
  const { kty, kid } = entry
  if (kty !== 'RSA' || typeof kid !== 'string' || kid === '' || keys.has(kid)) return
  const key = keyOfEntry(entry)
  if ((key?.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS && key !== null) keys.set(kid, key)
}

function isCountOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
