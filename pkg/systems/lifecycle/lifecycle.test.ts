import assert from 'node:assert/strict'
import { fsyncSync, writeSync } from 'node:fs'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AgentKey, agentKeyOf, type Standing } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { newManualClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { type AgentCeiling, type Lifecycle, openLifecycle, type StateDisk } from './index.ts'
import { sealed } from './row-codec.ts'

const marketing = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const research = agentKeyOf({ namespace: 'growth', name: 'research' })
const ddl = { code: 'INTENT_SQL_DDL', verdictId: 'v_1' } as const
const clock = newManualClock(Date.UTC(2026, 0, 31, 8))

const active = (key: AgentKey = marketing, releaseThroughEpoch = 0): AgentCeiling => ({
  key,
  state: 'Active',
  reason: '',
  releaseThroughEpoch,
})
const quarantined = (key: AgentKey = marketing, releaseThroughEpoch = 0): AgentCeiling => ({
  ...active(key, releaseThroughEpoch),
  state: 'Quarantined',
  reason: 'by hand',
})

/** What a row of a table looks at: `state@epoch`, or null for an agent that is not known. */
const brief = (standing: Standing | null): string | null => standing && `${standing.state}@${standing.epoch}`

async function inFolder(body: (dataDir: string) => Promise<void> | void): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-lifecycle-'))
  try {
    await body(dataDir)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

function opened<T>(dataDir: string, body: (life: Lifecycle) => T, disk?: StateDisk): T {
  const life = openLifecycle({ clock, log: silentLog, ...(disk === undefined ? {} : { disk }) }, { dataDir })
  try {
    return body(life)
  } finally {
    life.close()
  }
}

function codeOf(body: () => unknown): string | null {
  try {
    body()
    return null
  } catch (error) {
    assert.ok(error instanceof SallyportError, `not a SallyportError: ${error}`)
    return error.code
  }
}

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

test('[LIFE-06] listeners hear of each change in its turn, once, and of nothing else', () =>
  inFolder((dataDir) => {
    opened(dataDir, (life) => {
      const heard: string[] = []
      life.onChange(() => {
        throw new Error('a listener that fails')
      })
      const stop = life.onChange((standing) => {
        heard.push(`${standing.agent} ${brief(standing)} ${brief(life.standingOf(standing.agent))}`)
      })
      life.apply([active(), active(research)])
      heard.length = 0
      life.apply([active(), active(research)])
      assert.deepEqual(heard, [])
      life.sever(marketing, ddl)
      life.sever(marketing, ddl)
      assert.deepEqual(heard.splice(0), ['growth/marketing Quarantined@2 Quarantined@2'])
      life.apply([active(marketing, 2)])
      assert.deepEqual(heard.splice(0), ['growth/marketing Active@2 Active@2', 'growth/research Suspended@2 null'])
      stop()
      life.sever(marketing, ddl)
      assert.deepEqual(heard, [])
    })
  }))

test('[LIFE-06] the hold is on the file before a listener can cut anything, and synced before sever returns', () =>
  inFolder((dataDir) => {
    const calls: string[] = []
    const disk: StateDisk = {
      write: (fd, bytes) => {
        calls.push('write')
        return writeSync(fd, bytes)
      },
      sync: (fd) => {
        calls.push('sync')
        fsyncSync(fd)
      },
    }
    opened(
      dataDir,
      (life) => {
        life.apply([active()])
        life.onChange(() => calls.push('listener'))
        calls.length = 0
        life.sever(marketing, ddl)
        assert.deepEqual(calls, ['write', 'listener', 'sync'])
        calls.length = 0
        life.sever(marketing, ddl)
        assert.deepEqual(calls, [])
      },
      disk,
    )
  }))

/** A disk that fails while `full`; `partly` lets so many bytes of a write through first. */
function faultyDisk(): StateDisk & { full: 'no' | 'write' | 'sync'; partly: number } {
  const enospc = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }
  let begun = false
  return {
    full: 'no',
    partly: 0,
    write(fd, bytes) {
      if (this.full !== 'write') return writeSync(fd, bytes)
      if (this.partly === 0 || begun) {
        begun = false
        return enospc()
      }
      begun = true
      return writeSync(fd, bytes.subarray(0, this.partly))
    },
    sync(fd) {
      if (this.full === 'sync') enospc()
      fsyncSync(fd)
    },
  }
}

for (const [full, partly] of [
  ['write', 0],
  ['write', 10],
  ['sync', 0],
] as const)
  test(`[LIFE-07] a disk that fails at ${full} after ${partly} bytes: severed in memory, unhealthy, whole again later`, () =>
    inFolder((dataDir) => {
      const disk = faultyDisk()
      opened(
        dataDir,
        (life) => {
          life.apply([active(), active(research)])
          const heard: (string | null)[] = []
          life.onChange((standing) => heard.push(brief(standing)))
          Object.assign(disk, { full, partly })
          assert.equal(
            codeOf(() => life.sever(marketing, ddl)),
            'STATE_UNAVAILABLE',
          )
          assert.equal(brief(life.standingOf(marketing)), 'Quarantined@2')
          assert.deepEqual(heard, ['Quarantined@2'])
          assert.equal(life.healthy, false)
          assert.equal(
            codeOf(() => life.sever(marketing, ddl)),
            'STATE_UNAVAILABLE',
            'said again while it is not durable',
          )
          life.apply([quarantined(research)])
          assert.equal(brief(life.standingOf(research)), 'Quarantined@2')
          disk.full = 'no'
          assert.equal(brief(life.sever(marketing, ddl)), 'Quarantined@3')
          assert.equal(life.healthy, true)
        },
        disk,
      )
      opened(dataDir, (life) => {
        life.apply([active(), quarantined(research)])
        assert.equal(brief(life.standingOf(marketing)), 'Quarantined@3')
        assert.equal(brief(life.standingOf(research)), 'Quarantined@2')
      })
    }))

test('[LIFE-07] a disk that has room again is found without a new sever', async () =>
  inFolder(async (dataDir) => {
    const disk = faultyDisk()
    const life = openLifecycle({ clock, log: silentLog, disk }, { dataDir })
    life.apply([active()])
    disk.full = 'write'
    assert.equal(
      codeOf(() => life.sever(marketing, ddl)),
      'STATE_UNAVAILABLE',
    )
    disk.full = 'no'
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    assert.equal(life.healthy, true)
    life.close()
    opened(dataDir, (again) => {
      again.apply([active()])
      assert.equal(brief(again.standingOf(marketing)), 'Quarantined@2')
    })
  }))

async function severedFile(dataDir: string): Promise<Buffer> {
  opened(dataDir, (life) => {
    life.apply([active(), active(research)])
    life.sever(research, ddl)
    life.sever(marketing, ddl)
  })
  return await readFile(join(dataDir, 'state.jsonl'))
}

test('[LIFE-08] a file cut at any byte loses at most its last line, or is refused; never anything else', () =>
  inFolder(async (dataDir) => {
    const whole = await severedFile(dataDir)
    const header = whole.indexOf('\n') + 1
    const first = whole.indexOf('\n', header) + 1
    for (let cut = 0; cut <= whole.length; cut += 1) {
      await writeFile(join(dataDir, 'state.jsonl'), whole.subarray(0, cut))
      const open = (): void =>
        opened(dataDir, (life) => {
          life.apply([active(), active(research)])
          assert.equal(brief(life.standingOf(research)), cut >= first ? 'Quarantined@2' : 'Active@1', `cut at ${cut}`)
          assert.equal(brief(life.standingOf(marketing)), cut === whole.length ? 'Quarantined@2' : 'Active@1')
        })
      if (cut < header) assert.equal(codeOf(open), 'STATE_UNAVAILABLE', `cut at ${cut}`)
      else open()
    }
  }))

test('[LIFE-08] a flipped bit anywhere is refused, or cuts a last line that lost its end', () =>
  inFolder(async (dataDir) => {
    const whole = await severedFile(dataDir)
    for (let at = 0; at < whole.length - 1; at += 1) {
      const broken = Buffer.from(whole)
      broken[at] = (broken[at] ?? 0) ^ 0x04
      await writeFile(join(dataDir, 'state.jsonl'), broken)
      assert.equal(
        codeOf(() => opened(dataDir, () => {})),
        'STATE_UNAVAILABLE',
        `bit at ${at}`,
      )
    }
  }))

test('[LIFE-08] lines in the wrong order, another version and a blank line are refused', () =>
  inFolder(async (dataDir) => {
    const text = (await severedFile(dataDir)).toString()
    const [header = '', one = '', two = ''] = text.split('\n')
    opened(dataDir, (life) => {
      life.apply([active(research, 2)])
      life.sever(research, ddl)
    })
    const later = (await readFile(join(dataDir, 'state.jsonl'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('research'))
    for (const lines of [
      [header, later.at(-1) ?? '', one, two],
      [sealed('{"sallyport":"state","version":2}').trimEnd(), one],
      [header, '', one],
      [one, two],
    ]) {
      await writeFile(join(dataDir, 'state.jsonl'), `${lines.join('\n')}\n`)
      assert.equal(
        codeOf(() => opened(dataDir, () => {})),
        'STATE_UNAVAILABLE',
        lines.join('|'),
      )
    }
  }))

test('[LIFE-09] what is kept is for its owner alone, and looser bits are tightened', () =>
  inFolder(async (dataDir) => {
    await severedFile(dataDir)
    await chmod(join(dataDir, 'state.jsonl'), 0o644)
    opened(dataDir, () => {})
    assert.equal((await stat(join(dataDir, 'state.jsonl'))).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(dataDir), ['state.jsonl'])
  }))

test('[LIFE-10] the file is compacted at start and when it grows beyond its limit', () =>
  inFolder(async (dataDir) => {
    const life = openLifecycle({ clock, log: silentLog }, { dataDir, maxStateBytes: 4_096 })
    for (let epoch = 1; epoch <= 300; epoch += 1) {
      life.apply([active(marketing, epoch)])
      life.sever(marketing, ddl)
    }
    assert.equal(brief(life.standingOf(marketing)), 'Quarantined@301')
    life.close()
    assert.ok((await stat(join(dataDir, 'state.jsonl'))).size < 16_384, 'bounded while running')
    opened(dataDir, (again) => {
      again.apply([active(marketing, 300)])
      assert.equal(brief(again.standingOf(marketing)), 'Quarantined@301')
    })
    assert.equal((await readFile(join(dataDir, 'state.jsonl'), 'utf8')).trimEnd().split('\n').length, 2)
  }))

test('[LIFE-10] 5,000 agents are applied well below a second, without a line for those of whom there is nothing to say', () =>
  inFolder(async (dataDir) => {
    const many = Array.from({ length: 5_000 }, (_, at) => active(agentKeyOf({ namespace: 'n', name: `a${at}` })))
    opened(dataDir, (life) => {
      const before = performance.now()
      life.apply(many)
      life.apply(many)
      assert.ok(performance.now() - before < 1_000)
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
