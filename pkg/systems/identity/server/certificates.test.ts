/** What the CA writes into root, issuer and leaf, read by `readDer` and by Node's own parser. X509-SVID §2–4, RFC 5280 §4. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Certificate, readCertificate } from '../certificate.ts'
import { type DerValue, readDer, TAG } from '../der.ts'
import { type CaBench, DOMAIN, ID, newCaBench, x509Of } from '../identity.fixture.ts'
import { OID } from '../oids.ts'
import { makeX509Authority } from './certificates.ts'

let bench: CaBench
let root: Certificate
let issuer: Certificate
let leaf: Certificate
before(async () => {
  bench = newCaBench()
  const { issued } = await x509Of(bench)
  const read = (der: Uint8Array): Certificate => readCertificate(der) ?? assert.fail('no certificate')
  root = bench.bundle().x509[0] ?? assert.fail('no root')
  leaf = read(issued.chain[0])
  issuer = read(issued.chain[1])
})
after(() => bench.close())

const KEY_CERT_SIGN_AND_CRL_SIGN = (1 << 5) | (1 << 6)
const said = ({ uris, isCa, pathLength, keyUsage, keyUsageCritical, extendedKeyUsage }: Certificate) => ({
  uris,
  isCa,
  pathLength,
  keyUsage,
  keyUsageCritical,
  extendedKeyUsage,
})

test('[XSVID-08] root and issuer carry the ID of the trust domain, may sign certificates and lists, and nothing else', () => {
  const signer = {
    uris: [`spiffe://${DOMAIN}`],
    isCa: true,
    keyUsage: KEY_CERT_SIGN_AND_CRL_SIGN,
    keyUsageCritical: true,
    extendedKeyUsage: null,
  }
  assert.deepEqual(said(root), { ...signer, pathLength: 1 })
  assert.deepEqual(said(issuer), { ...signer, pathLength: 0 })
  assert.ok(root.hasSubject && issuer.hasSubject && !root.hasUnknownCritical && !issuer.hasUnknownCritical)
  assert.ok(new X509Certificate(root.der).verify(new X509Certificate(root.der).publicKey))
})

test('[XSVID-08] a leaf carries one ID, critical beside an empty subject, signs no certificates, and serves both sides of TLS', () => {
  assert.deepEqual(said(leaf), {
    uris: [ID],
    isCa: false,
    pathLength: null,
    keyUsage: 1,
    keyUsageCritical: true,
    extendedKeyUsage: [OID.serverAuth, OID.clientAuth],
  })
  assert.deepEqual([leaf.hasSubject, leaf.sanCritical, leaf.hasUnknownCritical], [false, true, false])
  assert.equal(new X509Certificate(leaf.der).subjectAltName, `URI:${ID}`)
})

test('[CA-09] serial numbers are positive and of 16 octets, and key identifiers lead from leaf to root', () => {
  for (const { serial } of [root, issuer, leaf]) assert.match(serial, /^[4-7][0-9a-f]{31}$/)
  const extensionOf = (certificate: Certificate, oid: string): Buffer => {
    const extensions = readDer(certificate.der)?.children[0]?.children.at(-1)?.children[0]?.children ?? []
    const found = extensions.find(({ children }) => Buffer.from(children[0]?.content ?? []).toString('hex') === oid)
    return Buffer.from(found?.children.at(-1)?.content ?? assert.fail(oid))
  }
  for (const [below, above] of [
    [leaf, issuer],
    [issuer, root],
  ] as const) {
    const own = extensionOf(above, OID.subjectKeyId).subarray(2)
    assert.equal(own.length, 20)
    assert.deepEqual(extensionOf(below, OID.authorityKeyId).subarray(4), own)
    assert.deepEqual(Buffer.from(below.issuer), Buffer.from(above.subject))
  }
})

const PRINTABLE_STRING = 0x13
/** X.680 §41.4. */
const PRINTABLE = /^[A-Za-z0-9 '()+,./:=?-]*$/

function attributesOf(name: Uint8Array): readonly DerValue[] {
  return (readDer(name)?.children ?? []).flatMap((set) => set.children.map((pair) => pair.children[1] ?? pair))
}

test('[CA-09] names are in a type of text that has their characters, whatever the slot is called', () => {
  const slot = 'x_a-b_c*@é\'"'
  const serial = Buffer.alloc(16, 7)
  const times = { notBeforeMs: bench.clock.nowMs(), notAfterMs: bench.clock.nowMs() + 1_000 }
  const made = makeX509Authority({
    trustDomain: DOMAIN,
    slot,
    ...times,
    rootSerial: serial,
    issuerSerial: serial,
  })
  for (const der of [made.root, made.issuer]) {
    const read = readCertificate(der) ?? assert.fail('no certificate')
    const attributes = [...attributesOf(read.subject), ...attributesOf(read.issuer)]
    assert.equal(attributes.length, 4)
    for (const { tag, content } of attributes) {
      const text = Buffer.from(content).toString('utf8')
      assert.ok(tag === TAG.utf8String || (tag === PRINTABLE_STRING && PRINTABLE.test(text)), `${tag} ${text}`)
    }
    assert.ok(new X509Certificate(der).subject.includes('x_a-b_c*@'))
    assert.equal(attributes.filter(({ content }) => Buffer.from(content).toString('utf8').startsWith(slot)).length, 2)
  }
})
