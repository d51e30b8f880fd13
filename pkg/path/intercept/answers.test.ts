import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClientLeg } from '#pkg/model'
import type { RawClient } from '../../../test/fixtures/raw-client.ts'
import { echo, get, JSON_TYPE, post, sleep, until, withFacade } from './facade.fixture.ts'

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
          // every other group is cut from one buffer, as the frames of one read are
          groups = sizes.map((group, at) => {
            const own = group.map((size) => Buffer.alloc(size, String.fromCharCode(97 + (seed++ % 26))))
            return at % 2 === 0 ? own : cutAgain(Buffer.concat(own), group)
          })
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
          await until(() => mine.gone, 5_000)
          assert.ok(performance.now() - startMs < 5_000)
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
      const before = process.memoryUsage().arrayBuffers
      for (let n = 0; n < 64; n += 1) {
        const raw = await client()
        raw.socket.pause()
        raw.send(post('{}'))
      }
      await sleep(300)
      const grownMib = (process.memoryUsage().arrayBuffers - before) / 1024 / 1024
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

function cutAgain(whole: Buffer, sizes: readonly number[]): readonly Uint8Array[] {
  let from = 0
  return sizes.map((size) => {
    from += size
    return whole.subarray(from - size, from)
  })
}
