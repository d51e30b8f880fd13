import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:https'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import type { Permit, UpstreamAsk, UpstreamLeg } from '#pkg/model'
import { type ErrorCode, SallyportError } from '#pkg/model/errors'
import { loopbackCert, loopbackKey } from '../../../test/fixtures/loopback-tls.ts'
import {
  type MockAction,
  type MockHandler,
  type MockUpstream,
  startMockUpstream,
} from '../../../test/fixtures/mock-upstream.ts'
import { isPermitStale, newUpstream, type Upstream, type UpstreamOptions } from './index.ts'

// The brand cannot be made here, and upstream reads nothing but these three.
const permit = { agent: 'default/tester', epoch: 1, generation: 1 } as unknown as Permit

const ask: UpstreamAsk = {
  provider: 'openai',
  method: 'POST',
  path: '/chat/completions',
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{"model":"m"}'),
}

type Bench = { readonly mock: MockUpstream; readonly upstream: Upstream }

async function withUpstream(
  play: MockHandler | readonly MockAction[],
  body: (bench: Bench) => Promise<void>,
  options: Partial<UpstreamOptions> = {},
  isLive: (permit: Permit) => boolean = () => true,
): Promise<void> {
  const mock = await startMockUpstream(play)
  const upstream = newUpstream(
    { isLive },
    { providers: [{ name: 'openai', baseUrl: `${mock.url}/v1`, key: 'sk-provider' }], ...options },
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

async function until(condition: () => boolean, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not true within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 20))

test('[NET-01] what follows the facade base is appended to the base URL, the query kept, the key set', async () => {
  for (const slash of ['', '/'])
    await withUpstream(
      (_request, reply) => reply.json(200, { ok: true }),
      async ({ mock }) => {
        const providers = [{ name: 'openai', baseUrl: `${mock.url}/some/v1${slash}`, key: 'sk-provider' }]
        const upstream = newUpstream({ isLive: () => true }, { providers })
        const leg = await upstream.open(permit, { ...ask, path: '/models?limit=2&after=a%20b' })
        assert.equal(leg.status, 200)
        assert.equal(leg.headers['content-type'], 'application/json')
        assert.equal((await bytesOf(leg)).toString(), '{"ok":true}')
        const seen = mock.requests[0]
        assert.equal(seen?.target, '/some/v1/models?limit=2&after=a%20b')
        assert.equal(seen?.headers['authorization'], 'Bearer sk-provider')
        assert.equal(seen?.headers['content-length'], '13')
        assert.equal(seen?.body.toString(), '{"model":"m"}')
        await upstream.close()
      },
    )
})

test('[NET-02] without a key no authorization is sent, not even the one of the ask', async () => {
  await withUpstream(
    (_request, reply) => reply.json(200, {}),
    async ({ mock }) => {
      const providers = [{ name: 'openai', baseUrl: mock.url, key: null }]
      const upstream = newUpstream({ isLive: () => true }, { providers })
      await bytesOf(
        await upstream.open(permit, { ...ask, headers: { Authorization: 'Bearer sk-somebody', 'x-a': ['1', '2'] } }),
      )
      assert.equal(mock.requests[0]?.headers['authorization'], undefined)
      assert.equal(mock.requests[0]?.headers['x-a'], '1, 2')
      await upstream.close()
    },
  )
})

test('[NET-02] an agent token in a header or in the path is never sent', async () => {
  await withUpstream(
    (_request, reply) => reply.json(200, {}),
    async ({ mock, upstream }) => {
      const asks: UpstreamAsk[] = [
        { ...ask, headers: { 'x-other-key': 'sp_vk_abc' } },
        { ...ask, headers: { 'x-list': ['a', 'Bearer sp_vk_abc'] } },
        { ...ask, path: '/models?key=sp_vk_abc' },
      ]
      for (const leaking of asks) {
        const error = await failure(upstream.open(permit, leaking))
        assert.equal(error.code, 'INTERNAL')
        assert.ok(!error.message.includes('sp_vk_'))
      }
      assert.equal(mock.connections, 0)
    },
  )
})

test('[NET-03] a stale permit opens nothing', async () => {
  await withUpstream(
    (_request, reply) => reply.json(200, {}),
    async ({ mock, upstream }) => {
      const error = await failure(upstream.open(permit, ask))
      assert.ok(isPermitStale(error))
      assert.equal(error.reason, 'IDENTITY_EPOCH_STALE')
      assert.equal(mock.connections, 0)
    },
    {},
    () => false,
  )
})

test('[NET-03] a permit that dies while the connection is made: no byte of the request is written', async () => {
  let asked = 0
  await withUpstream(
    (_request, reply) => reply.json(200, {}),
    async ({ mock, upstream }) => {
      assert.ok(isPermitStale(await failure(upstream.open(permit, ask))))
      await tick()
      assert.equal(asked, 2)
      assert.equal(mock.requests.length, 0)
    },
    {},
    () => ++asked === 1,
  )
})

test('a path that is not canonical is not sent', async () => {
  await withUpstream(
    (_request, reply) => reply.json(200, {}),
    async ({ mock, upstream }) => {
      for (const path of ['', 'x', '/../admin', '/a/../b', '/a/.', '/a b', '/a\r\nx: y', '/a#b', '/a\\b'])
        assert.equal((await failure(upstream.open(permit, { ...ask, path }))).code, 'INTERNAL', path)
      assert.equal(mock.connections, 0)
    },
  )
})

test('a base URL or key that cannot be used is refused at once, by name and without the secret', () => {
  const rows = [
    { baseUrl: 'nonsense', key: null },
    { baseUrl: 'ftp://127.0.0.1/v1', key: null },
    { baseUrl: 'http://user:hunter2@127.0.0.1/v1', key: null },
    { baseUrl: 'http://127.0.0.1/v1?x=1', key: null },
    { baseUrl: 'http://127.0.0.1/v1', key: 'hunter2\r\nx: y' },
  ]
  for (const row of rows)
    assert.throws(
      () => newUpstream({ isLive: () => true }, { providers: [{ name: 'openai', ...row }] }),
      (error: unknown) =>
        error instanceof SallyportError && error.code === 'SETTINGS_INVALID' && !error.message.includes('hunter2'),
    )
})

test("[NET-02] [PROMISE-KEYS] an agent's token is no provider key", () => {
  const providers = [
    { name: 'openai', baseUrl: 'http://127.0.0.1:9/v1', key: 'sp_vk_0123456789abcdefghijklmnopqrstuv' },
  ]
  assert.throws(
    () => newUpstream({ isLive: () => true }, { providers }),
    (error: SallyportError) => error.code === 'SETTINGS_INVALID' && !error.message.includes('0123456789'),
  )
})

test('[NET-04] a chunk is handed over before the next is sent', async () => {
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  await withUpstream(
    async (_request, reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      for (const [at, gate] of gates.entries()) {
        await reply.chunk(`data: ${at}\n\n`)
        await gate.promise
      }
      await reply.finish()
    },
    async ({ upstream }) => {
      const leg = await upstream.open(permit, ask)
      let at = 0
      for await (const chunk of leg.chunks) {
        assert.equal(Buffer.from(chunk).toString(), `data: ${at}\n\n`)
        gates[at]?.resolve() // only now may the next be sent
        at += 1
      }
      assert.equal(at, 4)
    },
  )
})

test('[NET-05] every byte arrives, in order, however the provider cuts it', async () => {
  let pieces: readonly Uint8Array[] = []
  await withUpstream(
    async (_request, reply) => {
      await reply.head(200)
      for (const piece of pieces) await reply.chunk(piece)
      await reply.finish()
    },
    async ({ mock, upstream }) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), { maxLength: 12 }),
          async (sent) => {
            pieces = sent
            const got = await bytesOf(await upstream.open(permit, ask))
            assert.deepEqual(got, Buffer.concat(sent))
          },
        ),
        { numRuns: 60 },
      )
      assert.ok(mock.connections <= 3, `${mock.connections} connections for 60 requests`)
    },
  )
})

test('[NET-05] the head and body of an answer may be cut at every byte', async () => {
  const answer = Buffer.from(
    'HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  )
  let cut = 0
  await withUpstream(
    async (_request, reply) => {
      await reply.raw(answer.subarray(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      await reply.raw(answer.subarray(cut))
    },
    async ({ upstream }) => {
      for (cut = 1; cut < answer.length; cut++)
        assert.equal((await bytesOf(await upstream.open(permit, ask))).toString(), 'hello', `cut at ${cut}`)
    },
  )
})

test('[NET-06] connections are kept and used again, one exchange at a time', async () => {
  await withUpstream(
    (_request, reply) => reply.json(200, {}),
    async ({ mock, upstream }) => {
      for (let round = 0; round < 10; round++) {
        await bytesOf(await upstream.open(permit, ask))
        await new Promise((resolve) => setImmediate(resolve))
      }
      assert.ok(mock.connections <= 2, `${mock.connections} connections for 10 requests in a row`)
      const before = mock.connections
      const legs = await Promise.all(Array.from({ length: 5 }, () => upstream.open(permit, ask)))
      await Promise.all(legs.map(bytesOf))
      assert.ok(mock.connections >= before + 3, 'five at a time need five connections')
    },
  )
})

test('[NET-07] a cancel closes the connection at once, in mid-answer', async () => {
  await withUpstream(
    async (_request, reply) => {
      await reply.head(200)
      await reply.chunk('one')
      await reply.closed
    },
    async ({ mock, upstream }) => {
      const leg = await upstream.open(permit, ask)
      const seen: string[] = []
      for await (const chunk of leg.chunks) {
        seen.push(Buffer.from(chunk).toString())
        leg.cancel()
        leg.cancel()
      }
      assert.deepEqual(seen, ['one'])
      await until(() => mock.open === 0, 1_000)
    },
  )
})

test('[NET-07] a cancel ends a reader that waits, and one that leaves early cancels', async () => {
  await withUpstream(
    async (_request, reply) => {
      await reply.head(200)
      await reply.chunk('one')
      await reply.closed
    },
    async ({ mock, upstream }) => {
      const leg = await upstream.open(permit, ask)
      setTimeout(() => leg.cancel(), 30)
      assert.equal((await bytesOf(leg)).toString(), 'one')
      for await (const _chunk of (await upstream.open(permit, ask)).chunks) break
      await until(() => mock.open === 0, 1_000)
    },
  )
})

test('[NET-07] an abort before the headers closes the connection, and open rejects', async () => {
  await withUpstream([{ do: 'hang' }], async ({ mock, upstream }) => {
    const controller = new AbortController()
    const opened = failure(upstream.open(permit, { ...ask, signal: controller.signal }))
    await until(() => mock.requests.length === 1, 1_000)
    controller.abort()
    assert.equal((await opened).fields['cancelled'], true)
    await until(() => mock.open === 0, 1_000)
    const late = failure(upstream.open(permit, { ...ask, signal: controller.signal }))
    assert.equal((await late).fields['cancelled'], true)
    assert.equal(mock.requests.length, 1)
  })
})

test('[NET-08] a reader that stops, stops the provider', async () => {
  const piece = Buffer.alloc(64 * 1024, 'x')
  const pieces = 160 // 10 MiB
  let sent = 0
  await withUpstream(
    async (_request, reply) => {
      await reply.head(200)
      for (; sent < pieces && !reply.gone; sent++) await reply.chunk(piece)
      await reply.finish()
    },
    async ({ upstream }) => {
      const leg = await upstream.open(permit, ask)
      const iterator = leg.chunks[Symbol.asyncIterator]()
      await iterator.next()
      let before = -1
      while (before !== sent) {
        before = sent
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      assert.ok(sent < pieces, 'the kernel took everything: the test shows nothing')
      let bytes = 0
      let next = await iterator.next()
      for (; !next.done; next = await iterator.next()) bytes += next.value.length
      assert.ok(bytes > (pieces - 2) * piece.length)
      assert.equal(sent, pieces)
    },
  )
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // what --expose-gc adds

test('[NET-08] forty answers that nobody reads hold little memory', async () => {
  const piece = Buffer.alloc(64 * 1024, 'x')
  await withUpstream(
    async (_request, reply) => {
      await reply.head(200)
      for (let at = 0; at < 160 && !reply.gone; at++) await reply.chunk(piece) // one shared buffer: free for this process
      await reply.finish()
    },
    async ({ upstream }) => {
      await bytesOf(await upstream.open(permit, ask)) // warm
      const before = process.memoryUsage()
      const legs = await Promise.all(Array.from({ length: 40 }, () => upstream.open(permit, ask)))
      await new Promise((resolve) => setTimeout(resolve, 400))
      collect()
      const after = process.memoryUsage()
      const heldKib = (after.arrayBuffers + after.external - before.arrayBuffers - before.external) / 1024
      for (const leg of legs) leg.cancel()
      // of 10 MiB each
      assert.ok(heldKib / 40 < 1_024, `${Math.round(heldKib / 40)} KiB held for each`)
    },
  )
})

const head = (lines: string) => ({ do: 'raw', data: `HTTP/1.1 ${lines}\r\n\r\n` }) as const

type Pathology = {
  readonly name: string
  readonly script: readonly MockAction[]
  readonly code: ErrorCode
  readonly got: string | null
}

const pathologies: readonly Pathology[] = [
  {
    name: 'a status line that is none',
    script: [{ do: 'raw', data: 'SSH-2.0-OpenSSH_9\r\n\r\n' }],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  { name: 'a close before the answer', script: [{ do: 'end' }], code: 'UPSTREAM_FAILED', got: null },
  { name: 'a reset before the answer', script: [{ do: 'reset' }], code: 'UPSTREAM_FAILED', got: null },
  {
    name: 'half a head',
    script: [{ do: 'raw', data: 'HTTP/1.1 200 OK\r\ncontent-ty' }, { do: 'end' }],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: 'headers of 1 MB',
    script: [head(`200 OK\r\nx-long: ${'y'.repeat(1_000_000)}`)],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: '100,000 headers',
    script: [head(`200 OK\r\n${'a: b\r\n'.repeat(100_000)}`)],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: 'two content-lengths',
    script: [head('200 OK\r\ncontent-length: 1\r\ncontent-length: 2')],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: 'content-length and transfer-encoding',
    script: [head('200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked')],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: 'a header with a bare line feed in its name',
    script: [head('200 OK\r\nx y: 1')],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: 'an upgrade',
    script: [head('101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c')],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: 'interim answers without end',
    script: [{ do: 'raw', data: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40) }],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: 'a redirect',
    script: [head('302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0')],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  {
    name: 'a permanent redirect',
    script: [head('308 Gone\r\nlocation: /v2\r\ncontent-length: 0')],
    code: 'UPSTREAM_FAILED',
    got: null,
  },
  { name: 'no answer', script: [{ do: 'hang' }], code: 'UPSTREAM_TIMEOUT', got: null },
  {
    name: 'a body shorter than its content-length',
    script: [head('200 OK\r\ncontent-length: 10'), { do: 'raw', data: 'five5' }, { do: 'end' }],
    code: 'UPSTREAM_FAILED',
    got: 'five5',
  },
  {
    name: 'a body that ends between two chunks',
    script: [{ do: 'head', status: 200 }, { do: 'chunk', data: 'one' }, { do: 'end' }],
    code: 'UPSTREAM_FAILED',
    got: 'one',
  },
  {
    name: 'a body that ends inside a chunk',
    script: [{ do: 'head', status: 200 }, { do: 'raw', data: 'a\r\nfive5' }, { do: 'end' }],
    code: 'UPSTREAM_FAILED',
    got: 'five5',
  },
  {
    name: 'a reset in mid-body',
    script: [{ do: 'head', status: 200 }, { do: 'chunk', data: 'one' }, { do: 'wait', ms: 50 }, { do: 'reset' }],
    code: 'UPSTREAM_FAILED',
    got: 'one',
  },
  {
    name: 'a chunk size that is none',
    script: [
      { do: 'head', status: 200 },
      { do: 'chunk', data: 'one' },
      { do: 'raw', data: 'zz\r\n' },
    ],
    code: 'UPSTREAM_FAILED',
    got: 'one',
  },
  {
    name: 'a body that stops',
    script: [{ do: 'head', status: 200 }, { do: 'chunk', data: 'one' }, { do: 'hang' }],
    code: 'UPSTREAM_TIMEOUT',
    got: 'one',
  },
]

for (const row of pathologies)
  test(`[NET-09] ${row.name} is ${row.code}, after everything that came before it`, async () => {
    await withUpstream(
      row.script,
      async ({ mock, upstream }) => {
        let got: string | null = null
        const error = await failure(
          (async () => {
            const leg = await upstream.open(permit, ask)
            got = ''
            for await (const chunk of leg.chunks) got += Buffer.from(chunk).toString()
          })(),
        )
        assert.equal(error.code, row.code)
        assert.equal(got, row.got)
        assert.ok(!error.message.includes('five5') && !error.message.includes('sk-provider'))
        assert.equal(error.cause, undefined)
        assert.equal(mock.requests.length, 1, 'nothing is tried twice')
        await until(() => mock.open === 0, 1_000) // a broken connection does not go back to the pool
      },
      { headersTimeoutMs: 300, bodyIdleTimeoutMs: 300 },
    )
  })

test('[NET-09] interim answers, few of them, are passed over', async () => {
  const script = [
    { do: 'raw', data: 'HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n'.repeat(3) },
    head('200 OK\r\ncontent-length: 2'),
    { do: 'raw', data: 'ok' },
  ] as const
  await withUpstream(script, async ({ upstream }) => {
    const leg = await upstream.open(permit, ask)
    assert.equal(leg.status, 200)
    assert.equal((await bytesOf(leg)).toString(), 'ok')
  })
})

test('[NET-10] a fault names the likely cause: nobody listens, no such name, nothing configured', async () => {
  const mock = await startMockUpstream([])
  await mock.close()
  const rows = [
    { baseUrl: `${mock.url}/v1`, cause: 'ECONNREFUSED', says: `127.0.0.1:${mock.port}` },
    { baseUrl: 'http://no-such-host.invalid/v1', cause: /ENOTFOUND|EAI_AGAIN/, says: 'no-such-host.invalid:80' },
  ]
  for (const row of rows) {
    const upstream = newUpstream(
      { isLive: () => true },
      { providers: [{ name: 'openai', baseUrl: row.baseUrl, key: 'sk-provider' }] },
    )
    const error = await failure(upstream.open(permit, ask))
    assert.equal(error.code, 'UPSTREAM_FAILED')
    assert.match(String(error.fields['cause']), new RegExp(row.cause))
    assert.ok(error.message.includes(row.says) && error.message.includes('--upstream openai=URL'), error.message)
    assert.equal((await failure(upstream.open(permit, { ...ask, provider: 'other' }))).code, 'UPSTREAM_FAILED')
    await upstream.close()
  }
})

test('one exchange above the limit is OVERLOADED; a finished, a failed and a cancelled one each make room', async () => {
  await withUpstream(
    async (request, reply) => {
      if (request.target.endsWith('/reset')) return reply.reset()
      await reply.head(200)
      await reply.chunk('x')
      if (request.target.endsWith('/hang')) await reply.closed
      await reply.finish()
    },
    async ({ upstream }) => {
      for (const path of ['/done', '/reset', '/hang', '/done']) {
        const open = [1, 2].map(() => upstream.open(permit, { ...ask, path }).catch(() => null))
        assert.equal((await failure(upstream.open(permit, ask))).code, 'OVERLOADED')
        for (const opening of open) {
          const answer = await opening
          if (path === '/hang') answer?.cancel()
          if (answer !== null) await bytesOf(answer)
        }
        await tick()
      }
    },
    { maxConnectionsPerProvider: 2 },
  )
})

async function startTls(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ cert: loopbackCert, key: loopbackKey }, (request, response) => {
    request.resume()
    response.end(`tls ${request.headers['authorization']}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') return assert.fail('no port')
  return { server, port: address.port }
}

test('[NET-11] TLS is verified: a trusted CA passes, an unknown one fails before the key is sent', async () => {
  const { server, port } = await startTls()
  const providers = [{ name: 'openai', baseUrl: `https://127.0.0.1:${port}/v1`, key: 'sk-provider' }]
  const trusting = newUpstream({ isLive: () => true }, { providers, ca: loopbackCert })
  const leg = await trusting.open(permit, ask)
  assert.equal((await bytesOf(leg)).toString(), 'tls Bearer sk-provider')
  await trusting.close()
  const doubting = newUpstream({ isLive: () => true }, { providers })
  const error = await failure(doubting.open(permit, ask))
  assert.equal(error.code, 'UPSTREAM_FAILED')
  assert.equal(error.fields['cause'], 'DEPTH_ZERO_SELF_SIGNED_CERT')
  await doubting.close()
  const confused = newUpstream(
    { isLive: () => true },
    { providers: [{ name: 'openai', baseUrl: `http://127.0.0.1:${port}`, key: null }] },
  )
  assert.equal((await failure(confused.open(permit, ask))).code, 'UPSTREAM_FAILED')
  await confused.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

test('close cuts what is open; the reader sees a fault, not an end', async () => {
  await withUpstream(
    [{ do: 'head', status: 200 }, { do: 'chunk', data: 'x' }, { do: 'hang' }],
    async ({ mock, upstream }) => {
      const leg = await upstream.open(permit, ask)
      const reading = failure(bytesOf(leg))
      await upstream.close()
      assert.equal((await reading).code, 'UPSTREAM_FAILED')
      await until(() => mock.open === 0, 1_000)
      assert.equal((await failure(upstream.open(permit, ask))).code, 'UPSTREAM_FAILED')
    },
  )
})
