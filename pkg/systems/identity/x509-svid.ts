import { X509Certificate } from 'node:crypto'
import { type SvidKey, svidKeyOf } from './agent-key.ts'
import { publicKeyOf, type TrustBundle } from './bundle.ts'
import { type Certificate, KEY_USAGE, readCertificate } from './certificate.ts'
import { OID, SIGNATURES } from './oids.ts'
import { readSpiffeId, type SpiffeId } from './spiffe-id.ts'

/** Why a chain of certificates proves no identity. */
export type X509Fault =
  | 'MALFORMED'
  | 'SIGNS_CERTIFICATES'
  | 'KEY_USAGE'
  | 'URI_NAMES'
  | 'SPIFFE_ID'
  | 'TRUST_DOMAIN'
  | 'NOT_YET_VALID'
  | 'EXPIRED'
  | 'UNTRUSTED'
  | 'EXTENSION_UNKNOWN'

/** What a chain that verified says. */
export type VerifiedX509Svid = {
  readonly spiffeId: SpiffeId
  /** The key of the peer, when it is P-256; else null. Its thumbprint is what `cnf.jkt` of a JWT-SVID names. */
  readonly key: SvidKey | null
  /** Of an agent's SVID. */
  readonly agent: { readonly uid: string; readonly epoch: number } | null
  readonly serial: string
  readonly notBeforeMs: number
  readonly expiresMs: number
}

/** The outcome of {@link verifyX509Svid}. */
export type X509Verdict =
  | { readonly ok: true; readonly svid: VerifiedX509Svid }
  | { readonly ok: false; readonly reason: X509Fault }

/** No smaller RSA key signs certificates. */
const RSA_BITS = 2_048
/** Certificates between a leaf and a root. */
const MAX_INTERMEDIATES = 4

/**
 * Verifies an X.509-SVID against the bundle of its trust domain. `chain`: DER, the leaf first. X509-SVID §5, RFC 5280 §6.
 * What it does not understand it refuses.
 */
export function verifyX509Svid(chain: readonly Uint8Array[], bundle: TrustBundle, nowMs: number): X509Verdict {
  if (chain.length === 0 || chain.length > 1 + MAX_INTERMEDIATES) return no('MALFORMED')
  const [leaf, ...between] = chain.map(readCertificate)
  if (leaf === undefined || leaf === null) return no('MALFORMED')
  const fault = leafFault(leaf)
  if (fault !== null) return no(fault)
  const id = readSpiffeId(leaf.uris[0] ?? '')
  if (typeof id === 'string' || id.segments.length === 0) return no('SPIFFE_ID')
  if (id.trustDomain !== bundle.trustDomain) return no('TRUST_DOMAIN')
  const path: Certificate[] = [leaf]
  for (const each of between) {
    if (each === null) return no('MALFORMED')
    path.push(each)
  }
  const broken = pathFault(path, bundle, nowMs)
  if (broken !== null) return no(broken)
  const { agent, serial, notBeforeMs, notAfterMs: expiresMs, spki } = leaf
  return { ok: true, svid: { spiffeId: id.id, key: svidKeyOf(spki), agent, serial, notBeforeMs, expiresMs } }
}

function no(reason: X509Fault): X509Verdict {
  return { ok: false, reason }
}

/** What X509-SVID §5.2 asks of a leaf. */
function leafFault(leaf: Certificate): X509Fault | null {
  const usage = leaf.keyUsage ?? 0
  if (leaf.isCa || (usage & (KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign)) !== 0) return 'SIGNS_CERTIFICATES'
  if (!leaf.keyUsageCritical || (usage & KEY_USAGE.digitalSignature) === 0) return 'KEY_USAGE'
  const extended = leaf.extendedKeyUsage
  if (extended !== null && ![OID.serverAuth, OID.clientAuth].every((each) => extended.includes(each)))
    return 'KEY_USAGE'
  if (leaf.uris.length !== 1 || !(leaf.hasSubject || leaf.sanCritical)) return 'URI_NAMES'
  return null
}

/** Walks from the leaf up to a root of the bundle. A root at the end of the chain is not part of the path. RFC 5280 §6.1. */
function pathFault(chain: readonly Certificate[], bundle: TrustBundle, nowMs: number): X509Fault | null {
  const last = chain.at(-1)
  const isRoot = chain.length > 1 && bundle.x509.some(({ der }) => last !== undefined && isSame(der, last.der))
  const path = isRoot ? chain.slice(0, -1) : chain
  for (const [at, each] of path.entries()) {
    const fault = ownFault(each, nowMs)
    if (fault !== null) return fault
    const above = path[at + 1]
    if (above !== undefined && !isSignedBy(each, above, at)) return 'UNTRUSTED'
  }
  const top = path.at(-1)
  if (top === undefined) return 'MALFORMED'
  // of several roots with one key, one that is good is enough
  const faults = bundle.x509.filter((one) => isSignedBy(top, one, path.length - 1)).map((one) => ownFault(one, nowMs))
  return faults.includes(null) ? null : (faults[0] ?? 'UNTRUSTED')
}

function ownFault({ hasUnknownCritical, notBeforeMs, notAfterMs }: Certificate, nowMs: number): X509Fault | null {
  if (hasUnknownCritical) return 'EXTENSION_UNKNOWN'
  if (nowMs < notBeforeMs) return 'NOT_YET_VALID'
  return nowMs >= notAfterMs + 1_000 ? 'EXPIRED' : null
}

/** `below`: certificates between the issuer and the leaf. */
function isSignedBy(each: Certificate, issuer: Certificate, below: number): boolean {
  if (!issuer.isCa || !mayIssue(issuer) || (issuer.pathLength !== null && issuer.pathLength < below)) return false
  if (!isSame(each.issuer, issuer.subject)) return false
  const key = publicKeyOf(issuer)
  if (key === null || !SIGNATURES.has(each.signature)) return false
  // of an elliptic curve there is no modulus
  if ((key.asymmetricKeyDetails?.modulusLength ?? RSA_BITS) < RSA_BITS) return false
  try {
    return new X509Certificate(each.der).verify(key)
  } catch {
    return false
  }
}

/** A signing certificate may have an ID, and then it is one of a trust domain. X509-SVID §3.2. */
function mayIssue({ keyUsage, keyUsageCritical, uris }: Certificate): boolean {
  if (!keyUsageCritical || ((keyUsage ?? 0) & KEY_USAGE.keyCertSign) === 0) return false
  return uris.every((uri) => {
    const id = readSpiffeId(uri)
    return typeof id !== 'string' && id.segments.length === 0
  })
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
