import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorCode, httpStatusOf, SallyportError } from '#pkg/model/errors'
import { MARKETING } from '../../../test/fixtures/admin-source.ts'
import { ask, type Bench, codeOf, over, tcp, withAdmin } from './admin.fixture.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const post = (bench: Bench, verb: string, body: unknown, agent = 'growth/marketing') =>
  ask(
    over(bench, `/v1/agents/${agent}/${verb}`, { method: 'POST', headers: JSON_TYPE }),
    typeof body === 'string' ? body : JSON.stringify(body),
  )

const taken: readonly (readonly [verb: string, body: object, asked: object])[] = [
  ['quarantine', { reason: 'odd' }, { reason: 'odd', force: false }],
  ['suspend', { reason: 'odd' }, { reason: 'odd', force: false }],
  ['release', { reason: 'fine' }, { reason: 'fine', force: false }],
  ['release', { reason: 'fine', throughEpoch: 2 }, { reason: 'fine', force: false, throughEpoch: 2 }],
  ['reinstate', { reason: 'fine', throughEpoch: 0 }, { reason: 'fine', force: false, throughEpoch: 0 }],
  ['terminate', { reason: 'leak', confirm: 'marketing' }, { reason: 'leak', force: false }],
  ['terminate', { reason: 'leak', confirm: 'marketing', force: true }, { reason: 'leak', force: true }],
  ['forget', { reason: 'gone' }, { reason: 'gone', force: false }],
]

for (const [verb, body, asked] of taken)
  test(`[ADM-11] ${verb} ${JSON.stringify(body)} is asked of the plane, with who asks`, () =>
    withAdmin(async (bench) => {
      const answer = await post(bench, verb, body)
      assert.equal(answer.status, 200, answer.text)
      const by = `socket:uid=${process.getuid?.()}`
      assert.deepEqual(bench.source.moves, [{ agent: MARKETING, ask: { ...asked, verb, by } }])
      assert.deepEqual(answer.json(), {
        namespace: 'growth',
        name: 'marketing',
        verb,
        from: 'Active',
        to: 'Quarantined',
        epoch: 2,
        changed: true,
        durable: true,
        acks: { wanted: 1, received: 1 },
      })
    }))

const refused: readonly (readonly [verb: string, body: unknown, code: ErrorCode])[] = [
  ['quarantine', {}, 'USAGE'],
  ['quarantine', { reason: '' }, 'USAGE'],
  ['quarantine', { reason: ' \n' }, 'USAGE'],
  ['quarantine', { reason: 7 }, 'USAGE'],
  ['quarantine', { reason: 'x'.repeat(513) }, 'USAGE'],
  ['quarantine', { reason: 'x', force: true }, 'USAGE'],
  ['quarantine', { reason: 'x', throughEpoch: 1 }, 'USAGE'],
  ['quarantine', { reason: 'x', more: 1 }, 'USAGE'],
  ['quarantine', { reason: 'x', __proto__x: 1 }, 'USAGE'],
  ['quarantine', [], 'USAGE'],
  ['quarantine', 'null', 'USAGE'],
  ['quarantine', '{', 'USAGE'],
  ['release', { reason: 'x', throughEpoch: -1 }, 'USAGE'],
  ['release', { reason: 'x', throughEpoch: 1.5 }, 'USAGE'],
  ['release', { reason: 'x', throughEpoch: '2' }, 'USAGE'],
  ['terminate', { reason: 'x' }, 'USAGE'],
  ['terminate', { reason: 'x', confirm: null }, 'USAGE'],
  ['terminate', { reason: 'x', confirm: 'growth/marketing' }, 'MOVE_UNCONFIRMED'],
  ['terminate', { reason: 'x', confirm: 'marketing', force: 'yes' }, 'USAGE'],
]

for (const [verb, body, code] of refused)
  test(`[ADM-11] ${verb} ${JSON.stringify(body).slice(0, 60)} is refused: ${code}`, () =>
    withAdmin(async (bench) => {
      const answer = await post(bench, verb, body)
      assert.deepEqual([answer.status, codeOf(answer)], [httpStatusOf(code), code])
      assert.deepEqual(bench.source.moves, [])
    }))

test('[ADM-11] a refusal of the plane has its own code and status; another method or verb does nothing', () =>
  withAdmin(async (bench) => {
    bench.source.done = new SallyportError('MOVE_REFUSED', 'not from here; possible: reinstate')
    const answer = await post(bench, 'release', { reason: 'x' })
    assert.deepEqual([answer.status, codeOf(answer)], [409, 'MOVE_REFUSED'])
    assert.match(answer.text, /possible: reinstate/)
    const moves = bench.source.moves.length
    assert.equal((await ask(over(bench, '/v1/agents/growth/marketing/release'))).status, 405)
    bench.source.done = new SallyportError('ADMIN_NOT_FOUND', 'no agent is known')
    const typo = await post(bench, 'quarantine', { reason: 'x' }, 'growth/marketin')
    assert.equal(typo.status, 404)
    assert.match(typo.text, /did you mean \\"growth\/marketing\\"/)
    bench.source.moves.pop()
    assert.equal((await post(bench, 'explode', { reason: 'x' })).status, 404)
    assert.equal((await post(bench, 'release', { reason: 'x' }, 'growth/UPPER')).status, 404)
    assert.equal(bench.source.moves.length, moves)
  }))

test('[ADM-11] over TCP the token moves agents, and nothing without it; a form of a web page does not', () =>
  withAdmin(async (bench) => {
    const path = '/v1/agents/growth/marketing/quarantine'
    const send = (headers: Record<string, string>) =>
      ask({ ...tcp(bench, path, headers), method: 'POST' }, '{"reason":"x"}')
    assert.equal((await send({ ...JSON_TYPE, authorization: 'Bearer no' })).status, 401)
    assert.equal((await send({ 'content-type': 'text/plain' })).status, 400)
    assert.deepEqual(bench.source.moves, [])
    assert.equal((await send(JSON_TYPE)).status, 200)
    assert.deepEqual(
      [...bench.source.moves].map(({ ask: { by } }) => by),
      ['token'],
    )
  }))
