import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { agentKeyOf } from '#pkg/model'
import { agentSpiffeId, readSpiffeId, SPIFFE_ID_BYTES } from './spiffe-id.ts'

const long = (bytes: number): string => {
  const head = 'spiffe://example.org/'
  return head + 'a'.repeat(bytes - head.length)
}

const rows: readonly (readonly [id: string, what: string, text: string, expected: string])[] = [
  ['SID-01', 'an agent', 'spiffe://sallyport.local/ns/growth/agent/marketing', 'ok'],
  ['SID-01', 'a trust domain alone', 'spiffe://example.org', 'ok'],
  ['SID-01', 'another scheme', 'https://example.org/a', 'SCHEME'],
  ['SID-01', 'a scheme in capitals', 'SPIFFE://example.org/a', 'SCHEME'],
  ['SID-01', 'a space before it', ' spiffe://example.org/a', 'SCHEME'],
  ['SID-01', 'nothing', '', 'SCHEME'],
  ['SID-02', 'no trust domain', 'spiffe:///a', 'TRUST_DOMAIN'],
  ['SID-02', 'a trust domain in capitals', 'spiffe://Example.org/a', 'TRUST_DOMAIN'],
  ['SID-02', 'a user', 'spiffe://u@example.org/a', 'TRUST_DOMAIN'],
  ['SID-02', 'a port', 'spiffe://example.org:8080/a', 'TRUST_DOMAIN'],
  ['SID-02', 'an escape in the trust domain', 'spiffe://ex%61mple.org/a', 'TRUST_DOMAIN'],
  ['SID-02', 'a letter outside of ASCII', 'spiffe://ex\u00e4mple.org/a', 'TRUST_DOMAIN'],
  ['SID-02', 'a trust domain of 255 bytes', `spiffe://${'a'.repeat(255)}/a`, 'ok'],
  ['SID-02', 'a trust domain of 256 bytes', `spiffe://${'a'.repeat(256)}/a`, 'TRUST_DOMAIN'],
  ['SID-03', 'a slash at the end', 'spiffe://example.org/a/', 'PATH'],
  ['SID-03', 'a slash alone', 'spiffe://example.org/', 'PATH'],
  ['SID-03', 'two slashes', 'spiffe://example.org/a//b', 'PATH'],
  ['SID-03', 'a dot as a segment', 'spiffe://example.org/a/./b', 'PATH'],
  ['SID-03', 'two dots as a segment', 'spiffe://example.org/ns/x/../y', 'PATH'],
  ['SID-03', 'three dots as a segment', 'spiffe://example.org/.../y', 'ok'],
  ['SID-03', 'an escape in the path', 'spiffe://example.org/a%2Fb', 'PATH'],
  ['SID-03', 'a NUL', 'spiffe://example.org/a\u0000b', 'PATH'],
  ['SID-03', 'a line feed at the end', 'spiffe://example.org/a\n', 'PATH'],
  ['SID-03', 'a letter outside of ASCII in the path', 'spiffe://example.org/\u212a', 'PATH'],
  ['SID-04', '2,048 bytes', long(SPIFFE_ID_BYTES), 'ok'],
  ['SID-04', '2,049 bytes', long(SPIFFE_ID_BYTES + 1), 'TOO_LONG'],
  ['SID-06', 'an IPv4 address as its trust domain', 'spiffe://10.0.0.1/a', 'ok'],
  ['SID-06', 'a trust domain that is no DNS name', 'spiffe://_a.-b-/a', 'ok'],
  ['SID-06', 'numbers alone as its trust domain', 'spiffe://256.300.1.1/a', 'ok'],
  ['SID-06', 'an IPv6 address as its trust domain', 'spiffe://[::1]/a', 'TRUST_DOMAIN'],
  ['SID-05', 'a query', 'spiffe://example.org/a?b', 'PATH'],
  ['SID-05', 'a fragment', 'spiffe://example.org/a#b', 'PATH'],
  ['SID-05', 'a query of a trust domain', 'spiffe://example.org?b', 'TRUST_DOMAIN'],
]
for (const [id, what, text, expected] of rows)
  test(`[${id}] ${what}: ${expected}`, () => {
    const read = readSpiffeId(text)
    assert.equal(typeof read === 'string' ? read : 'ok', expected)
  })

test('[SID-01] the ID of an agent reads as it was made', () => {
  const id = agentSpiffeId('sallyport.local', agentKeyOf({ namespace: 'growth', name: 'marketing' }))
  const read = readSpiffeId(id)
  assert.ok(typeof read !== 'string')
  assert.deepEqual(read, { id, trustDomain: 'sallyport.local', segments: ['ns', 'growth', 'agent', 'marketing'] })
})

test('[SID-03] whatever reads is written in its one form: parts put together are the text again', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab./:%?#@A\u0000') }))
  fc.assert(
    fc.property(text, (rest) => {
      const read = readSpiffeId(`spiffe://${rest}`)
      if (typeof read === 'string') return
      assert.equal(`spiffe://${[read.trustDomain, ...read.segments].join('/')}`, read.id)
      assert.match(read.id, /^spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/)
    }),
    { numRuns: 500 },
  )
})

test('[SID-04] no ID of an agent that a policy can name is longer than 2,048 bytes', () => {
  const agent = agentKeyOf({ namespace: 'n'.repeat(63), name: 'a'.repeat(253) })
  const id = agentSpiffeId('d'.repeat(255), agent)
  assert.ok(id.length <= SPIFFE_ID_BYTES, `${id.length} bytes`)
  assert.ok(typeof readSpiffeId(id) !== 'string')
})
