import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { echo, get, JSON_TYPE, post, sleep, until, withFacade } from './facade.fixture.ts'

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
      assert.ok(performance.now() - startMs < 10_000)
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
