/** Certificates of a test's own, with whatever a test puts into them. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { newAgentKeyPair } from './agent-key.ts'
import { readBundle, type TrustBundle } from './bundle.ts'
import { der, derInteger, derOid, TAG } from './der.ts'
import { DOMAIN, NOON } from './identity.fixture.ts'

const TRUE = der(TAG.boolean, Buffer.from([0xff]))
/** RSA signatures over each hash. */
const SIGNATURES = { sha256: '1.2.840.113549.1.1.11', sha1: '1.2.840.113549.1.1.5', sha512: '1.2.840.113549.1.1.13' }
const time = (ms: number): Buffer =>
  der(TAG.utcTime, Buffer.from(new Date(ms).toISOString().replace(/^\d\d|[-:T]|\.\d+/g, '')))

/** A name of one common name. */
export const name = (text: string): Buffer =>
  der(TAG.sequence, der(TAG.set, der(TAG.sequence, derOid('2.5.4.3'), der(TAG.utf8String, Buffer.from(text)))))
/** A name of nothing. */
export const NOBODY = der(TAG.sequence)
export const ext = (oid: string, value: Buffer, critical = false): Buffer =>
  der(TAG.sequence, derOid(oid), ...(critical ? [TRUE] : []), der(TAG.octetString, value))
export const uri = (text: string): Buffer => der(0x86, Buffer.from(text))
export const dns = (text: string): Buffer => der(0x82, Buffer.from(text))
export const names = (critical: boolean, ...all: readonly Buffer[]): Buffer =>
  ext('2.5.29.17', der(TAG.sequence, ...all), critical)
export const san = (...uris: readonly Buffer[]): Buffer => names(true, ...uris)
export const basic = (isCa: boolean, pathLength?: number): Buffer => {
  const length = pathLength === undefined ? [] : [derInteger(pathLength)]
  return ext('2.5.29.19', der(TAG.sequence, ...(isCa ? [TRUE] : []), ...length), true)
}
/** The first octet of key usage: 0x80 signatures, 0x04 certificates, 0x02 lists. */
export const usage = (bits: number, critical = true): Buffer =>
  ext('2.5.29.15', der(TAG.bitString, Buffer.from([0, bits])), critical)
export const eku = (...oids: readonly string[]): Buffer => ext('2.5.29.37', der(TAG.sequence, ...oids.map(derOid)))

/** A key of a signer, made once. */
export const newSigner = (bits = 2_048) => generateKeyPairSync('rsa', { modulusLength: bits })
export const spkiOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' })

/** What a certificate is made of. Times default to now − 30 s and + 300 s. */
export type CertificateParts = {
  readonly subject: Buffer
  readonly spki: Uint8Array
  readonly issuer: Buffer
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
  readonly fromMs?: number
  readonly toMs?: number
  /** Default sha256. */
  readonly hash?: keyof typeof SIGNATURES
}

export function certificate(parts: CertificateParts): Buffer {
  const { subject, spki, issuer, signer, extensions, hash = 'sha256' } = parts
  const { fromMs = NOON - 30_000, toMs = NOON + 300_000 } = parts
  const algorithm = der(TAG.sequence, derOid(SIGNATURES[hash]), der(TAG.null))
  const tbs = der(
    TAG.sequence,
    der(0xa0, derInteger(2)),
    derInteger(17),
    algorithm,
    issuer,
    der(TAG.sequence, time(fromMs), time(toMs)),
    subject,
    spki,
    der(0xa3, der(TAG.sequence, ...extensions)),
  )
  return der(TAG.sequence, tbs, algorithm, der(TAG.bitString, Buffer.from([0]), sign(hash, tbs, signer)))
}

/** The entry of a root in a bundle, with the key of the certificate beside it. */
export function rootEntry(root: Buffer, key: KeyObject, more: object = {}): object {
  const { kty, n, e } = key.export({ format: 'jwk' })
  return { kty, use: 'x509-svid', n, e, x5c: [root.toString('base64')], ...more }
}

/** A bundle of these entries. */
export function bundleOf(...keys: readonly object[]): TrustBundle {
  const read = readBundle(DOMAIN, JSON.stringify({ keys }))
  if (typeof read === 'string') throw new Error(read)
  return read
}

/** A leaf with a key of its own under a signer called `issuer`. */
export function leafUnder(issuer: string, signer: KeyObject, extensions: readonly Buffer[]): Buffer {
  return certificate({ subject: NOBODY, spki: newAgentKeyPair().spki, issuer: name(issuer), signer, extensions })
}
