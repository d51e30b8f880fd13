import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { der, derInteger, derOid, TAG } from './der.ts'

/** The public half of a P-256 key, as a JWK in the order of RFC 7638. */
export type P256Jwk = { readonly crv: 'P-256'; readonly kty: 'EC'; readonly x: string; readonly y: string }

/** A P-256 public key. `jkt`: its thumbprint, which `cnf.jkt` of a JWT-SVID names. RFC 7638. */
export type SvidKey = { readonly jwk: P256Jwk; readonly jkt: string }

/** The key of one agent. It stays in memory: nothing here writes it anywhere. */
export type AgentKeyPair = SvidKey & { readonly privateKey: KeyObject; readonly spki: Uint8Array }

/** Makes a key: about 50 µs. */
export function newAgentKeyPair(): AgentKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const key = svidKeyOf(spki)
  if (key === null) throw new Error('a new P-256 key does not read as one')
  return { ...key, privateKey, spki }
}

/** The P-256 key of a SubjectPublicKeyInfo, or null when it is another kind of key. */
export function svidKeyOf(spki: Uint8Array): SvidKey | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    const { crv, x, y } = key.export({ format: 'jwk' })
    if (crv !== 'P-256' || x === undefined || y === undefined) return null
    const jwk: P256Jwk = { crv, kty: 'EC', x, y }
    return { jwk, jkt: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url') }
  } catch {
    return null
  }
}

const URI_NAME = 0x86
const CONTEXT_0 = 0xa0
const VERSION = derInteger(0)
const ECDSA_SHA256 = der(TAG.sequence, derOid('1.2.840.10045.4.3.2'))
const EXTENSION_REQUEST = derOid('1.2.840.113549.1.9.14')
const SUBJECT_ALT_NAME = derOid('2.5.29.17')
const TRUE = der(TAG.boolean, Buffer.from([0xff]))
const NOBODY = der(TAG.sequence)

/** A signing request (RFC 2986) for one SPIFFE ID. It proves that its sender has the key; all else is the signer's to say. */
export function signingRequest(pair: Pick<AgentKeyPair, 'privateKey' | 'spki'>, spiffeId: string): Buffer {
  const names = der(TAG.octetString, der(TAG.sequence, der(URI_NAME, Buffer.from(spiffeId, 'latin1'))))
  const extensions = der(TAG.sequence, der(TAG.sequence, SUBJECT_ALT_NAME, TRUE, names))
  const attributes = der(CONTEXT_0, der(TAG.sequence, EXTENSION_REQUEST, der(TAG.set, extensions)))
  return signedRequest(pair, der(TAG.sequence, VERSION, NOBODY, pair.spki, attributes))
}

/** A signing request around an information that was made elsewhere. */
export function signedRequest({ privateKey }: Pick<AgentKeyPair, 'privateKey'>, info: Uint8Array): Buffer {
  const signature = sign('sha256', info, privateKey)
  return der(TAG.sequence, info, ECDSA_SHA256, der(TAG.bitString, Buffer.from([0]), signature))
}
