/** The kill switch through the real process, on every way to the outside. MESH.md §2. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, h2Client } from '../fixtures/h2-client.ts'
import { headOf, type KillBench, PLAIN_WAYS, WAYS, type Way, withKillBench } from '../fixtures/kill.ts'
import type { RawClient } from '../fixtures/raw-client.ts'

async function begun(bench: KillBench, head: string): Promise<RawClient> {
  const client = await bench.raw()
  client.send(head)
  if (head.startsWith('CONNECT')) {
    await client.until('\r\n\r\n')
    client.send('GET /x HTTP/1.1\r\nhost: raw.test\r\n\r\n')
  }
  await client.until('hello')
  return client
}

async function until(look: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 3_000
  while (!look()) {
    if (performance.now() > end) assert.fail(what)
    await sleep(5)
  }
}

const VERBS: readonly (readonly [verb: string, more: object, reason: string])[] = [
  ['quarantine', {}, 'IDENTITY_AGENT_QUARANTINED'],
  ['suspend', {}, 'IDENTITY_AGENT_SUSPENDED'],
  ['terminate', { confirm: 'marketing', force: true }, 'IDENTITY_AGENT_TERMINATED'],
]

for (const [verb, more, reason] of VERBS)
  test(`[KILL-01] HTTP/1.1: ${verb} cuts every open way at once, tells who can still read, and refuses each next request`, () =>
    withKillBench(async (bench) => {
      const open = await Promise.all(WAYS.map((way) => begun(bench, headOf(bench, way))))
      const bare = await Promise.all(PLAIN_WAYS.map(([, head]) => begun(bench, head(bench))))
      assert.equal(bench.mock.open, WAYS.length + PLAIN_WAYS.length)
      const done = await bench.verb(verb, more)
      assert.deepEqual([done['changed'], done['acks']], [true, { wanted: 1, received: 1 }])
      for (const [at, way] of WAYS.entries()) {
        const client = open[at]
        assert.ok(client !== undefined)
        await client.until('IDENTITY_EPOCH_STALE').catch((error) => assert.fail(`${way.name}: ${error}`))
      }
      for (const [at, client] of bare.entries())
        assert.equal(await client.ended, 'ECONNRESET', `${PLAIN_WAYS[at]?.[0]} is reset`)
      await until(() => bench.mock.open === 0, `${bench.mock.open} connections with the other side are open`)
      assert.equal(bench.mock.resets, WAYS.length + PLAIN_WAYS.length, 'each by a reset')
      const before = bench.mock.requests.length
      for (const [name, head] of [
        ...WAYS.map((way) => [way.name, headOf(bench, way)] as const),
        ...PLAIN_WAYS.map(([name, head]) => [name, head(bench)] as const),
      ]) {
        const client = await bench.raw()
        client.send(head)
        const { status, body } = await client.answer()
        assert.deepEqual([status, body.includes(reason)], [403, true], `${name}: ${body}`)
      }
      assert.equal(bench.mock.requests.length, before)
    }))

test('[KILL-01] HTTP/2: every stream of the agent ends with the error of its dialect, the connection stays, the next is refused', () =>
  withKillBench(async (bench) => {
    const client = h2Client(bench.running.ready.facade)
    const headers = ({ method = 'POST', path, body }: Way) => ({
      ':method': method,
      ':path': path,
      authorization: `Bearer ${bench.token}`,
      accept: 'application/json, text/event-stream',
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    })
    const ask = (way: Way) => {
      const stream = client.open(headers(way), way.body === null)
      if (way.body !== null) stream.end(JSON.stringify(way.body))
      return stream
    }
    const streams = WAYS.map(ask)
    const answers = streams.map((stream) => answerOf(stream))
    await Promise.all(
      streams.map(
        (stream) =>
          new Promise<void>((resolve) => {
            let text = ''
            stream.on('data', (bytes: Buffer) => {
              text += bytes.toString()
              if (text.includes('hello')) resolve()
            })
          }),
      ),
    )
    await bench.verb('quarantine')
    for (const [at, answer] of answers.entries()) {
      const { body, ended, code } = await answer
      assert.ok(body.includes('IDENTITY_EPOCH_STALE'), `${WAYS[at]?.name}: ${body}`)
      assert.deepEqual([ended, code], [true, 0], WAYS[at]?.name)
    }
    await until(() => bench.mock.open === 0, 'the other side is cut')
    for (const way of WAYS) {
      const { status, body } = await answerOf(ask(way))
      assert.deepEqual([status, body.includes('IDENTITY_AGENT_QUARANTINED')], [403, true], way.name)
    }
    client.close()
  }))

test('[KILL-02] a client that does not read is reset, with what waits for it', () => {
  let sent = 0
  return withKillBench(
    async (bench) => {
      const [chat] = WAYS
      assert.ok(chat !== undefined)
      const client = await bench.raw()
      client.socket.pause()
      client.send(headOf(bench, chat))
      await until(() => bench.mock.requests.length === 1, 'the request came')
      for (let before = -1; before !== sent; await sleep(500)) before = sent // until everything stands still
      await bench.verb('quarantine')
      await until(() => bench.mock.open === 0, 'the other side is cut')
      client.socket.resume()
      assert.equal(await client.ended, 'ECONNRESET')
      assert.ok(!client.seen().includes('IDENTITY_EPOCH_STALE'))
    },
    async (_request, reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      const [chat] = WAYS
      for (; sent < 20_000_000 && !reply.gone; sent += 20_000)
        await reply.chunk((chat?.begin ?? '').replace('hello', 'y'.repeat(20_000)))
      await reply.closed
    },
  )
})

test('[KILL-03] a request that waits for its answer is refused in its own dialect, and the other side is reset', () =>
  withKillBench(
    async (bench) => {
      const open = await Promise.all(
        WAYS.map(async (way) => {
          const client = await bench.raw()
          client.send(headOf(bench, way))
          return client
        }),
      )
      await until(() => bench.mock.requests.length === WAYS.length, 'all have come')
      await bench.verb('quarantine')
      for (const [at, client] of open.entries()) {
        const { status, body } = await client.answer()
        assert.deepEqual([status, body.includes('IDENTITY_EPOCH_STALE')], [403, true], `${WAYS[at]?.name}: ${body}`)
      }
      await until(() => bench.mock.open === 0, 'the other side is cut')
      assert.equal(bench.mock.resets, WAYS.length)
    },
    (_request, reply) => reply.closed,
  ))

test('[KILL-04] no connection that the agent used is used again, and its session with a tool server is forgotten', () =>
  withKillBench(
    async (bench) => {
      const say = async (head: string): Promise<number> => {
        const client = await bench.raw()
        client.send(head)
        return (await client.answer()).status
      }
      const [chat] = WAYS
      const calls = WAYS.find(({ name }) => name === 'mcp call')
      assert.ok(chat !== undefined && calls !== undefined)
      const open = {
        ...calls,
        body: {
          jsonrpc: '2.0',
          id: 0,
          method: 'initialize',
          params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
        },
      }
      const within = headOf(bench, calls).replace('host: x', 'host: x\r\nmcp-session-id: s1')
      assert.deepEqual(
        [await say(headOf(bench, chat)), await say(headOf(bench, open)), await say(within)],
        [200, 200, 200],
      )
      const { connections } = bench.mock
      await bench.verb('quarantine')
      await until(() => bench.mock.open === 0, 'what was kept is closed')
      await bench.verb('release')
      assert.equal(await say(headOf(bench, chat)), 200)
      assert.equal(bench.mock.connections, connections + 1)
      assert.equal(await say(within), 404)
    },
    async (request, reply) => {
      if (request.target.includes('/chat')) {
        const choice = { index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }
        return reply.json(200, {
          id: 'c',
          object: 'chat.completion',
          created: 1,
          model: 'gpt-5-mini',
          choices: [choice],
        })
      }
      const { id, method } = JSON.parse(request.body.toString())
      const result =
        method === 'initialize'
          ? { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 's', version: '1' } }
          : { content: [{ type: 'text', text: 'hi' }] }
      return reply.json(200, { jsonrpc: '2.0', id, result }, { 'mcp-session-id': 's1' })
    },
  ))
