import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { newAgentKeyPair, signedRequest, signingRequest } from '../agent-key.ts'
import { der, derInteger, derOid, TAG } from '../der.ts'
import { CSR_BYTES, type CsrFault, readCsr } from './csr.ts'

const ID = 'spiffe://sallyport.local/ns/growth/agent/marketing'
const OTHER = 'spiffe://sallyport.local/ns/growth/agent/research'
const pair = newAgentKeyPair()
const URI = 0x86
const DNS = 0x82
const NAMES = '2.5.29.17'
const name = (tag: number, text: string): Buffer => der(tag, Buffer.from(text, 'latin1'))
const extension = (oid: string, value: Uint8Array): Buffer =>
  der(TAG.sequence, derOid(oid), der(TAG.octetString, value))
const names = (...all: readonly Buffer[]): Buffer => extension(NAMES, der(TAG.sequence, ...all))
const asking = (...extensions: readonly Buffer[]): Buffer =>
  der(TAG.sequence, derOid('1.2.840.113549.1.9.14'), der(TAG.set, der(TAG.sequence, ...extensions)))
const info = (attributes: readonly Buffer[], spki: Uint8Array = pair.spki, version = 0): Buffer =>
  der(TAG.sequence, derInteger(version), der(TAG.sequence), spki, der(0xa0, ...attributes))
const request = (...extensions: readonly Buffer[]): Buffer => signedRequest(pair, info([asking(...extensions)]))

function keyed(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return signedRequest({ privateKey }, info([asking(names(name(URI, ID)))], spki))
}
const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const good = signingRequest(pair, ID)

const rows: readonly (readonly [what: string, csr: () => Uint8Array, expected: CsrFault | 'ok'])[] = [
  ['its own name', () => good, 'ok'],
  ['no name at all', () => signedRequest(pair, info([])), 'ok'],
  ['two names, its own first', () => request(names(name(URI, ID), name(URI, OTHER))), 'CSR_NAMES'],
  ['two names, its own last', () => request(names(name(URI, OTHER), name(URI, ID))), 'CSR_NAMES'],
  ['its own name twice', () => request(names(name(URI, ID), name(URI, ID))), 'CSR_NAMES'],
  ['a DNS name beside its own', () => request(names(name(URI, ID), name(DNS, 'evil.example'))), 'CSR_NAMES'],
  ['a DNS name alone', () => request(names(name(DNS, 'evil.example'))), 'CSR_NAMES'],
  ['an empty list of names', () => request(extension(NAMES, der(TAG.sequence))), 'CSR_NAMES'],
  ['names in two extensions', () => request(names(name(URI, ID)), names(name(URI, OTHER))), 'CSR_MALFORMED'],
  [
    'the right to sign',
    () =>
      request(names(name(URI, ID)), extension('2.5.29.19', der(TAG.sequence, der(TAG.boolean, Buffer.from([0xff]))))),
    'CSR_EXTENSION',
  ],
  ['a key usage', () => request(extension('2.5.29.15', der(TAG.bitString, Buffer.from([2, 4])))), 'CSR_EXTENSION'],
  [
    'another attribute',
    () =>
      signedRequest(
        pair,
        info([der(TAG.sequence, derOid('1.2.840.113549.1.9.7'), der(TAG.set, der(TAG.utf8String, Buffer.from('x'))))]),
      ),
    'CSR_ATTRIBUTE',
  ],
  [
    'the extensions twice',
    () => signedRequest(pair, info([asking(names(name(URI, ID))), asking(names(name(URI, OTHER)))])),
    'CSR_ATTRIBUTE',
  ],
  ['the name of another agent', () => request(names(name(URI, OTHER))), 'CSR_OTHER_ID'],
  [
    'a foreign trust domain',
    () => request(names(name(URI, ID.replace('sallyport.local', 'evil.example')))),
    'CSR_TRUST_DOMAIN',
  ],
  [
    'a name with ".."',
    () => request(names(name(URI, 'spiffe://sallyport.local/ns/growth/agent/x/../marketing'))),
    'CSR_SPIFFE_ID',
  ],
  ['a name with a NUL', () => request(names(name(URI, `${ID}\u0000.evil`))), 'CSR_SPIFFE_ID'],
  ['a name with an escape', () => request(names(name(URI, ID.replace('growth', '%67rowth')))), 'CSR_SPIFFE_ID'],
  ['a name with an empty segment', () => request(names(name(URI, ID.replace('/agent', '//agent')))), 'CSR_SPIFFE_ID'],
  ['a name of 2,049 bytes', () => request(names(name(URI, ID + 'x'.repeat(2_049 - ID.length)))), 'CSR_SPIFFE_ID'],
  ['a name in UTF-8', () => request(names(name(URI, `${ID}\u00c3\u00a4`))), 'CSR_SPIFFE_ID'],
  ['an RSA key of 1,024 bits', () => keyed(rsa.privateKey, rsa.publicKey), 'CSR_KEY'],
  ['a key on a curve of 384 bits', () => keyed(p384.privateKey, p384.publicKey), 'CSR_KEY'],
  ['a key on secp256k1', () => keyed(k1.privateKey, k1.publicKey), 'CSR_KEY'],
  [
    "another's key",
    () => signedRequest(pair, info([asking(names(name(URI, ID)))], newAgentKeyPair().spki)),
    'CSR_SIGNATURE',
  ],
  ['a version of the future', () => signedRequest(pair, info([], pair.spki, 1)), 'CSR_MALFORMED'],
  ['a byte behind its end', () => Buffer.concat([good, Buffer.from([0])]), 'CSR_MALFORMED'],
  ['its last byte cut off', () => good.subarray(0, -1), 'CSR_MALFORMED'],
  [
    'an indefinite length',
    () => Buffer.concat([Buffer.from([0x30, 0x80]), good.subarray(4), Buffer.from([0, 0])]),
    'CSR_MALFORMED',
  ],
  ['nothing', () => Buffer.alloc(0), 'CSR_MALFORMED'],
  ['more bytes than a request has', () => Buffer.alloc(CSR_BYTES + 1, 0x30), 'CSR_TOO_LARGE'],
]
for (const [what, csr, expected] of rows)
  test(`[CSR-01] a signing request with ${what}: ${expected}`, () => {
    const read = readCsr(csr(), ID)
    assert.equal(read.ok ? 'ok' : read.fault, expected)
    if (read.ok) assert.deepEqual(Buffer.from(read.spki), Buffer.from(pair.spki))
  })

test('[CSR-01] a request of which one bit is another is refused, or is the same request', () => {
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(7), (at, bit) => {
      const changed = Buffer.from(good)
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      const read = readCsr(changed, ID)
      assert.ok(!read.ok, `bit ${bit} of byte ${at}`)
    }),
    { numRuns: 300 },
  )
})

test('[CSR-01] any bytes are refused without a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => {
      assert.equal(readCsr(bytes, ID).ok, false)
    }),
    { numRuns: 500 },
  )
})
