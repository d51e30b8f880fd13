/** What was on its way in when an agent was stopped: halves of requests, and requests that wait behind others. MESH.md §2. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, h2Client } from '../fixtures/h2-client.ts'
import { type KillBench, WAYS, type Way, withKillBench } from '../fixtures/kill.ts'
import type { RawClient } from '../fixtures/raw-client.ts'

const REASON = 'IDENTITY_AGENT_QUARANTINED'
const withBody = WAYS.filter(({ body }) => body !== null)

const basic = ({ token }: KillBench): string => `Basic ${Buffer.from(`agent:${token}`).toString('base64')}`

function partsOf({ token }: KillBench, { method = 'POST', path, body }: Way): readonly [head: string, text: string] {
  const text = JSON.stringify(body)
  const accept = 'accept: application/json, text/event-stream'
  const type = ['content-type: application/json', `content-length: ${Buffer.byteLength(text)}`]
  return [
    [`${method} ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${token}`, accept, ...type, '', ''].join('\r\n'),
    text,
  ]
}

const plainPost = (bench: KillBench, length: number): string =>
  [
    `POST http://api.test:${bench.mock.port}/x HTTP/1.1`,
    ...[`proxy-authorization: ${basic(bench)}`, `content-length: ${length}`, '', ''],
  ].join('\r\n')

test('[KILL-05] HTTP/1.1: a request whose body was half there is refused when the rest comes', () =>
  withKillBench(async (bench) => {
    const halves: (readonly [name: string, client: RawClient, rest: string])[] = []
    for (const way of withBody) {
      const [head, text] = partsOf(bench, way)
      const client = await bench.raw()
      client.send(head + text.slice(0, 9))
      halves.push([way.name, client, text.slice(9)])
    }
    const plain = await bench.raw()
    plain.send(`${plainPost(bench, 4)}ab`)
    const chunked = await bench.raw()
    chunked.send(`${plainPost(bench, 0).replace('content-length: 0', 'transfer-encoding: chunked')}2\r\nab\r\n`)
    halves.push(['plain http', plain, 'cd'], ['plain http in chunks', chunked, '2\r\ncd\r\n0\r\n\r\n'])
    await sleep(50)
    await bench.verb('quarantine')
    for (const [name, client, rest] of halves) {
      client.send(rest)
      const { status, body } = await client.answer()
      assert.deepEqual([status, body.includes(REASON)], [403, true], `${name}: ${body}`)
    }
    assert.equal(bench.mock.requests.length, 0)
  }))

test('[KILL-05] HTTP/2: a request whose body was half there is refused when the rest comes', () =>
  withKillBench(async (bench) => {
    const client = h2Client(bench.running.ready.facade)
    const halves = withBody.map((way) => {
      const headers = { ':method': 'POST', ':path': way.path, authorization: `Bearer ${bench.token}` }
      const accept = 'application/json, text/event-stream'
      const stream = client.open({ ...headers, accept, 'content-type': 'application/json' }, false)
      const text = JSON.stringify(way.body)
      stream.write(text.slice(0, 9))
      return { way, stream, rest: text.slice(9), answer: answerOf(stream) }
    })
    await sleep(50)
    await bench.verb('quarantine')
    for (const { way, stream, rest, answer } of halves) {
      stream.end(rest)
      const { status, body } = await answer
      assert.deepEqual([status, body.includes(REASON)], [403, true], `${way.name}: ${body}`)
    }
    assert.equal(bench.mock.requests.length, 0)
    client.close()
  }))

test('[KILL-05] what waits on the same connection behind a stream that was cut is refused, or never read', () =>
  withKillBench(async (bench) => {
    const [chat] = withBody
    assert.ok(chat !== undefined)
    const client = await bench.raw()
    const whole = partsOf(bench, chat).join('')
    client.send(whole)
    await client.until('hello')
    client.send(whole + plainPost(bench, 0))
    await sleep(50)
    await bench.verb('quarantine')
    await client.until('IDENTITY_EPOCH_STALE')
    await sleep(200)
    assert.equal(bench.mock.requests.length, 1)
    assert.equal(client.seen().split('HTTP/1.1 200 ').length, 2)
    // what is asked about itself is no way out either
    const self = await bench.raw()
    self.send(`GET /sallyport/v1/self HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${bench.token}\r\n\r\n`)
    const { status, body } = await self.answer()
    assert.deepEqual([status, body.includes('IDENTITY_AGENT_INACTIVE')], [403, true], body)
  }))
