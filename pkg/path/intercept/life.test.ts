import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { isErrorCode } from '#pkg/model/errors'
import { decodeWhole } from '#pkg/path/codec/wire/encoding'
import * as http1 from '#pkg/path/codec/wire/http1'
import { rawClient } from '../../../test/fixtures/raw-client.ts'
import { echo, get, post, sleep, until, withFacade } from './facade.fixture.ts'
import { newFacade } from './index.ts'

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
      assert.ok(performance.now() - startMs < 10_000)
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
      assert.ok(tookMs >= 45 && tookMs < 10_000, `${tookMs}`)
      assert.equal(gone, true)
    },
  )
})

test('[ICPT-11] an address that is taken is an error that says so', async () =>
  withFacade(echo, async ({ port }) => {
    const second = newFacade(
      { rules: http1, decode: decodeWhole, handle: echo, reject: () => {}, tunnel: async () => {} },
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
