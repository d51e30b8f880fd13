import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewAuditEvent } from '#pkg/model'
import { silentLog } from '#pkg/platform/log'
import { type Lifecycle, openLifecycle, type Thaw } from './index.ts'
import {
  active,
  brief,
  clock,
  codeOf,
  ddl,
  inFolder,
  marketing,
  newSink,
  quarantined,
  research,
  verb,
} from './lifecycle.fixture.ts'

type Bench = { readonly life: Lifecycle; readonly sink: ReturnType<typeof newSink> }

const withSink = (body: (bench: Bench) => Promise<void> | void, thaw?: Thaw): Promise<void> =>
  inFolder(async (dataDir) => {
    const sink = newSink()
    const life = openLifecycle({ clock, log: silentLog, audit: sink, ...(thaw ? { thaw } : {}) }, { dataDir })
    try {
      await body({ life, sink })
    } finally {
      life.close()
    }
  })

const short = (event: NewAuditEvent | undefined): readonly unknown[] =>
  event?.kind === 'move'
    ? [event.from, event.to, event.epoch, event.source, event.by, event.reason ?? event.code]
    : [event?.kind]

test('[LIFE-19] each move is one event, in its turn: from, to, epoch, who, why; self-moves and reloads are none', () =>
  withSink(({ life, sink }) => {
    const steps: readonly (readonly [() => unknown, readonly unknown[] | null])[] = [
      [() => life.apply([active()]), null],
      [() => life.apply([active()]), null],
      [() => life.sever(marketing, ddl), ['Active', 'Quarantined', 2, 'Firewall', null, 'INTENT_SQL_DDL']],
      [() => life.sever(marketing, ddl), null],
      [() => life.move(marketing, verb('quarantine')), null],
      [() => life.move(marketing, verb('release')), ['Quarantined', 'Active', 2, 'User', 'socket:uid=0', 'by hand']],
      [() => life.apply([quarantined()]), ['Active', 'Quarantined', 3, 'File', null, 'by hand']],
      [() => life.apply([active()]), ['Quarantined', 'Active', 3, 'File', null, null]],
      [() => life.move(marketing, verb('suspend')), ['Active', 'Suspended', 4, 'User', 'socket:uid=0', 'by hand']],
      [
        () => life.move(marketing, verb('terminate')),
        ['Suspended', 'Terminated', 5, 'User', 'socket:uid=0', 'by hand'],
      ],
      [() => life.apply([]), ['Terminated', 'Terminated', 6, 'File', null, 'file removed']],
      [() => life.apply([active()]), [null, 'Terminated', 6, 'File', null, null]],
      [() => life.move(marketing, verb('forget')), ['Terminated', 'Active', 7, 'User', 'socket:uid=0', 'by hand']],
    ]
    for (const [at, [step, expected]] of steps.entries()) {
      const before = sink.events.length
      step()
      const told = sink.events.slice(before).map(short)
      assert.deepEqual(told, expected === null ? [] : [expected], `step ${at}`)
    }
  }))

test('[LIFE-19] a restart is no move', () =>
  inFolder((dataDir) => {
    const sink = newSink()
    for (const _ of [1, 2, 3]) {
      const life = openLifecycle({ clock, log: silentLog, audit: sink }, { dataDir })
      life.apply([quarantined(), active(research)])
      life.sever(research, ddl)
      life.close()
    }
    assert.deepEqual(
      sink.events.map((event) => short(event).slice(0, 3)),
      [
        [null, 'Quarantined', 1],
        ['Active', 'Quarantined', 2],
      ],
    )
  }))

test('[LIFE-19] rights are given back only on record; taken away they are at once, and all is shut until it is on record', () =>
  withSink(async ({ life, sink }) => {
    life.apply([active()])
    life.move(marketing, verb('quarantine'))
    sink.broken = true
    assert.equal(
      codeOf(() => life.move(marketing, verb('release'))),
      'STATE_UNAVAILABLE',
    )
    assert.deepEqual([brief(life.standingOf(marketing)), life.healthy], ['Quarantined@2', true])
    assert.equal(life.move(marketing, verb('suspend')).durable, false)
    assert.equal(
      codeOf(() => life.move(marketing, verb('reinstate'))),
      'STATE_UNAVAILABLE',
    )
    assert.deepEqual([brief(life.standingOf(marketing)), life.healthy], ['Suspended@3', false])
    sink.broken = false
    assert.deepEqual(Object.values(life.move(marketing, verb('suspend'))), ['Suspended', 'Suspended', 3, false, true])
    assert.equal(life.healthy, true)
    assert.deepEqual(
      sink.events.map((event) => short(event)[1]),
      ['Quarantined', 'Suspended'],
    )
  }))

test('[LIFE-20] a released agent is shut until its fresh key of that epoch is there', () => {
  const asked: string[] = []
  let give = (_isThere: boolean): void => {}
  const thaw: Thaw = (agent, epoch) => {
    asked.push(`${agent}@${epoch}`)
    return new Promise((resolve) => {
      give = resolve
    })
  }
  return withSink(async ({ life }) => {
    const heard: (string | null)[] = []
    life.onChange((standing) => heard.push(`${brief(standing)}${standing.thawing === true ? ' thawing' : ''}`))
    life.apply([active()])
    assert.deepEqual([life.standingOf(marketing)?.thawing, asked], [undefined, []])
    life.move(marketing, verb('quarantine'))
    life.move(marketing, verb('release'))
    assert.deepEqual([asked, life.standingOf(marketing)?.thawing], [['growth/marketing@2'], true])
    life.apply([active()])
    assert.equal(life.standingOf(marketing)?.thawing, true, 'a reload does not thaw')
    const late = give
    life.move(marketing, verb('quarantine'))
    assert.equal(life.standingOf(marketing)?.thawing, undefined)
    life.move(marketing, verb('release'))
    late(true)
    await Promise.resolve()
    assert.equal(life.standingOf(marketing)?.thawing, true, 'the key of before does not thaw')
    give(true)
    await Promise.resolve()
    assert.deepEqual(life.standingOf(marketing), { agent: marketing, state: 'Active', epoch: 3, holds: [] })
    assert.deepEqual(heard.slice(-2), ['Active@3 thawing', 'Active@3'])
  }, thaw)
})

test('[LIFE-20] a key that is not there is asked for again; a thaw that throws does not open', async () => {
  let calls = 0
  const thaw: Thaw = () => {
    calls += 1
    if (calls === 1) throw new Error('no issuer')
    return true
  }
  await withSink(async ({ life }) => {
    life.apply([active()])
    life.sever(marketing, ddl)
    life.apply([active(marketing, 2)])
    assert.equal(life.standingOf(marketing)?.thawing, true)
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    assert.deepEqual([life.standingOf(marketing)?.thawing, calls], [undefined, 2])
  }, thaw)
})
