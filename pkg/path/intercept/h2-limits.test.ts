import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { test } from 'node:test'
import type { ClientLeg } from '#pkg/model'
import { answerOf, h2Client } from '../../../test/fixtures/h2-client.ts'
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frameOf,
  GOAWAY,
  HEADERS,
  headersFrame,
  hpack,
  numberOf,
  PING,
  type RawH2,
  RST_STREAM,
  rawH2,
  requestOf,
  settingsFrame,
} from '../../../test/fixtures/h2-frames.ts'
import { echo, sleep, until, withFacade } from './facade.fixture.ts'

const PATH = '/openai/v1/x'
const url = (port: number) => `http://127.0.0.1:${port}`
const wait = (_ask: unknown, leg: ClientLeg) => new Promise<void>((resolve) => leg.onGone(resolve))
const codeOf = async (raw: RawH2, stream: number): Promise<number> =>
  (await raw.until(({ type, stream: of }) => type === RST_STREAM && of === stream)).payload.readUInt32BE()
const goawayOf = async (raw: RawH2): Promise<number> =>
  (await raw.until(({ type }) => type === GOAWAY)).payload.readUInt32BE(4)

test('[H2-09] maxStreamsPerSession: one more is refused as not begun, the open ones stay', async () =>
  withFacade(
    wait,
    async ({ port, asks }) => {
      const raw = await rawH2(port)
      for (const stream of [1, 3, 5]) raw.send(headersFrame(stream, requestOf(PATH)))
      assert.equal(await codeOf(raw, 5), constants.NGHTTP2_REFUSED_STREAM)
      assert.equal(asks.length, 2)
      raw.close()
    },
    { maxStreamsPerSession: 2 },
  ))

test('[H2-09] maxStreams holds for all connections together, and room that is given back is room', async () =>
  withFacade(
    wait,
    async ({ port, asks, logged }) => {
      const [one, two] = [await rawH2(port), await rawH2(port)]
      one.send(headersFrame(1, requestOf(PATH)))
      two.send(headersFrame(1, requestOf(PATH)))
      await until(() => asks.length === 2)
      two.send(headersFrame(3, requestOf(PATH)))
      assert.equal(await codeOf(two, 3), constants.NGHTTP2_REFUSED_STREAM)
      assert.deepEqual([asks.length, logged], [2, ['stream-refused']])
      one.close()
      await sleep(20)
      two.send(headersFrame(5, requestOf(PATH)))
      await until(() => asks.length === 3)
      two.close()
    },
    { maxStreams: 2 },
  ))

test('[H2-09] maxConnections counts connections of HTTP/2 too', async () =>
  withFacade(
    echo,
    async ({ port, logged }) => {
      const one = await rawH2(port)
      await one.until(() => true)
      const two = await rawH2(port)
      await two.ended
      assert.deepEqual(logged, ['connection-dropped'])
      one.close()
    },
    { maxConnections: 1 },
  ))

test('[H2-09] maxHeaderBytes: names, values and 32 each; at the cap a request, one more byte resets its stream', async () => {
  const size = (fields: readonly (readonly [string, string])[]) =>
    fields.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
  const bare = requestOf(PATH)
  await withFacade(
    echo,
    async ({ port, asks }) => {
      const raw = await rawH2(port)
      await raw.until(({ type }) => type === 4)
      const room = 1_000 - size(bare) - size([['x-a', '']])
      raw.send(headersFrame(1, [...bare, ['x-a', 'a'.repeat(room)]]))
      await raw.until(({ type, stream }) => type === DATA && stream === 1)
      raw.send(headersFrame(3, [...bare, ['x-a', 'a'.repeat(room + 1)]]))
      assert.equal(await codeOf(raw, 3), constants.NGHTTP2_ENHANCE_YOUR_CALM)
      assert.equal(asks.length, 1)
      raw.close()
    },
    { maxHeaderBytes: 1_000 },
  )
})

test('[H2-09] maxHeaderPairs: at the cap a request, one more resets its stream', async () =>
  withFacade(
    echo,
    async ({ port, asks }) => {
      const raw = await rawH2(port)
      const many = (count: number) => Array.from({ length: count - 4 }, (_, at) => [`x-${at}`, ''] as const)
      raw.send(headersFrame(1, requestOf(PATH, 'GET', many(20))))
      await raw.until(({ type, stream }) => type === DATA && stream === 1)
      raw.send(headersFrame(3, requestOf(PATH, 'GET', many(21))))
      assert.equal(await codeOf(raw, 3), constants.NGHTTP2_ENHANCE_YOUR_CALM)
      assert.equal(asks.length, 1)
      raw.close()
    },
    { maxHeaderPairs: 20 },
  ))

test('[H2-09] limits.requestBytes: at the cap a request, one more byte is refused, and its sender told to stop', async () =>
  withFacade(
    echo,
    async ({ port, asks, rejected }) => {
      const client = h2Client(url(port))
      const post = { ':method': 'POST', ':path': PATH }
      assert.equal((await client.ask(post, 'a'.repeat(1_000))).status, 200)
      assert.equal((await client.ask(post, 'a'.repeat(1_001))).status, 403)
      assert.equal((await client.ask({ ...post, 'content-length': '1001' }, 'a'.repeat(1_001))).status, 403)
      const endless = client.open(post, false)
      const more = setInterval(() => endless.write('a'.repeat(500)), 5)
      const answer = await answerOf(endless)
      clearInterval(more)
      assert.deepEqual([answer.status, answer.body.toString(), answer.code], [403, 'WIRE_BODY_TOO_LARGE', 0])
      assert.deepEqual([asks.length, rejected.length], [1, 3])
      client.close()
    },
    { limits: { requestBytes: 1_000, decodedRatio: 100 } },
  ))

test('[H2-09] maxBodyBytesHeld holds for the streams of all connections', async () =>
  withFacade(
    wait,
    async ({ port, asks, rejected }) => {
      const raw = await rawH2(port)
      const body = (stream: number, bytes: number) => [
        headersFrame(stream, requestOf(PATH, 'POST'), END_HEADERS),
        frameOf(DATA, END_STREAM, stream, Buffer.alloc(bytes)),
      ]
      raw.send(...body(1, 600), ...body(3, 400))
      await until(() => asks.length === 2)
      raw.send(...body(5, 1))
      await until(() => rejected.length === 1)
      assert.deepEqual([asks.length, rejected[0]?.reason], [2, 'WIRE_BODY_TOO_LARGE'])
      raw.close()
    },
    { maxBodyBytesHeld: 1_000 },
  ))

test('[H2-09] requestTimeoutMs, headersTimeoutMs, keepAliveTimeoutMs: slow bodies and silent connections end', async () =>
  withFacade(
    echo,
    async ({ port, rejected }) => {
      const [body, silent, unused, dripping] = [
        await rawH2(port),
        await rawH2(port, [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')]),
        await rawH2(port),
        await rawH2(port),
      ]
      body.send(headersFrame(1, requestOf(PATH, 'POST'), END_HEADERS))
      dripping.send(frameOf(HEADERS, END_STREAM, 1, hpack(requestOf(PATH))))
      const drip = setInterval(() => dripping.send(frameOf(9, 0, 1)), 50)
      try {
        await body.until(({ type, stream }) => type === DATA && stream === 1)
        await Promise.all([silent.ended, unused.ended, dripping.ended])
      } finally {
        clearInterval(drip)
      }
      assert.deepEqual(
        rejected.map(({ reason }) => reason),
        ['WIRE_REQUEST_MALFORMED'],
      )
      body.close()
    },
    { headersTimeoutMs: 100, requestTimeoutMs: 200, keepAliveTimeoutMs: 300 },
  ))

test('[H2-10] PING and SETTINGS floods: at the cap all are answered, one more ends the connection', async () => {
  for (const [name, frame] of [
    ['ping', frameOf(PING, 0, 0, Buffer.alloc(8))],
    ['settings', settingsFrame()],
  ] as const)
    await withFacade(
      echo,
      async ({ port, logged }) => {
        const raw = await rawH2(port)
        raw.send(...Array.from({ length: 49 }, () => frame)) // the greeting is the first
        raw.send(headersFrame(1, requestOf(PATH)))
        await raw.until(({ type, stream }) => type === DATA && stream === 1)
        raw.send(frame)
        assert.equal(await goawayOf(raw), constants.NGHTTP2_ENHANCE_YOUR_CALM, name)
        await raw.ended
        assert.deepEqual(logged, ['session-flood'])
      },
      { maxControlFrames: 50 },
    )
})

test('[H2-10] rapid reset: up to the cap each is cancelled, one more ends the connection', async () =>
  withFacade(
    wait,
    async ({ port, asks }) => {
      const raw = await rawH2(port)
      const opened = (count: number, from: number) =>
        Array.from({ length: count }, (_, at) => [
          headersFrame(from + 2 * at, requestOf(PATH)),
          frameOf(RST_STREAM, 0, from + 2 * at, numberOf(8)),
        ]).flat()
      raw.send(...opened(50, 1), frameOf(PING, 0, 0, Buffer.alloc(8)))
      await raw.until(({ type, flags }) => type === PING && flags === 1)
      raw.send(...opened(10, 101))
      await raw.until(({ type }) => type === GOAWAY)
      await raw.ended
      assert.ok(asks.length <= 60, `${asks.length} exchanges`)
    },
    { maxStreamResets: 50 },
  ))

test('[H2-10] a CONTINUATION flood ends the connection long before its block is large', async () =>
  withFacade(echo, async ({ port, asks }) => {
    const raw = await rawH2(port)
    raw.send(frameOf(HEADERS, END_STREAM, 1, hpack(requestOf(PATH))))
    for (let at = 0; at < 1_000; at++) raw.send(frameOf(CONTINUATION, 0, 1, hpack([[`x-${at}`, 'a'.repeat(100)]])))
    await raw.ended
    assert.ok(raw.socket.bytesWritten < 1_000 * 130 + 1_000)
    assert.equal(asks.length, 0)
  }))

test('[H2-10] a connection that breaks the protocol after its farewell ends by the stall limit, its answers untaken', async () =>
  withFacade(
    echo,
    async ({ port, facade }) => {
      const raw = await rawH2(port)
      raw.send(headersFrame(1, requestOf(PATH)), frameOf(GOAWAY, 0, 0, Buffer.alloc(8)), frameOf(DATA, 0, 0x45540007))
      raw.socket.end()
      await raw.ended
      await facade.close(1_000)
    },
    { stallTimeoutMs: 100, keepAliveTimeoutMs: 100 },
  ))

test('[H2-10] empty DATA frames without end: the connection ends', async () =>
  withFacade(
    echo,
    async ({ port, asks }) => {
      const raw = await rawH2(port)
      raw.send(headersFrame(1, requestOf(PATH, 'POST'), END_HEADERS))
      raw.send(...Array.from({ length: 200 }, () => frameOf(DATA, 0, 1)))
      await raw.ended
      assert.equal(asks.length, 0)
    },
    { maxInvalidFrames: 50 },
  ))

test('[H2-11] a drain says GOAWAY, lets open streams end, takes no new ones, and cuts what is left', async () => {
  const legs: ClientLeg[] = []
  await withFacade(
    (_ask, leg) => {
      legs.push(leg)
      return wait(_ask, leg)
    },
    async ({ port, facade, asks }) => {
      const idle = await rawH2(port)
      const busy = await rawH2(port)
      await idle.until(() => true)
      busy.send(headersFrame(1, requestOf(PATH)), headersFrame(3, requestOf(PATH)))
      await until(() => legs.length === 2)
      const startMs = performance.now()
      const closing = facade.close(150)
      await idle.ended
      assert.equal(await goawayOf(busy), constants.NGHTTP2_NO_ERROR)
      busy.send(headersFrame(5, requestOf(PATH)))
      legs[0]?.head(200, {})
      legs[0]?.write([Buffer.from('last')])
      legs[0]?.end()
      await busy.until(({ type, stream, flags }) => type === DATA && stream === 1 && flags === END_STREAM)
      legs[1]?.head(200, {})
      legs[1]?.write([Buffer.from('more to come')])
      assert.equal(legs[1]?.gone, false)
      await closing
      await busy.ended
      assert.ok(performance.now() - startMs >= 140)
      assert.deepEqual([legs[1]?.gone, asks.length], [true, 2])
      // what was cut does not look whole
      assert.ok(busy.frames.every(({ type, stream, flags }) => type !== DATA || stream !== 3 || flags !== END_STREAM))
      await facade.close(0)
    },
  )
})
