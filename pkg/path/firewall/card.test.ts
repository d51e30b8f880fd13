import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentCard, canonicalizeAgentCard } from '@a2a-js/sdk'
import fc from 'fast-check'
import { exportJWK, FlattenedSign, generateKeyPair } from 'jose'
import { jcs, signedForms } from './card-canonical.ts'
import { readSignatures } from './card-signature.ts'
import { urlFault } from './check-url.ts'

test('[PEER-07] JCS is that of RFC 8785, appendix B and section 3.2.3', () => {
  assert.equal(
    jcs({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }),
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
  )
  assert.equal(
    jcs({ numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 1e-27], literals: [null, true, false] }),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
  )
})

const words = fc.constantFrom('', 'x', 'ä\u0301', 'https://a.example')
const flag = fc.option(fc.boolean(), { nil: undefined })
const cards = fc.record(
  {
    name: words,
    description: words,
    version: words,
    url: words,
    unknown: words,
    iconUrl: words,
    provider: fc.record({ url: words, organization: words }),
    supportedInterfaces: fc.array(
      fc.record({ url: words, protocolBinding: words, tenant: words, protocolVersion: words }),
      { maxLength: 2 },
    ),
    capabilities: fc.record(
      {
        streaming: flag,
        extensions: fc.array(fc.record({ uri: words, required: fc.boolean(), params: fc.dictionary(words, words) }), {
          maxLength: 2,
        }),
      },
      { requiredKeys: [] },
    ),
    skills: fc.array(fc.record({ id: words, name: words, tags: fc.array(words), more: words }), { maxLength: 2 }),
    defaultInputModes: fc.array(words),
  },
  { requiredKeys: [] },
)

test('[PEER-07] one of the signed forms is what the official SDK signs, for any card', () =>
  fc.assert(
    fc.property(cards, (card) => {
      const plain = JSON.parse(JSON.stringify(card)) as Record<string, unknown>
      assert.ok(signedForms(plain).includes(canonicalizeAgentCard(AgentCard.fromJSON(plain))))
    }),
  ))

const card = { name: 'Research', version: '1', skills: [{ id: 'a' }] }

async function signed(header: object, over: unknown = card, alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  const payload = new TextEncoder().encode(jcs(over))
  const jws = await new FlattenedSign(payload).setProtectedHeader({ alg, jwk, ...header }).sign(privateKey)
  return { protected: jws.protected, signature: jws.signature }
}

const encoded = (header: object): string => Buffer.from(JSON.stringify(header)).toString('base64url')

test('[PEER-07] a signature that brings its key verifies; every other one is wrong or without a key', async () => {
  const good = await signed({ kid: 'k' })
  const other = await signed({ kid: 'k' }, { ...card, name: 'Evil' })
  const bare = { protected: encoded({ alg: 'ES256', kid: 'k', jku: 'http://127.0.0.1:9' }), signature: 'AA' }
  const none = { protected: encoded({ alg: 'none', jwk: {} }), signature: '' }
  const secret = { protected: encoded({ alg: 'HS256', jwk: { kty: 'oct', k: 'AA' } }), signature: 'AA' }
  const outcome = async (signatures: unknown): Promise<string> => {
    const read = await readSignatures({ ...card, signatures })
    return read.wrong !== null ? 'wrong' : `${read.keys.length}${read.unverified ? '+' : ''}`
  }
  const critical = await signed({ kid: 'k', crit: ['b64'], b64: true })
  const rows: readonly (readonly [what: string, signatures: unknown, outcome: string])[] = [
    ['one', [good], '1'],
    ['two', [good, await signed({})], '2'],
    ['the same twice', [good, good], '1'],
    ['one over another card', [other], 'wrong'],
    ['a good one and a wrong one', [good, other], 'wrong'],
    ['one without its key', [bare], '0+'],
    ['a good one and one without its key', [good, bare], '1+'],
    ['none', [none], 'wrong'],
    ['a secret', [secret], 'wrong'],
    ['an extension', [critical], 'wrong'],
    ['a signature cut short', [{ ...good, signature: good.signature.slice(0, -4) }], 'wrong'],
    ['no object', ['x'], 'wrong'],
    ['no list', {}, 'wrong'],
    ['too many', Array.from({ length: 9 }, () => good), 'wrong'],
  ]
  for (const [what, signatures, expected] of rows) assert.equal(await outcome(signatures), expected, what)
})

test('[PEER-05] whatever passes as an address of the peer is read as one by everybody: no text leads elsewhere', () => {
  const reach = { own: ['https://peer.example/a2a'], others: () => false }
  const pieces = fc.constantFrom(
    'https://',
    'peer.example',
    '@',
    ':443',
    '/',
    '\\',
    '?',
    '#',
    '.',
    'evil.example',
    '%2e',
    ' ',
    '\t',
    '//',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const text = parts.join('')
      if (urlFault(text, reach) !== null) return
      assert.match(text, /^https:\/\/peer\.example(?::443)?(?:[/?#]|$)/)
    }),
    { numRuns: 2_000 },
  )
})

test('[PEER-05] a host that egress grants passes; a machine without a name only if that very one is granted', () => {
  const reach = { own: [], others: ({ hostname }: URL) => ['a.example', '10.0.0.7', 'db'].includes(hostname) }
  for (const url of ['https://a.example/', 'http://a.example:8080/x', 'http://10.0.0.7/', 'http://db/'])
    assert.equal(urlFault(url, reach), null, url)
  for (const url of [
    'https://b.example/',
    'http://10.0.0.1/',
    'http://0xa.0x7/',
    'http://[fd00:ec2::254]/',
    'http://localhost/',
    'http://dc/',
    'http://a.local/',
  ])
    assert.notEqual(urlFault(url, reach), null, url)
})
