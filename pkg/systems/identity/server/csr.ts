import './reflect.ts'
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { Pkcs10CertificateRequest } from '@peculiar/x509'
import { svidKeyOf } from '../agent-key.ts'
import { listExtensions } from '../certificate.ts'
import { type DerValue, readDer, smallInteger, TAG } from '../der.ts'
import { OID } from '../oids.ts'
import { readSpiffeId } from '../spiffe-id.ts'

/** Why a signing request is refused. */
export type CsrFault =
  | 'CSR_TOO_LARGE'
  | 'CSR_MALFORMED'
  | 'CSR_KEY'
  | 'CSR_ATTRIBUTE'
  | 'CSR_EXTENSION'
  | 'CSR_NAMES'
  | 'CSR_SPIFFE_ID'
  | 'CSR_TRUST_DOMAIN'
  | 'CSR_OTHER_ID'
  | 'CSR_SIGNATURE'

/** A request that proves its key. `spki`: the one thing that is taken from it. */
export type ReadCsr =
  | { readonly ok: true; readonly spki: Uint8Array }
  | { readonly ok: false; readonly fault: CsrFault }

/** Bytes of a request. With an ID of 2,048 bytes it has 2,400. */
export const CSR_BYTES = 8 * 1024
const CONTEXT_0 = 0xa0

/**
 * Reads a signing request (PKCS #10) for one SPIFFE ID. It may name that ID as its only name, and asks for nothing else:
 * what a certificate says is the signer's to decide. Two readers have to agree on its key. MESH.md §1.
 */
export function readCsr(bytes: Uint8Array, spiffeId: string): ReadCsr {
  if (bytes.length > CSR_BYTES) return no('CSR_TOO_LARGE')
  const whole = readDer(bytes)
  const [info, algorithm, signature] = whole?.children ?? []
  const parts = info?.tag === TAG.sequence ? info.children : []
  const [version, subject, spki, attributes] = parts
  if (whole?.tag !== TAG.sequence || whole.children.length !== 3 || info === undefined) return no('CSR_MALFORMED')
  if (parts.length < 3 || parts.length > 4 || smallInteger(version) !== 0) return no('CSR_MALFORMED')
  if (subject?.tag !== TAG.sequence || spki?.tag !== TAG.sequence) return no('CSR_MALFORMED')
  if (signature?.tag !== TAG.bitString || signature.content[0] !== 0) return no('CSR_MALFORMED')
  if (!otherReaderAgrees(bytes, spki.bytes)) return no('CSR_MALFORMED')
  const key = keyOf(spki.bytes)
  if (key === null || !isEcdsaSha256(algorithm)) return no('CSR_KEY')
  const asked = attributesFault(attributes, spiffeId)
  if (asked !== null) return no(asked)
  const isProven = verify('sha256', info.bytes, key, signature.content.subarray(1))
  return isProven ? { ok: true, spki: spki.bytes } : no('CSR_SIGNATURE')
}

function no(fault: CsrFault): ReadCsr {
  return { ok: false, fault }
}

function otherReaderAgrees(bytes: Uint8Array, spki: Uint8Array): boolean {
  try {
    const read = new Pkcs10CertificateRequest(Uint8Array.from(bytes))
    return Buffer.compare(new Uint8Array(read.publicKey.rawData), spki) === 0
  } catch {
    return false
  }
}

/** All of a P-256 key's SubjectPublicKeyInfo but its two coordinates. RFC 5480 §2. */
const P256_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')

/**
 * A P-256 key in its one form, or null. A curve written out in numbers, or a point that is compressed, is the same key to one
 * reader of the certificate and none to another.
 */
function keyOf(spki: Uint8Array): KeyObject | null {
  const jwk = svidKeyOf(spki)?.jwk
  if (jwk === undefined) return null
  const [x, y] = [Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y, 'base64url')]
  if (Buffer.compare(Buffer.concat([P256_HEAD, x, y]), spki) !== 0) return null
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
}

function isEcdsaSha256(algorithm: DerValue | undefined): boolean {
  const [oid] = algorithm?.children ?? []
  return algorithm?.tag === TAG.sequence && algorithm.children.length === 1 && isOid(oid, OID.ecdsaSha256)
}

function isOid(value: DerValue | undefined, oid: string): boolean {
  return value?.tag === TAG.oid && Buffer.from(value.content).toString('hex') === oid
}

/** Nothing, or one request for the one name. */
function attributesFault(attributes: DerValue | undefined, spiffeId: string): CsrFault | null {
  if (attributes === undefined) return null
  const [attribute, ...more] = attributes.children
  if (attributes.tag !== CONTEXT_0) return 'CSR_MALFORMED'
  if (attribute === undefined) return null
  const [oid, values, ...rest] = attribute.tag === TAG.sequence ? attribute.children : []
  if (oid === undefined || values?.tag !== TAG.set || values.children.length !== 1 || rest.length > 0)
    return 'CSR_MALFORMED'
  if (more.length > 0 || !isOid(oid, OID.extensionRequest)) return 'CSR_ATTRIBUTE'
  const extensions = listExtensions(values.children[0])
  if (extensions === null) return 'CSR_MALFORMED'
  for (const { oid: name, value } of extensions) {
    if (name !== OID.subjectAltName) return 'CSR_EXTENSION'
    const fault = namesFault(value, spiffeId)
    if (fault !== null) return fault
  }
  return null
}

const URI_NAME = 0x86

function namesFault(names: DerValue, spiffeId: string): CsrFault | null {
  const [name, ...more] = names.children
  if (names.tag !== TAG.sequence || name?.tag !== URI_NAME || more.length > 0) return 'CSR_NAMES'
  const asked = readSpiffeId(Buffer.from(name.content).toString('latin1'))
  const own = readSpiffeId(spiffeId)
  if (typeof asked === 'string' || typeof own === 'string') return 'CSR_SPIFFE_ID'
  if (asked.trustDomain !== own.trustDomain) return 'CSR_TRUST_DOMAIN'
  return asked.id === own.id ? null : 'CSR_OTHER_ID'
}
