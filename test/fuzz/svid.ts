import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createLocalJWKSet, type JWK as Jwk, jwtVerify } from 'jose'
import { newProofVerifier, newReplayCache, readBundle, verifyJwtSvid, verifyX509Svid } from '#pkg/systems/identity'
import { readCertificate } from '../../pkg/systems/identity/certificate.ts'
import { der, readDer, TAG } from '../../pkg/systems/identity/der.ts'
import { PROOF_TYPE, thumbprintOf } from '../../pkg/systems/identity/proof.ts'
import type { Target } from './runner/target.ts'

const DOMAIN = 'sallyport.local'
const ID = `spiffe://${DOMAIN}/ns/growth/agent/marketing`
const AUDIENCE = `spiffe://${DOMAIN}/ns/growth/agent/research`
const NOON = Date.UTC(2026, 0, 31, 12)
const seed = (name: string): Buffer => readFileSync(new URL(`corpus/svid/${name}`, import.meta.url))

/** What a CA once signed: all that may verify as it stands. */
const SIGNED = {
  leaf: seed('leaf'),
  issuer: seed('issuer'),
  token: seed('token').toString(),
  proof: seed('proof').toString(),
}
const bundle = readBundle(DOMAIN, seed('bundle').toString())
assert.ok(typeof bundle !== 'string')

/** A key that signs whatever it is given: so a change reaches what lies behind the signature. */
const own = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ownJwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256' } as Jwk // an RSA key exports as one
const ownBundle = { ...bundle, jwt: new Map([['k', own.publicKey]]), x509: [rootOfOwn()] }
const jwks = createLocalJWKSet({ keys: [ownJwk] })
/** The key 1: no secret. The proof of the corpus is signed with it. */
const JWK = {
  crv: 'P-256',
  kty: 'EC',
  x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
  y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
} as const
const ONE = createPrivateKey({ format: 'jwk', key: { ...JWK, d: `${'A'.repeat(42)}E` } })

/** The issuer of the corpus with our key in it: a root. */
function rootOfOwn() {
  const parts = readDer(SIGNED.issuer)?.children[0]?.children.map(({ bytes }) => bytes) ?? []
  const spki = own.publicKey.export({ format: 'der', type: 'spki' })
  const root = readCertificate(signed(der(TAG.sequence, ...parts.map((part, at) => (at === 6 ? spki : part)))))
  assert.ok(root !== null)
  return root
}

/** A certificate around what a CA would sign. */
function signed(tbs: Uint8Array): Buffer {
  const algorithm = readDer(SIGNED.leaf)?.children[1]?.bytes ?? new Uint8Array(0)
  const mac = sign('sha256', tbs, own.privateKey)
  return der(TAG.sequence, tbs, algorithm, der(TAG.bitString, Buffer.from([0]), mac))
}

function asLeaf(bytes: Uint8Array): string {
  const verdict = verifyX509Svid([bytes, SIGNED.issuer], bundle as Exclude<typeof bundle, string>, NOON) // asserted above
  if (verdict.ok) assert.deepEqual(Buffer.from(bytes), SIGNED.leaf, 'a certificate that nobody signed')
  return verdict.ok ? 'ok' : verdict.reason
}

/** What we take, the parser of Node takes as well, with one and the same name, and not as a signer. */
function asSignedLeaf(bytes: Uint8Array): string {
  const leaf = signed(bytes)
  const verdict = verifyX509Svid([leaf], ownBundle, NOON)
  if (!verdict.ok) return verdict.reason
  const node = new X509Certificate(leaf)
  // what has a comma in it is in quotes
  const names = (node.subjectAltName ?? '').replace(/"(?:[^"\\]|\\.)*"/g, '').split(', ')
  const uris = names.filter((name) => name.startsWith('URI:'))
  assert.deepEqual([uris, node.ca], [[`URI:${verdict.svid.spiffeId}`], false])
  assert.ok(node.validFromDate.getTime() <= NOON && NOON <= node.validToDate.getTime(), 'another time')
  return 'signed'
}

function asToken(text: string): string {
  const verdict = verifyJwtSvid(text, {
    bundle: bundle as Exclude<typeof bundle, string>,
    audience: AUDIENCE,
    nowMs: NOON,
  }) // the same
  if (verdict.ok) assert.equal(text, SIGNED.token, 'a token that nobody signed')
  return verdict.ok ? 'ok' : verdict.reason
}

const encoded = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')

/** Head and claims, a line each, as text of JSON. What we take, an independent library takes as well. */
async function asSignedToken(head: string, claims: string): Promise<string> {
  const text = `${encoded(head)}.${encoded(claims)}`
  const token = `${text}.${encoded(sign('sha256', Buffer.from(text), own.privateKey))}`
  const verdict = verifyJwtSvid(token, { bundle: ownBundle, audience: AUDIENCE, nowMs: NOON })
  if (!verdict.ok) return verdict.reason
  const options = { audience: AUDIENCE, algorithms: ['RS256'], currentDate: new Date(NOON) }
  const { payload } = await jwtVerify(token, jwks, options)
  assert.deepEqual([payload.sub, (payload.exp ?? 0) * 1_000], [verdict.svid.spiffeId, verdict.svid.expiresMs])
  return 'signed'
}

const REQUEST = { method: 'POST', path: '/a2a', body: Buffer.from('{}') }
function proofVerdict(proof: string): string {
  const verifier = newProofVerifier({
    clock: { nowMs: () => NOON },
    replay: newReplayCache({ clock: { monotonicUs: () => 0 } }),
    verifySvid: (token, audience) => {
      const verdict = verifyJwtSvid(token, { bundle: bundle as Exclude<typeof bundle, string>, audience, nowMs: NOON }) // the same
      return verdict.ok ? verdict.svid : null
    },
    oldestOf: () => ({ epoch: 0, generation: 0 }),
  })
  const ask = { request: REQUEST, proof, svid: SIGNED.token, audience: AUDIENCE, peerKey: thumbprintOf(JWK) }
  const first = verifier.verify(ask)
  if (!first.ok) return first.reason
  const again = verifier.verify(ask)
  assert.ok(!again.ok && again.reason === 'IDENTITY_PROOF_REPLAYED', 'a proof that counts twice')
  assert.equal(first.caller, ID)
  return 'ok'
}

function asProof(text: string): string {
  const verdict = proofVerdict(text)
  if (verdict === 'ok') assert.equal(text, SIGNED.proof, 'a proof that nobody signed')
  return verdict
}

function asSignedProof(claims: string): string {
  const text = `${encoded(JSON.stringify({ alg: 'ES256', typ: PROOF_TYPE, jwk: JWK }))}.${encoded(claims)}`
  const mac = sign('sha256', Buffer.from(text), { key: ONE, dsaEncoding: 'ieee-p1363' })
  const verdict = proofVerdict(`${text}.${encoded(mac)}`)
  if (verdict !== 'ok') return verdict
  const said = JSON.parse(claims) as Record<string, unknown> // it verified
  assert.deepEqual([said['iss'], said['aud'], said['htm'], said['htu']], [ID, AUDIENCE, 'POST', '/a2a'])
  assert.equal(said['bd'], createHash('sha256').update('{}').digest('base64url'))
  return 'signed'
}

/** Whatever is taken into a bundle is a signer, or a key of the least size, and stands in the text. */
function asBundle(text: string): string {
  const read = readBundle(DOMAIN, text)
  if (typeof read === 'string') return read
  for (const root of read.x509) assert.ok(root.isCa && text.includes(Buffer.from(root.der).toString('base64')))
  for (const [kid, key] of read.jwt) {
    assert.ok(kid !== '' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048)
    assert.equal(createPublicKey(key.export({ format: 'pem', type: 'spki' })).type, 'public')
  }
  return `${read.x509.length} ${read.jwt.size} ${read.sequence === null} ${read.refreshHintSeconds === null}`
}

/** One input in the place of each thing that proves who somebody is: as it came, and signed by a key that signs anything. */
export const target: Target = {
  name: 'svid',
  words: [
    ID,
    'spiffe://evil.example/a',
    '"alg":"none"',
    '"alg":"HS256"',
    '"kid":"k"',
    '"crit":["exp"]',
    `"aud":"${AUDIENCE}"`,
    '"exp":9999999999',
    '"exp":1e400',
    '"nbf":0',
    '"sub":',
    '"cnf":{}',
    '"keys":[]',
    '"use":"x509-svid"',
    '"kty":"XYZ"',
    '"x5c":[]',
    '"spiffe_sequence":9223372036854775807',
    '__proto__',
    '.',
    '=',
    '\x30\x80',
    '\x02\x02\0\x01',
    '\x01\x01\xff',
    '\x06\x03\x55\x1d\x1e',
    '\x82\x09a.example',
  ],
  async run(bytes) {
    const text = Buffer.from(bytes).toString('utf8')
    const [head = '', claims = ''] = text.split('\n')
    const tbs = readDer(bytes)?.children[0]?.bytes ?? new Uint8Array(0)
    return [
      asLeaf(bytes),
      asSignedLeaf(bytes),
      asSignedLeaf(tbs),
      asToken(text),
      await asSignedToken(head, claims),
      asProof(text),
      asSignedProof(text),
      asBundle(text),
    ].join(' ')
  },
}
