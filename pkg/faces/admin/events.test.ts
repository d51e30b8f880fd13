import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { MARKETING, recordOf } from '../../../test/fixtures/admin-source.ts'
import { ask, type Bench, codeOf, open, over, tcp, until, withAdmin } from './admin.fixture.ts'
import { assertFits } from './described.fixture.ts'
import { inFieldOrder } from './index.ts'

type SseEvent = { readonly id: string | null; readonly event: string; readonly data: string }

/** What an EventSource would hear, and the comments that it would not. */
function eventsOf(text: string): readonly SseEvent[] {
  const blocks = text.split('\n\n').slice(0, -1)
  return blocks.flatMap((block) => {
    if (block.startsWith(':')) return []
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.split(': ')[1]]))
    const data = block.slice(block.indexOf('data: ') + 6)
    return [{ id: fields.get('id') ?? null, event: fields.get('event') ?? '', data }]
  })
}

type Stream = { readonly text: () => string; readonly events: () => readonly SseEvent[]; readonly end: () => void }

async function listen(bench: Bench, query = '', lastEventId?: string): Promise<Stream> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const before = bench.following()
  const answer = await open(over(bench, `/v1/events${query}`, { headers }))
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers['content-type'], 'text/event-stream')
  let text = ''
  answer.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  answer.on('error', () => {})
  await until(() => bench.following() === before + 1)
  return { text: () => text, events: () => eventsOf(text), end: () => answer.destroy() }
}

const idsOf = (stream: Stream): readonly (string | null)[] => stream.events().map(({ id }) => id)

test('[ADM-12] a verdict is an event with its id and the record in the order of the contract; no history unless asked', () =>
  withAdmin(async (bench) => {
    bench.source.append(recordOf(1))
    const stream = await listen(bench)
    bench.source.append(recordOf(2, { caller: 'spiffe://x' }))
    await until(() => stream.events().length === 1)
    const [event] = stream.events()
    assertFits({ $ref: '#/components/schemas/Event' }, event, 'verdict')
    assert.deepEqual(event, {
      id: 'v_000002',
      event: 'verdict',
      data: JSON.stringify(inFieldOrder(recordOf(2, { caller: 'spiffe://x' }))),
    })
    stream.end()
    await until(() => bench.following() === 0)
  }))

test('[ADM-12] with limit the newest that many come first, then what is written meanwhile, each once and in order', () =>
  withAdmin(async (bench) => {
    for (let number = 0; number < 50; number += 1) bench.source.append(recordOf(number))
    let next = 50
    bench.source.onRead = async () => {
      if (next < 80) bench.source.append(recordOf(next++))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const stream = await listen(bench, '?limit=40')
    await until(() => stream.events().length === 70)
    assert.deepEqual(
      idsOf(stream),
      Array.from({ length: 70 }, (_, at) => recordOf(at + 10).id),
    )
    stream.end()
  }))

test('[ADM-13] Last-Event-ID goes on right after that record, whatever was written while the history is read', () =>
  withAdmin(async (bench) => {
    for (let number = 0; number < 30; number += 1)
      bench.source.append(recordOf(number, number % 3 === 0 ? { agent: null } : {}))
    let next = 30
    bench.source.onRead = async () => {
      if (next < 60) bench.source.append(recordOf(next++))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const stream = await listen(bench, '?agent=growth/marketing&limit=5', 'v_000012')
    const wanted = Array.from({ length: 60 }, (_, at) => at).filter((at) => at > 12 && (at >= 30 || at % 3 !== 0))
    await until(() => stream.events().length >= 12)
    for (; next < 60; next += 1) bench.source.append(recordOf(next))
    await until(() => stream.events().length >= wanted.length)
    assert.deepEqual(
      idsOf(stream),
      wanted.map((at) => recordOf(at).id),
    )
    stream.end()
  }))

for (const id of ['v_unknown', 'nonsense', '../x'])
  test(`[ADM-13] after the id ${id}, which is not known, one reset comes, and then what is new`, () =>
    withAdmin(async (bench) => {
      bench.source.append(recordOf(1))
      const stream = await listen(bench, '?limit=10', id)
      bench.source.append(recordOf(2))
      await until(() => stream.events().length === 2)
      assert.deepEqual(
        stream.events().map(({ event, data }) => [event, event === 'reset' ? JSON.parse(data) : JSON.parse(data).id]),
        [
          ['reset', { reason: 'LAST_EVENT_UNKNOWN' }],
          ['verdict', 'v_000002'],
        ],
      )
      stream.end()
    }))

test('[ADM-14] each change of an agent is told as the agent is then, without its token; one that is gone by name', () =>
  withAdmin(async (bench) => {
    const stream = await listen(bench)
    bench.source.changed(MARKETING)
    await until(() => stream.events().length === 1)
    const [first] = stream.events()
    assert.equal(first?.event, 'agent')
    assert.equal(first?.id, null)
    const shown = await ask(tcp(bench, '/v1/agents/growth/marketing'))
    assert.deepEqual(JSON.parse(first?.data ?? ''), shown.json())
    assertFits({ $ref: '#/components/schemas/Agent' }, JSON.parse(first?.data ?? ''), 'agent')
    assert.equal(stream.text().includes('sp_vk_'), false)
    const [status] = bench.source.agents()
    assert.ok(status !== undefined)
    bench.source.agents = () => [{ ...status, state: 'Quarantined' }]
    bench.source.changed(MARKETING)
    await until(() => stream.events().length === 2)
    assert.equal(JSON.parse(stream.events()[1]?.data ?? '').state, 'Quarantined')
    bench.source.agents = () => []
    bench.source.changed(MARKETING)
    await until(() => stream.events().length === 3)
    const gone = stream.events()[2]
    assert.deepEqual([gone?.event, gone?.data], ['agent-gone', '{"namespace":"growth","name":"marketing"}'])
    stream.end()
  }))

test('[ADM-14] a filter by agent holds for its changes; what follows a verdict in time follows it in the stream', () =>
  withAdmin(async (bench) => {
    const other = await listen(bench, '?agent=growth/other')
    const own = await listen(bench, '?agent=growth/marketing&reason=INTENT_SQL_DDL')
    bench.source.append(recordOf(1, { reasons: [] }))
    bench.source.append(recordOf(2))
    bench.source.changed(MARKETING)
    bench.source.append(recordOf(3))
    await until(() => own.events().length === 3)
    assert.deepEqual(
      own.events().map(({ event, id }) => id ?? event),
      ['v_000002', 'agent', 'v_000003'],
    )
    assert.equal(other.text(), '')
    for (const stream of [other, own]) stream.end()
  }))

test('[ADM-12] follow=false ends after the history; a quiet stream shows that it lives', () =>
  withAdmin(
    async (bench) => {
      for (const number of [1, 2, 3]) bench.source.append(recordOf(number))
      const whole = await ask(over(bench, '/v1/events?limit=2&follow=false'))
      assert.deepEqual(
        eventsOf(whole.text).map(({ id }) => id),
        ['v_000002', 'v_000003'],
      )
      const stream = await listen(bench)
      await until(() => stream.text().split(': keepalive\n\n').length > 3)
      assert.deepEqual(stream.events(), [])
      stream.end()
    },
    { keepaliveMs: 20 },
  ))

test('[ADM-09] a reader of events that does not read is told OVERLOADED as an event, and the stream ends', () =>
  withAdmin(
    async (bench) => {
      const slow = connect(bench.socketPath)
      slow.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
      slow.pause()
      await until(() => bench.following() === 1)
      const message = 'x'.repeat(2_000)
      for (let number = 0; number < 2_000; number += 1) {
        bench.source.append(recordOf(number, { message }))
        if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      let text = ''
      slow.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      slow.resume()
      await until(() => text.includes('event: error\ndata: {"error":{"code":"OVERLOADED"'))
      await until(() => bench.following() === 0)
      const numbers = [...text.matchAll(/id: v_(\d+)/g)].map((match) => Number(match[1]))
      assert.deepEqual(
        numbers,
        numbers.map((_, at) => at),
        'what came before the end has no gap',
      )
      slow.destroy()
    },
    { followQueueBytes: 64 * 1024 },
  ))

test('[ADM-09] events and followed verdicts share one cap', () =>
  withAdmin(
    async (bench) => {
      const stream = await listen(bench)
      const refused = await ask(over(bench, '/v1/verdicts?follow=true'))
      assert.deepEqual([refused.status, codeOf(refused)], [503, 'OVERLOADED'])
      stream.end()
    },
    { maxFollowers: 1 },
  ))

for (const query of ['?limit=-1', '?limit=100001', '?limit=01', '?since=1m', '?follow=1', '?agent=x', '?reason=X'])
  test(`[ADM-05] events refuse ${query}`, () =>
    withAdmin(async (bench) => {
      const answer = await ask(over(bench, `/v1/events${query}`))
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'USAGE'])
    }))

test('[ADM-15] the summary counts agents by state and the verdicts since the start by action and check', () =>
  withAdmin(async (bench) => {
    bench.source.append(recordOf(1))
    bench.source.append(recordOf(2, { action: 'Allow', check: null }))
    bench.source.well = false
    const answer = await ask(tcp(bench, '/v1/summary'))
    assert.deepEqual(answer.json(), {
      agents: { Provisioned: 0, Active: 1, Quarantined: 0, Suspended: 0, Terminated: 0 },
      verdicts: {
        since: '2026-01-02T00:00:00.000Z',
        actions: { Allow: 1, Record: 0, Redact: 0, Hold: 0, Deny: 1, Abort: 0, Sever: 0 },
        checks: { wire: 0, identity: 0, grant: 0, intent: 1, injection: 0, data: 0, session: 0 },
      },
      health: { ok: false, reasons: ['the disk is full'] },
    })
  }))
