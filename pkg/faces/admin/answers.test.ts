import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Snapshot } from '#pkg/model'
import { MARKETING, recordOf } from '../../../test/fixtures/admin-source.ts'
import { ask, codeOf, over, tcp, withAdmin } from './admin.fixture.ts'
import type { AgentStatus } from './index.ts'

const faults: readonly {
  readonly name: string
  readonly path: string
  readonly method?: string
  readonly code: string
  readonly status: number
}[] = [
  { name: 'an unknown path', path: '/v2/agents', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'a path with a slash at its end', path: '/v1/agents/', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'dots', path: '/v1/agents/../verdicts', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'an escaped segment', path: '/v1/agents/growth/market%69ng', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'an unknown agent', path: '/v1/agents/growth/nobody', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'no label', path: '/v1/agents/growth/UPPER', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'an unknown policy', path: '/v1/agents/growth/nobody/policy', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'an unknown verdict', path: '/v1/verdicts/v_nothing', code: 'ADMIN_NOT_FOUND', status: 404 },
  { name: 'a write to agents', path: '/v1/agents', method: 'POST', code: 'ADMIN_METHOD', status: 405 },
  { name: 'a delete', path: '/v1/agents/growth/marketing', method: 'DELETE', code: 'ADMIN_METHOD', status: 405 },
  { name: 'explain by GET', path: '/v1/explain', code: 'ADMIN_METHOD', status: 405 },
  { name: 'an unknown parameter', path: '/v1/verdicts?agnet=growth/marketing', code: 'USAGE', status: 400 },
  { name: 'a parameter twice', path: '/v1/verdicts?limit=1&limit=2', code: 'USAGE', status: 400 },
  { name: 'a parameter where none is', path: '/v1/agents?all=1', code: 'USAGE', status: 400 },
  { name: 'an agent without namespace', path: '/v1/verdicts?agent=marketing', code: 'USAGE', status: 400 },
  { name: 'a reason that is none', path: '/v1/verdicts?reason=BECAUSE', code: 'USAGE', status: 400 },
  { name: 'a prototype name as reason', path: '/v1/verdicts?reason=constructor', code: 'USAGE', status: 400 },
  { name: 'a day as moment', path: '/v1/verdicts?since=2026-01-01', code: 'USAGE', status: 400 },
  { name: 'limit 0', path: '/v1/verdicts?limit=0', code: 'USAGE', status: 400 },
  { name: 'a limit above the cap', path: '/v1/verdicts?limit=100001', code: 'USAGE', status: 400 },
  { name: 'follow as number', path: '/v1/verdicts?follow=1', code: 'USAGE', status: 400 },
]

test('[ADM-05] what cannot be answered is an error by name, and nothing else', async (t) =>
  withAdmin(async (bench) => {
    for (const row of faults)
      await t.test(row.name, async () => {
        const answer = await ask(over(bench, row.path, { method: row.method ?? 'GET' }))
        assert.equal(answer.status, row.status)
        assert.deepEqual(Object.keys(answer.json()), ['error'])
        assert.equal(codeOf(answer), row.code)
        if (row.status === 405) assert.ok(answer.headers.allow)
      })
  }))

const meant: readonly (readonly [name: string, asked: string, nearest: string | undefined])[] = [
  ['the name in another namespace', 'default/marketing', 'growth/marketing'],
  ['a slip in the name', 'growth/marketin', 'growth/marketing'],
  ['a slip, and no namespace', 'default/marketting', 'growth/marketing'],
  ['nothing alike', 'growth/nobody', undefined],
]

for (const [name, asked, nearest] of meant)
  test(`[ADM-05] an agent that is not there: ${name} names ${nearest ?? 'none'} as the one that was meant`, async () =>
    withAdmin(async (bench) => {
      const explain = { method: 'POST', headers: { 'content-type': 'application/json' } }
      const body = JSON.stringify({ agent: asked, call: { name: 'x', arguments: {} } })
      for (const answer of [
        await ask(over(bench, `/v1/agents/${asked}`)),
        await ask(over(bench, `/v1/agents/${asked}/policy`)),
        await ask(over(bench, '/v1/explain', explain), body),
      ]) {
        assert.equal(codeOf(answer), 'ADMIN_NOT_FOUND')
        const { error } = answer.json<{ readonly error: { readonly nearest?: string } }>()
        assert.equal(error.nearest, nearest)
      }
    }))

test('[ADM-06] an agent says why it may not act, what its file releases, and what to know; absent is nothing', async () =>
  withAdmin(async (bench) => {
    const told = async () => {
      const { reason, releaseThroughEpoch, warnings } = (await ask(over(bench, '/v1/agents/growth/marketing'))).json()
      return { reason, releaseThroughEpoch, warnings }
    }
    assert.deepEqual(await told(), { reason: null, releaseThroughEpoch: 0, warnings: [] })
    const [status] = bench.source.agents()
    assert.ok(status !== undefined)
    const said = {
      reason: 'looked odd',
      releaseThroughEpoch: 2,
      warnings: [{ code: 'RELEASE_TOO_LOW', agent: MARKETING, message: 'x' }],
    }
    bench.source.agents = () => [{ ...status, state: 'Quarantined', ...said }]
    assert.deepEqual(await told(), said)
  }))

test('[ADM-05] a source that throws is 500 without its message', async () =>
  withAdmin(async (bench) => {
    bench.source.verdicts.find = () => {
      throw new Error('secret /path')
    }
    const answer = await ask(over(bench, '/v1/verdicts/v_1'))
    assert.equal(answer.status, 500)
    assert.equal(codeOf(answer), 'INTERNAL')
    assert.equal(answer.text.includes('secret'), false)
  }))

test('[ADM-06] health, version, agents and policies answer what the plane says', async () =>
  withAdmin(async (bench) => {
    assert.deepEqual((await ask(over(bench, '/v1/version'))).json(), { version: '1.2.3', api: 'v1' })
    const agents = (await ask(over(bench, '/v1/agents'))).json<readonly AgentStatus[]>()
    assert.deepEqual(
      agents.map((agent) => agent.name),
      ['marketing'],
    )
    assert.deepEqual(agents[0]?.acks, { wanted: 1, received: 1 })
    const policy = (await ask(over(bench, '/v1/agents/growth/marketing/policy'))).json<Snapshot>()
    assert.deepEqual(policy.grants[0]?.source, { policy: 'growth/marketing', path: 'tools.allow[0]' })
    assert.deepEqual((await ask(over(bench, '/healthz'))).json(), { ok: true, reasons: [], policyFaults: [] })
    bench.source.well = false
    bench.source.faults = [{ file: 'a.yaml', line: 3, column: 5, message: 'unknown field' }]
    const ill = await ask(over(bench, '/healthz'))
    assert.equal(ill.status, 503)
    assert.deepEqual(ill.json()['policyFaults'], bench.source.faults)
  }))

test('[ADM-06] moves of an agent are answered as the plane tells them, the newest that many, of one that has left too', async () =>
  withAdmin(async (bench) => {
    const move = {
      kind: 'move',
      id: 'e_1',
      time: '2026-01-01T00:00:00.000Z',
      agent: MARKETING,
      from: 'Active',
      to: 'Quarantined',
      epoch: 2,
      source: 'Firewall',
      by: null,
      code: 'INTENT_SQL_DDL',
      reason: null,
      verdictId: 'v_1',
    } as const
    const asked: number[] = []
    bench.source.movesOf = (agent, limit) => {
      asked.push(limit)
      return Promise.resolve(agent === MARKETING ? [move] : [])
    }
    const path = '/v1/agents/growth/marketing/moves'
    const { kind: _kind, agent: _agent, ...record } = move
    assert.deepEqual((await ask(over(bench, path))).json(), [record])
    bench.source.agents = () => []
    assert.deepEqual((await ask(over(bench, `${path}?limit=7`))).json(), [record])
    assert.deepEqual(asked, [100, 7])
    assert.equal(codeOf(await ask(over(bench, '/v1/agents/growth/nobody/moves'))), 'ADMIN_NOT_FOUND')
    for (const query of ['?limit=0', '?limit=1001', '?since=1m'])
      assert.equal(codeOf(await ask(over(bench, path + query))), 'USAGE')
  }))

const FIELDS =
  'id time agent session dialect direction tool action enforced reasons check policy rule us message generation epoch'.split(
    ' ',
  )

test('[ADM-07] verdicts come as lines with the fields of the contract, oldest first, filtered', async () =>
  withAdmin(async (bench) => {
    for (let number = 0; number < 6; number += 1)
      bench.source.append(
        recordOf(number, number % 2 === 0 ? {} : { agent: null, reasons: ['IDENTITY_TOKEN_UNKNOWN'] }),
      )
    const read = async (query: string): Promise<readonly string[]> => {
      const answer = await ask(over(bench, `/v1/verdicts${query}`))
      assert.equal(answer.headers['content-type'], 'application/x-ndjson; charset=utf-8')
      const lines = answer.text.split('\n').slice(0, -1)
      for (const line of lines) assert.deepEqual(Object.keys(JSON.parse(line)), FIELDS)
      return lines.map((line) => JSON.parse(line).id.slice(-1))
    }
    assert.deepEqual(await read(''), ['0', '1', '2', '3', '4', '5'])
    assert.deepEqual(await read('?agent=growth/marketing'), ['0', '2', '4'])
    assert.deepEqual(await read('?reason=IDENTITY_TOKEN_UNKNOWN&limit=2'), ['3', '5'])
    assert.deepEqual(await read(`?since=${encodeURIComponent('2026-01-01T00:00:04+00:00')}`), ['4', '5'])
    assert.deepEqual(await read('?since=86397s'), ['3', '4', '5'], 'the clock of the process counts')
    assert.deepEqual((await ask(over(bench, '/v1/verdicts/v_000002'))).json(), recordOf(2))
  }))

const json = { 'content-type': 'application/json' }

test('[ADM-10] explain asks the plane and answers the deciding rule without an id', async () =>
  withAdmin(async (bench) => {
    const post = over(bench, '/v1/explain', { method: 'POST', headers: json })
    const call = { name: 'send_email', arguments: { to: 'a@b.example' } }
    const answer = await ask(post, JSON.stringify({ agent: 'growth/marketing', call }))
    assert.equal(answer.status, 200)
    const { action, reasons, check, id } = answer.json()
    assert.deepEqual(
      { action, reasons, check, id },
      { action: 'Deny', reasons: ['TOOL_NOT_GRANTED'], check: 'grant', id: undefined },
    )
    assert.deepEqual(bench.source.explained, [{ agent: MARKETING, call }])
    assert.equal(bench.source.records.length, 0)
  }))

test('[ADM-10] an Allow is explained by the entry that grants it', async () =>
  withAdmin(async (bench) => {
    const plain = bench.source.explainCall
    const granted = { policy: 'growth/marketing', path: 'tools.allow[0]' }
    bench.source.explainCall = async (agent, call) => ({ ...(await plain(agent, call)), granted })
    const body = JSON.stringify({ agent: 'growth/marketing', call: { name: 'run_sql', arguments: {} } })
    const answer = await ask(over(bench, '/v1/explain', { method: 'POST', headers: json }), body)
    const { action, policy, rule } = answer.json()
    assert.deepEqual([action, policy, rule], ['Allow', granted.policy, granted.path])
  }))

test('[ADM-10] an explain body of another shape, type or size is refused before the plane hears of it', async () =>
  withAdmin(
    async (bench) => {
      const good = { agent: 'growth/marketing', call: { name: 'x', arguments: {} } }
      const rows: readonly (readonly [string, Record<string, string>, number])[] = [
        ['', json, 400],
        ['{', json, 400],
        ['[]', json, 400],
        [JSON.stringify({ ...good, agent: 7 }), json, 400],
        [JSON.stringify({ ...good, extra: 1 }), json, 400],
        [JSON.stringify({ agent: 'growth/marketing', call: { name: '' } }), json, 400],
        [JSON.stringify({ ...good, agent: '../x' }), json, 400],
        [JSON.stringify({ ...good, agent: 'growth/nobody' }), json, 404],
        [JSON.stringify(good), { 'content-type': 'text/plain' }, 400],
        [JSON.stringify({ ...good, call: { name: 'x'.repeat(5_000) } }), json, 400],
      ]
      for (const [body, headers, status] of rows) {
        const answer = await ask(over(bench, '/v1/explain', { method: 'POST', headers }), body)
        assert.equal(answer.status, status, body.slice(0, 60))
      }
      assert.deepEqual(bench.source.explained, [])
      const exact = JSON.stringify({ ...good, call: { name: 'x', arguments: { pad: '' } } })
      for (const [size, status] of [
        [4_096, 200],
        [4_097, 400],
      ] as const) {
        const body = exact.replace('"pad":""', `"pad":"${'y'.repeat(size - exact.length)}"`)
        assert.equal(
          (await ask(over(bench, '/v1/explain', { method: 'POST', headers: json }), body)).status,
          status,
          `${size}`,
        )
      }
    },
    { maxBodyBytes: 4_096 },
  ))

test('[ADM-10] bytes that are no HTTP get an answer and the door; the next one is served', async () =>
  withAdmin(async (bench) => {
    const socket = connect(bench.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.write('\x16\x03\x01 nonsense\r\n\r\n')
    await new Promise((resolve) => socket.once('close', resolve))
    assert.match(text, /^HTTP\/1\.1 400 /)
    assert.equal((await ask(tcp(bench, '/healthz'))).status, 200)
  }))
