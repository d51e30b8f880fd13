import assert from 'node:assert/strict'
import { fsyncSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import type { Disk } from '#pkg/platform/files'
import { silentLog } from '#pkg/platform/log'
import { openLifecycle } from './index.ts'
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
  research,
} from './lifecycle.fixture.ts'

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
    const disk: Disk = {
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
function faultyDisk(): Disk & { full: 'no' | 'write' | 'sync'; partly: number } {
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
