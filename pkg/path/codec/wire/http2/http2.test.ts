import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Reason } from '#pkg/model'
import { readHeaders, requestFraming, requestLine, requestTarget } from './index.ts'

const line = [':method', 'POST', ':scheme', 'https', ':authority', 'api.example', ':path', '/openai/v1/x']
const reasonOf = (result: { readonly ok: true } | { readonly ok: false; readonly reason: Reason }): Reason | 'ok' =>
  result.ok ? 'ok' : result.reason

const blocks: readonly (readonly [name: string, raw: readonly string[], expected: Reason | 'ok'])[] = [
  ['a request', line, 'ok'],
  ['without authority', [...line.slice(0, 4), ...line.slice(6)], 'ok'],
  ['the same host in another case', [...line, 'host', 'API.example'], 'ok'],
  ['te: trailers', [...line, 'te', 'trailers'], 'ok'],
  ['another host', [...line, 'host', 'evil.example'], 'WIRE_HEADER_INVALID'],
  ['two hosts', [...line.slice(0, 4), ...line.slice(6), 'host', 'a', 'host', 'a'], 'WIRE_HEADER_INVALID'],
  ['an empty authority', [...line.slice(0, 4), ':authority', '', ':path', '/'], 'WIRE_HEADER_INVALID'],
  ['no method', line.slice(2), 'WIRE_HEADER_INVALID'],
  ['an empty method', [':method', '', ...line.slice(2)], 'WIRE_HEADER_INVALID'],
  ['no scheme', [...line.slice(0, 2), ...line.slice(4)], 'WIRE_HEADER_INVALID'],
  ['another scheme', [':method', 'GET', ':scheme', 'ws', ':path', '/'], 'WIRE_HEADER_INVALID'],
  ['no path', line.slice(0, 6), 'WIRE_HEADER_INVALID'],
  ['a pseudo-header twice', [...line, ':path', '/'], 'WIRE_HEADER_INVALID'],
  ['a pseudo-header behind a header', [...line.slice(0, 6), 'x-a', '1', ':path', '/'], 'WIRE_HEADER_INVALID'],
  ['a pseudo-header behind a cookie', [...line.slice(0, 6), 'cookie', 'a', ':path', '/'], 'WIRE_HEADER_INVALID'],
  ['a :protocol', [...line, ':protocol', 'websocket'], 'WIRE_HEADER_INVALID'],
  ['a :status', [...line, ':status', '200'], 'WIRE_HEADER_INVALID'],
  ['upper case', [...line, 'X-A', '1'], 'WIRE_HEADER_INVALID'],
  ['connection', [...line, 'connection', 'close'], 'WIRE_HEADER_INVALID'],
  ['keep-alive', [...line, 'keep-alive', '5'], 'WIRE_HEADER_INVALID'],
  ['transfer-encoding', [...line, 'transfer-encoding', 'chunked'], 'WIRE_HEADER_INVALID'],
  ['upgrade', [...line, 'upgrade', 'h2c'], 'WIRE_HEADER_INVALID'],
  ['te: gzip', [...line, 'te', 'gzip'], 'WIRE_HEADER_INVALID'],
  ['a line feed', [...line, 'x-a', '1\n2'], 'WIRE_HEADER_INVALID'],
  ['a space in a name', [...line, 'x a', '1'], 'WIRE_HEADER_INVALID'],
]
for (const [name, raw, expected] of blocks)
  test(`[H2-03] header block with ${name}: ${expected}`, () => assert.equal(reasonOf(readHeaders(raw)), expected))

test('[H2-01] a header block reads as the same request of HTTP/1.1', () => {
  const read = readHeaders([...line, 'cookie', 'a=1', 'x-a', '1', 'cookie', 'b=2', 'x-a', '2'])
  assert.ok(read.ok)
  assert.deepEqual({ ...read.headers }, { 'x-a': ['1', '2'], cookie: 'a=1; b=2', host: 'api.example' })
  assert.deepEqual(requestLine(line), { method: 'POST', url: '/openai/v1/x' })
  assert.deepEqual(requestLine([]), { method: '', url: '' })
})

test('[H2-03] CONNECT is no request here, and a target has one reading', () => {
  assert.equal(reasonOf(readHeaders([':method', 'CONNECT', ':authority', 'x:443'])), 'ok')
  assert.equal(reasonOf(requestTarget('CONNECT', '')), 'WIRE_ENDPOINT_UNKNOWN')
  assert.equal(reasonOf(requestTarget('GET', '/a/../b')), 'WIRE_ENDPOINT_UNKNOWN')
  assert.equal(reasonOf(requestTarget('OPTIONS', '*')), 'WIRE_HEADER_INVALID')
})

const framings: readonly (readonly [name: string, headers: Record<string, string | string[]>, length: unknown])[] = [
  ['nothing said', {}, null],
  ['a length', { 'content-length': '12' }, 12],
  ['a signed length', { 'content-length': '+1' }, 'WIRE_HEADER_INVALID'],
  ['two lengths', { 'content-length': ['1', '1'] }, 'WIRE_HEADER_INVALID'],
  ['two types', { 'content-type': ['a/b', 'a/b'] }, 'WIRE_HEADER_INVALID'],
  ['an expectation', { expect: '100-Continue' }, null],
  ['another expectation', { expect: 'x' }, 'WIRE_HEADER_INVALID'],
]
for (const [name, headers, expected] of framings)
  test(`[H2-03] framing with ${name}`, () => {
    const framing = requestFraming(headers)
    assert.equal(framing.ok ? framing.length : framing.reason, expected)
  })

test('[H2-03] any header block: no throw, no pseudo-header and nothing of a connection comes out', () => {
  const name = fc.oneof(
    fc.constantFrom(
      ':method',
      ':path',
      ':scheme',
      ':authority',
      ':x',
      'host',
      'cookie',
      'te',
      'connection',
      '__proto__',
    ),
    fc.string(),
  )
  const pairs = fc.array(fc.tuple(name, fc.oneof(fc.constantFrom('GET', 'http', '/', 'x', 'trailers'), fc.string())))
  fc.assert(
    fc.property(fc.boolean(), pairs, (begun, fields) => {
      const read = readHeaders([...(begun ? line : []), ...fields.flat()])
      if (!read.ok) return
      for (const got of Object.keys(read.headers)) {
        assert.match(got, /^[!#$%&'*+\-.^_`|~0-9a-z]+$/)
        assert.ok(!['connection', 'keep-alive', 'transfer-encoding', 'upgrade'].includes(got))
      }
    }),
    { numRuns: 500 },
  )
})
