import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompiledAgent } from '#pkg/control/compile'
import { agentKeyOf, type Hold, type LifecycleState, type Standing } from '#pkg/model'
import { adviceOn, adviceOnAll, reasonOf } from './advice.ts'

const key = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const hold = (epoch: number): Hold => {
  return { epoch, state: 'Quarantined', source: 'Firewall', code: `CODE_${epoch}`, verdictId: null, since: '' }
}
const standing = (state: LifecycleState, ...epochs: readonly number[]): Standing => {
  return { agent: key, state, epoch: 5, holds: epochs.map(hold) }
}
const file = (state: CompiledAgent['state'], releaseThroughEpoch = 0, reason = 'looked odd'): CompiledAgent => {
  return { key, state, reason, releaseThroughEpoch, force: false, activation: 'Automatic', place: 'a.yaml:5' }
}

const reasons = [
  ['an active agent has none', file('Active'), standing('Active'), null],
  ['the file says why', file('Quarantined'), standing('Quarantined'), 'looked odd'],
  ['the file before a hold', file('Quarantined'), standing('Quarantined', 2), 'looked odd'],
  ['the newest hold', file('Active'), standing('Quarantined', 2, 4), 'CODE_4'],
  ['an agent without a life', file('Active'), null, null],
] as const

for (const [name, agent, at, reason] of reasons)
  test(`[ADM-06] why an agent may not act: ${name}`, () => assert.equal(reasonOf(agent, at), reason))

type Row = readonly [
  name: string,
  released: number,
  held: readonly number[],
  code: string | null,
  remedy: number | null,
]

const releases: readonly Row[] = [
  ['no hold and no release', 0, [], null, null],
  ['a hold and no release', 0, [2], null, null],
  ['a release that covers all', 2, [], null, null],
  ['a release below the hold', 1, [2], 'RELEASE_TOO_LOW', 2],
  ['a release below the newest of two', 2, [3, 4], 'RELEASE_TOO_LOW', 4],
  ['a release that was beyond the epoch, then a hold', 9, [3], 'RELEASE_BEYOND_EPOCH', 3],
  ['the number that is already there would change nothing', 3, [3], 'RELEASE_BEYOND_EPOCH', 4],
]

for (const [name, released, held, code, remedy] of releases)
  test(`[ADM-06] releaseThroughEpoch: ${name}: ${code ?? 'nothing to know'}`, () => {
    const lives = {
      standingOf: () => standing(held.length > 0 ? 'Quarantined' : 'Active', ...held),
      refusedOf: () => null,
    }
    const [advice, ...more] = adviceOn(file('Active', released), lives)
    assert.deepEqual([advice?.code ?? null, more.length], [code, 0])
    if (remedy !== null) assert.ok(advice?.message.endsWith(`releaseThroughEpoch: ${remedy}`), advice?.message)
  })

test('[ADM-06] that nobody may do anything is said once, with and without a folder', () => {
  const snapshot = { denyAll: true } as Parameters<typeof adviceOnAll>[1][number] // nothing else is looked at
  const allowed = { denyAll: false } as typeof snapshot
  for (const dir of [null, 'policies']) {
    const codes = (...list: Parameters<typeof adviceOnAll>[1][number][]) =>
      adviceOnAll(dir, list).map((one) => one.code)
    assert.deepEqual(codes(snapshot, snapshot), ['DENY_ALL'])
    assert.deepEqual(codes(), ['DENY_ALL'])
    assert.deepEqual(codes(snapshot, allowed), [])
  }
})

const refusals: readonly (readonly [asked: CompiledAgent['state'], now: LifecycleState, remedy: RegExp])[] = [
  ['Terminated', 'Active', /set it to Suspended first, or add force: true$/],
  ['Quarantined', 'Suspended', /set it to Active first$/],
  ['Active', 'Terminated', /"agents forget growth\/marketing"/],
]

for (const [asked, now, remedy] of refusals)
  test(`[LIFE-16] a file that asks for ${asked} of an agent that is ${now}: told with its line and what to do`, () => {
    const lives = { standingOf: () => standing(now), refusedOf: () => ({ state: asked }) }
    const [advice] = adviceOn(file(asked), lives)
    assert.equal(advice?.code, 'MOVE_REFUSED')
    assert.match(advice.message, /a\.yaml:5 asks for/)
    assert.match(advice.message, remedy)
  })
