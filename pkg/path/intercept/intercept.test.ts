import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { Ask, ClientLeg, Reason } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import { decodeWhole } from '#pkg/path/codec/wire/encoding'
import * as http1 from '#pkg/path/codec/wire/http1'
import { type RawClient, rawClient } from '../../../test/fixtures/raw-client.ts'
import { type Facade, type FacadeDeps, type FacadeOptions, newFacade } from './index.ts'
import { newSplitter } from './routes.ts'

type Rejected = {
  readonly facade: string
  readonly path: string
  readonly token: string | null
  readonly reason: Reason
}

type Bench = {
  readonly facade: Facade
  readonly port: number
  readonly asks: Ask[]
  readonly rejected: Rejected[]
  readonly logged: string[]
  client(): Promise<RawClient>
}

const JSON_TYPE = { 'content-type': 'application/json' }
const echo = (ask: Ask, client: ClientLeg) =>
  client.reply(200, JSON_TYPE, Buffer.from(JSON.stringify({ path: ask.path, body: Buffer.from(ask.body).toString() })))

async function withFacade(
  handle: FacadeDeps['handle'],
  body: (bench: Bench) => Promise<void>,
  options: Partial<FacadeOptions> = {},
  overrides: Partial<FacadeDeps> = {},
): Promise<void> {
  const asks: Ask[] = []
  const rejected: Rejected[] = []
  const logged: string[] = []
  const note = (event: string) => void logged.push(event)
  const deps: FacadeDeps = {
    rules: http1,
    decode: decodeWhole,
    handle: (ask, client) => {
      asks.push(ask)
      return handle(ask, client)
    },
    reject: (ask, reason, _detail, client) => {
      rejected.push({ facade: ask.facade, path: ask.path, token: ask.token, reason })
      client.reply(403, { ...JSON_TYPE, 'x-should-retry': 'false' }, Buffer.from(reason))
    },
    log: { debug: note, info: note, warn: note, error: note },
    ...overrides,
  }
  const facade = newFacade(deps, { facades: [{ name: 'openai', base: '/openai/v1' }], port: 0, ...options })
  const { port } = await facade.listen()
  const clients: RawClient[] = []
  const client = async () => {
    const made = await rawClient(port)
    clients.push(made)
    return made
  }
  try {
    await body({ facade, port, asks, rejected, logged, client })
  } finally {
    for (const made of clients) made.close()
    await facade.close(0)
  }
}

async function until(condition: () => boolean, withinMs = 2_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not true within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const post = (body: string, headers: readonly string[] = [], path = '/openai/v1/chat/completions') =>
  [`POST ${path} HTTP/1.1`, 'host: x', `content-length: ${Buffer.byteLength(body)}`, ...headers, '', body].join('\r\n')
const get = (path: string, headers: readonly string[] = []) =>
  [`GET ${path} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n')

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
  ['absolute form', get('http://api.openai.com/openai/v1/models'), 'WIRE_HEADER_INVALID'],
  ['a fragment', get('/openai/v1/models#x'), 'WIRE_HEADER_INVALID'],
  ['two hosts', get('/openai/v1/models', ['host: y']), 'WIRE_HEADER_INVALID'],
  [
    'a WebSocket upgrade',
    get('/openai/v1/realtime', ['connection: upgrade', 'upgrade: websocket']),
    'WIRE_HEADER_INVALID',
  ],
  [
    'an h2c upgrade',
    get('/openai/v1/models', ['connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AA']),
    'WIRE_HEADER_INVALID',
  ],
  ['another expectation', post('{}', ['expect: something']), 'WIRE_HEADER_INVALID'],
  ['an unknown coding', post('{}', ['content-encoding: dcb']), 'WIRE_ENCODING_UNSUPPORTED'],
  ['stacked codings', post('{}', ['content-encoding: gzip', 'content-encoding: br']), 'WIRE_ENCODING_UNSUPPORTED'],
  ['a coding that is not there', post('{}', ['content-encoding: gzip']), 'WIRE_ENCODING_CORRUPT'],
  ['CONNECT', 'CONNECT api.openai.com:443 HTTP/1.1\r\nhost: api.openai.com\r\n\r\n', 'WIRE_ENDPOINT_UNKNOWN'],
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
  ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
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

for (const [name, head, body] of [
  ['announced', 'content-length: 101', 'a'.repeat(101)],
  ['chunked', 'transfer-encoding: chunked', `65\r\n${'a'.repeat(101)}\r\n0\r\n\r\n`],
  [
    'compressed',
    `content-encoding: gzip\r\ncontent-length: ${gzipSync('a'.repeat(101)).length}`,
    gzipSync('a'.repeat(101)),
  ],
] as const)
  test(`[ICPT-04] a body one byte above the cap, ${name}: refused, answered, closed`, async () =>
    withFacade(
      echo,
      async ({ client, rejected, asks }) => {
        const raw = await client()
        raw.send(`POST /openai/v1/x HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`)
        raw.send(body)
        assert.equal((await raw.answer()).body, 'WIRE_BODY_TOO_LARGE')
        await raw.ended
        assert.deepEqual([rejected[0]?.reason, rejected[0]?.path, asks.length], ['WIRE_BODY_TOO_LARGE', '/x', 0])
      },
      { limits: { requestBytes: 100, decodedRatio: 200 } },
    ))

test('[ICPT-04] a body at the cap passes, announced and chunked', async () =>
  withFacade(
    echo,
    async ({ client, asks }) => {
      const raw = await client()
      raw.send(post('a'.repeat(100)))
      await raw.answer()
      raw.send(
        `POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n64\r\n${'a'.repeat(100)}\r\n0\r\n\r\n`,
      )
      await raw.answer()
      assert.deepEqual(
        asks.map((ask) => ask.body.length),
        [100, 100],
      )
    },
    { limits: { requestBytes: 100, decodedRatio: 200 } },
  ))

test('[ICPT-03] HTTP/0.9 is refused', async () =>
  withFacade(echo, async ({ client, rejected }) => {
    const raw = await client()
    raw.send('GET /openai/v1/models\r\n\r\n')
    await raw.ended
    assert.deepEqual(
      rejected.map((one) => one.reason),
      ['WIRE_HEADER_INVALID'],
    )
  }))

test('[ICPT-04] bodies above what the process may hold are refused, and their room comes back', async () => {
  let release = () => {}
  await withFacade(
    async (ask, leg) => {
      if (ask.path === '/slow') await new Promise<void>((resolve) => (release = resolve))
      await echo(ask, leg)
    },
    async ({ client, rejected, asks }) => {
      const [one, two, three] = [await client(), await client(), await client()]
      one.send(post('a'.repeat(60), [], '/openai/v1/slow'))
      await until(() => asks.length === 1)
      two.send(post('b'.repeat(41)))
      assert.deepEqual([(await two.answer()).status, rejected[0]?.reason], [403, 'WIRE_BODY_TOO_LARGE'])
      three.send(post('c'.repeat(40)))
      assert.equal((await three.answer()).status, 200)
      const zipped = gzipSync('d'.repeat(90))
      three.send(
        `POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\ncontent-length: ${zipped.length}\r\n\r\n`,
      )
      three.send(zipped)
      assert.equal((await three.answer()).status, 403)
      release()
      await one.answer()
      one.send(post('e'.repeat(100)))
      assert.equal((await one.answer()).status, 200)
    },
    { maxBodyBytesHeld: 100 },
  )
})

test('[ICPT-03] bytes behind a broken chunk do not take the answer away', async () => {
  let decide = () => {}
  await withFacade(
    echo,
    async ({ client, asks }) => {
      const raw = await client()
      raw.send('POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n')
      await sleep(20)
      for (let n = 0; n < 5; n += 1) {
        raw.send(get('/openai/v1/smuggled'))
        await sleep(5)
      }
      decide()
      assert.equal((await raw.answer()).body, 'WIRE_HEADER_INVALID')
      await raw.ended
      assert.equal(asks.length, 0)
    },
    {},
    {
      reject: async (_ask, reason, _detail, leg) => {
        await new Promise<void>((resolve) => (decide = resolve))
        leg.reply(403, JSON_TYPE, Buffer.from(reason))
      },
    },
  )
})

test('[ICPT-04] a client in the middle of a huge upload gets to read why it is refused', async () =>
  withFacade(
    echo,
    async ({ port }) => {
      const status = await new Promise<number>((resolve, reject) => {
        const upload = httpRequest({ port, method: 'POST', path: '/openai/v1/x' }, (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        upload.on('error', reject)
        upload.end(Buffer.alloc(6 * 1024 * 1024))
      })
      assert.equal(status, 403)
    },
    { limits: { requestBytes: 4 * 1024 * 1024, decodedRatio: 200 } },
  ))

test('[ICPT-04] an upload that never ends is dropped after the linger', async () =>
  withFacade(
    echo,
    async ({ client }) => {
      const raw = await client()
      raw.send('POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nabc')
      assert.equal((await raw.answer()).status, 403)
      const startMs = performance.now()
      await raw.ended
      assert.ok(performance.now() - startMs < 1_000)
    },
    { limits: { requestBytes: 100, decodedRatio: 200 }, lingerMs: 50 },
  ))

test('[ICPT-04] leave to send a body is given only when its length may pass', async () =>
  withFacade(
    echo,
    async ({ client, rejected }) => {
      const raw = await client()
      raw.send('POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 7\r\nexpect: 100-continue\r\n\r\n')
      assert.equal((await raw.answer()).status, 100)
      raw.send('{"a":1}')
      assert.equal((await raw.answer()).status, 200)
      raw.send('POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 101\r\nexpect: 100-continue\r\n\r\n')
      assert.deepEqual([(await raw.answer()).status, rejected[0]?.reason], [403, 'WIRE_BODY_TOO_LARGE'])
      await raw.ended
    },
    { limits: { requestBytes: 100, decodedRatio: 200 } },
  ))

test('[ICPT-05] keep-alive: hundreds of exchanges on one connection, nothing of one in another', async () =>
  withFacade(echo, async ({ client, asks }) => {
    const raw = await client()
    for (let turn = 0; turn < 200; turn += 1) {
      const token = turn % 3 === 0 ? [] : [`authorization: Bearer sp_vk_${turn}`]
      raw.send(turn % 5 === 0 ? get(`/openai/v1/m${turn}`, token) : post(`{"n":${turn}}`, token, `/openai/v1/m${turn}`))
      const body = turn % 5 === 0 ? '' : `{"n":${turn}}`
      assert.equal((await raw.answer()).body, JSON.stringify({ path: `/m${turn}`, body }))
      assert.equal(asks[turn]?.token, turn % 3 === 0 ? null : `sp_vk_${turn}`)
    }
  }))

test('[ICPT-05] pipelined requests are answered in order, one at a time, whatever each takes', async () => {
  let open = 0
  let most = 0
  await withFacade(
    async (ask, leg) => {
      open += 1
      most = Math.max(most, open)
      await sleep(ask.path === '/m0' ? 30 : 1)
      open -= 1
      await echo(ask, leg)
    },
    async ({ client }) => {
      const raw = await client()
      raw.send(Array.from({ length: 10 }, (_, n) => post(`{"n":${n}}`, [], `/openai/v1/m${n}`)).join(''))
      for (let n = 0; n < 10; n += 1) assert.equal(JSON.parse((await raw.answer()).body).path, `/m${n}`)
      assert.equal(most, 1)
    },
  )
})

test('[ICPT-05] requests that were sent ahead wait unread; one too many closes the connection', async () =>
  withFacade(
    async () => await sleep(200),
    async ({ client, logged, asks }) => {
      const raw = await client()
      raw.send(get('/openai/v1/m').repeat(4))
      await raw.ended
      assert.ok(asks.length <= 1)
      assert.ok(logged.includes('pipeline-overflow'))
    },
    { maxPipelined: 2 },
  ))

test('[ICPT-05] after a rejected request nothing on that connection is a request', async () =>
  withFacade(echo, async ({ client, asks, rejected }) => {
    const raw = await client()
    raw.send(get('/openai/v1/a//b') + get('/openai/v1/second'))
    assert.equal((await raw.answer()).closed, true)
    await raw.ended
    assert.deepEqual([asks.length, rejected.length], [0, 1])
  }))

test('[ICPT-06] a streamed answer leaves at once: its head before a byte of it, each write on its own', async () => {
  let leg: ClientLeg | null = null
  let finish = () => {}
  await withFacade(
    (_ask, client) => {
      leg = client
      return new Promise<void>((resolve) => {
        finish = resolve
      })
    },
    async ({ client }) => {
      const raw = await client()
      raw.send(post('{}'))
      await until(() => leg !== null)
      const mine = leg ?? assert.fail()
      mine.head(200, { 'content-type': 'text/event-stream', 'x-two': ['a', 'b'] })
      await raw.until('\r\n\r\n')
      assert.match(raw.seen(), /x-two: a\r\nx-two: b/)
      assert.equal(mine.write([Buffer.from('data: 1\n\n')]), undefined)
      await raw.until('data: 1\n\n')
      mine.write([Buffer.from('data: 2'), Buffer.from('\n\n'), Buffer.from('data: 3\n\n')])
      await raw.until('data: 3')
      await until(() => mine.flushed)
      mine.end()
      finish()
      assert.equal((await raw.answer()).body, 'data: 1\n\ndata: 2\n\ndata: 3\n\n')
      assert.equal(mine.gone, false)
    },
  )
})

test('[ICPT-06] any chunks in any grouping arrive as their bytes, in order', async () => {
  let groups: readonly (readonly Uint8Array[])[] = []
  await withFacade(
    async (_ask, leg) => {
      leg.head(200, {})
      for (const group of groups) await leg.write(group)
      leg.end()
    },
    async ({ client }) => {
      const raw = await client()
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(fc.nat(40_000), { maxLength: 5 }), { maxLength: 6 }), async (sizes) => {
          let seed = 0
          groups = sizes.map((group) =>
            group.map((size) => Buffer.alloc(size, String.fromCharCode(97 + (seed++ % 26)))),
          )
          raw.send(post('{}'))
          assert.equal((await raw.answer()).body, Buffer.concat(groups.flat()).toString())
        }),
        { numRuns: 30 },
      )
    },
  )
})

test('[ICPT-06] every byte of a whole answer arrives as it is, small and large', async () => {
  const all = Uint8Array.from({ length: 256 }, (_, at) => at)
  await withFacade(
    (ask, leg) => {
      const body = Buffer.alloc(ask.path === '/small' ? 256 : 64 * 1024, all)
      // a view into a larger buffer is only itself
      leg.reply(
        200,
        JSON_TYPE,
        Buffer.concat([Buffer.from('before'), body, Buffer.from('behind')]).subarray(6, 6 + body.length),
      )
    },
    async ({ client }) => {
      const raw = await client()
      for (const [path, size] of [
        ['/small', 256],
        ['/large', 64 * 1024],
      ] as const) {
        raw.send(get(`/openai/v1${path}`))
        assert.equal((await raw.answer()).body, Buffer.alloc(size, all).toString('latin1'))
      }
      raw.send('HEAD /openai/v1/small HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
      await raw.ended
      assert.match(raw.seen(), /content-length: 256/)
      assert.equal(raw.seen().endsWith('\r\n\r\n'), true)
    },
  )
})

test('[ICPT-06] an HTTP/1.0 client gets a body that ends with the connection', async () =>
  withFacade(
    (_ask, leg) => {
      leg.head(200, JSON_TYPE)
      leg.write([Buffer.from('{}')])
      leg.end()
    },
    async ({ client }) => {
      const raw = await client()
      raw.send('GET /openai/v1/models HTTP/1.0\r\n\r\n')
      await raw.ended
      const answer = await raw.answer()
      assert.deepEqual([answer.body, answer.head.includes('chunked')], ['{}', false])
    },
  ))

test('[ICPT-06] a reset drops the connection, and its client cannot take the answer for whole', async () =>
  withFacade(
    (_ask, leg) => {
      leg.head(200, {})
      leg.write([Buffer.from('data: 1\n\n')])
      leg.reset()
      assert.equal(leg.gone, true)
    },
    async ({ client }) => {
      const raw = await client()
      raw.send(post('{}'))
      assert.equal(await raw.ended, 'ECONNRESET')
      assert.equal(raw.seen().includes('\r\n0\r\n'), false)
    },
  ))

for (const [name, leave] of [
  ['resets', (raw: RawClient) => void raw.socket.resetAndDestroy()],
  ['closes', (raw: RawClient) => void raw.socket.destroy()],
  ['half-closes', (raw: RawClient) => void raw.socket.end()],
] as const)
  for (const headed of [false, true])
    test(`[ICPT-07] a client that ${name} while we are idle ${headed ? 'in' : 'before'} an answer is noticed at once`, async () => {
      let leg: ClientLeg | null = null
      let told = 0
      let late = 0
      await withFacade(
        (_ask, client) => {
          client.onGone(() => {
            told += 1
          })
          if (headed) client.head(200, {})
          leg = client
          return new Promise<void>((resolve) => client.onGone(resolve))
        },
        async ({ client, logged }) => {
          const raw = await client()
          raw.send(post('{}'))
          await until(() => leg !== null)
          if (headed) await raw.until('200')
          const mine = leg ?? assert.fail()
          assert.equal(mine.gone, false)
          const startMs = performance.now()
          leave(raw)
          await until(() => mine.gone, 500)
          assert.ok(performance.now() - startMs < 500)
          mine.onGone(() => {
            late += 1
          })
          // all of it is void now
          mine.head(200, {})
          assert.equal(mine.write([Buffer.from('x')]), undefined)
          mine.end()
          mine.reply(200, {}, Buffer.from('x'))
          mine.reset()
          await sleep(20)
          assert.deepEqual([told, late, mine.flushed, logged], [1, 1, true, []])
        },
      )
    })

test('[ICPT-07] a client that leaves in mid-body is no request', async () =>
  withFacade(echo, async ({ client, asks, rejected, logged }) => {
    const raw = await client()
    raw.send('POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc')
    await sleep(20)
    raw.socket.destroy()
    await sleep(50)
    assert.deepEqual([asks.length, rejected.length, logged.includes('exchange-failed')], [0, 0, false])
  }))

test('[ICPT-07] after the end of an answer nobody is told that the client left', async () => {
  let told = 0
  await withFacade(
    (ask, leg) => {
      leg.onGone(() => {
        told += 1
      })
      return echo(ask, leg)
    },
    async ({ client }) => {
      const raw = await client()
      raw.send(post('{}'))
      await raw.answer()
      raw.socket.destroy()
      await sleep(30)
      assert.equal(told, 0)
    },
  )
})

test('[ICPT-08] a client that does not read stops the writer, which goes on when it reads', async () => {
  const chunk = Buffer.alloc(32 * 1024, 'x')
  let written = 0
  let waits = 0
  await withFacade(
    async (_ask, leg) => {
      leg.head(200, {})
      for (let n = 0; n < 400 && !leg.gone; n += 1) {
        const full = leg.write([chunk])
        written += chunk.length
        if (full === undefined) continue
        waits += 1
        assert.equal(leg.flushed, false)
        await full
      }
      leg.end()
    },
    async ({ client }) => {
      const raw = await client()
      raw.socket.pause()
      raw.send(post('{}'))
      await until(() => waits > 0)
      await sleep(100)
      const stopped = written
      await sleep(100)
      assert.equal(written, stopped)
      assert.ok(written < 12 * 1024 * 1024, `${written} bytes were taken for a client that does not read`)
      raw.socket.resume()
      assert.equal((await raw.answer(10_000)).body.length, 400 * chunk.length)
    },
  )
})

test('[ICPT-08] 64 clients that do not read cost no memory while the answers wait', async () => {
  const chunk = Buffer.alloc(32 * 1024, 'x')
  await withFacade(
    async (_ask, leg) => {
      leg.head(200, {})
      for (let n = 0; n < 320 && !leg.gone; n += 1) await leg.write([chunk])
      leg.end()
    },
    async ({ client }) => {
      const before = process.memoryUsage().rss
      for (let n = 0; n < 64; n += 1) {
        const raw = await client()
        raw.socket.pause()
        raw.send(post('{}'))
      }
      await sleep(300)
      const grownMib = (process.memoryUsage().rss - before) / 1024 / 1024
      assert.ok(grownMib < 32, `grew by ${grownMib.toFixed(1)} MiB`)
    },
  )
})

for (const ended of [false, true])
  test(`[ICPT-08] a client that takes nothing for too long is cut${ended ? ', also when the answer is complete' : ''}`, async () => {
    let leg: ClientLeg | null = null
    await withFacade(
      async (_ask, client) => {
        leg = client
        client.head(200, {})
        const full = client.write([Buffer.alloc(16 * 1024 * 1024)])
        if (ended) client.end()
        else await full
        if (!ended) assert.equal(client.gone, true)
      },
      async ({ client, logged }) => {
        const raw = await client()
        raw.socket.pause()
        raw.send(post('{}'))
        await until(() => leg?.gone === true)
        assert.deepEqual(logged, ['client-stalled'])
      },
      { stallTimeoutMs: 100 },
    )
  })

test('[ICPT-08] a writer that waits is woken when its client vanishes', async () => {
  let woken = false
  let waiting = false
  await withFacade(
    async (_ask, leg) => {
      leg.head(200, {})
      waiting = true
      await leg.write([Buffer.alloc(16 * 1024 * 1024)])
      woken = leg.gone
    },
    async ({ client }) => {
      const raw = await client()
      raw.socket.pause()
      raw.send(post('{}'))
      await until(() => waiting)
      raw.socket.resetAndDestroy()
      await until(() => woken)
    },
  )
})

for (const [name, handle] of [
  ['throws', () => assert.fail('mine')],
  ['rejects', () => Promise.reject(new Error('mine'))],
  ['ends without an answer', () => Promise.resolve()],
] as const)
  test(`[ICPT-09] a handler that ${name}: an error, never silence`, async () =>
    withFacade(handle, async ({ client, logged }) => {
      const raw = await client()
      raw.send(post('{}'))
      const answer = await raw.answer()
      assert.deepEqual(
        [answer.status, JSON.parse(answer.body).error.code, logged],
        [500, 'INTERNAL', ['exchange-failed']],
      )
      assert.match(answer.head, /x-should-retry: false/)
      assert.equal(answer.body.includes('mine'), false)
    }))

test('[ICPT-09] a handler that throws in mid-answer: the connection is reset, so that nobody takes it for whole', async () =>
  withFacade(
    async (_ask, leg) => {
      leg.head(200, {})
      await leg.write([Buffer.from('data: 1\n\n')])
      throw new Error('mine')
    },
    async ({ client }) => {
      const raw = await client()
      raw.send(post('{}'))
      assert.equal(await raw.ended, 'ECONNRESET')
    },
  ))

test('[ICPT-10] a head, a body, or a connection that comes too slowly ends', async () =>
  withFacade(
    echo,
    async ({ client, rejected, asks }) => {
      const [head, body, silent] = [await client(), await client(), await client()]
      head.send('GET /openai/v1/models HTTP/1.1\r\nhost: x\r\n')
      body.send('POST /openai/v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n')
      const drip = setInterval(() => body.send('a'), 20)
      try {
        assert.equal((await head.answer()).status, 400)
        assert.equal((await body.answer()).body, 'WIRE_REQUEST_MALFORMED')
        await Promise.all([head.ended, body.ended, silent.ended])
      } finally {
        clearInterval(drip)
      }
      assert.deepEqual([rejected.length, asks.length], [1, 0])
    },
    { headersTimeoutMs: 150, requestTimeoutMs: 300, lingerMs: 50 },
  ))

test('[ICPT-10] one connection above the limit is closed, and the others go on', async () =>
  withFacade(
    echo,
    async ({ client, logged }) => {
      const [one, two] = [await client(), await client()]
      await sleep(20)
      const three = await client()
      await three.ended
      assert.ok(logged.includes('connection-dropped'))
      for (const raw of [one, two]) {
        raw.send(get('/openai/v1/m'))
        assert.equal((await raw.answer()).status, 200)
      }
    },
    { maxConnections: 2 },
  ))

test('[ICPT-11] a drain lets open answers end, closes idle connections at once, takes no new ones', async () => {
  let release = () => {}
  let entered = false
  await withFacade(
    async (ask, leg) => {
      if (ask.path === '/quick') return echo(ask, leg)
      leg.head(200, {})
      entered = true
      await new Promise<void>((resolve) => {
        release = resolve
      })
      await leg.write([Buffer.from('last')])
      leg.end()
    },
    async ({ client, facade, port }) => {
      const [idle, busy, unused] = [await client(), await client(), await client()]
      idle.send(get('/openai/v1/quick'))
      await idle.answer()
      busy.send(get('/openai/v1/slow') + get('/openai/v1/quick'))
      await until(() => entered)
      let closed = false
      const closing = facade.close(5_000).then(() => {
        closed = true
      })
      await Promise.all([idle.ended, unused.ended])
      await assert.rejects(rawClient(port))
      await sleep(30)
      assert.equal(closed, false)
      const startMs = performance.now()
      release()
      assert.equal((await busy.answer()).body, 'last')
      await busy.ended
      await closing
      assert.ok(performance.now() - startMs < 1_000)
      assert.equal(busy.seen(), '')
      await facade.close(0)
    },
  )
})

test('[ICPT-11] an answer that begins while draining says that it is the connection’s last', async () => {
  let release = () => {}
  await withFacade(
    async (ask, leg) => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      await echo(ask, leg)
    },
    async ({ client, facade, asks }) => {
      const raw = await client()
      raw.send(get('/openai/v1/slow'))
      await until(() => asks.length === 1)
      const closing = facade.close(5_000)
      release()
      assert.equal((await raw.answer()).closed, true)
      await closing
    },
  )
})

test('[ICPT-11] what is open after the drain is cut, and told', async () => {
  let gone = false
  await withFacade(
    (_ask, leg) => {
      leg.head(200, {})
      return new Promise<void>((resolve) =>
        leg.onGone(() => {
          gone = true
          resolve()
        }),
      )
    },
    async ({ client, facade }) => {
      const raw = await client()
      raw.send(get('/openai/v1/slow'))
      await raw.until('200')
      const startMs = performance.now()
      await facade.close(50)
      const tookMs = performance.now() - startMs
      assert.ok(tookMs >= 45 && tookMs < 1_000, `${tookMs}`)
      assert.equal(gone, true)
    },
  )
})

test('[ICPT-11] an address that is taken is an error that says so', async () =>
  withFacade(echo, async ({ port }) => {
    const second = newFacade(
      { rules: http1, decode: decodeWhole, handle: echo, reject: () => {} },
      { facades: [], port },
    )
    await assert.rejects(second.listen(), (error) => isErrorCode(error, 'UNREACHABLE'))
  }))

test('[ICPT-05] a pool of real clients gets its own answers', async () =>
  withFacade(echo, async ({ port }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const ask = (n: number) =>
      new Promise<string>((resolve, reject) => {
        const request = httpRequest({ port, agent, method: 'POST', path: `/openai/v1/m${n}` }, (answer) => {
          let text = ''
          answer.on('data', (chunk) => {
            text += chunk
          })
          answer.on('end', () => resolve(text))
        })
        request.on('error', reject)
        request.end(`${n}`)
      })
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => ask(n)))
    answers.forEach((text, n) => {
      assert.equal(text, JSON.stringify({ path: `/m${n}`, body: `${n}` }))
    })
    agent.destroy()
  }))
