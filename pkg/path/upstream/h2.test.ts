import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { createServer } from 'node:tls'
import type { Permit, UpstreamAsk, UpstreamLeg } from '#pkg/model'
import { type ErrorCode, SallyportError } from '#pkg/model/errors'
import { loopbackCert, loopbackKey } from '../../../test/fixtures/loopback-tls.ts'
import { type MockH2, type MockH2Options, resetOf, startMockH2 } from '../../../test/fixtures/mock-h2.ts'
import type { MockHandler } from '../../../test/fixtures/mock-upstream.ts'
import { isPermitStale, newUpstream, type Upstream, type UpstreamOptions } from './index.ts'

// The brand cannot be made here, and upstream reads nothing but these three.
const permit = { agent: 'default/tester', epoch: 1, generation: 1 } as unknown as Permit

const ask: UpstreamAsk = {
  provider: 'openai',
  method: 'POST',
  path: '/chat/completions',
  headers: { 'content-type': 'application/json', 'x-a': ['1', '2'] },
  body: Buffer.from('{"model":"m"}'),
}

type Bench = { readonly mock: MockH2; readonly upstream: Upstream }

async function withUpstream(
  play: MockHandler,
  body: (bench: Bench) => Promise<void>,
  options: Partial<UpstreamOptions> = {},
  mocked: MockH2Options & { readonly isLive?: () => boolean } = {},
): Promise<void> {
  const mock = await startMockH2(play, mocked)
  const providers = [{ name: 'openai', baseUrl: `${mock.url}/v1`, key: 'sk-provider' }]
  const upstream = newUpstream(
    { isLive: mocked.isLive ?? (() => true) },
    { providers, http2: true, ca: loopbackCert, ...options },
  )
  try {
    await body({ mock, upstream })
  } finally {
    await upstream.close()
    await mock.close()
  }
}

async function bytesOf(leg: UpstreamLeg): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of leg.chunks) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function failure(promise: Promise<unknown>): Promise<SallyportError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof SallyportError, `not a SallyportError: ${error}`)
    return error
  }
  return assert.fail('nothing was thrown')
}

async function until(condition: () => boolean, withinMs = 3_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not true within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const EVENTS = { 'content-type': 'text/event-stream' }
const hang: MockHandler = async (_request, reply) => {
  await reply.head(200, EVENTS)
  await reply.chunk('data: 1\n\n')
  await reply.closed
}

test('[H2-12] a request and its answer over HTTP/2: base path, query, key, repeated headers, length, body', async () =>
  withUpstream(
    async (_request, reply) => {
      await reply.head(200, { 'content-type': 'application/json', 'x-one': 'a' })
      await reply.chunk('{"ok":true}')
      await reply.finish()
    },
    async ({ mock, upstream }) => {
      const leg = await upstream.open(permit, { ...ask, path: '/models?limit=2&after=a%20b' })
      assert.deepEqual([leg.status, leg.headers['content-type'], leg.headers['x-one']], [200, 'application/json', 'a'])
      assert.ok(Object.keys(leg.headers).every((name) => !name.startsWith(':')))
      assert.equal((await bytesOf(leg)).toString(), '{"ok":true}')
      const seen = mock.requests[0] ?? assert.fail()
      assert.deepEqual(
        [seen.target, seen.headers['authorization'], seen.headers['content-length'], seen.headers['x-a']],
        ['/v1/models?limit=2&after=a%20b', 'Bearer sk-provider', '13', '1, 2'],
      )
      assert.equal(seen.headers[':authority'], `localhost:${mock.port}`)
      assert.equal(seen.body.toString(), '{"model":"m"}')
    },
  ))

test('[H2-12] without a body, with a HEAD, with an empty answer', async () =>
  withUpstream(
    async (request, reply) => {
      await reply.head(request.method === 'HEAD' ? 200 : 204)
      if (request.method !== 'HEAD') await reply.finish()
    },
    async ({ upstream }) => {
      for (const [method, status] of [
        ['GET', 204],
        ['HEAD', 200],
        ['DELETE', 204],
      ] as const) {
        const leg = await upstream.open(permit, { ...ask, method, body: null })
        assert.deepEqual([leg.status, (await bytesOf(leg)).length], [status, 0])
      }
    },
  ))

test('[H2-13] a permit that dies while the connection is made: the request is not written', async () => {
  let live = true
  let asked = 0
  await withUpstream(
    (_request, reply) => reply.json(200, {}),
    async ({ mock, upstream }) => {
      const opening = upstream.open(permit, ask)
      assert.equal(asked, 1)
      live = false
      await assert.rejects(opening, isPermitStale)
      await until(() => mock.sessions.length === 1)
      live = true
      await bytesOf(await upstream.open(permit, ask)) // the connection that was made serves the next
      assert.deepEqual([mock.requests.length, mock.connections], [1, 1])
      live = false
      await assert.rejects(upstream.open(permit, ask), isPermitStale)
      assert.equal(mock.requests.length, 1)
    },
    {},
    {
      isLive: () => {
        asked += 1
        return live
      },
    },
  )
})

test('[H2-14] a cancel resets its own stream, at once, and the others of the connection go on', async () =>
  withUpstream(hang, async ({ mock, upstream }) => {
    const legs = await Promise.all([1, 2, 3].map(() => upstream.open(permit, ask)))
    assert.equal(mock.connections, 1)
    const readers = legs.map((leg) => leg.chunks[Symbol.asyncIterator]())
    for (const reader of readers) assert.equal(Buffer.from((await reader.next()).value ?? []).toString(), 'data: 1\n\n')
    const waiting = readers[1]?.next()
    legs[1]?.cancel()
    legs[1]?.cancel()
    assert.deepEqual(await waiting, { done: true, value: undefined })
    await until(() => mock.streams[1]?.destroyed === true)
    assert.equal(mock.streams[1]?.rstCode, constants.NGHTTP2_CANCEL)
    mock.streams[0]?.end('data: 2\n\n')
    assert.equal(Buffer.from((await readers[0]?.next())?.value ?? []).toString(), 'data: 2\n\n')
    assert.equal((await readers[0]?.next())?.done, true)
    assert.equal(mock.streams[2]?.destroyed, false)
  }))

test('[H2-14] an abort before the headers resets the stream, and open rejects', async () =>
  withUpstream(
    (_request, reply) => reply.closed,
    async ({ mock, upstream }) => {
      const abort = new AbortController()
      const opening = failure(upstream.open(permit, { ...ask, signal: abort.signal }))
      await until(() => mock.streams.length === 1)
      abort.abort()
      assert.equal((await opening).code, 'UPSTREAM_FAILED')
      await until(() => mock.streams[0]?.destroyed === true)
    },
  ))

test('[H2-15] a reader that stops, stops its own stream only', async () => {
  let written = 0
  const piece = Buffer.alloc(16 * 1024)
  await withUpstream(
    async (request, reply) => {
      await reply.head(200, EVENTS)
      if (request.target === '/v1/quick') {
        await reply.chunk('data: quick\n\n')
        return reply.finish()
      }
      for (; written < 4_000 && !reply.gone; written++) await reply.chunk(piece)
    },
    async ({ mock, upstream }) => {
      const slow = await upstream.open(permit, ask)
      await until(() => written > 0)
      let before = -1
      while (written !== before) {
        before = written
        await new Promise((resolve) => setTimeout(resolve, 60))
      }
      assert.ok(written * piece.length < 512 * 1024, `${written * piece.length} bytes`)
      for (let at = 0; at < 5; at++)
        assert.equal(
          (await bytesOf(await upstream.open(permit, { ...ask, path: '/quick' }))).toString(),
          'data: quick\n\n',
        )
      assert.equal(mock.connections, 1)
      const reader = slow.chunks[Symbol.asyncIterator]()
      for (let bytes = 0; bytes < 1024 * 1024; ) bytes += ((await reader.next()).value ?? piece).length
      slow.cancel()
    },
  )
})

test('[H2-16] a connection takes as many streams as its peer allows, then there is another; a peer that takes none is a fault', async () => {
  for (const [maxConcurrentStreams, connections] of [
    [2, 3],
    [100, 1],
  ] as const)
    await withUpstream(
      hang,
      async ({ mock, upstream }) => {
        await Promise.all([1, 2, 3, 4, 5].map(() => upstream.open(permit, ask)))
        assert.deepEqual([mock.requests.length, mock.connections], [5, connections])
      },
      {},
      { maxConcurrentStreams },
    )
  await withUpstream(
    hang,
    async ({ upstream }) => assert.equal((await failure(upstream.open(permit, ask))).fields['cause'], 'H2_REFUSED'),
    {},
    { maxConcurrentStreams: 0 },
  )
})

test('[H2-16] maxStreamsPerConnection: at the cap one connection, one more opens another', async () =>
  withUpstream(
    hang,
    async ({ mock, upstream }) => {
      await Promise.all([1, 2].map(() => upstream.open(permit, ask)))
      assert.equal(mock.connections, 1)
      await upstream.open(permit, ask)
      assert.equal(mock.connections, 2)
    },
    { maxStreamsPerConnection: 2 },
  ))

type Row = {
  readonly name: string
  readonly play: (reply: Parameters<MockHandler>[1], mock: () => MockH2) => void | Promise<void>
  readonly code: ErrorCode
  readonly cause?: string
  readonly options?: Partial<UpstreamOptions>
  /** The fault comes from `open`, not in the body. */
  readonly opens?: boolean
}
const begun =
  (then: Row['play']): Row['play'] =>
  async (reply, mock) => {
    await reply.head(200, EVENTS)
    await reply.chunk('data: 1\n\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
    await then(reply, mock)
  }
const last = (mock: () => MockH2) => mock().streams.at(-1) ?? assert.fail()
const faults: readonly Row[] = [
  { name: 'a reset in mid-answer', play: begun((reply) => reply.reset()), code: 'UPSTREAM_FAILED', cause: 'H2_RESET' },
  {
    name: 'a reset before the answer',
    play: (reply) => reply.reset(),
    code: 'UPSTREAM_FAILED',
    cause: 'H2_RESET',
    opens: true,
  },
  {
    name: 'REFUSED_STREAM',
    play: (_reply, mock) => resetOf(last(mock), constants.NGHTTP2_REFUSED_STREAM),
    code: 'UPSTREAM_FAILED',
    cause: 'H2_REFUSED',
    opens: true,
  },
  {
    name: 'ENHANCE_YOUR_CALM',
    play: (_reply, mock) => resetOf(last(mock), constants.NGHTTP2_ENHANCE_YOUR_CALM),
    code: 'UPSTREAM_FAILED',
    cause: 'H2_CALM',
    opens: true,
  },
  {
    name: 'a clean end without an answer',
    play: (_reply, mock) => resetOf(last(mock), 0),
    code: 'UPSTREAM_FAILED',
    cause: 'H2_RESET',
    opens: true,
  },
  {
    name: 'a reset in mid-answer without an error',
    play: begun((_reply, mock) => resetOf(last(mock), 0)),
    code: 'UPSTREAM_FAILED',
    cause: 'H2_RESET',
  },
  {
    name: 'a GOAWAY with an error',
    play: begun((_reply, mock) => mock().sessions[0]?.destroy(new Error('x'), constants.NGHTTP2_INTERNAL_ERROR)),
    code: 'UPSTREAM_FAILED',
  },
  {
    name: 'a connection that closes',
    play: begun((_reply, mock) => void mock().sessions[0]?.socket?.destroy()),
    code: 'UPSTREAM_FAILED',
  },
  {
    name: 'a redirect',
    play: (reply) => reply.json(302, {}, { location: 'https://evil.example/' }),
    code: 'UPSTREAM_FAILED',
    opens: true,
  },
  {
    name: 'no answer in time',
    play: (reply) => reply.closed,
    code: 'UPSTREAM_TIMEOUT',
    cause: 'UND_ERR_HEADERS_TIMEOUT',
    options: { headersTimeoutMs: 60 },
    opens: true,
  },
  {
    name: 'silence in mid-answer',
    play: begun((reply) => reply.closed),
    code: 'UPSTREAM_TIMEOUT',
    cause: 'UND_ERR_BODY_TIMEOUT',
    options: { bodyIdleTimeoutMs: 60 },
  },
  {
    name: 'headers above the limit',
    play: (reply) => reply.json(200, {}, { 'x-a': 'a'.repeat(3_000) }),
    code: 'UPSTREAM_FAILED',
    options: { maxHeaderBytes: 2_000 },
    opens: true,
  },
  {
    name: 'a body shorter than its length',
    play: async (reply) => {
      await reply.head(200, { 'content-length': '10' })
      await reply.chunk('12345')
      await reply.finish()
    },
    code: 'UPSTREAM_FAILED',
  },
]
for (const row of faults)
  test(`[H2-17] ${row.name} is ${row.code}, its request is not sent again, and what came before it is delivered`, async () => {
    let mock: MockH2 | null = null
    await withUpstream(
      async (_request, reply) => row.play(reply, () => mock ?? assert.fail()),
      async (bench) => {
        mock = bench.mock
        const chunks: string[] = []
        const reading = (async () => {
          const leg = await bench.upstream.open(permit, ask)
          if (row.opens) return
          for await (const chunk of leg.chunks) chunks.push(Buffer.from(chunk).toString())
        })()
        const error = await failure(reading)
        assert.equal(error.code, row.code, error.message)
        if (row.cause !== undefined) assert.equal(error.fields['cause'], row.cause)
        await new Promise((resolve) => setTimeout(resolve, 30))
        assert.equal(bench.mock.requests.length, 1)
        if (row.play === faults[0]?.play) assert.deepEqual(chunks, ['data: 1\n\n'])
      },
      row.options,
    )
  })

test('[H2-17] a graceful GOAWAY lets the open answer end, and the next request has a new connection', async () =>
  withUpstream(
    async (request, reply) => {
      await reply.head(200, EVENTS)
      if (request.target === '/v1/slow') return reply.closed
      await reply.finish()
    },
    async ({ mock, upstream }) => {
      const open = await upstream.open(permit, { ...ask, path: '/slow' })
      mock.sessions[0]?.close()
      await new Promise((resolve) => setTimeout(resolve, 30))
      await bytesOf(await upstream.open(permit, ask))
      assert.equal(mock.connections, 2)
      mock.streams[0]?.end('data: last\n\n')
      assert.equal((await bytesOf(open)).toString(), 'data: last\n\n')
    },
  ))

test('[H2-17] interim answers, few of them, are passed over; many are a fault', async () => {
  for (const [count, fails] of [
    [3, false],
    [40, true],
  ] as const) {
    let mock: MockH2 | null = null
    await withUpstream(
      async (_request, reply) => {
        const stream = last(() => mock ?? assert.fail())
        for (let at = 0; at < count && !stream.closed; at++) stream.additionalHeaders({ ':status': 103 })
        if (!stream.closed) await reply.json(200, { ok: true })
      },
      async (bench) => {
        mock = bench.mock
        const opening = bench.upstream.open(permit, ask)
        if (fails) assert.equal((await failure(opening)).code, 'UPSTREAM_FAILED')
        else assert.equal((await bytesOf(await opening)).toString(), '{"ok":true}')
      },
    )
  }
})

/** A way to the mock that can be stopped: bytes are taken, and go nowhere. */
async function wayTo(port: number): Promise<{ readonly url: string; stop(): void; close(): void }> {
  const sockets: Socket[] = []
  let stopped = false
  const server = createTcpServer((near) => {
    const far = connect(port, '127.0.0.1')
    sockets.push(near, far)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => stopped || to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `https://localhost:${typeof address === 'object' && address !== null ? address.port : 0}`,
    stop: () => {
      stopped = true
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

test('[H2-18] a dead connection is found by asking it, and its exchanges are faults; a silent one that answers stays', async () =>
  withUpstream(hang, async ({ mock }) => {
    const way = await wayTo(mock.port)
    const providers = [{ name: 'openai', baseUrl: way.url, key: null }]
    const upstream = newUpstream({ isLive: () => true }, { providers, http2: true, ca: loopbackCert, pingAfterMs: 40 })
    const leg = await upstream.open(permit, ask)
    const reading = failure(bytesOf(leg))
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.equal(mock.streams[0]?.destroyed, false)
    way.stop()
    assert.equal((await reading).fields['cause'], 'H2_DEAD')
    await upstream.close()
    way.close()
  }))

test('[H2-18] an unused connection is closed after keepAliveTimeoutMs, one in use is not', async () =>
  withUpstream(
    (_request, reply) => reply.json(200, {}),
    async ({ mock, upstream }) => {
      for (let at = 0; at < 3; at++) await bytesOf(await upstream.open(permit, ask))
      assert.equal(mock.connections, 1)
      await until(() => mock.open === 0)
    },
    { keepAliveTimeoutMs: 60 },
  ))

test('[H2-19] a provider whose TLS chooses HTTP/1.1, or nothing, is spoken to in HTTP/1.1, and not asked each time', async () => {
  for (const ALPNProtocols of [['http/1.1'], []]) {
    let connections = 0
    const server = createServer({ cert: loopbackCert, key: loopbackKey, ALPNProtocols }, (socket) => {
      connections += 1
      socket.on('error', () => {})
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const providers = [{ name: 'openai', baseUrl: `https://localhost:${port}`, key: null }]
    const upstream = newUpstream({ isLive: () => true }, { providers, http2: true, ca: loopbackCert })
    for (let at = 0; at < 3; at++) assert.equal((await bytesOf(await upstream.open(permit, ask))).toString(), '{}')
    assert.equal(connections, 2)
    await upstream.close()
    server.close()
  }
})

test('[H2-19] TLS is verified before a byte of the request, and close cuts what is open', async () => {
  await withUpstream(hang, async ({ mock, upstream }) => {
    const providers = [{ name: 'openai', baseUrl: mock.url, key: 'sk' }]
    const strict = newUpstream({ isLive: () => true }, { providers, http2: true })
    assert.equal((await failure(strict.open(permit, ask))).code, 'UPSTREAM_FAILED')
    assert.equal(mock.requests.length, 0)
    await strict.close()
    const leg = await upstream.open(permit, ask)
    const reading = failure(bytesOf(leg))
    await upstream.close()
    assert.equal((await reading).code, 'UPSTREAM_FAILED')
  })
})
