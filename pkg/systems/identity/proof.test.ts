import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { newManualClock } from '#pkg/platform/clock'
import { digestOf, newProofSigner, type ProofContext, type ProofSubject, thumbprintOf } from './proof.ts'
import { newProofVerifier, type ProofAsk, type Proven, type VerifiedSvid } from './proof-verify.ts'
import { newReplayCache } from './replay.ts'
import { isWithin, toolDigest } from './tool-digest.ts'

const ME = 'spiffe://sallyport.local/ns/growth/agent/marketing'
const BOSS = 'spiffe://sallyport.local/ns/growth/agent/lead'
const PEER = 'spiffe://sallyport.local/ns/growth/agent/research'
const TOOLS = ['kb_*', 'run_sql', 'search_docs']
const request = { method: 'POST', path: '/a2a/research?x=1', body: Buffer.from('{"a":1}') }
const context: ProofContext = { audience: PEER, session: 's_1', chain: [], delegated: ['run_sql'], taint: ['web'] }

function newSubject(): ProofSubject {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
  return {
    spiffeId: ME,
    key: pair.privateKey,
    jwk: { crv: 'P-256', kty: 'EC', x, y },
    jwtSvid: 'a.jwt.svid',
    tools: TOOLS,
  }
}

type Bench = {
  readonly subject: ProofSubject
  readonly clock: ReturnType<typeof newManualClock>
  readonly sign: (more?: Partial<ProofContext>, of?: Partial<ProofSubject>) => string
  readonly verify: (proof: string | null, more?: Partial<ProofAsk>) => Proven
  readonly verified: () => number
  readonly svid: { of: VerifiedSvid | null }
  readonly oldest: { of: { epoch: number; generation: number } | null }
  readonly forget: () => void
}

function newBench(maxEntries?: number): Bench {
  const clock = newManualClock(Date.UTC(2026, 0, 31, 8))
  const subject = newSubject()
  const signer = newProofSigner({ clock, random: randomBytes })
  const svid: Bench['svid'] = {
    of: {
      spiffeId: ME,
      jkt: thumbprintOf(subject.jwk),
      toolsDigest: toolDigest(TOOLS),
      epoch: 3,
      generation: 7,
      expiresMs: clock.nowMs() + 300_000,
    },
  }
  const oldest: Bench['oldest'] = { of: { epoch: 3, generation: 7 } }
  let verified = 0
  const verifier = newProofVerifier({
    clock,
    replay: newReplayCache({ clock, ...(maxEntries === undefined ? {} : { maxEntries }) }),
    oldestOf: () => oldest.of,
    verifySvid: (token, audience) => {
      verified += 1
      return token === 'a.jwt.svid' && audience === PEER ? svid.of : null
    },
  })
  return {
    subject,
    clock,
    svid,
    oldest,
    verified: () => verified,
    forget: () => verifier.forget(),
    sign: (more = {}, of = {}) => signer.sign({ ...subject, ...of }, { ...context, ...more }, request),
    verify: (proof, more = {}) =>
      verifier.verify({ request, proof, svid: 'a.jwt.svid', audience: PEER, peerKey: null, ...more }),
  }
}

const said = (proven: Proven): string => (proven.ok ? 'ok' : proven.reason)

/** A proof whose claims or header were changed and signed again with some key. */
function forged(proof: string, key: KeyObject, change: { readonly head?: object; readonly claims?: object }): string {
  const [head = '', body = ''] = proof.split('.')
  const merge = (text: string, more: object = {}): string =>
    Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(text, 'base64url').toString()), ...more })).toString(
      'base64url',
    )
  const text = `${merge(head, change.head)}.${merge(body, change.claims)}`
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

test('[PROOF-01] a proof tells who asks, in which session, for whom and with which taint', () => {
  const bench = newBench()
  const chain = [{ sub: BOSS, tools: ['run_sql', 'kb_*'] }]
  const proven = bench.verify(bench.sign({ chain }), { peerKey: thumbprintOf(bench.subject.jwk) })
  assert.deepEqual(proven, {
    ok: true,
    caller: ME,
    session: 's_1',
    chain: [...chain, { sub: ME, tools: ['run_sql'] }],
    taint: ['web'],
  })
})

type Row = readonly [name: string, reason: string, ask: (bench: Bench) => Proven]

const other = newSubject()
const ROWS: readonly Row[] = [
  ['no proof', 'IDENTITY_PROOF_MISSING', (b) => b.verify(null)],
  ['no JWT-SVID', 'IDENTITY_PROOF_MISSING', (b) => b.verify(b.sign(), { svid: null })],
  ['no text of a proof', 'IDENTITY_PROOF_INVALID', (b) => b.verify('x.y.z')],
  ['another method', 'IDENTITY_PROOF_REQUEST', (b) => b.verify(b.sign(), { request: { ...request, method: 'GET' } })],
  [
    'another path',
    'IDENTITY_PROOF_REQUEST',
    (b) => b.verify(b.sign(), { request: { ...request, path: '/a2a/research' } }),
  ],
  [
    'another body',
    'IDENTITY_PROOF_REQUEST',
    (b) => b.verify(b.sign(), { request: { ...request, body: Buffer.from('{"a":2}') } }),
  ],
  ['another audience', 'IDENTITY_PROOF_AUDIENCE', (b) => b.verify(b.sign({ audience: BOSS }))],
  [
    'a JWT-SVID for another audience',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(b.sign({ audience: BOSS }), { audience: BOSS }),
  ],
  ['another JWT-SVID', 'IDENTITY_PROOF_INVALID', (b) => b.verify(b.sign({}, { jwtSvid: 'another' }))],
  [
    'the key of somebody else',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(b.sign({}, { key: other.key, jwk: other.jwk })),
  ],
  [
    'a foreign signature under the right key',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(b.sign({}, { key: other.key })),
  ],
  [
    'a connection with another key',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(b.sign(), { peerKey: thumbprintOf(other.jwk) }),
  ],
  ['another agent under the same key', 'IDENTITY_PROOF_INVALID', (b) => b.verify(b.sign({}, { spiffeId: BOSS }))],
  ['alg none', 'IDENTITY_PROOF_INVALID', (b) => b.verify(forged(b.sign(), b.subject.key, { head: { alg: 'none' } }))],
  [
    'another type',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(forged(b.sign(), b.subject.key, { head: { typ: 'JWT' } })),
  ],
  [
    'a header that asks for more',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(forged(b.sign(), b.subject.key, { head: { crit: ['b64'] } })),
  ],
  [
    'a claim that nobody knows',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(forged(b.sign(), b.subject.key, { claims: { admin: true } })),
  ],
  [
    'a life of an hour',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(forged(b.sign(), b.subject.key, { claims: { exp: 4e9 } })),
  ],
  [
    'a fraction of a second',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(forged(b.sign(), b.subject.key, { claims: { iat: 1.5 } })),
  ],
  [
    'too old',
    'IDENTITY_PROOF_EXPIRED',
    (b) => {
      const proof = b.sign()
      b.clock.advanceMs(36_000)
      return b.verify(proof)
    },
  ],
  [
    'from the future',
    'IDENTITY_PROOF_EXPIRED',
    (b) => {
      const proof = b.sign()
      b.clock.setMs(b.clock.nowMs() - 6_000)
      return b.verify(proof)
    },
  ],
  [
    'a replay',
    'IDENTITY_PROOF_REPLAYED',
    (b) => {
      const proof = b.sign()
      assert.equal(said(b.verify(proof)), 'ok')
      return b.verify(proof)
    },
  ],
  [
    'a stale epoch',
    'IDENTITY_PROOF_STALE',
    (b) => {
      b.oldest.of = { epoch: 4, generation: 7 }
      return b.verify(b.sign())
    },
  ],
  [
    'a stale policy',
    'IDENTITY_PROOF_STALE',
    (b) => {
      b.oldest.of = { epoch: 3, generation: 8 }
      return b.verify(b.sign())
    },
  ],
  [
    'an agent that nobody knows',
    'IDENTITY_PROOF_STALE',
    (b) => {
      b.oldest.of = null
      return b.verify(b.sign())
    },
  ],
  ['tools that its agent has not', 'IDENTITY_DELEGATION_WIDENED', (b) => b.verify(b.sign({ delegated: ['drop_all'] }))],
  ['a wider glob', 'IDENTITY_DELEGATION_WIDENED', (b) => b.verify(b.sign({ delegated: ['k*'] }))],
  [
    'other tools than the SVID',
    'IDENTITY_DELEGATION_WIDENED',
    (b) => b.verify(b.sign({ delegated: ['drop_all'] }, { tools: ['drop_all'] })),
  ],
  [
    'more than the one before',
    'IDENTITY_DELEGATION_WIDENED',
    (b) => b.verify(b.sign({ chain: [{ sub: BOSS, tools: ['search_docs'] }] })),
  ],
  [
    'anything from one who may nothing',
    'IDENTITY_DELEGATION_WIDENED',
    (b) => b.verify(b.sign({ chain: [{ sub: BOSS, tools: [] }] })),
  ],
  [
    'a chain that comes back',
    'IDENTITY_DELEGATION_WIDENED',
    (b) => b.verify(b.sign({ chain: [{ sub: ME, tools: TOOLS }] })),
  ],
  [
    'a chain that ends with another',
    'IDENTITY_DELEGATION_WIDENED',
    (b) => b.verify(forged(b.sign(), b.subject.key, { claims: { act: [{ sub: BOSS, tools: ['run_sql'] }] } })),
  ],
  [
    'an empty chain',
    'IDENTITY_PROOF_INVALID',
    (b) => b.verify(forged(b.sign(), b.subject.key, { claims: { act: [] } })),
  ],
  [
    'more names than are remembered',
    'IDENTITY_PROOF_REPLAYED',
    () => {
      const bench = newBench(2)
      for (let at = 0; at < 2; at += 1) assert.equal(said(bench.verify(bench.sign())), 'ok')
      return bench.verify(bench.sign())
    },
  ],
]

for (const [name, reason, ask] of ROWS)
  test(`[PROOF-02] refused: ${name}`, () => {
    assert.equal(said(ask(newBench())), reason)
  })

test('[PROOF-02] what was refused does not use up its name: the honest request still passes', () => {
  const bench = newBench()
  const proof = bench.sign()
  assert.equal(said(bench.verify(proof, { request: { ...request, method: 'GET' } })), 'IDENTITY_PROOF_REQUEST')
  assert.equal(said(bench.verify(proof)), 'ok')
})

test('[PROOF-02] a name is remembered for as long as its proof could pass', () => {
  const bench = newBench()
  for (let second = 0; second < 200; second += 7) {
    const proof = bench.sign()
    assert.equal(said(bench.verify(proof)), 'ok')
    bench.clock.advanceMs(7_000)
    assert.equal(said(bench.verify(proof)), 'IDENTITY_PROOF_REPLAYED')
  }
})

test('[PROOF-03] a JWT-SVID is verified once, and again when it expires or the bundle changes', () => {
  const bench = newBench()
  for (let at = 0; at < 3; at += 1) assert.equal(said(bench.verify(bench.sign())), 'ok')
  assert.equal(bench.verified(), 1)
  bench.forget()
  assert.equal(said(bench.verify(bench.sign())), 'ok')
  assert.equal(bench.verified(), 2)
  bench.clock.advanceMs(300_000)
  bench.svid.of = null
  assert.equal(said(bench.verify(bench.sign())), 'IDENTITY_PROOF_INVALID')
})

test('[PROOF-02] any one character of a proof that is changed makes it void', () => {
  const bench = newBench()
  const proof = bench.sign()
  for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    if (!proof.endsWith(last))
      assert.notEqual(said(bench.verify(proof.slice(0, -1) + last)), 'ok', `${last} at the end`)
  for (let at = 0; at < proof.length - 1; at += 1) {
    if (proof[at] === '.') continue
    const changed = `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`
    assert.notEqual(said(bench.verify(changed)), 'ok', `at ${at}`)
  }
  assert.equal(said(bench.verify(proof)), 'ok')
})

test('[PROOF-02] no text makes the verifier throw', () => {
  const bench = newBench()
  const [head = '', body = '', mac = ''] = bench.sign().split('.')
  const part = fc.oneof(
    fc.constantFrom(head, body, mac, ''),
    fc.string(),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      const text = parts.join('.')
      if (text !== [head, body, mac].join('.')) assert.notEqual(said(bench.verify(text)), 'ok')
    }),
  )
})

test('[PROOF-04] narrow is within wide: names, globs, nothing', () => {
  const rows: readonly (readonly [readonly string[], readonly string[], boolean])[] = [
    [[], [], true],
    [['a'], [], false],
    [['a'], ['a'], true],
    [['kb_x'], ['kb_*'], true],
    [['kb_*'], ['kb_*'], true],
    [['kb_x*'], ['kb_*'], true],
    [['k*'], ['kb_*'], false],
    [['a', 'b'], ['a'], false],
    [['*'], ['a'], false],
    [['a'], ['*'], true],
  ]
  for (const [narrow, wide, expected] of rows) assert.equal(isWithin(narrow, wide), expected, `${narrow} in ${wide}`)
})

test('[PROOF-04] the digest of tools depends on which they are, not on their order', () => {
  assert.equal(toolDigest(['b', 'a', 'b']), toolDigest(['a', 'b']))
  assert.notEqual(toolDigest(['a,b']), toolDigest(['a', 'b']))
  assert.match(toolDigest([]), /^sha256:[A-Za-z0-9_-]{43}$/)
  assert.match(digestOf(''), /^47DEQpj8HBSa/)
})

test('[PROOF-01] a proof from before the process began may have been used: it is refused, the next one is not', () => {
  const first = newBench()
  const proof = first.sign()
  assert.equal(said(first.verify(proof)), 'ok')
  const clock = newManualClock(first.clock.nowMs() + 2_000)
  const again = newProofVerifier({
    ...{ clock, replay: newReplayCache({ clock }), oldestOf: () => first.oldest.of },
    verifySvid: () => first.svid.of,
  })
  const ask = { request, svid: 'a.jwt.svid', audience: PEER, peerKey: null }
  assert.equal(said(again.verify({ ...ask, proof })), 'IDENTITY_PROOF_REPLAYED')
  first.clock.advanceMs(2_000)
  assert.equal(said(again.verify({ ...ask, proof: first.sign() })), 'ok')
})
