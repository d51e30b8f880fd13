import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { request } from 'node:https'
import { test } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { Agent, fetch } from 'undici'
import type { ClientLeg } from '#pkg/model'
import { answerOf, h2Client } from '../../../test/fixtures/h2-client.ts'
import {
  DATA,
  END_HEADERS,
  headersFrame,
  RST_STREAM,
  rawH2,
  requestOf,
  settingsFrame,
} from '../../../test/fixtures/h2-frames.ts'
import { loopbackCert, loopbackKey } from '../../../test/fixtures/loopback-tls.ts'
import { echo, JSON_TYPE, sleep, until, withFacade } from './facade.fixture.ts'
import type { Facade } from './index.ts'

const PATH = '/openai/v1/x'
const url = (port: number) => `http://127.0.0.1:${port}`

/** A handler whose leg the test drives. */
function held() {
  const legs: ClientLeg[] = []
  const handle = (_ask: unknown, leg: ClientLeg) => {
    legs.push(leg)
    return new Promise<void>((resolve) => {
      leg.onGone(resolve)
      const end = leg.end.bind(leg)
      leg.end = () => {
        end()
        resolve()
      }
      const reset = leg.reset.bind(leg)
      leg.reset = () => {
        reset()
        resolve()
      }
    })
  }
  return { legs, handle }
}

test('[H2-05] a streamed answer leaves at once, each write on its own, and streams do not wait for each other', async () => {
  const { legs, handle } = held()
  await withFacade(handle, async ({ port }) => {
    const client = h2Client(url(port))
    const streams = [client.open({ ':path': PATH }, true), client.open({ ':path': PATH }, true)]
    const seen = ['', '']
    streams.forEach((stream, at) => {
      stream.on('data', (bytes) => {
        seen[at] += bytes
      })
    })
    await until(() => legs.length === 2)
    legs[1]?.head(200, { 'content-type': 'text/event-stream', 'x-two': ['a', 'b'], etag: ['1', '2'] })
    assert.equal(legs[1]?.write([Buffer.from('data: 1\n\n')]), undefined)
    await until(() => seen[1] === 'data: 1\n\n')
    legs[0]?.head(200, {})
    legs[0]?.write([Buffer.from('a'), Buffer.from('b')])
    await until(() => seen[0] === 'ab')
    await until(() => legs.every((leg) => leg.flushed))
    const ended = streams.map((stream) => new Promise((resolve) => stream.once('end', resolve)))
    for (const leg of legs) leg.end()
    await Promise.all(ended)
    assert.deepEqual(
      legs.map((leg) => leg.gone),
      [false, false],
    )
    client.close()
  })
})

test('[H2-05] every byte of a whole answer arrives as it is, small and large; a HEAD has none', async () => {
  const all = Uint8Array.from({ length: 256 }, (_, at) => at)
  await withFacade(
    (ask, leg) => leg.reply(200, JSON_TYPE, Buffer.alloc(ask.path === '/small' ? 256 : 1024 * 1024, all)),
    async ({ port }) => {
      const client = h2Client(url(port))
      for (const [path, size] of [
        ['/small', 256],
        ['/large', 1024 * 1024],
      ] as const) {
        const answer = await client.ask({ ':path': `/openai/v1${path}` })
        assert.deepEqual(
          [answer.code, answer.headers['content-length'], answer.body.equals(Buffer.alloc(size, all))],
          [0, String(size), true],
        )
      }
      const head = await client.ask({ ':path': '/openai/v1/small', ':method': 'HEAD' })
      assert.deepEqual([head.status, head.headers['content-length'], head.body.length, head.code], [200, '256', 0, 0])
      client.close()
    },
  )
})

test('[H2-05] a reset ends one stream, for no client is it a clean end, and the others go on', async () => {
  const { legs, handle } = held()
  await withFacade(handle, async ({ port }) => {
    const raw = await rawH2(port)
    raw.send(headersFrame(1, requestOf(PATH)), headersFrame(3, requestOf(PATH)))
    await until(() => legs.length === 2)
    for (const leg of legs) {
      leg.head(200, {})
      leg.write([Buffer.from('data: 1\n\n')])
    }
    await raw.until(({ type, stream }) => type === DATA && stream === 3)
    legs[0]?.reset()
    const ended = await raw.until(({ type }) => type === RST_STREAM)
    assert.deepEqual([ended.stream, ended.payload.readUInt32BE()], [1, constants.NGHTTP2_INTERNAL_ERROR])
    assert.equal(legs[0]?.gone, true)
    legs[1]?.end()
    await raw.until(({ type, stream, flags }) => type === DATA && stream === 3 && flags === 1)
    raw.close()

    const client = h2Client(url(port))
    const stream = client.open({ ':path': PATH }, true)
    await until(() => legs.length === 3)
    legs[2]?.head(200, {})
    legs[2]?.write([Buffer.from('data: 1\n\n')])
    const answer = answerOf(stream)
    await until(() => legs[2]?.flushed === true)
    await sleep(20)
    legs[2]?.reset()
    const { ended: clean, code } = await answer
    assert.deepEqual([clean, code], [false, constants.NGHTTP2_INTERNAL_ERROR])
    client.close()
  })
})

for (const [name, leave] of [
  [
    'resets its stream',
    (client: ReturnType<typeof h2Client>, stream: ReturnType<typeof client.open>) => stream.close(8),
  ],
  [
    'resets it without an error',
    (client: ReturnType<typeof h2Client>, stream: ReturnType<typeof client.open>) => stream.close(0),
  ],
  ['closes the connection', (client: ReturnType<typeof h2Client>) => client.session.socket?.destroy()],
  ['destroys its session', (client: ReturnType<typeof h2Client>) => client.session.destroy()],
] as const)
  for (const headed of [false, true])
    test(`[H2-06] a client that ${name} ${headed ? 'in' : 'before'} an answer is noticed at once, and told of once`, async () => {
      const { legs, handle } = held()
      let told = 0
      await withFacade(handle, async ({ port, logged }) => {
        const client = h2Client(url(port))
        const stream = client.open({ ':method': 'POST', ':path': PATH }, false)
        stream.end('{}')
        await until(() => legs.length === 1)
        const leg = legs[0] ?? assert.fail()
        leg.onGone(() => {
          told += 1
        })
        if (headed) leg.head(200, {})
        await sleep(10)
        leave(client, stream)
        await until(() => leg.gone)
        leg.write([Buffer.from('late')])
        leg.end()
        leg.reset()
        assert.deepEqual([told, logged], [1, []])
        client.close()
      })
    })

test('[H2-07] a client that opens no window stops the writer, and what is held stays small', async () => {
  let writes = 0
  let waited = false
  const piece = Buffer.alloc(8 * 1024)
  await withFacade(
    async (_ask, leg) => {
      leg.head(200, {})
      for (; writes < 1_000 && !leg.gone; writes += 1) {
        const room = leg.write([piece])
        if (room === undefined) continue
        waited = true
        await room
      }
      leg.end()
    },
    async ({ port }) => {
      const raw = await rawH2(port)
      raw.send(settingsFrame([4, 0])) // no window at all
      raw.send(headersFrame(1, requestOf(PATH)))
      await until(() => waited)
      await sleep(50)
      assert.ok(writes * piece.length <= 64 * 1024, `${writes} writes`)
      raw.close()
    },
  )
})

test('[H2-07] a stream whose client takes nothing for too long is cut, and its connection goes on', async () => {
  await withFacade(
    async (ask, leg) => {
      if (ask.path === '/quick') return echo(ask, leg)
      leg.head(200, {})
      while (!leg.gone) await leg.write([Buffer.alloc(16 * 1024)])
    },
    async ({ port, logged }) => {
      const raw = await rawH2(port)
      raw.send(headersFrame(1, requestOf(PATH)))
      const ended = await raw.until(({ type }) => type === RST_STREAM)
      assert.equal(ended.stream, 1)
      raw.send(headersFrame(3, requestOf('/openai/v1/quick')))
      await raw.until(({ type, stream }) => type === END_HEADERS - 3 && stream === 3)
      assert.deepEqual(logged, ['client-stalled'])
      raw.close()
    },
    { stallTimeoutMs: 100 },
  )
})

test('[H2-05] a slow client that goes on reading is not cut', async () =>
  withFacade(
    (_ask, leg) => leg.reply(200, JSON_TYPE, Buffer.alloc(300 * 1024)),
    async ({ port, logged }) => {
      const client = h2Client(url(port))
      const stream = client.open({ ':path': PATH }, true)
      let bytes = 0
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        stream.pause()
        setTimeout(() => stream.resume(), 40)
      })
      await new Promise((resolve) => stream.once('end', resolve))
      assert.deepEqual([bytes, logged], [300 * 1024, []])
      client.close()
    },
    { stallTimeoutMs: 400 },
  ))

/** A TLS server whose connections are handed to the facade with what was negotiated. */
async function withTls(facade: Facade, body: (port: number) => Promise<void>): Promise<void> {
  const server = createServer({ cert: loopbackCert, key: loopbackKey, ALPNProtocols: ['h2', 'http/1.1'] })
  server.on('secureConnection', (socket: TLSSocket) =>
    facade.accept(socket, socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  try {
    await body(typeof address === 'object' && address !== null ? address.port : 0)
  } finally {
    server.close()
  }
}

test('[H2-08] connections that TLS negotiated are handed in: HTTP/2, HTTP/1.1, a reset, a drain', async () => {
  const { legs, handle } = held()
  const mixed = (ask: Parameters<typeof echo>[0], leg: ClientLeg) =>
    ask.path === '/held' ? handle(ask, leg) : echo(ask, leg)
  await withFacade(mixed, async ({ facade }) =>
    withTls(facade, async (port) => {
      const client = h2Client(`https://127.0.0.1:${port}`, { ca: loopbackCert })
      assert.equal(
        (await client.ask({ ':path': PATH, ':method': 'POST' }, '{}')).body.toString(),
        '{"path":"/x","body":"{}"}',
      )
      const dispatcher = new Agent({ allowH2: true, connect: { ca: loopbackCert } })
      const fetched = await fetch(`https://127.0.0.1:${port}${PATH}`, { dispatcher, method: 'POST', body: '{}' })
      assert.equal(await fetched.text(), '{"path":"/x","body":"{}"}')

      const streamed = fetch(`https://127.0.0.1:${port}/openai/v1/held`, { dispatcher })
      await until(() => legs.length === 1)
      legs[0]?.head(200, {})
      legs[0]?.write([Buffer.from('data: 1\n\n')])
      const reading = (await streamed).text()
      await sleep(20)
      legs[0]?.reset()
      await assert.rejects(reading)
      await dispatcher.close()

      const one = new Promise<string>((resolve, reject) => {
        const asked = request({ port, host: '127.0.0.1', path: PATH, ca: loopbackCert }, (answer) => {
          answer.on('data', (bytes) => resolve(String(bytes)))
        })
        asked.on('error', reject).end()
      })
      assert.equal(await one, '{"path":"/x","body":""}')
      const dropped = new Promise<string>((resolve) => {
        const asked = request({ port, host: '127.0.0.1', path: '/openai/v1/held', ca: loopbackCert }, (answer) => {
          answer.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
          answer.on('end', () => resolve('end'))
          answer.resume()
        })
        asked.on('error', () => resolve('error')).end()
      })
      await until(() => legs.length === 2)
      legs[1]?.head(200, {})
      legs[1]?.write([Buffer.from('x')])
      await sleep(20)
      legs[1]?.reset()
      assert.equal(await dropped, 'ECONNRESET')

      const last = client.open({ ':path': '/openai/v1/held' }, true)
      await until(() => legs.length === 3)
      const closing = facade.close(5_000)
      legs[2]?.head(200, {})
      legs[2]?.end()
      assert.deepEqual((await answerOf(last)).code, 0)
      await closing
    }),
  )
})
