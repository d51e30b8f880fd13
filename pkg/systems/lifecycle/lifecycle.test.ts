import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { agentKeyOf } from '#pkg/model'
import { silentLog } from '#pkg/platform/log'
import { type AgentCeiling, type Lifecycle, openLifecycle } from './index.ts'
import { active, brief, clock, ddl, inFolder, marketing, opened, quarantined, research } from './lifecycle.fixture.ts'

/** A step of a story: ceilings of the folder, `sever`, or `restart`. */
type Step = readonly AgentCeiling[] | 'sever' | 'restart'
type Story = { readonly id: string; readonly name: string; readonly steps: readonly (readonly [Step, string | null])[] }

const stories: readonly Story[] = [
  {
    id: 'LIFE-01',
    name: 'a severed agent is quarantined one epoch on, and a restart does not thaw it',
    steps: [
      [[active()], 'Active@1'],
      ['sever', 'Quarantined@2'],
      ['restart', null],
      [[active()], 'Quarantined@2'],
    ],
  },
  {
    id: 'LIFE-02',
    name: 'severing again while the hold counts changes nothing; after a release it is a new hold',
    steps: [
      [[active()], 'Active@1'],
      ['sever', 'Quarantined@2'],
      ['sever', 'Quarantined@2'],
      [[active(marketing, 2)], 'Active@2'],
      ['sever', 'Quarantined@3'],
      [[active(marketing, 2)], 'Quarantined@3'],
      [[active(marketing, 3)], 'Active@3'],
      ['restart', null],
      [[active(marketing, 3)], 'Active@3'],
    ],
  },
  {
    id: 'LIFE-03',
    name: 'a release beyond the epoch is worth the epoch of its first sight, also after a restart',
    steps: [
      [[active(marketing, 999)], 'Active@1'],
      ['sever', 'Quarantined@2'],
      [[active(marketing, 999)], 'Quarantined@2'],
      ['restart', null],
      [[active(marketing, 999)], 'Quarantined@2'],
      [[active(marketing, 1000)], 'Active@2'],
      ['sever', 'Quarantined@3'],
      ['restart', null],
      [[active(marketing, 1000)], 'Quarantined@3'],
    ],
  },
  {
    id: 'LIFE-03',
    name: 'a release taken back lets the hold count again, one epoch on',
    steps: [
      [[active()], 'Active@1'],
      ['sever', 'Quarantined@2'],
      [[active(marketing, 2)], 'Active@2'],
      [[active(marketing, 0)], 'Quarantined@3'],
      [[active(marketing, 3)], 'Active@3'],
    ],
  },
  {
    id: 'LIFE-04',
    name: 'a ceiling that turns Quarantined raises the epoch once; the epoch does not fall when it is lifted',
    steps: [
      [[active()], 'Active@1'],
      [[quarantined()], 'Quarantined@2'],
      [[quarantined()], 'Quarantined@2'],
      ['restart', null],
      [[quarantined()], 'Quarantined@2'],
      [[active()], 'Active@2'],
    ],
  },
  {
    id: 'LIFE-04',
    name: 'a released hold does not lift a ceiling, nor a lifted ceiling a hold',
    steps: [
      [[active()], 'Active@1'],
      ['sever', 'Quarantined@2'],
      [[quarantined(marketing, 2)], 'Quarantined@3'],
      [[quarantined(marketing, 0)], 'Quarantined@3'],
      [[active()], 'Quarantined@3'],
      [[active(marketing, 3)], 'Active@3'],
    ],
  },
  {
    id: 'LIFE-04',
    name: 'the firewall adds its own hold to a quarantine by hand',
    steps: [
      [[quarantined()], 'Quarantined@1'],
      ['sever', 'Quarantined@2'],
      [[active()], 'Quarantined@2'],
    ],
  },
  {
    id: 'LIFE-05',
    name: 'an agent that is gone is unknown; its old permits stay dead and its hold stands when it comes back',
    steps: [
      [[active()], 'Active@1'],
      [[], null],
      [[active()], 'Active@2'],
      ['sever', 'Quarantined@3'],
      [[active(research)], null],
      ['restart', null],
      [[active(research)], null],
      [[active()], 'Quarantined@4'],
    ],
  },
  {
    id: 'LIFE-05',
    name: 'an agent can be severed after its file is gone',
    steps: [
      [[active()], 'Active@1'],
      [[], null],
      ['sever', null],
      [[active()], 'Quarantined@3'],
    ],
  },
  {
    id: 'LIFE-04',
    name: 'of two ceilings for one agent the stricter counts',
    steps: [
      [[quarantined(), active()], 'Quarantined@1'],
      [[active(), quarantined()], 'Quarantined@1'],
    ],
  },
]

for (const story of stories)
  test(`[${story.id}] ${story.name}`, () =>
    inFolder((dataDir) => {
      const open = (): Lifecycle => openLifecycle({ clock, log: silentLog }, { dataDir })
      let life = open()
      for (const [at, [step, expected]] of story.steps.entries()) {
        if (step === 'restart') {
          life.close()
          life = open()
        } else if (step === 'sever') life.sever(marketing, ddl)
        else life.apply(step)
        assert.equal(brief(life.standingOf(marketing)), expected, `after step ${at}`)
      }
      life.close()
    }))

test('[LIFE-01] a hold names its epoch, source, reason, verdict and time', () =>
  inFolder((dataDir) => {
    opened(dataDir, (life) => {
      life.apply([active()])
      const standing = life.sever(marketing, ddl)
      assert.deepEqual(standing, life.standingOf(marketing))
      assert.deepEqual(standing.holds, [
        {
          epoch: 2,
          state: 'Quarantined',
          source: 'Firewall',
          code: 'INTENT_SQL_DDL',
          verdictId: 'v_1',
          since: '2026-01-31T08:00:00.000Z',
        },
      ])
    })
  }))

test('[LIFE-10] 5,000 agents are applied well below a second, without a line for those of whom there is nothing to say', () =>
  inFolder(async (dataDir) => {
    const many = Array.from({ length: 5_000 }, (_, at) => active(agentKeyOf({ namespace: 'n', name: `a${at}` })))
    opened(dataDir, (life) => {
      const before = performance.now()
      life.apply(many)
      life.apply(many)
      assert.ok(performance.now() - before < 10_000)
      assert.equal(life.all().length, 5_000)
    })
    assert.ok((await stat(join(dataDir, 'state.jsonl'))).size < 200)
  }))

const stepArbitrary = fc.oneof(
  fc.constant('sever' as const),
  fc.constant('restart' as const),
  fc.record({ quarantined: fc.boolean(), present: fc.boolean(), release: fc.nat({ max: 8 }) }),
)

test('[LIFE-11] in any story: the epoch never falls, a release never covers what came later, a restart changes nothing', () =>
  fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 14 }), (steps) =>
      inFolder((dataDir) => {
        const open = (): Lifecycle => openLifecycle({ clock, log: silentLog }, { dataDir })
        let life = open()
        let last: AgentCeiling[] = [active()]
        let lastEpoch = 0
        life.apply(last)
        for (const step of steps) {
          const before = life.standingOf(marketing)
          if (step === 'sever') {
            const after = life.sever(marketing, ddl)
            assert.equal(after.state, 'Quarantined')
            assert.ok(after.holds.some((hold) => hold.source === 'Firewall'))
          } else if (step === 'restart') {
            life.close()
            life = open()
            life.apply(last)
            assert.deepEqual(life.standingOf(marketing), before)
          } else {
            const make = step.quarantined ? quarantined : active
            last = step.present ? [make(marketing, step.release)] : []
            life.apply(last)
          }
          const now = life.standingOf(marketing)
          if (now === null) continue
          assert.ok(now.epoch >= lastEpoch)
          if (before?.state === 'Active' && now.state !== 'Active') assert.ok(now.epoch > before.epoch)
          lastEpoch = now.epoch
        }
        life.close()
      }),
    ),
    { numRuns: 40 },
  ))
