import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import forge from 'node-forge'
import { der, derInteger, derOid, readDer, TAG } from '../der.ts'
import { AGENT_EXTENSION } from '../oids.ts'
import { trustDomainId } from '../spiffe-id.ts'

// its types leave out what it exports
declare module 'node-forge' {
  namespace pki {
    function getTBSCertificate(certificate: Certificate): asn1.Asn1
  }
}

/** An authority for X.509-SVIDs: a root, and the issuer under it that signs leaves. The root's key is gone when this returns. */
export type X509AuthorityMade = {
  /** PKCS #8 of the issuer's key. */
  readonly key: Uint8Array
  readonly root: Uint8Array
  readonly issuer: Uint8Array
}

/** What an authority is made of. */
export type X509AuthoritySpec = {
  readonly trustDomain: string
  /** Goes into its names. */
  readonly slot: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** 16 octets each. */
  readonly rootSerial: Uint8Array
  readonly issuerSerial: Uint8Array
}

/** What a leaf says. */
export type LeafSpec = {
  readonly spiffeId: string
  readonly uid: string
  readonly epoch: number
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** 16 octets. */
  readonly serial: Uint8Array
  readonly issuer: Uint8Array
}

const RSA_BITS = 2_048
const KEY_CERT_SIGN_AND_CRL_SIGN = Buffer.from([1, 0x06])
const DIGITAL_SIGNATURE = Buffer.from([7, 0x80])
const URI_NAME = 0x86
const TRUE = der(TAG.boolean, Buffer.from([0xff]))
/** No leaf or authority of ours lives longer than UTCTime reaches. RFC 5280 §4.1.2.5. */
const UTC_TIME_ENDS_MS = Date.UTC(2050, 0)

/** Makes root and issuer: two RSA keys, 50 ms to a second. forge makes the structures, node:crypto signs. */
export function makeX509Authority(spec: X509AuthoritySpec): X509AuthorityMade {
  const root = generateKeyPairSync('rsa', { modulusLength: RSA_BITS })
  const issuer = generateKeyPairSync('rsa', { modulusLength: RSA_BITS })
  const rootName = nameOf(`${spec.slot} root`)
  const sign = (subject: Omit<Signing, 'spec' | 'issuerName' | 'issuerKey' | 'issuerPublic'>): Uint8Array =>
    signedCertificate({
      ...subject,
      spec,
      issuerName: rootName,
      issuerKey: root.privateKey,
      issuerPublic: root.publicKey,
    })
  return {
    key: issuer.privateKey.export({ format: 'der', type: 'pkcs8' }),
    root: sign({ serial: spec.rootSerial, name: rootName, publicKey: root.publicKey, pathLength: 1 }),
    issuer: sign({
      serial: spec.issuerSerial,
      name: nameOf(`${spec.slot} issuer`),
      publicKey: issuer.publicKey,
      pathLength: 0,
    }),
  }
}

/** In UTF8String: the name of a slot has characters that PrintableString, forge's default, has not. */
function nameOf(commonName: string): forge.pki.CertificateField[] {
  const valueTagClass = forge.asn1.Type.UTF8 as number as forge.asn1.Class // its types name the wrong set of numbers
  return [
    { name: 'organizationName', value: 'Sallyport', valueTagClass },
    { name: 'commonName', value: commonName, valueTagClass },
  ]
}

type Signing = {
  readonly spec: X509AuthoritySpec
  readonly serial: Uint8Array
  readonly name: forge.pki.CertificateField[]
  readonly issuerName: forge.pki.CertificateField[]
  readonly publicKey: KeyObject
  readonly issuerKey: KeyObject
  readonly issuerPublic: KeyObject
  readonly pathLength: number
}

function signedCertificate(signing: Signing): Uint8Array {
  const { spec, serial, name, issuerName, publicKey, issuerKey, issuerPublic, pathLength } = signing
  const certificate = forge.pki.createCertificate()
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  certificate.publicKey = forge.pki.publicKeyFromAsn1(forge.asn1.fromDer(spki.toString('latin1')))
  certificate.serialNumber = derInteger(positive(serial)).subarray(2).toString('hex')
  certificate.validity.notBefore = new Date(spec.notBeforeMs)
  certificate.validity.notAfter = new Date(spec.notAfterMs)
  certificate.setSubject(name)
  certificate.setIssuer(issuerName)
  const isRoot = publicKey === issuerPublic
  certificate.setExtensions([
    raw('2.5.29.19', der(TAG.sequence, TRUE, derInteger(pathLength)), true),
    raw('2.5.29.15', der(TAG.bitString, KEY_CERT_SIGN_AND_CRL_SIGN), true),
    raw('2.5.29.14', der(TAG.octetString, keyId(spki)), false),
    ...(isRoot ? [] : [raw('2.5.29.35', authorityKeyId(issuerPublic.export({ format: 'der', type: 'spki' })), false)]),
    raw('2.5.29.17', der(TAG.sequence, der(URI_NAME, Buffer.from(trustDomainId(spec.trustDomain)))), false),
  ])
  const { sha256WithRSAEncryption } = forge.pki.oids
  if (sha256WithRSAEncryption === undefined) throw new Error('forge knows no sha256WithRSAEncryption')
  certificate.siginfo.algorithmOid = sha256WithRSAEncryption
  certificate.signatureOid = sha256WithRSAEncryption
  const tbs = Buffer.from(forge.asn1.toDer(forge.pki.getTBSCertificate(certificate)).getBytes(), 'latin1')
  return der(TAG.sequence, tbs, SHA256_RSA, bits(sign('sha256', tbs, issuerKey)))
}

const raw = (id: string, value: Buffer, critical: boolean): object => ({
  id,
  critical,
  value: value.toString('latin1'),
})

/** forge writes what is the same in every leaf. */
function forged(value: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(value).getBytes(), 'latin1')
}

const { Class, Type, create, oidToDer } = forge.asn1
const oid = (dotted: string): forge.asn1.Asn1 => create(Class.UNIVERSAL, Type.OID, false, oidToDer(dotted).getBytes())
const sequence = (...parts: forge.asn1.Asn1[]): forge.asn1.Asn1 => create(Class.UNIVERSAL, Type.SEQUENCE, true, parts)

const SHA256_RSA = forged(sequence(oid('1.2.840.113549.1.1.11'), create(Class.UNIVERSAL, Type.NULL, false, '')))
const VERSION_3 = der(0xa0, derInteger(2))
const NOBODY = der(TAG.sequence)
const LEAF_EXTENSIONS = Buffer.concat([
  extension('2.5.29.19', der(TAG.sequence), true),
  extension('2.5.29.15', der(TAG.bitString, DIGITAL_SIGNATURE), true),
  extension('2.5.29.37', forged(sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))), false),
])

/** The leaf of an agent, signed: X509-SVID §4. Its subject is empty, so its one name is critical. About 300 µs. */
export function signedLeaf(spki: Uint8Array, spec: LeafSpec, issuerKey: KeyObject): Uint8Array {
  const issuer = readDer(spec.issuer)?.children[0]?.children
  const [issuerName, issuerSpki] = [issuer?.[5], issuer?.[6]]
  if (issuerName === undefined || issuerSpki === undefined) throw new Error('the issuer is no certificate')
  const agent = der(TAG.sequence, der(TAG.utf8String, Buffer.from(spec.uid)), derInteger(spec.epoch))
  const extensions = der(
    TAG.sequence,
    LEAF_EXTENSIONS,
    extension('2.5.29.14', der(TAG.octetString, keyId(spki)), false),
    extension('2.5.29.35', authorityKeyId(issuerSpki.bytes), false),
    extension('2.5.29.17', der(TAG.sequence, der(URI_NAME, Buffer.from(spec.spiffeId))), true),
    extension(AGENT_EXTENSION, agent, false),
  )
  const validity = der(TAG.sequence, utcTime(spec.notBeforeMs), utcTime(spec.notAfterMs))
  const serial = derInteger(positive(spec.serial))
  const tbs = der(
    TAG.sequence,
    VERSION_3,
    serial,
    SHA256_RSA,
    issuerName.bytes,
    validity,
    NOBODY,
    spki,
    der(0xa3, extensions),
  )
  return der(TAG.sequence, tbs, SHA256_RSA, bits(sign('sha256', tbs, issuerKey)))
}

/** Not zero, and without a sign bit: RFC 5280 §4.1.2.2. */
function positive(serial: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(serial)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

/** The serial number as a certificate shows it, in hexadecimal. */
export function serialText(serial: Uint8Array): string {
  return Buffer.from(positive(serial)).toString('hex')
}

function extension(dotted: string, value: Uint8Array, critical: boolean): Buffer {
  return der(TAG.sequence, derOid(dotted), ...(critical ? [TRUE] : []), der(TAG.octetString, value))
}

function bits(bytes: Uint8Array): Buffer {
  return der(TAG.bitString, Buffer.from([0]), bytes)
}

/** RFC 7093 §2, method 1: 160 bits of the SHA-256 of the key. */
function keyId(spki: Uint8Array): Buffer {
  const key = readDer(spki)?.children[1]?.content.subarray(1)
  if (key === undefined) throw new Error('the key is no SubjectPublicKeyInfo')
  return createHash('sha256').update(key).digest().subarray(0, 20)
}

function authorityKeyId(spki: Uint8Array): Buffer {
  return der(TAG.sequence, der(0x80, keyId(spki)))
}

function utcTime(ms: number): Buffer {
  if (ms >= UTC_TIME_ENDS_MS) throw new Error('a leaf would live beyond 2049')
  const text = new Date(ms).toISOString().replace(/^\d\d|[-:T]|\.\d+/g, '')
  return der(TAG.utcTime, Buffer.from(text))
}

/** An RSA key for JWT-SVIDs. */
export function makeJwtKey(): { readonly key: Uint8Array; readonly n: string; readonly e: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: RSA_BITS })
  const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { key: privateKey.export({ format: 'der', type: 'pkcs8' }), n, e }
}
