import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Headers, Reason } from '#pkg/model'
import {
  answerHeaders,
  answerKind,
  contentEncodingOf,
  holdsToken,
  readHeaders,
  requestContentType,
  requestFraming,
  requestTarget,
  tokenOf,
  upstreamRequestHeaders,
} from './index.ts'

const reasonOf = (result: { readonly ok: true } | { readonly ok: false; readonly reason: Reason }): Reason | 'ok' =>
  result.ok ? 'ok' : result.reason
const plain = (headers: Headers) => ({ ...headers })

const targets: readonly (readonly [name: string, url: string, expected: Reason | 'ok'])[] = [
  ['a path passes', '/openai/v1/chat/completions', 'ok'],
  ['a query passes', '/openai/v1/models?limit=1&after=a%2Fb', 'ok'],
  ['a colon in a model id passes', '/openai/v1/models/ft:gpt-4o:org', 'ok'],
  ['a needed escape passes', '/openai/v1/models/caf%C3%A9%20x', 'ok'],
  ['an escaped colon passes, it is not a letter', '/openai/v1/models/ft%3Agpt', 'ok'],
  ['dots inside a name pass', '/openai/v1/models/gpt-4.1..x', 'ok'],
  ['an escaped dot has two readings', '/openai/v1/%2e%2E/admin', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped slash has two readings', '/openai/v1/chat%2fcompletions', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped backslash has two readings', '/openai/v1/chat%5Ccompletions', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped percent has two readings', '/openai/v1/%252e%252e/x', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped letter has two readings', '/openai/v1/%63hat/completions', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped digit has two readings', '/openai/v%31/chat/completions', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped underscore has two readings', '/openai/v1/a%5fb', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped NUL', '/openai/v1/models%00', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped line feed', '/openai/v1/models%0a', 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped question mark', '/openai/v1/models%3fa', 'ok'],
  ['an overlong dot', '/openai/v1/%c0%ae%c0%ae/x', 'WIRE_ENDPOINT_UNKNOWN'],
  ['half a character', '/openai/v1/%C3', 'WIRE_ENDPOINT_UNKNOWN'],
  ['half an escape', '/openai/v1/models%2', 'WIRE_ENDPOINT_UNKNOWN'],
  ['no escape', '/openai/v1/models%zz', 'WIRE_ENDPOINT_UNKNOWN'],
  ['a dot segment', '/openai/v1/./models', 'WIRE_ENDPOINT_UNKNOWN'],
  ['two dots', '/openai/v1/../models', 'WIRE_ENDPOINT_UNKNOWN'],
  ['two dots at the end', '/openai/v1/..', 'WIRE_ENDPOINT_UNKNOWN'],
  ['a dot segment with a parameter', '/openai/v1/..;x=1/models', 'WIRE_ENDPOINT_UNKNOWN'],
  ['two slashes', '/openai//v1/models', 'WIRE_ENDPOINT_UNKNOWN'],
  ['two slashes at the beginning are an authority to some', '//evil.example/openai/v1', 'WIRE_ENDPOINT_UNKNOWN'],
  ['two slashes in a query are a value', '/openai/v1/models?u=//x/../y', 'ok'],
  ['a backslash', '/openai/v1\\models', 'WIRE_HEADER_INVALID'],
  ['a backslash in the query', '/openai/v1/models?a\\b', 'WIRE_HEADER_INVALID'],
  ['a space', '/openai/v1/mod els', 'WIRE_HEADER_INVALID'],
  ['a tab', '/openai/v1/models\t', 'WIRE_HEADER_INVALID'],
  ['a control', '/openai/v1/models\x01', 'WIRE_HEADER_INVALID'],
  ['a byte above ASCII', '/openai/v1/caf\xe9', 'WIRE_HEADER_INVALID'],
  ['a fragment', '/openai/v1/models#x', 'WIRE_HEADER_INVALID'],
  ['a fragment in the query', '/openai/v1/models?a#x', 'WIRE_HEADER_INVALID'],
  ['absolute form', 'http://api.openai.com/openai/v1/models', 'WIRE_HEADER_INVALID'],
  ['authority form', 'api.openai.com:443', 'WIRE_HEADER_INVALID'],
  ['asterisk form', '*', 'WIRE_HEADER_INVALID'],
  ['nothing', '', 'WIRE_HEADER_INVALID'],
  ['only a query', '?a=1', 'WIRE_HEADER_INVALID'],
  ['a token as the key of the query', '/gemini/v1beta/models?key=sp_vk_abc', 'ok'],
  ['a token as the key behind another parameter', '/gemini/v1beta/models?pageSize=1&key=sp_vk_abc', 'ok'],
  ['a token in another parameter', '/gemini/v1beta/models?apikey=sp_vk_abc', 'WIRE_HEADER_INVALID'],
  ['a token in a parameter that ends in key', '/gemini/v1beta/models?a=1&x-key=sp_vk_abc', 'WIRE_HEADER_INVALID'],
  ['a token in the path', '/gemini/v1beta/models/key=sp_vk_abc', 'WIRE_HEADER_INVALID'],
  ['a token behind an escape in the query', '/gemini/v1beta/models?a=sp%5fvk_abc', 'WIRE_HEADER_INVALID'],
  ['a token behind two escapes in the query', '/gemini/v1beta/models?a=%2573p_vk_abc', 'WIRE_HEADER_INVALID'],
]
for (const [name, url, expected] of targets)
  test(`[HTTP-01] target: ${name}`, () => assert.equal(reasonOf(requestTarget('GET', url)), expected))

test('[HTTP-01] a CONNECT is no endpoint', () =>
  assert.equal(reasonOf(requestTarget('CONNECT', 'api.openai.com:443')), 'WIRE_ENDPOINT_UNKNOWN'))

test('[HTTP-01] a target that passes is the same text, and a URL parser reads the same path in it', () => {
  const piece = fc.constantFrom(
    'a',
    'Z',
    '0',
    '.',
    '..',
    '/',
    '//',
    '%2e',
    '%2F',
    '%41',
    '%20',
    '%',
    '%C3',
    '%A9',
    '%c0%ae',
    ';',
    ':',
    '?',
    '#',
    '\\',
    '\t',
    '\x7f',
    'é',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const url = `/${pieces.join('')}`
      const target = requestTarget('GET', url)
      if (!target.ok) return
      assert.equal(target.path + target.query, url)
      const read = new URL(`http://host${url}`)
      assert.equal(read.pathname, target.path)
      assert.equal(read.host, 'host')
      assert.equal(decodeURIComponent(target.path).split('/').includes('..'), false)
    }),
    { numRuns: 3_000 },
  )
})

test('[HTTP-02] headers: lower case, repeats kept in order, no inherited names', () => {
  const read = readHeaders(['X-A', '1', 'x-b', '2', 'X-a', '3', 'x-A', '4', '__proto__', 'p'])
  assert.ok(read.ok)
  assert.deepEqual(read.headers['x-a'], ['1', '3', '4'])
  assert.equal(read.headers['x-b'], '2')
  assert.equal(Object.getOwnPropertyDescriptor(read.headers, '__proto__')?.value, 'p')
  assert.equal(read.headers['constructor'], undefined)
})

for (const [name, raw] of [
  ['a space in a name', ['x a', '1']],
  ['a colon in a name', ['x:a', '1']],
  ['an empty name', ['', '1']],
  ['a line end in a value', ['x', 'a\r\nb: c']],
  ['a NUL in a value', ['x', 'a\0b']],
  ['a letter above one byte', ['x', 'Ā']],
] as const)
  test(`[HTTP-02] headers: ${name} is refused`, () => assert.equal(reasonOf(readHeaders(raw)), 'WIRE_HEADER_INVALID'))

type FramingRow = readonly [name: string, headers: Headers, version: string, expected: number | null | 'refused']
const framings: readonly FramingRow[] = [
  ['no body', {}, '1.1', 0],
  ['a length', { 'content-length': '12' }, '1.1', 12],
  ['chunked', { 'transfer-encoding': 'chunked' }, '1.1', null],
  ['chunked in another case', { 'transfer-encoding': 'Chunked' }, '1.1', null],
  ['a length in HTTP/1.0', { 'content-length': '12' }, '1.0', 12],
  ['100-continue', { 'content-length': '1', expect: '100-Continue' }, '1.1', 1],
  ['two lengths', { 'content-length': ['12', '12'] }, '1.1', 'refused'],
  ['two lengths in one', { 'content-length': '12, 12' }, '1.1', 'refused'],
  ['a signed length', { 'content-length': '+12' }, '1.1', 'refused'],
  ['a hexadecimal length', { 'content-length': '0x12' }, '1.1', 'refused'],
  ['a negative length', { 'content-length': '-1' }, '1.1', 'refused'],
  ['an empty length', { 'content-length': '' }, '1.1', 'refused'],
  ['a length beyond whole numbers', { 'content-length': '99999999999999999999' }, '1.1', 'refused'],
  ['length and chunked', { 'content-length': '12', 'transfer-encoding': 'chunked' }, '1.1', 'refused'],
  ['chunked twice', { 'transfer-encoding': 'chunked, chunked' }, '1.1', 'refused'],
  ['two transfer-encodings', { 'transfer-encoding': ['chunked', 'chunked'] }, '1.1', 'refused'],
  ['gzip, chunked', { 'transfer-encoding': 'gzip, chunked' }, '1.1', 'refused'],
  ['identity', { 'transfer-encoding': 'identity' }, '1.1', 'refused'],
  ['chunked with a vertical tab', { 'transfer-encoding': '\x0bchunked' }, '1.1', 'refused'],
  ['chunked with a parameter', { 'transfer-encoding': 'chunked;x=1' }, '1.1', 'refused'],
  ['chunked in HTTP/1.0', { 'transfer-encoding': 'chunked' }, '1.0', 'refused'],
  ['HTTP/0.9', {}, '0.9', 'refused'],
  ['HTTP/2.0', {}, '2.0', 'refused'],
  ['an upgrade', { upgrade: 'websocket', connection: 'upgrade' }, '1.1', 'refused'],
  ['h2c', { upgrade: 'h2c', connection: 'Upgrade, HTTP2-Settings', 'http2-settings': 'AAMAAABk' }, '1.1', 'refused'],
  ['another expectation', { expect: '200-ok' }, '1.1', 'refused'],
  ['two hosts', { host: ['a', 'b'] }, '1.1', 'refused'],
  ['a connection option of its own', { connection: 'close, X-Mine' }, '1.1', 0],
  ['a connection option that takes the type away', { connection: 'close, Content-Type' }, '1.1', 'refused'],
  ['a connection option that takes the method away', { connection: ['close', 'mcp-method'] }, '1.1', 'refused'],
  ['a connection option that takes the version away', { connection: 'A2A-Version' }, '1.1', 'refused'],
  ['a connection option that takes the destination away', { connection: 'destination' }, '1.1', 'refused'],
  ['two content types', { 'content-type': ['application/json', 'text/plain'] }, '1.1', 'refused'],
]
for (const [name, headers, version, expected] of framings)
  test(`[HTTP-02] framing: ${name}`, () => {
    const framing = requestFraming(headers, version)
    assert.deepEqual(framing.ok ? framing.length : 'refused', expected)
    const reason = 'upgrade' in headers ? 'UPGRADE_NOT_GRANTED' : 'WIRE_HEADER_INVALID'
    if (!framing.ok) assert.equal(framing.reason, reason)
  })

for (const [value, passes] of [
  ['application/json', true],
  ['application/json; charset=utf-8', true],
  ['Application/JSON;charset="UTF-8"', true],
  ['application/json ; charset=utf-8 ;', true],
  ['application/json; charset=utf-16', false],
  ['application/json; charset=latin1', false],
  ['application/json; charset=utf-7; charset=utf-8', false],
  ['application/json; boundary=x', false],
  ['application/json, text/plain', false],
  ['application/jsonx', false],
  ['application/x-ndjson', false],
  ['text/plain', false],
  ['multipart/form-data; boundary=x', false],
  ['', false],
  [['application/json', 'application/json'], false],
  [null, false],
] as const)
  test(`[HTTP-03] request content type ${JSON.stringify(value)}`, () => {
    const result = requestContentType(value === null ? {} : { 'content-type': value })
    assert.equal(reasonOf(result), passes ? 'ok' : 'WIRE_CONTENT_TYPE')
  })

for (const [name, headers, expected] of [
  ['bearer', { authorization: 'Bearer sp_vk_A-b_9' }, 'sp_vk_A-b_9'],
  ['bearer in another case', { authorization: 'bearer  sp_vk_a' }, 'sp_vk_a'],
  ['api-key', { 'api-key': 'sp_vk_a' }, 'sp_vk_a'],
  ['x-api-key', { 'x-api-key': 'sp_vk_a' }, 'sp_vk_a'],
  ['x-goog-api-key', { 'x-goog-api-key': 'sp_vk_a' }, 'sp_vk_a'],
  ['the same twice', { authorization: 'Bearer sp_vk_a', 'x-api-key': 'sp_vk_a' }, 'sp_vk_a'],
  ['two agents', { authorization: 'Bearer sp_vk_a', 'x-api-key': 'sp_vk_b' }, null],
  ['two agents in one header', { authorization: ['Bearer sp_vk_a', 'Bearer sp_vk_b'] }, null],
  ['a provider key', { authorization: 'Bearer sk-abc' }, null],
  ['a provider key beside it', { authorization: 'Bearer sk-abc', 'x-api-key': 'sp_vk_a' }, 'sp_vk_a'],
  ['another scheme', { authorization: 'Basic sp_vk_a' }, null],
  ['no scheme', { authorization: 'sp_vk_a' }, null],
  ['two in one value', { authorization: 'Bearer sp_vk_a, Bearer sp_vk_b' }, null],
  ['the prefix alone', { authorization: 'Bearer sp_vk_' }, null],
  ['a character that no token has', { authorization: 'Bearer sp_vk_a b' }, null],
  ['too long', { 'api-key': `sp_vk_${'a'.repeat(257)}` }, null],
  ['another header', { 'x-token': 'sp_vk_a' }, null],
  ['none', {}, null],
] as const)
  test(`[HTTP-04] token: ${name}`, () => assert.equal(tokenOf(headers), expected))

for (const [name, headers, query, expected] of [
  ['as the key of the query', {}, '?key=sp_vk_a', 'sp_vk_a'],
  ['as the last of several parameters', {}, '?alt=sse&key=sp_vk_a', 'sp_vk_a'],
  ['the same in header and query', { 'x-goog-api-key': 'sp_vk_a' }, '?key=sp_vk_a', 'sp_vk_a'],
  ['another one in the query', { 'x-goog-api-key': 'sp_vk_a' }, '?key=sp_vk_b', null],
  ['two in the query', {}, '?key=sp_vk_a&key=sp_vk_b', null],
  ['a provider key in the query', { 'x-goog-api-key': 'sp_vk_a' }, '?key=AIza', 'sp_vk_a'],
  ['another parameter', {}, '?token=sp_vk_a', null],
  ['a parameter in another case', {}, '?KEY=sp_vk_a', null],
  ['a character that no token has', {}, '?key=sp_vk_a%20', null],
] as const)
  test(`[HTTP-04] token: ${name}`, () => assert.equal(tokenOf(headers, query), expected))

for (const [text, holds] of [
  ['?alt=sse', false],
  ['?a=sp_vk_x', true],
  ['?a=sp%5Fvk_x', true],
  ['?a=%73%70%5f%76%6b%5f', true],
  ['?a=%2573p_vk_x', true],
  ['?a=%c3%a9%', false],
] as const)
  test(`[HTTP-04] a token in ${text}: ${holds}`, () => assert.equal(holdsToken(text), holds))

test('[HTTP-05] upstream request: what is the agent’s own passes, what is the connection’s does not', () => {
  const passing = {
    'content-type': 'application/json',
    accept: 'text/event-stream',
    'user-agent': 'OpenAI/JS 7.57.0',
    'openai-organization': 'org-1',
    'openai-project': 'proj-1',
    'openai-beta': 'assistants=v2',
    'x-stainless-lang': 'js',
    traceparent: '00-a-b-01',
    'idempotency-key': 'k1',
    'x-request-tag': ['a', 'b'],
    x_own: 'passes',
  }
  const dropped = {
    authorization: 'Bearer sp_vk_a',
    'api-key': 'k',
    'x-api-key': 'k',
    'x-goog-api-key': 'k',
    cookie: 'a=b',
    'proxy-authorization': 'Basic x',
    'proxy-anything': 'x',
    host: '127.0.0.1:16080',
    connection: 'keep-alive, X-Mine',
    'x-mine': 'for this hop',
    'keep-alive': 'timeout=5',
    te: 'trailers',
    trailer: 'x',
    'transfer-encoding': 'chunked',
    upgrade: 'h2c',
    'http2-settings': 'x',
    'content-length': '10',
    'content-encoding': 'gzip',
    expect: '100-continue',
    range: 'bytes=0-1',
    forwarded: 'for=1.2.3.4',
    via: '1.1 x',
    'x-real-ip': '1.2.3.4',
    'x-forwarded-for': '1.2.3.4',
    'x-forwarded-host': 'x',
    'x-sallyport-labels': 'pii',
    'x-copied': 'my token is sp_vk_a',
    'x-broken': 'a\r\nb',
    // by their names for readers in the manner of CGI
    x_sallyport_caller: 'spiffe://a/ns/b/agent/c',
    'x.sallyport.proof': 'p',
    content_length: '99',
    transfer_encoding: 'chunked',
    x_api_key: 'k',
    x_forwarded_for: '1.2.3.4',
    x_mine: 'for this hop',
    content_type: 'text/plain',
    mcp_method: 'tools/list',
    a2a_version: '0.3',
    'x-http-method-override': 'DELETE',
    x_http_method_override: 'DELETE',
    'x-original-host': 'evil.example',
    'x-client-ip': '1.2.3.4',
    'x-goog-fieldmask': 'candidates.finishReason',
  }
  const sent = upstreamRequestHeaders({ ...passing, ...dropped, 'accept-encoding': 'gzip, br' })
  assert.deepEqual(plain(sent), { ...passing, 'accept-encoding': 'identity' })
})

test('[HTTP-06] answer: headers of framing, coding, cookies and our own names never pass', () => {
  const passing = {
    'content-type': 'text/event-stream',
    'x-request-id': 'req_1',
    'openai-processing-ms': '12',
    'x-ratelimit-remaining-requests': '9',
    'cache-control': 'no-cache',
    'retry-after': '3',
    vary: ['a', 'b'],
  }
  const dropped = {
    connection: 'close, x-hop',
    'x-hop': '1',
    'keep-alive': 'timeout=1',
    'proxy-connection': 'x',
    'content-length': '10',
    'content-encoding': 'gzip',
    'transfer-encoding': 'chunked',
    trailer: 'x-t',
    upgrade: 'h2c',
    'alt-svc': 'h3=":443"',
    'set-cookie': ['a=1', 'b=2'],
    'content-md5': 'x',
    'content-range': 'bytes 0-1/2',
    refresh: '0;url=https://evil.example',
    'x-sallyport-verdict': 'v_forged',
    'x-sallyport-session': 's_forged',
    x_sallyport_verdict: 'v_forged',
    content_length: '10',
    set_cookie: 'a=1',
    x_request_id: 'req_2',
    'x-broken': 'a\nb',
    'x b': 'bad name',
  }
  assert.deepEqual(plain(answerHeaders({ ...passing, ...dropped })), passing)
})

test('[HTTP-05] no header that a parser can deliver gets a dropped name or a token through', () => {
  const name = fc.constantFrom(
    'authorization',
    'connection',
    'x-a',
    'x-b',
    'cookie',
    'x-sallyport-x',
    '__proto__',
    'host',
  )
  const value = fc.constantFrom('x-a', 'close, X-B', 'sp_vk_z', 'Bearer sp_vk_z', 'v')
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (pairs) => {
      const read = readHeaders(pairs.flat())
      assert.ok(read.ok)
      for (const sent of [upstreamRequestHeaders(read.headers), answerHeaders(read.headers)]) {
        assert.equal(JSON.stringify(Object.entries(sent)).includes('"x-sallyport'), false)
        assert.equal(JSON.stringify(Object.entries(sent)).includes('sp_vk_'), false)
        assert.equal(sent['connection'], undefined)
        const connection = pairs.filter(([key]) => key === 'connection').map(([, text]) => text.toLowerCase())
        for (const mine of ['x-a', 'x-b']) if (connection.join(',').includes(mine)) assert.equal(sent[mine], undefined)
      }
      assert.equal(upstreamRequestHeaders(read.headers)['authorization'], undefined)
    }),
  )
})

type KindRow = readonly [name: string, status: number, headers: Headers, expected: string]
const kinds: readonly KindRow[] = [
  ['a stream', 200, { 'content-type': 'text/event-stream' }, 'stream'],
  ['a stream in UTF-8', 200, { 'content-type': 'text/event-stream; charset=utf-8' }, 'stream'],
  ['a stream in another charset', 200, { 'content-type': 'text/event-stream; charset=utf-16' }, 'WIRE_CONTENT_TYPE'],
  ['JSON', 200, { 'content-type': 'application/json' }, 'json'],
  ['an error in JSON', 429, { 'content-type': 'application/json; charset=utf-8' }, 'json'],
  ['an error as a page', 502, { 'content-type': 'text/html' }, 'WIRE_CONTENT_TYPE'],
  ['bytes', 200, { 'content-type': 'application/octet-stream' }, 'WIRE_CONTENT_TYPE'],
  ['multipart', 200, { 'content-type': 'multipart/mixed; boundary=x' }, 'WIRE_CONTENT_TYPE'],
  ['NDJSON', 200, { 'content-type': 'application/x-ndjson' }, 'WIRE_CONTENT_TYPE'],
  ['AWS event stream', 200, { 'content-type': 'application/vnd.amazon.eventstream' }, 'WIRE_CONTENT_TYPE'],
  ['no type', 200, {}, 'WIRE_CONTENT_TYPE'],
  ['no type and no body', 401, { 'content-length': '0' }, 'empty'],
  ['two types', 200, { 'content-type': ['application/json', 'text/event-stream'] }, 'WIRE_CONTENT_TYPE'],
  ['two types in one', 200, { 'content-type': 'application/json, text/event-stream' }, 'WIRE_CONTENT_TYPE'],
  ['204', 204, {}, 'empty'],
  [
    'a redirect leads past us',
    307,
    { location: 'https://evil.example', 'content-type': 'application/json' },
    'WIRE_FRAMING',
  ],
  ['304', 304, {}, 'WIRE_FRAMING'],
  ['a part', 206, { 'content-type': 'application/json' }, 'WIRE_FRAMING'],
  ['an upgrade', 101, {}, 'WIRE_FRAMING'],
  ['no status', 999, { 'content-type': 'application/json' }, 'WIRE_FRAMING'],
]
for (const [name, status, headers, expected] of kinds)
  test(`[HTTP-07] answer kind: ${name}`, () => {
    const kind = answerKind(status, headers)
    assert.equal(kind.ok ? kind.kind : kind.reason, expected)
  })

test('[HTTP-07] the coding of an answer is handed on as it came, repeats joined', () => {
  const type = { 'content-type': 'application/json' }
  const encodingOf = (headers: Headers) => {
    const kind = answerKind(200, { ...type, ...headers })
    return kind.ok ? kind.encoding : kind.reason
  }
  assert.equal(encodingOf({}), null)
  assert.equal(encodingOf({ 'content-encoding': 'GZip' }), 'GZip')
  assert.equal(encodingOf({ 'content-encoding': ['gzip', 'br'] }), 'gzip, br')
  assert.equal(contentEncodingOf({ 'content-encoding': 'identity' }), 'identity')
})
