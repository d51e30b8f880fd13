/** What a verifier of SVIDs and bundles accepts, by the MUSTs of the SPIFFE standards. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { newAgentKeyPair, signingRequest } from './agent-key.ts'
import { readBundle, type TrustBundle } from './bundle.ts'
import {
  basic,
  bundleOf,
  certificate,
  dns,
  eku,
  ext,
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
import { der, readDer, TAG } from './der.ts'
import { AUDIENCE, agent, type CaBench, DOMAIN, ID, jwtOf, newCaBench, UID, x509Of } from './identity.fixture.ts'
import { type JwtFault, verifyJwtSvid } from './jwt-svid.ts'
import { verifyX509Svid, type X509Fault } from './x509-svid.ts'

let bench: CaBench
let other: CaBench
let bundle: TrustBundle
before(async () => {
  bench = newCaBench()
  other = newCaBench()
  await Promise.all([bench.authority.ready(), other.authority.ready()])
  bundle = bench.bundle()
})
after(() => {
  bench.close()
  other.close()
})

const x509Verdict = (chain: readonly Uint8Array[], at = 0, trusted = bundle): X509Fault | 'ok' => {
  const verdict = verifyX509Svid(chain, trusted, bench.clock.nowMs() + at)
  return verdict.ok ? 'ok' : verdict.reason
}
const jwtVerdict = (token: string, { at = 0, audience = AUDIENCE, trusted = bundle } = {}): JwtFault | 'ok' => {
  const verdict = verifyJwtSvid(token, { bundle: trusted, audience, nowMs: bench.clock.nowMs() + at })
  return verdict.ok ? 'ok' : verdict.reason
}

/** A chain under a CA of the test's own, whose leaf has these extensions. */
const rsa = newSigner()
const rootOf = (...extensions: readonly Buffer[]): TrustBundle => {
  const made = extensions.length > 0 ? extensions : [basic(true), usage(0x06)]
  const names = { subject: name('root'), issuer: name('root') }
  const spki = spkiOf(rsa.publicKey)
  return bundleOf(rootEntry(certificate({ ...names, spki, signer: rsa.privateKey, extensions: made }), rsa.publicKey))
}
const leafOf = (...extensions: readonly Buffer[]): readonly Buffer[] => [leafUnder('root', rsa.privateKey, extensions)]

const SERVER = '1.3.6.1.5.5.7.3.1'
const CLIENT = '1.3.6.1.5.5.7.3.2'
const fine = (): readonly Buffer[] => [basic(false), usage(0x80), eku(SERVER, CLIENT), san(uri(ID))]
const leaves: readonly (readonly [
  id: string,
  what: string,
  leaf: () => readonly Buffer[],
  expected: X509Fault | 'ok',
])[] = [
  ['XSVID-01', 'one URI name', fine, 'ok'],
  ['XSVID-01', 'two URI names', () => [basic(false), usage(0x80), san(uri(ID), uri(AUDIENCE))], 'URI_NAMES'],
  ['XSVID-01', 'its URI name twice', () => [basic(false), usage(0x80), san(uri(ID), uri(ID))], 'URI_NAMES'],
  ['XSVID-01', 'no URI name', () => [basic(false), usage(0x80), san(dns('a.example'))], 'URI_NAMES'],
  [
    'XSVID-01',
    'a DNS name beside its URI name',
    () => [basic(false), usage(0x80), san(dns('a.example'), uri(ID))],
    'ok',
  ],
  [
    'XSVID-09',
    'names that are not critical beside an empty subject',
    () => [basic(false), usage(0x80), names(false, uri(ID))],
    'URI_NAMES',
  ],
  ['XSVID-02', 'no basic constraints', () => [usage(0x80), san(uri(ID))], 'ok'],
  ['XSVID-02', 'CA:true', () => [basic(true), usage(0x80), san(uri(ID))], 'SIGNS_CERTIFICATES'],
  ['XSVID-03', 'no key usage', () => [basic(false), san(uri(ID))], 'KEY_USAGE'],
  ['XSVID-03', 'a key usage that is not critical', () => [basic(false), usage(0x80, false), san(uri(ID))], 'KEY_USAGE'],
  ['XSVID-03', 'a key usage without signatures', () => [basic(false), usage(0x08), san(uri(ID))], 'KEY_USAGE'],
  ['XSVID-03', 'the usage to encipher beside signatures', () => [basic(false), usage(0xa0), san(uri(ID))], 'ok'],
  ['XSVID-03', 'the usage to sign certificates', () => [basic(false), usage(0x84), san(uri(ID))], 'SIGNS_CERTIFICATES'],
  ['XSVID-03', 'the usage to sign lists', () => [basic(false), usage(0x82), san(uri(ID))], 'SIGNS_CERTIFICATES'],
  ['XSVID-04', 'no extended usage', () => [basic(false), usage(0x80), san(uri(ID))], 'ok'],
  ['XSVID-04', 'half of the extended usage', () => [basic(false), usage(0x80), eku(SERVER), san(uri(ID))], 'KEY_USAGE'],
  [
    'XSVID-05',
    'the ID of a trust domain',
    () => [basic(false), usage(0x80), san(uri(`spiffe://${DOMAIN}`))],
    'SPIFFE_ID',
  ],
  [
    'XSVID-05',
    'a URI of another scheme',
    () => [basic(false), usage(0x80), san(uri(`https://${DOMAIN}/ns/a/agent/b`))],
    'SPIFFE_ID',
  ],
  [
    'XSVID-05',
    'an ID that does not read',
    () => [basic(false), usage(0x80), san(uri(`spiffe://${DOMAIN}/a//b`))],
    'SPIFFE_ID',
  ],
  [
    'XSVID-06',
    'a critical extension that nobody knows',
    () => [...fine(), ext('1.2.3.4', der(TAG.null), true)],
    'EXTENSION_UNKNOWN',
  ],
  ['XSVID-06', 'an extension twice', () => [...fine(), usage(0x80)], 'MALFORMED'],
  [
    'XSVID-07',
    'an ID of another trust domain',
    () => [basic(false), usage(0x80), san(uri('spiffe://evil.example/ns/a/agent/b'))],
    'TRUST_DOMAIN',
  ],
]
for (const [id, what, leaf, expected] of leaves)
  test(`[${id}] a leaf with ${what}: ${expected}`, () => {
    assert.equal(x509Verdict(leafOf(...leaf()), 0, rootOf()), expected)
  })

/** Permits another trust domain. */
const constraints = (critical: boolean): Buffer =>
  ext('2.5.29.30', der(TAG.sequence, der(0xa0, der(TAG.sequence, uri('evil.example')))), critical)
const roots: readonly (readonly [
  id: string,
  what: string,
  root: () => readonly Buffer[],
  expected: X509Fault | 'ok',
])[] = [
  [
    'XSVID-05',
    'the ID of its trust domain',
    () => [basic(true), usage(0x06), ext('2.5.29.17', der(TAG.sequence, uri(`spiffe://${DOMAIN}`)))],
    'ok',
  ],
  [
    'XSVID-05',
    'an ID with a path',
    () => [basic(true), usage(0x06), ext('2.5.29.17', der(TAG.sequence, uri(ID)))],
    'UNTRUSTED',
  ],
  ['XSVID-03', 'no usage to sign certificates', () => [basic(true), usage(0x02)], 'UNTRUSTED'],
  ['XSVID-02', 'CA:false', () => [basic(false), usage(0x06)], 'UNTRUSTED'],
  ['XSVID-02', 'no basic constraints', () => [usage(0x06)], 'UNTRUSTED'],
  ['XSVID-03', 'no key usage', () => [basic(true)], 'UNTRUSTED'],
  ['XSVID-03', 'a key usage that is not critical', () => [basic(true), usage(0x06, false)], 'UNTRUSTED'],
  [
    'XSVID-10',
    'critical constraints of names',
    () => [basic(true), usage(0x06), constraints(true)],
    'EXTENSION_UNKNOWN',
  ],
  [
    'XSVID-10',
    'constraints of names that are not critical',
    () => [basic(true), usage(0x06), constraints(false)],
    'EXTENSION_UNKNOWN',
  ],
]
for (const [id, what, root, expected] of roots)
  test(`[${id}] a signer with ${what}: ${expected}`, () => {
    assert.equal(x509Verdict(leafOf(...fine()), 0, rootOf(...root())), expected)
  })

test('[XSVID-06] [XSVID-07] what the CA signs verifies in its time, whole, and against its own bundle alone', async () => {
  const { issued } = await x509Of(bench)
  const [leaf, issuer] = issued.chain
  const rows: readonly (readonly [what: string, verdict: X509Fault | 'ok', expected: X509Fault | 'ok'])[] = [
    ['now', x509Verdict(issued.chain), 'ok'],
    ['30 s ago', x509Verdict(issued.chain, -30_000), 'ok'],
    ['31 s ago', x509Verdict(issued.chain, -31_000), 'NOT_YET_VALID'],
    ['in 300 s', x509Verdict(issued.chain, 300_000), 'ok'],
    ['in 301 s', x509Verdict(issued.chain, 301_000), 'EXPIRED'],
    ['without its issuer', x509Verdict([leaf]), 'UNTRUSTED'],
    ['the other way round', x509Verdict([issuer, leaf]), 'SIGNS_CERTIFICATES'],
    ['the issuer alone', x509Verdict([issuer]), 'SIGNS_CERTIFICATES'],
    ['nothing', x509Verdict([]), 'MALFORMED'],
    ['against the bundle of another CA', x509Verdict(issued.chain, 0, other.bundle()), 'UNTRUSTED'],
    [
      'as one of another trust domain',
      x509Verdict(issued.chain, 0, { ...bundle, trustDomain: 'evil.example' }),
      'TRUST_DOMAIN',
    ],
    ['under the issuer of another CA', x509Verdict([leaf, (await x509Of(other)).issued.chain[1]]), 'UNTRUSTED'],
  ]
  for (const [what, verdict, expected] of rows) assert.equal(verdict, expected, what)
})

test('[XSVID-01] [CA-08] a leaf says the ID, the uid and the epoch of its agent, lives 300 s, and has the key of its request', async () => {
  const { key, issued } = await x509Of(bench, 12)
  const verdict = verifyX509Svid(issued.chain, bundle, bench.clock.nowMs())
  assert.ok(verdict.ok)
  const { svid } = verdict
  assert.equal(svid.spiffeId, ID)
  assert.deepEqual(svid.agent, { uid: UID, epoch: 12 })
  assert.equal(svid.key?.jkt, key.jkt)
  assert.equal(svid.expiresMs - bench.clock.nowMs(), 300_000)
  assert.equal(bench.clock.nowMs() - svid.notBeforeMs, 30_000)
  assert.ok(readDer(issued.chain[0]) !== null)
})

test('[XSVID-06] a leaf of which one bit is another does not verify', async () => {
  const { issued } = await x509Of(bench)
  const [leaf, issuer] = issued.chain
  fc.assert(
    fc.property(fc.nat(leaf.length - 1), fc.nat(7), (at, bit) => {
      const changed = Buffer.from(leaf)
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      assert.notEqual(x509Verdict([changed, issuer]), 'ok', `bit ${bit} of byte ${at}`)
    }),
    { numRuns: 200 },
  )
})

test('[CSR-02] a refused request is an error with its reason, and no certificate', async () => {
  const csr = signingRequest(newAgentKeyPair(), AUDIENCE)
  await assert.rejects(bench.authority.issueX509({ agent, uid: UID, epoch: 1, csr }), {
    code: 'CSR_REFUSED',
    message: /CSR_OTHER_ID/,
  })
})

type Parts = { readonly head: Record<string, unknown>; readonly body: Record<string, unknown> }
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
function partsOf(token: string): Parts {
  const [head = '', body = ''] = token.split('.')
  return {
    head: JSON.parse(Buffer.from(head, 'base64url').toString()),
    body: JSON.parse(Buffer.from(body, 'base64url').toString()),
  }
}
/** A token of a key that the bundle knows as `kid` k. */
const jwtKey = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const jwtBundle = (): TrustBundle => ({ ...bundle, jwt: new Map([['k', jwtKey.publicKey]]) })
async function forged(change: (parts: Parts) => void): Promise<string> {
  const parts = partsOf((await jwtOf(bench)).token)
  parts.head['kid'] = 'k'
  change(parts)
  const text = `${encoded(parts.head)}.${encoded(parts.body)}`
  return `${text}.${sign('sha256', Buffer.from(text), jwtKey.privateKey).toString('base64url')}`
}

const withHead =
  (more: () => object) =>
  ({ head }: Parts) =>
    void Object.assign(head, more())
const withBody =
  (more: () => object) =>
  ({ body }: Parts) =>
    void Object.assign(body, more())

const tokens: readonly (readonly [
  id: string,
  what: string,
  change: (parts: Parts) => void,
  expected: JwtFault | 'ok',
])[] = [
  ['JSVID-01', 'RS256', () => {}, 'ok'],
  ['JSVID-01', 'no type', ({ head }) => void delete head['typ'], 'ok'],
  ['JSVID-01', 'the type JOSE', withHead(() => ({ typ: 'JOSE' })), 'ok'],
  ['JSVID-01', 'another type', withHead(() => ({ typ: 'at+jwt' })), 'HEADER'],
  ['JSVID-01', 'the algorithm none', withHead(() => ({ alg: 'none' })), 'ALGORITHM'],
  ['JSVID-01', 'the algorithm HS256', withHead(() => ({ alg: 'HS256' })), 'ALGORITHM'],
  ['JSVID-01', 'the algorithm PS256', withHead(() => ({ alg: 'PS256' })), 'ALGORITHM'],
  ['JSVID-01', 'the algorithm in small letters', withHead(() => ({ alg: 'rs256' })), 'ALGORITHM'],
  ['JSVID-01', 'no algorithm', ({ head }) => void delete head['alg'], 'ALGORITHM'],
  ['JSVID-01', 'a key of its own', withHead(() => ({ jwk: {} })), 'HEADER'],
  ['JSVID-01', 'an address of keys', withHead(() => ({ jku: 'https://evil.example' })), 'HEADER'],
  ['JSVID-01', 'critical members', withHead(() => ({ crit: ['exp'] })), 'HEADER'],
  ['JSVID-02', 'no subject', ({ body }) => void delete body['sub'], 'SPIFFE_ID'],
  ['JSVID-02', 'a subject that is no ID', withBody(() => ({ sub: 'marketing' })), 'SPIFFE_ID'],
  ['JSVID-02', 'the trust domain as its subject', withBody(() => ({ sub: `spiffe://${DOMAIN}` })), 'SPIFFE_ID'],
  [
    'JSVID-02',
    'a subject of another trust domain',
    withBody(() => ({ sub: 'spiffe://evil.example/ns/a/agent/b' })),
    'TRUST_DOMAIN',
  ],
  ['JSVID-03', 'no audience', ({ body }) => void delete body['aud'], 'AUDIENCE'],
  ['JSVID-03', 'an empty list of audiences', withBody(() => ({ aud: [] })), 'AUDIENCE'],
  ['JSVID-03', 'another audience', withBody(() => ({ aud: [ID] })), 'AUDIENCE'],
  ['JSVID-03', 'an audience that begins like it', withBody(() => ({ aud: [`${AUDIENCE}x`] })), 'AUDIENCE'],
  ['JSVID-03', 'an audience that is no text', withBody(() => ({ aud: [AUDIENCE, 7] })), 'AUDIENCE'],
  ['JSVID-03', 'the audience as a text', withBody(() => ({ aud: AUDIENCE })), 'ok'],
  ['JSVID-04', 'no end', ({ body }) => void delete body['exp'], 'CLAIMS'],
  ['JSVID-04', 'an end as a text', withBody(() => ({ exp: '9999999999' })), 'CLAIMS'],
  [
    'JSVID-04',
    'a life of an hour',
    ({ body }) => void Object.assign(body, { exp: Number(body['iat']) + 3_600 }),
    'CLAIMS',
  ],
  [
    'JSVID-04',
    'a beginning in an hour',
    ({ body }) => void Object.assign(body, { iat: Number(body['iat']) + 3_600, exp: Number(body['iat']) + 3_900 }),
    'NOT_YET_VALID',
  ],
  [
    'JSVID-04',
    'a life that is over',
    ({ body }) => void Object.assign(body, { iat: Number(body['iat']) - 400, exp: Number(body['iat']) - 100 }),
    'EXPIRED',
  ],
  ['JSVID-06', 'another kid', withHead(() => ({ kid: 'other' })), 'SIGNATURE'],
  ['JSVID-06', 'no kid', ({ head }) => void delete head['kid'], 'HEADER'],
]
for (const [id, what, change, expected] of tokens)
  test(`[${id}] a token with ${what}: ${expected}`, async () => {
    assert.equal(jwtVerdict(await forged(change), { trusted: jwtBundle() }), expected)
  })

test('[JSVID-08] what the CA signs has alg, kid and typ in its head, one audience, an end, and the ID of its agent', async () => {
  const { token, slot } = await jwtOf(bench)
  const { head, body } = partsOf(token)
  assert.deepEqual(head, { alg: 'RS256', kid: slot, typ: 'JWT' })
  assert.deepEqual([body['sub'], body['aud']], [ID, [AUDIENCE]])
  assert.equal(Number(body['exp']) - Number(body['iat']), 300)
  assert.equal(Number(body['iat']) * 1_000, bench.clock.nowMs())
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/)
})

test('[JSVID-07] keys for certificates verify no token, and keys for tokens no certificate', async () => {
  const document = bench.authority.bundle()
  const swapped = document.keys.map((key) => ({
    ...key,
    use: key.use === 'jwt-svid' ? 'x509-svid' : 'jwt-svid',
    kid: 'k',
  }))
  const read = readBundle(DOMAIN, JSON.stringify({ keys: swapped }))
  assert.ok(typeof read !== 'string')
  assert.equal(jwtVerdict((await jwtOf(bench)).token, { trusted: read }), 'SIGNATURE')
  assert.equal(x509Verdict((await x509Of(bench)).issued.chain, 0, read), 'UNTRUSTED')
  const asCertificate = { ...key({}), use: 'x509-svid' }
  assert.equal(jwtVerdict(await forged(() => {}), { trusted: bundleOf(asCertificate) }), 'SIGNATURE')
  assert.equal(jwtVerdict(await forged(() => {}), { trusted: bundleOf(key({})) }), 'ok')
})

test('[JSVID-05] [JSVID-06] what the CA signs verifies; in no other form, and with no other key', async () => {
  const { token } = await jwtOf(bench)
  const [head = '', body = '', mac = ''] = token.split('.')
  const { n = '' } = jwtKey.publicKey.export({ format: 'jwk' })
  const hmac = createHmac('sha256', n).update(`${head}.${body}`).digest('base64url')
  const rows: readonly (readonly [what: string, text: string, expected: JwtFault | 'ok'])[] = [
    ['as it is', token, 'ok'],
    ['as JSON', JSON.stringify({ protected: head, payload: body, signature: mac }), 'MALFORMED'],
    ['with a part more', `${token}.${mac}`, 'MALFORMED'],
    ['without its signature', `${head}.${body}.`, 'MALFORMED'],
    ['with padding', `${token}=`, 'MALFORMED'],
    ['with a space', `${token} `, 'MALFORMED'],
    ['with another signature', `${head}.${body}.${hmac}`, 'SIGNATURE'],
    ['of another CA', (await jwtOf(other)).token, 'SIGNATURE'],
  ]
  for (const [what, text, expected] of rows) assert.equal(jwtVerdict(text), expected, what)
  assert.equal(jwtVerdict(token, { at: 299_000 }), 'ok')
  assert.equal(jwtVerdict(token, { at: 300_000 }), 'EXPIRED')
})

test('[JSVID-05] any text is refused without a throw, and so is a token with one character changed', async () => {
  const { token } = await jwtOf(bench)
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.='), (at, put) => {
      if (token[at] === put) return
      assert.notEqual(jwtVerdict(token.slice(0, at) + put + token.slice(at + 1)), 'ok')
    }),
    { numRuns: 200 },
  )
  fc.assert(
    fc.property(fc.string(), (text) => assert.notEqual(jwtVerdict(text), 'ok')),
    { numRuns: 200 },
  )
})

const key = (more: object): object => ({
  kty: 'RSA',
  use: 'jwt-svid',
  kid: 'k',
  ...jwtKey.publicKey.export({ format: 'jwk' }),
  ...more,
})
const documents: readonly (readonly [id: string, what: string, text: string, expected: string])[] = [
  ['BUNDLE-01', 'no JSON', '{', 'NOT_JSON'],
  ['BUNDLE-01', 'a list', '[]', 'NO_KEYS'],
  ['BUNDLE-01', 'no keys', '{}', 'NO_KEYS'],
  ['BUNDLE-01', 'keys that are no list', '{"keys":{}}', 'NO_KEYS'],
  ['BUNDLE-01', 'an empty list of keys', '{"keys":[]}', '0 0'],
  ['BUNDLE-02', 'a sequence as a text', '{"keys":[],"spiffe_sequence":"1"}', 'SEQUENCE'],
  ['BUNDLE-02', 'a sequence below 0', '{"keys":[],"spiffe_sequence":-1}', 'SEQUENCE'],
  ['BUNDLE-02', 'a hint as a text', '{"keys":[],"spiffe_refresh_hint":"1"}', 'REFRESH_HINT'],
  ['BUNDLE-02', 'a sequence beyond 53 bits', '{"keys":[],"spiffe_sequence":9223372036854775807}', '0 0'],
  ['BUNDLE-02', 'a sequence with a fraction', '{"keys":[],"spiffe_sequence":1.5}', 'SEQUENCE'],
  ['BUNDLE-03', 'members that nobody knows', JSON.stringify({ keys: [key({ x: 1 })], other: {} }), '0 1'],
  ['BUNDLE-03', 'a use in capitals', JSON.stringify({ keys: [key({ use: 'JWT-SVID' })] }), '0 0'],
  ['BUNDLE-03', 'a key for tokens', JSON.stringify({ keys: [key({})] }), '0 1'],
  ['BUNDLE-03', 'a key of an unknown use', JSON.stringify({ keys: [key({ use: 'sig' })] }), '0 0'],
  ['BUNDLE-03', 'a key without a use', JSON.stringify({ keys: [key({ use: undefined })] }), '0 0'],
  ['BUNDLE-03', 'a key without a type', JSON.stringify({ keys: [key({ kty: undefined })] }), '0 0'],
  ['BUNDLE-03', 'a key of an unknown type', JSON.stringify({ keys: [key({ kty: 'OKP' })] }), '0 0'],
  ['BUNDLE-04', 'a key for tokens without a kid', JSON.stringify({ keys: [key({ kid: undefined })] }), '0 0'],
  ['BUNDLE-04', 'two keys of one kid', JSON.stringify({ keys: [key({}), key({})] }), '0 1'],
  ['BUNDLE-04', 'a root without a certificate', JSON.stringify({ keys: [key({ use: 'x509-svid' })] }), '0 0'],
  [
    'BUNDLE-04',
    'a root that is no certificate',
    JSON.stringify({ keys: [key({ use: 'x509-svid', x5c: ['AAAA'] })] }),
    '0 0',
  ],
  ['BUNDLE-01', '257 keys', JSON.stringify({ keys: Array.from({ length: 257 }, () => key({})) }), 'TOO_MANY_KEYS'],
]
for (const [id, what, text, expected] of documents)
  test(`[${id}] a bundle of ${what}: ${expected}`, () => {
    const read = readBundle(DOMAIN, text)
    assert.equal(typeof read === 'string' ? read : `${read.x509.length} ${read.jwt.size}`, expected)
  })

test('[BUNDLE-02] [BUNDLE-04] the bundle of the CA is a set of keys, each for one use, a root with its one certificate, with a sequence and a hint', () => {
  const document = bench.authority.bundle()
  assert.deepEqual(Object.keys(document).sort(), ['keys', 'spiffe_refresh_hint', 'spiffe_sequence'])
  assert.deepEqual(
    document.keys.map(({ use, kid, x5c }) => [use, typeof kid, x5c?.length]),
    [
      ['x509-svid', 'undefined', 1],
      ['jwt-svid', 'string', undefined],
    ],
  )
  assert.ok(!JSON.stringify(document).includes('"d"'))
})
