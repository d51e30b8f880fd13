import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Certificate, readCertificate } from './certificate.ts'

/** What proves the identities of one trust domain. SPIFFE Trust Domain and Bundle §3. */
export type TrustBundle = {
  /** Told from outside; the document does not say it. */
  readonly trustDomain: string
  /** Grows with every change; null = the document does not say. */
  readonly sequence: number | null
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
export const BUNDLE_BYTES = 1024 * 1024
/** Keys of a document that is read. */
export const BUNDLE_KEYS = 256
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
    value = JSON.parse(text)
  } catch {
    return 'NOT_JSON'
  }
  if (!isRecord(value) || !Array.isArray(value['keys'])) return 'NO_KEYS'
  const keys: readonly unknown[] = value['keys']
  if (keys.length > BUNDLE_KEYS) return 'TOO_MANY_KEYS'
  const sequence = value['spiffe_sequence'] ?? null
  const hint = value['spiffe_refresh_hint'] ?? null
  if (!isCountOrNull(sequence)) return 'SEQUENCE'
  if (!isCountOrNull(hint)) return 'REFRESH_HINT'
  const x509: Certificate[] = []
  const jwt = new Map<string, KeyObject>()
  for (const key of keys) {
    if (!isRecord(key) || typeof key['kty'] !== 'string') continue
    if (key['use'] === 'x509-svid') x509.push(...rootOf(key['x5c']))
    if (key['use'] === 'jwt-svid') takeJwtKey(jwt, key)
  }
  return { trustDomain, sequence, refreshHintSeconds: hint, x509, jwt }
}

/** Of several certificates only the first counts. X509-SVID §6.2. */
function rootOf(chain: unknown): readonly Certificate[] {
  const first: unknown = Array.isArray(chain) ? chain[0] : undefined
  if (typeof first !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(first)) return []
  const certificate = readCertificate(Buffer.from(first, 'base64'))
  return certificate?.isCa === true ? [certificate] : []
}

function takeJwtKey(keys: Map<string, KeyObject>, { kty, kid, n, e }: Readonly<Record<string, unknown>>): void {
  if (kty !== 'RSA' || typeof kid !== 'string' || kid === '' || typeof n !== 'string' || typeof e !== 'string') return
  try {
    const key = createPublicKey({ format: 'jwk', key: { kty, n, e } })
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS && !keys.has(kid)) keys.set(kid, key)
  } catch {
    // a key that does not parse proves nothing
  }
}

function isCountOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
