import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { signedRequest } from '../../pkg/systems/identity/agent-key.ts'
import { der, readDer } from '../../pkg/systems/identity/der.ts'
import { makeX509Authority, signedLeaf } from '../../pkg/systems/identity/server/certificates.ts'
import { readCsr } from '../../pkg/systems/identity/server/csr.ts'
import type { Target } from './runner/target.ts'

const ID = 'spiffe://sallyport.local/ns/growth/agent/marketing'
const NOON = Date.UTC(2026, 0, 31, 12)

/** The key 1, whose public half is the generator: no secret, and the same in every run. */
const ONE = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'EC',
    crv: 'P-256',
    d: `${'A'.repeat(42)}E`,
    x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
    y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
  },
})
const SPKI = createPublicKey(ONE).export({ format: 'der', type: 'spki' })
const serial = Buffer.alloc(16, 7)
const times = { notBeforeMs: NOON, notAfterMs: NOON + 300_000 }
const CA = makeX509Authority({
  trustDomain: 'sallyport.local',
  slot: 'x_fuzz',
  ...times,
  rootSerial: serial,
  issuerSerial: serial,
})
const CA_KEY = createPrivateKey({ key: Buffer.from(CA.key), format: 'der', type: 'pkcs8' })

/** Of a request that is taken: its one key, and what a certificate for it says. */
function assertTaken(request: Uint8Array, spki: Uint8Array): void {
  assert.deepEqual(Buffer.from(spki), SPKI, 'another key than the one that signed')
  const [info, ...rest] = readDer(request)?.children ?? []
  assert.ok(info !== undefined && rest.length === 2)
  assert.deepEqual(der(0x30, ...[info, ...rest].map(({ bytes }) => bytes)), Buffer.from(request), 'written in two ways')
  const attributes = Buffer.from(info.children[3]?.content ?? []).toString('latin1')
  assert.ok(!/:\/\//.test(attributes.replace(ID, '')), 'another name')
  const leaf = signedLeaf(spki, { spiffeId: ID, uid: 'u', epoch: 1, ...times, serial, issuer: CA.issuer }, CA_KEY)
  const read = new X509Certificate(leaf)
  assert.deepEqual([read.subjectAltName, read.ca], [`URI:${ID}`, false])
}

/**
 * A signing request as it is, and its information signed with the right key: never a throw, and what is taken asks for
 * nothing but the one name.
 */
export const target: Target = {
  name: 'csr',
  words: [
    ID,
    'spiffe://sallyport.local/ns/growth/agent/research',
    'spiffe://evil.example/ns/a/agent/b',
    '/../',
    '%2e',
    '\0',
    '\x30\x80',
    '\x30\x81\x05',
    '\x02\x02\0\x01',
    '\x01\x01\x01',
    '\x06\x03\x55\x1d\x11',
    '\x06\x03\x55\x1d\x13',
    '\x04\x05\x30\x03\x01\x01\x7f',
    '\x82\x0cevil.example',
    '\0\0',
  ],
  run(bytes) {
    const info = readDer(bytes)?.children[0]?.bytes ?? new Uint8Array(0)
    const seen = [bytes, ...[bytes, info].map((each) => signedRequest({ privateKey: ONE }, each))].map((request) => {
      const read = readCsr(request, ID)
      if (read.ok) assertTaken(request, read.spki)
      return read.ok ? 'ok' : read.fault
    })
    return seen.join(' ')
  },
}
