import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#pkg/platform/log'
import { type AgentCeiling, type Lifecycle, openLifecycle, type VerbAsk } from './index.ts'
import {
  active,
  brief,
  clock,
  codeOf,
  ddl,
  inFolder,
  marketing,
  opened,
  quarantined,
  verb,
} from './lifecycle.fixture.ts'

const ceiling = (state: AgentCeiling['state'], more: Partial<AgentCeiling> = {}): AgentCeiling => ({
  ...active(),
  state,
  reason: 'by hand',
  place: 'a.yaml:7',
  ...more,
})
const manual = (more: Partial<AgentCeiling> = {}): AgentCeiling => ({ ...active(), activation: 'Manual', ...more })

type Step = AgentCeiling | VerbAsk | 'sever' | 'restart' | 'gone'
type Story = {
  readonly id: string
  readonly name: string
  /** A step, and the standing after it; with `!` before the code that it throws. */
  readonly steps: readonly (readonly [Step, string | null])[]
}

const stories: readonly Story[] = [
  {
    id: 'LIFE-18',
    name: 'quarantine, again, release, again: the epoch rises once, and self-moves change nothing',
    steps: [
      [active(), 'Active@1'],
      [verb('quarantine'), 'Quarantined@2'],
      [verb('quarantine'), 'Quarantined@2'],
      ['restart', null],
      [active(), 'Quarantined@2'],
      [verb('release'), 'Active@2'],
      [verb('release'), 'Active@2'],
      ['restart', null],
      [active(), 'Active@2'],
    ],
  },
  {
    id: 'LIFE-18',
    name: 'suspend goes on from quarantine and leads back by reinstate alone',
    steps: [
      [active(), 'Active@1'],
      [verb('quarantine'), 'Quarantined@2'],
      [verb('reinstate'), '!MOVE_REFUSED Quarantined@2'],
      [verb('suspend'), 'Suspended@3'],
      [verb('quarantine'), '!MOVE_REFUSED Suspended@3'],
      [verb('release'), '!MOVE_REFUSED Suspended@3'],
      [verb('reinstate'), 'Active@3'],
    ],
  },
  {
    id: 'LIFE-15',
    name: 'a hold that was raised after the person looked survives the release',
    steps: [
      [active(), 'Active@1'],
      [verb('quarantine'), 'Quarantined@2'],
      ['sever', 'Quarantined@3'],
      [verb('release', { throughEpoch: 2 }), 'Quarantined@3'],
      [verb('release', { throughEpoch: 4 }), '!MOVE_REFUSED Quarantined@3'],
      [verb('release', { throughEpoch: 3 }), 'Active@3'],
    ],
  },
  {
    id: 'LIFE-18',
    name: 'terminate needs suspended, or force; then only forget leads out, one epoch on',
    steps: [
      [active(), 'Active@1'],
      [verb('terminate'), '!MOVE_REFUSED Active@1'],
      [verb('suspend'), 'Suspended@2'],
      [verb('terminate'), 'Terminated@3'],
      [verb('terminate'), 'Terminated@3'],
      [verb('reinstate'), '!MOVE_REFUSED Terminated@3'],
      ['restart', null],
      [active(), 'Terminated@3'],
      [active(marketing, 3), 'Terminated@3'],
      ['gone', null],
      [active(), 'Terminated@4'],
      [verb('forget'), 'Active@5'],
      [verb('forget'), '!MOVE_REFUSED Active@5'],
      [verb('terminate', { force: true }), 'Terminated@6'],
    ],
  },
  {
    id: 'LIFE-18',
    name: 'what is not in the folder can be forgotten, and nothing else',
    steps: [
      [active(), 'Active@1'],
      [verb('terminate', { force: true }), 'Terminated@2'],
      ['gone', null],
      [verb('quarantine'), '!ADMIN_NOT_FOUND null'],
      [verb('forget'), null],
      [manual(), 'Provisioned@4'],
    ],
  },
  {
    id: 'LIFE-18',
    name: 'what the file holds no verb lifts; a verb may hold more, and both have to let go',
    steps: [
      [ceiling('Quarantined'), 'Quarantined@1'],
      [verb('release'), '!MOVE_OVERRIDDEN Quarantined@1'],
      [verb('quarantine'), 'Quarantined@2'],
      [active(), 'Quarantined@2'],
      [verb('release'), 'Active@2'],
      [ceiling('Suspended'), 'Suspended@3'],
      [verb('reinstate'), '!MOVE_OVERRIDDEN Suspended@3'],
      [active(), 'Active@3'],
      [ceiling('Terminated', { force: true }), 'Terminated@4'],
      [verb('forget'), '!MOVE_OVERRIDDEN Terminated@4'],
      [active(), 'Terminated@4'],
      [verb('forget'), 'Active@5'],
    ],
  },
  {
    id: 'LIFE-16',
    name: 'a file that asks for a move that is not allowed changes nothing, not even later by itself',
    steps: [
      [active(), 'Active@1'],
      [ceiling('Terminated'), 'Active@1'],
      [verb('suspend'), 'Suspended@2'],
      [ceiling('Terminated'), 'Suspended@2'],
      ['restart', null],
      [ceiling('Terminated'), 'Suspended@2'],
      [ceiling('Suspended'), 'Suspended@3'],
      [ceiling('Terminated'), 'Terminated@4'],
      [active(), 'Terminated@4'],
    ],
  },
  {
    id: 'LIFE-16',
    name: 'suspended does not become quarantined by a file, nor does its release count with that',
    steps: [
      [active(), 'Active@1'],
      [ceiling('Suspended'), 'Suspended@2'],
      ['sever', 'Suspended@3'],
      [quarantined(marketing, 3), 'Suspended@3'],
      [active(marketing, 3), 'Active@3'],
    ],
  },
  {
    id: 'LIFE-16',
    name: 'an agent that nobody knew and whose file asks for Terminated without force stays provisioned',
    steps: [
      [ceiling('Terminated'), 'Provisioned@1'],
      [verb('release'), '!MOVE_OVERRIDDEN Provisioned@1'],
      ['restart', null],
      [ceiling('Terminated'), 'Provisioned@1'],
      [active(), 'Active@1'],
    ],
  },
  {
    id: 'LIFE-17',
    name: 'Manual: provisioned until it is released, also after a restart; a stricter ceiling keeps it so',
    steps: [
      [manual(), 'Provisioned@1'],
      [verb('quarantine'), '!MOVE_REFUSED Provisioned@1'],
      ['restart', null],
      [manual(), 'Provisioned@1'],
      [manual({ state: 'Quarantined', reason: 'odd' }), 'Provisioned@2'],
      [verb('release'), '!MOVE_OVERRIDDEN Provisioned@2'],
      [manual(), 'Provisioned@2'],
      [verb('release'), 'Active@2'],
      ['restart', null],
      [manual(), 'Active@2'],
      ['sever', 'Quarantined@3'],
    ],
  },
  {
    id: 'LIFE-17',
    name: 'Manual that comes later does not stop who acts already; without it a provisioned agent becomes active',
    steps: [
      [active(), 'Active@1'],
      [manual(), 'Active@1'],
      ['gone', null],
      [manual(), 'Active@2'],
    ],
  },
  {
    id: 'LIFE-17',
    name: 'Manual that comes to an agent that no policy selected finds one that never acted; losing the policy releases nobody',
    steps: [
      [manual({ activation: 'None' }), 'Active@1'],
      [manual(), 'Provisioned@1'],
      [manual({ activation: 'None' }), 'Provisioned@1'],
      [manual(), 'Provisioned@1'],
      [verb('release'), 'Active@1'],
      [manual({ activation: 'None' }), 'Active@1'],
      [manual(), 'Active@1'],
    ],
  },
  {
    id: 'LIFE-17',
    name: 'a provisioned agent becomes active when its policy no longer asks for a person',
    steps: [
      [manual(), 'Provisioned@1'],
      [active(), 'Active@1'],
    ],
  },
]

for (const story of stories)
  test(`[${story.id}] ${story.name}`, () =>
    inFolder((dataDir) => {
      const open = (): Lifecycle => openLifecycle({ clock, log: silentLog }, { dataDir })
      let life = open()
      const take = (step: Step): void => {
        if (step === 'restart') {
          life.close()
          life = open()
        } else if (step === 'sever') life.sever(marketing, ddl)
        else if (step === 'gone') life.apply([])
        else if ('verb' in step) life.move(marketing, step)
        else life.apply([step])
      }
      for (const [at, [step, expected]] of story.steps.entries()) {
        const code = codeOf(() => take(step))
        const now = brief(life.standingOf(marketing))
        assert.equal(code === null ? now : `!${code} ${now}`, expected, `after step ${at}`)
      }
      life.close()
    }))

test('[LIFE-18] a verb answers what it did; a hold says who, why and since when', () =>
  inFolder((dataDir) =>
    opened(dataDir, (life) => {
      life.apply([active()])
      const done = life.move(marketing, verb('quarantine'))
      assert.deepEqual(done, { from: 'Active', to: 'Quarantined', epoch: 2, changed: true, durable: true })
      const again = life.move(marketing, verb('quarantine'))
      assert.deepEqual(again, { from: 'Quarantined', to: 'Quarantined', epoch: 2, changed: false, durable: true })
      assert.deepEqual(life.standingOf(marketing)?.holds, [
        {
          epoch: 2,
          state: 'Quarantined',
          source: 'User',
          code: 'USER_QUARANTINED',
          verdictId: null,
          since: '2026-01-31T08:00:00.000Z',
          reason: 'by hand',
          by: 'socket:uid=0',
        },
      ])
    }),
  ))

test('[LIFE-18] what is refused says what is possible; what a file overrides says where', () =>
  inFolder((dataDir) =>
    opened(dataDir, (life) => {
      life.apply([ceiling('Quarantined')])
      assert.throws(() => life.move(marketing, verb('release')), /a\.yaml:7 says "state: Quarantined"/)
      life.apply([active()])
      assert.throws(
        () => life.move(marketing, verb('terminate')),
        /without --force from Active.*possible: quarantine, suspend/,
      )
      life.apply([ceiling('Terminated')])
      assert.deepEqual(life.refusedOf(marketing)?.state, 'Terminated')
    }),
  ))

test('[LIFE-18] a refused verb says what is possible, as it is typed', () =>
  inFolder((dataDir) =>
    opened(dataDir, (life) => {
      life.apply([active()])
      const says = (ask: VerbAsk, words: RegExp): void => assert.throws(() => life.move(marketing, ask), words)
      says(verb('terminate'), /without --force .*; possible: quarantine, suspend; or terminate --force$/)
      life.move(marketing, verb('terminate', { force: true }))
      says(verb('release'), /possible: agents forget, after which a new agent may have the name$/)
    }),
  ))
