/** Paths from a leaf to a root, and roots in bundles. X509-SVID §3–6, RFC 5280 §6, Trust-Bundle §4. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBundle, type TrustBundle } from './bundle.ts'
import {
  basic,
  bundleOf,
  type CertificateParts,
  certificate,
  leafUnder,
  name,
  names,
  newSigner,
  rootEntry,
  san,
  spkiOf,
  uri,
  usage,
} from './certificate.fixture.ts'
import { AUDIENCE, DOMAIN, ID, jwtOf, NOON, withCa } from './identity.fixture.ts'
import { verifyJwtSvid } from './jwt-svid.ts'
import { verifyX509Svid, type X509Fault } from './x509-svid.ts'

const [root, issuer, other] = [newSigner(), newSigner(), newSigner()]
type Parts = Partial<CertificateParts>
const SIGNER = [basic(true), usage(0x06)]

const rootCertificate = (more: Parts = {}): Buffer =>
  certificate({
    subject: name('root'),
    issuer: name('root'),
    spki: spkiOf(root.publicKey),
    signer: root.privateKey,
    extensions: SIGNER,
    ...more,
  })
const issuerCertificate = (more: Parts = {}): Buffer =>
  rootCertificate({ subject: name('issuer'), spki: spkiOf(issuer.publicKey), ...more })
const leaf = leafUnder('issuer', issuer.privateKey, [basic(false), usage(0x80), san(uri(ID))])
const weak = newSigner(1_024)
const weakLeaf = leafUnder('issuer', weak.privateKey, [basic(false), usage(0x80), san(uri(ID))])
const trusted = (...roots: readonly Buffer[]): TrustBundle =>
  bundleOf(...roots.map((each) => rootEntry(each, root.publicKey)))

const GOOD = rootCertificate()
const ID_OF_DOMAIN = names(false, uri(`spiffe://${DOMAIN}`))
const day = 86_400_000

const chains: readonly (readonly [
  id: string,
  what: string,
  chain: readonly Buffer[],
  bundle: TrustBundle,
  expected: X509Fault | 'ok',
])[] = [
  ['XSVID-06', 'leaf and issuer', [leaf, issuerCertificate()], trusted(GOOD), 'ok'],
  ['XSVID-06', 'its root as well', [leaf, issuerCertificate(), GOOD], trusted(GOOD), 'ok'],
  [
    'XSVID-06',
    'its root as well, which may have one signer below',
    [leaf, issuerCertificate(), rootCertificate({ extensions: [basic(true, 1), usage(0x06)] })],
    trusted(rootCertificate({ extensions: [basic(true, 1), usage(0x06)] })),
    'ok',
  ],
  ['XSVID-06', 'the root of somebody else as well', [leaf, issuerCertificate(), GOOD], trusted(), 'UNTRUSTED'],
  [
    'XSVID-06',
    'a root that may have no signer below',
    [leaf, issuerCertificate()],
    trusted(rootCertificate({ extensions: [basic(true, 0), usage(0x06)] })),
    'UNTRUSTED',
  ],
  [
    'XSVID-06',
    'an issuer that may have no signer below',
    [leaf, issuerCertificate({ extensions: [basic(true, 0), usage(0x06)] })],
    trusted(GOOD),
    'ok',
  ],
  ['XSVID-06', 'an issuer that is over', [leaf, issuerCertificate({ toMs: NOON - 10_000 })], trusted(GOOD), 'EXPIRED'],
  [
    'XSVID-06',
    'an issuer of tomorrow',
    [leaf, issuerCertificate({ fromMs: NOON + 10_000 })],
    trusted(GOOD),
    'NOT_YET_VALID',
  ],
  [
    'XSVID-06',
    'a root that is over',
    [leaf, issuerCertificate()],
    trusted(rootCertificate({ toMs: NOON - 9_000 })),
    'EXPIRED',
  ],
  [
    'XSVID-06',
    'a root that is over, and its successor with the same key',
    [leaf, issuerCertificate()],
    trusted(rootCertificate({ fromMs: NOON - 2 * day, toMs: NOON - day }), GOOD),
    'ok',
  ],
  [
    'XSVID-06',
    'an issuer that another key signed in the name of the root',
    [leaf, issuerCertificate({ signer: other.privateKey })],
    trusted(GOOD),
    'UNTRUSTED',
  ],
  [
    'XSVID-06',
    'an issuer of another name',
    [leaf, issuerCertificate({ subject: name('else') })],
    trusted(GOOD),
    'UNTRUSTED',
  ],
  ['XSVID-11', 'an issuer signed over SHA-512', [leaf, issuerCertificate({ hash: 'sha512' })], trusted(GOOD), 'ok'],
  ['XSVID-11', 'an issuer signed over SHA-1', [leaf, issuerCertificate({ hash: 'sha1' })], trusted(GOOD), 'UNTRUSTED'],
  [
    'XSVID-11',
    'an issuer with an RSA key of 1,024 bits',
    [weakLeaf, issuerCertificate({ spki: spkiOf(weak.publicKey) })],
    trusted(GOOD),
    'UNTRUSTED',
  ],
  ['XSVID-06', 'an issuer twice', [leaf, issuerCertificate(), issuerCertificate()], trusted(GOOD), 'UNTRUSTED'],
  [
    'XSVID-02',
    'an issuer with CA:false',
    [leaf, issuerCertificate({ extensions: [basic(false), usage(0x06)] })],
    trusted(GOOD),
    'UNTRUSTED',
  ],
  [
    'XSVID-03',
    'an issuer that may sign lists alone',
    [leaf, issuerCertificate({ extensions: [basic(true), usage(0x02)] })],
    trusted(GOOD),
    'UNTRUSTED',
  ],
  [
    'XSVID-03',
    'an issuer without a key usage',
    [leaf, issuerCertificate({ extensions: [basic(true)] })],
    trusted(GOOD),
    'UNTRUSTED',
  ],
  [
    'XSVID-05',
    'an issuer with the ID of its domain',
    [leaf, issuerCertificate({ extensions: [...SIGNER, ID_OF_DOMAIN] })],
    trusted(GOOD),
    'ok',
  ],
  [
    'XSVID-05',
    'an issuer with the ID of an agent',
    [leaf, issuerCertificate({ extensions: [...SIGNER, names(false, uri(ID))] })],
    trusted(GOOD),
    'UNTRUSTED',
  ],
]
for (const [id, what, chain, bundle, expected] of chains)
  test(`[${id}] a chain of ${what}: ${expected}`, () => {
    const verdict = verifyX509Svid(chain, bundle, NOON)
    assert.equal(verdict.ok ? 'ok' : verdict.reason, expected)
  })

const entry = (more: object = {}): object => rootEntry(GOOD, root.publicKey, more)
const x5c = (...all: readonly Buffer[]): object => ({ x5c: all.map((each) => each.toString('base64')) })
const OTHER_ROOT = certificate({
  subject: name('other'),
  issuer: name('other'),
  spki: spkiOf(other.publicKey),
  signer: other.privateKey,
  extensions: SIGNER,
})
const entries: readonly (readonly [id: string, what: string, entry: object, roots: number])[] = [
  ['BUNDLE-04', 'one certificate', entry(), 1],
  ['BUNDLE-04', 'an empty list of certificates', entry({ x5c: [] }), 0],
  ['BUNDLE-04', 'certificates that are no list', entry({ x5c: GOOD.toString('base64') }), 0],
  ['BUNDLE-04', 'a certificate behind the first, which does not count', entry(x5c(GOOD, OTHER_ROOT)), 1],
  ['BUNDLE-03', 'an unknown type of key', entry({ kty: 'XYZ' }), 0],
  ['BUNDLE-03', 'a use in capitals', entry({ use: 'X509-SVID' }), 0],
  ['BUNDLE-06', "another key than the certificate's", entry(x5c(OTHER_ROOT)), 0],
  ['BUNDLE-06', 'no key beside the certificate', entry({ n: undefined }), 0],
]
for (const [id, what, key, roots] of entries)
  test(`[${id}] an entry with ${what}: ${roots} roots`, () => {
    const read = bundleOf(key)
    assert.equal(read.x509.length, roots)
    const verdict = verifyX509Svid([leaf, issuerCertificate()], read, NOON)
    assert.equal(verdict.ok, roots === 1)
  })

test('[BUNDLE-05] a bundle without a key that can be used makes every SVID of its trust domain worthless', () =>
  withCa(async (bench) => {
    const { token } = await jwtOf(bench)
    for (const text of [
      '{"keys":[]}',
      '{"keys":[{"kty":"XYZ","use":"x509-svid"},{"kty":"XYZ","use":"jwt-svid","kid":"k"}]}',
    ]) {
      const read = readBundle(DOMAIN, text)
      assert.ok(typeof read !== 'string')
      const x509 = verifyX509Svid([leaf, issuerCertificate()], read, NOON)
      const jwt = verifyJwtSvid(token, { bundle: read, audience: AUDIENCE, nowMs: NOON })
      assert.deepEqual([x509.ok || x509.reason, jwt.ok || jwt.reason], ['UNTRUSTED', 'SIGNATURE'])
    }
  }))
