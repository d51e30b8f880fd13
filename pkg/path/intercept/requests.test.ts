import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Reason } from '#pkg/model'
import { echo, get, JSON_TYPE, post, withFacade } from './facade.fixture.ts'
import { newSplitter } from './routes.ts'

test('[ICPT-01] a request arrives whole: facade, path, query, headers, token, body', async () =>
  withFacade(echo, async ({ asks, client }) => {
    const raw = await client()
    raw.send(
      post('{"a":1}', ['Authorization: Bearer sp_vk_a', 'X-Twice: 1', 'X-Twice: 2'], '/openai/v1/chat/completions?x=1'),
    )
    assert.equal((await raw.answer()).body, '{"path":"/chat/completions","body":"{\\"a\\":1}"}')
    const ask = asks[0] ?? assert.fail()
    assert.deepEqual(
      [ask.facade, ask.method, ask.path, ask.query, ask.token],
      ['openai', 'POST', '/chat/completions', '?x=1', 'sp_vk_a'],
    )
    assert.deepEqual(ask.headers['x-twice'], ['1', '2'])
  }))

for (const [path, facade, below] of [
  ['/openai/v1', 'openai', '/'],
  ['/openai/v1/', 'openai', '/'],
  ['/openai/v1/models', 'openai', '/models'],
  ['/openai/v1beta/models', 'other', '/models'],
  ['/openai/v10/models', '', '/openai/v10/models'],
  ['/OPENAI/v1/models', '', '/OPENAI/v1/models'],
  ['/', '', '/'],
] as const)
  test(`[ICPT-01] ${path} is ${facade || 'no facade'} ${below}`, () => {
    const split = newSplitter([
      { name: 'openai', base: '/openai/v1' },
      { name: 'other', base: '/openai/v1beta' },
    ])
    assert.deepEqual(split(path), { facade, path: below })
  })

for (const method of ['HEAD', 'OPTIONS', 'DELETE', 'GET'])
  test(`[ICPT-01] ${method} outside every base reaches the plane, to be refused there`, async () =>
    withFacade(
      (_ask, leg) => leg.reply(403, JSON_TYPE, Buffer.from('{}')),
      async ({ asks, client }) => {
        const raw = await client()
        raw.send(`${method} /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
        await raw.until('403')
        assert.deepEqual([asks[0]?.facade, asks[0]?.path, asks[0]?.method], ['', '/health', method])
        await raw.ended
      },
    ))

test('[ICPT-02] the same request at every split and byte by byte is one request', async () =>
  withFacade(echo, async ({ client, asks }) => {
    const text =
      'POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{"a\r\n4;ext=1\r\n":1}\r\n0\r\nX-Trailer: t\r\n\r\n'
    const raw = await client()
    const seen = new Set<string>()
    for (let at = 1; at < text.length; at += 3) {
      raw.send(text.slice(0, at))
      await new Promise((resolve) => setImmediate(resolve))
      raw.send(text.slice(at))
      seen.add((await raw.answer()).body)
    }
    for (const byte of text) {
      raw.send(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    seen.add((await raw.answer()).body)
    assert.deepEqual([...seen], ['{"path":"/x","body":"{\\"a\\":1}"}'])
    assert.ok(asks.every((ask) => ask.headers['x-trailer'] === undefined))
  }))

for (const [coding, body] of [
  ['gzip', gzipSync('{"z":1}')],
  ['br', brotliCompressSync('{"z":1}')],
] as const)
  test(`[ICPT-02] a ${coding} body arrives decoded`, async () =>
    withFacade(echo, async ({ client, asks }) => {
      const raw = await client()
      raw.send(
        `POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ncontent-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n\r\n`,
      )
      raw.send(body)
      await raw.answer()
      assert.equal(Buffer.from(asks[0]?.body ?? []).toString(), '{"z":1}')
    }))

const bad: readonly (readonly [name: string, text: string, reason: Reason])[] = [
  ['a dot segment', get('/openai/v1/../admin'), 'WIRE_ENDPOINT_UNKNOWN'],
  ['an escaped slash', get('/openai/v1/chat%2fcompletions'), 'WIRE_ENDPOINT_UNKNOWN'],
  ['a fragment', get('/openai/v1/models#x'), 'WIRE_HEADER_INVALID'],
  ['two hosts', get('/openai/v1/models', ['host: y']), 'WIRE_HEADER_INVALID'],
  [
    'a WebSocket upgrade',
    get('/openai/v1/realtime', ['connection: upgrade', 'upgrade: websocket']),
    'UPGRADE_NOT_GRANTED',
  ],
  [
    'an h2c upgrade',
    get('/openai/v1/models', ['connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AA']),
    'UPGRADE_NOT_GRANTED',
  ],
  ['another expectation', post('{}', ['expect: something']), 'WIRE_HEADER_INVALID'],
  ['an unknown coding', post('{}', ['content-encoding: dcb']), 'WIRE_ENCODING_UNSUPPORTED'],
  ['stacked codings', post('{}', ['content-encoding: gzip', 'content-encoding: br']), 'WIRE_ENCODING_UNSUPPORTED'],
  ['a coding that is not there', post('{}', ['content-encoding: gzip']), 'WIRE_ENCODING_CORRUPT'],
  [
    'a broken chunk',
    'POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    'WIRE_HEADER_INVALID',
  ],
  [
    'chunked in HTTP/1.0',
    'POST /openai/v1/x HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'WIRE_HEADER_INVALID',
  ],
]
for (const [name, text, reason] of bad)
  test(`[ICPT-03] ${name}: the plane rejects it with its reason and token, and the connection closes`, async () =>
    withFacade(echo, async ({ client, rejected, asks }) => {
      const raw = await client()
      raw.send(text.replace('\r\n', '\r\nx-api-key: sp_vk_a\r\n'))
      const answer = await raw.answer()
      assert.deepEqual([answer.status, answer.body], [403, reason])
      assert.deepEqual([rejected[0]?.reason, rejected[0]?.token], [reason, 'sp_vk_a'])
      await raw.ended
      assert.equal(asks.length, 0)
    }))

const unparsable: readonly (readonly [name: string, text: string, status: number])[] = [
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01', 400],
  [
    'length and chunked',
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'chunked and length',
    'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello', 400],
  ['a folded header', 'GET / HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n 2\r\n\r\n', 400],
  ['a space before the colon', 'GET / HTTP/1.1\r\nhost: x\r\ncontent-length : 5\r\n\r\nhello', 400],
  [
    'transfer-encoding that does not end in chunked',
    'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n',
    400,
  ],
  ['a NUL in a header', 'GET / HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n', 400],
  ['a head above the limit', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
]
for (const [name, text, status] of unparsable)
  test(`[ICPT-03] ${name}: no request, one answer, closed, counted`, async () =>
    withFacade(echo, async ({ client, asks, rejected, logged }) => {
      const raw = await client()
      raw.send(text)
      const answer = await raw.answer()
      assert.deepEqual([answer.status, answer.closed, JSON.parse(answer.body).error.type], [status, true, 'sallyport'])
      await raw.ended
      assert.deepEqual([asks.length, rejected.length, logged], [0, 0, ['request-unparsable']])
    }))

for (const [name, text] of [
  [
    'a bare line feed ends the chunk size',
    'POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n',
  ],
  [
    'a chunk is longer than its size',
    'POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
  ],
  [
    'a chunk size does not fit a number',
    'POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\na',
  ],
  [
    'a chunk size has a sign',
    'POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n',
  ],
] as const)
  test(`[ICPT-03] ${name}: refused, and what follows is no request`, async () =>
    withFacade(echo, async ({ client, asks }) => {
      const raw = await client()
      raw.send(text + get('/openai/v1/smuggled'))
      assert.equal((await raw.answer()).status, 403)
      await raw.ended
      assert.equal(asks.length, 0)
      assert.equal(raw.seen(), '')
    }))
