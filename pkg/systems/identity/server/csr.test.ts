import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { newAgentKeyPair, signedRequest, signingRequest } from '../agent-key.ts'
import { der, derInteger, derOid, readDer, TAG } from '../der.ts'
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
const rsa2048 = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const p224 = generateKeyPairSync('ec', { namedCurve: 'secp224r1' })
const ed = generateKeyPairSync('ed25519')
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const good = signingRequest(pair, ID)

/** The key of the request, otherwise written; signed with the real one. */
const written = (spki: Uint8Array): Buffer => signedRequest(pair, info([asking(names(name(URI, ID)))], spki))
const P256 = derOid('1.2.840.10045.3.1.7')
const pointed = (point: Uint8Array, parameters: Buffer = P256): Buffer =>
  der(
    TAG.sequence,
    der(TAG.sequence, derOid('1.2.840.10045.2.1'), parameters),
    der(TAG.bitString, Buffer.from([0]), point),
  )
const POINT = pair.spki.subarray(-65)
const offCurve = Buffer.from(POINT)
offCurve[64] = (offCurve[64] ?? 0) ^ 1
/** The curve by its numbers, not by its name: whoever makes it up can choose a generator. */
function explicitCurve(): Buffer {
  const spki = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).publicKey
  return readDer(spki.export({ format: 'der', type: 'spki' }))?.children[0]?.children[1]?.bytes as Buffer // a SEQUENCE
}
const parts = (readDer(good)?.children ?? []).map(({ bytes }) => Buffer.from(bytes))
const [INFO = Buffer.alloc(0), ALGORITHM = Buffer.alloc(0), SIGNATURE = Buffer.alloc(0)] = parts
const assembled = (...all: readonly Uint8Array[]): Buffer => der(TAG.sequence, ...all)
const retagged = (tag: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([tag]), bytes.subarray(1)])
const signature = (r: Buffer, s: Buffer): Buffer => der(TAG.bitString, Buffer.from([0]), der(TAG.sequence, r, s))
/** The same value with a length of one octet more than it needs. */
const padded = (bytes: Uint8Array): Buffer => {
  const long = [bytes[0] ?? 0, 0x82, 0, (bytes[1] ?? 0) === 0x81 ? (bytes[2] ?? 0) : (bytes[1] ?? 0)]
  return Buffer.concat([Buffer.from(long), bytes.subarray((bytes[1] ?? 0) === 0x81 ? 3 : 2)])
}
/** Written as DER would not: with an indefinite length. */
const indefinite = (bytes: Uint8Array): Buffer => {
  const head = (bytes[1] ?? 0) < 0x80 ? 2 : 2 + ((bytes[1] ?? 0) & 0x7f)
  return Buffer.concat([Buffer.from([bytes[0] ?? 0, 0x80]), bytes.subarray(head), Buffer.from([0, 0])])
}
/** A request with an attribute of two values. */
const twoValues = (): Buffer => {
  const value = der(TAG.sequence, names(name(URI, ID)))
  return signedRequest(pair, info([der(TAG.sequence, derOid('1.2.840.113549.1.9.14'), der(TAG.set, value, value))]))
}

const faultOf = (csr: Uint8Array): CsrFault | 'ok' => {
  const read = readCsr(csr, ID)
  return read.ok ? 'ok' : read.fault
}
function nested(depth: number): Buffer {
  let bytes = der(TAG.sequence)
  for (let at = 0; at < depth; at += 1) bytes = der(TAG.sequence, bytes)
  return bytes
}

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
  ['an RSA key of 2,048 bits', () => keyed(rsa2048.privateKey, rsa2048.publicKey), 'CSR_KEY'],
  ['a key on a curve of 224 bits', () => keyed(p224.privateKey, p224.publicKey), 'CSR_KEY'],
  ['an Ed25519 key', () => written(ed.publicKey.export({ format: 'der', type: 'spki' })), 'CSR_KEY'],
  ['a point that is not on its curve', () => written(pointed(offCurve)), 'CSR_KEY'],
  ['a point of zeros', () => written(pointed(Buffer.concat([Buffer.from([4]), Buffer.alloc(64)]))), 'CSR_KEY'],
  ['the point at infinity', () => written(pointed(Buffer.from([0]))), 'CSR_KEY'],
  [
    'a point beyond the field',
    () => written(pointed(Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 0xff)]))),
    'CSR_KEY',
  ],
  [
    'its point compressed',
    () => written(pointed(Buffer.concat([Buffer.from([2 + ((POINT[64] ?? 0) & 1)]), POINT.subarray(1, 33)]))),
    'CSR_KEY',
  ],
  ['a curve written out in numbers', () => written(pointed(POINT, explicitCurve())), 'CSR_KEY'],
  ['a key of no kind', () => written(der(TAG.sequence)), 'CSR_MALFORMED'],
  ['a key on secp256k1', () => keyed(k1.privateKey, k1.publicKey), 'CSR_KEY'],
  [
    "another's key",
    () => signedRequest(pair, info([asking(names(name(URI, ID)))], newAgentKeyPair().spki)),
    'CSR_SIGNATURE',
  ],
  ['a signature of zeros', () => assembled(INFO, ALGORITHM, signature(derInteger(0), derInteger(0))), 'CSR_SIGNATURE'],
  [
    'huge numbers as its signature',
    () => assembled(INFO, ALGORITHM, signature(derInteger(Buffer.alloc(1_000, 0x7f)), derInteger(1))),
    'CSR_SIGNATURE',
  ],
  ['a signature of nothing', () => assembled(INFO, ALGORITHM, der(TAG.bitString, Buffer.from([0]))), 'CSR_SIGNATURE'],
  [
    'bits left over in its signature',
    () => assembled(INFO, ALGORITHM, der(TAG.bitString, Buffer.from([1]), SIGNATURE.subarray(3))),
    'CSR_MALFORMED',
  ],
  [
    'another algorithm of signatures',
    () => assembled(INFO, der(TAG.sequence, derOid('1.2.840.10045.4.3.3')), SIGNATURE),
    'CSR_KEY',
  ],
  [
    'parameters of its algorithm',
    () => assembled(INFO, der(TAG.sequence, derOid('1.2.840.10045.4.3.2'), der(TAG.null)), SIGNATURE),
    'CSR_KEY',
  ],
  ['its algorithm under another tag', () => assembled(INFO, retagged(0xb0, ALGORITHM), SIGNATURE), 'CSR_KEY'],
  ['its parts in another order', () => assembled(ALGORITHM, INFO, SIGNATURE), 'CSR_MALFORMED'],
  ['a part more', () => assembled(INFO, ALGORITHM, SIGNATURE, der(TAG.null)), 'CSR_MALFORMED'],
  [
    'a huge number as its version',
    () => signedRequest(pair, der(TAG.sequence, derInteger(Buffer.alloc(2_000, 0x7f)), der(TAG.sequence), pair.spki)),
    'CSR_MALFORMED',
  ],
  [
    'a version below 0',
    () => signedRequest(pair, der(TAG.sequence, der(TAG.integer, Buffer.from([0xff])), der(TAG.sequence), pair.spki)),
    'CSR_MALFORMED',
  ],
  [
    'an attribute under another tag',
    () => signedRequest(pair, info([retagged(TAG.set, asking(names(name(URI, ID))))])),
    'CSR_MALFORMED',
  ],
  [
    'a number in the place of its attributes',
    () => signedRequest(pair, der(TAG.sequence, derInteger(0), der(TAG.sequence), pair.spki, derInteger(1))),
    'CSR_MALFORMED',
  ],
  ['its extensions twice in one attribute', twoValues, 'CSR_MALFORMED'],
  ['an address of mail', () => request(names(name(0x81, 'a@evil.example'))), 'CSR_NAMES'],
  ['an IP address', () => request(names(name(URI, ID), name(0x87, '\u007f\u0000\u0000\u0001'))), 'CSR_NAMES'],
  [
    'a name of another kind before its own',
    () => request(names(der(0xa0, derOid('1.2.3')), name(URI, ID))),
    'CSR_NAMES',
  ],
  ['the ID of its trust domain', () => request(names(name(URI, 'spiffe://sallyport.local'))), 'CSR_OTHER_ID'],
  ['its name in capitals', () => request(names(name(URI, ID.toUpperCase()))), 'CSR_SPIFFE_ID'],
  ['a version of the future', () => signedRequest(pair, info([], pair.spki, 1)), 'CSR_MALFORMED'],
  ['a byte behind its end', () => Buffer.concat([good, Buffer.from([0])]), 'CSR_MALFORMED'],
  ['its last byte cut off', () => good.subarray(0, -1), 'CSR_MALFORMED'],
  ['an indefinite length', () => indefinite(good), 'CSR_MALFORMED'],
  ['an indefinite length within', () => assembled(INFO, indefinite(ALGORITHM), SIGNATURE), 'CSR_MALFORMED'],
  ['a length of an octet too many', () => assembled(INFO, padded(ALGORITHM), SIGNATURE), 'CSR_MALFORMED'],
  [
    'a length of 4 GiB',
    () => Buffer.concat([Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), good.subarray(4)]),
    'CSR_MALFORMED',
  ],
  [
    'a number with a zero before it',
    () => assembled(INFO, ALGORITHM, signature(der(TAG.integer, Buffer.from([0, 1])), derInteger(1))),
    'CSR_SIGNATURE',
  ],
  ['nothing but sequences in sequences', () => nested(1_500), 'CSR_MALFORMED'],
  ['nothing', () => Buffer.alloc(0), 'CSR_MALFORMED'],
  ['more bytes than a request has', () => Buffer.alloc(CSR_BYTES + 1, 0x30), 'CSR_TOO_LARGE'],
]
for (const [what, csr, expected] of rows)
  test(`[CSR-01] a signing request with ${what}: ${expected}`, () => {
    const read = readCsr(csr(), ID)
    assert.equal(read.ok ? 'ok' : read.fault, expected)
    if (read.ok) assert.deepEqual(Buffer.from(read.spki), Buffer.from(pair.spki))
  })

test('[CSR-01] a request of which any bit is another is refused', () => {
  for (let at = 0; at < good.length; at += 1)
    for (let bit = 0; bit < 8; bit += 1) {
      const changed = Buffer.from(good)
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      assert.ok(!readCsr(changed, ID).ok, `bit ${bit} of byte ${at}`)
    }
})

test('[CSR-01] a request that ends anywhere before its end is malformed, and so is one with any byte behind it', () => {
  for (let end = 0; end < good.length; end += 1) assert.equal(faultOf(good.subarray(0, end)), 'CSR_MALFORMED', `${end}`)
  for (let last = 0; last < 256; last += 1)
    assert.equal(faultOf(Buffer.concat([good, Buffer.from([last])])), 'CSR_MALFORMED', `${last}`)
})

test('[CSR-01] a request from which any one byte is taken, or into which one is put, is refused', () => {
  for (let at = 0; at <= good.length; at += 1) {
    const put = Buffer.concat([good.subarray(0, at), Buffer.from([0]), good.subarray(at)])
    assert.notEqual(faultOf(put), 'ok', `byte ${at}`)
    if (at < good.length) assert.notEqual(faultOf(Buffer.concat([good.subarray(0, at), good.subarray(at + 1)])), 'ok')
  }
})

test('[CSR-01] any bytes are refused without a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => {
      assert.equal(readCsr(bytes, ID).ok, false)
    }),
    { numRuns: 500 },
  )
})
