import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fsync, fsyncSync, writeSync } from 'node:fs'
import { appendFile, chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { agentKeyOf, type VerdictRecord } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import { type Log, newLog, silentLog } from '#pkg/platform/log'
import {
  type AuditDisk,
  newVerdictIds,
  openAuditLog,
  type VerdictFilter,
  type VerdictLog,
  verifyAudit,
} from './index.ts'

const marketing = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const research = agentKeyOf({ namespace: 'growth', name: 'research' })

function recordOf(number: number, more: Partial<VerdictRecord> = {}): VerdictRecord {
  return {
    id: `v_${String(number).padStart(14, '0')}`,
    time: new Date(Date.UTC(2026, 0, 31) + number * 1_000).toISOString(),
    agent: marketing,
    session: null,
    dialect: 'openai-chat',
    direction: 'FromModel',
    tool: 'run_sql',
    action: 'Deny',
    enforced: true,
    reasons: ['INTENT_SQL_DDL'],
    check: 'intent',
    policy: 'growth/marketing',
    rule: 'intents.deny[0]',
    us: 120,
    message: 'sallyport: INTENT_SQL_DDL: ü \n "quoted"',
    generation: 1,
    epoch: 1,
    ...more,
  }
}

async function inFolder(body: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-audit-'))
  try {
    await body(dataDir)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function idsOf(records: AsyncIterable<VerdictRecord>): Promise<readonly number[]> {
  const ids: number[] = []
  for await (const record of records) ids.push(Number(record.id.slice(2)))
  return ids
}

type Opened = VerdictLog & { close(): void }

function openVerdictLog(
  deps: { readonly log: Log; readonly disk?: AuditDisk },
  options: { readonly dataDir: string; readonly maxFileBytes?: number; readonly recentRecords?: number },
): Opened {
  const clock = { nowMs: () => Date.UTC(2026, 0, 31) }
  const audit = openAuditLog({ clock, random: randomBytes, ...deps }, options)
  const { append, find, read, follow } = audit.verdicts
  const close = (): void => audit.close()
  return {
    append,
    find,
    read,
    follow,
    close,
    get healthy() {
      return audit.verdicts.healthy
    },
  }
}

const open = (dataDir: string, more: { maxFileBytes?: number; recentRecords?: number } = {}): Opened =>
  openVerdictLog({ log: silentLog }, { dataDir, ...more })

/** The verdicts of a file as they were given to it. */
async function recordsIn(file: string): Promise<readonly unknown[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  return lines.flatMap((line) => {
    const { seq: _seq, prev: _prev, kind, ...record } = JSON.parse(line)
    return kind === 'verdict' ? [record] : []
  })
}

test('[AUD-01] a record is in the file, whole, before append returns', () =>
  inFolder(async (dataDir) => {
    const log = open(dataDir)
    log.append(recordOf(1))
    assert.deepEqual(await recordsIn(join(dataDir, 'audit.jsonl')), [recordOf(1)])
    assert.ok((await readFile(join(dataDir, 'audit.jsonl'), 'utf8')).endsWith('}\n'))
    for (const name of ['audit.jsonl', 'audit.key', 'audit.head'])
      assert.equal((await stat(join(dataDir, name))).mode & 0o777, 0o600)
    log.close()
    assert.throws(
      () => log.append(recordOf(2)),
      (error) => isErrorCode(error, 'STATE_UNAVAILABLE'),
    )
  }))

test('[AUD-02] history reads oldest first across restarts and rotation, and follows on without a gap', () =>
  inFolder(async (dataDir) => {
    for (let life = 0; life < 3; life += 1) {
      const log = open(dataDir, { maxFileBytes: 1_500 })
      for (let at = 0; at < 7; at += 1) log.append(recordOf(life * 7 + at))
      log.close()
    }
    assert.ok((await readdir(dataDir)).length >= 5)
    for (const name of await readdir(dataDir)) assert.ok((await stat(join(dataDir, name))).size <= 1_500, name)
    assert.equal((await verifyAudit(dataDir)).ok, true)
    const log = open(dataDir, { maxFileBytes: 1_500 })
    const followed: number[] = []
    const history = log.read()
    const stop = log.follow((record) => followed.push(Number(record.id.slice(2))))
    log.append(recordOf(21))
    const seen: number[] = []
    for await (const record of history) {
      seen.push(Number(record.id.slice(2)))
      if (seen.length === 1) for (let at = 22; at < 30; at += 1) log.append(recordOf(at)) // rotates while it is read
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 21 }, (_, at) => at),
    )
    assert.deepEqual(followed, [21, 22, 23, 24, 25, 26, 27, 28, 29])
    stop()
    log.append(recordOf(30))
    assert.equal(followed.length, 9)
    assert.equal((await idsOf(log.read())).length, 31)
    log.close()
  }))

const filters: readonly { readonly name: string; readonly filter: VerdictFilter; readonly ids: readonly number[] }[] = [
  { name: 'nothing', filter: {}, ids: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  { name: 'an agent', filter: { agent: 'growth/research' }, ids: [1, 3, 5, 7, 9] },
  { name: 'no such agent', filter: { agent: 'growth/resear' }, ids: [] },
  { name: 'a reason', filter: { reason: 'TOOL_NOT_GRANTED' }, ids: [0, 5] },
  { name: 'a time, itself included', filter: { sinceMs: Date.UTC(2026, 0, 31) + 7_000 }, ids: [7, 8, 9] },
  { name: 'the newest two', filter: { limit: 2 }, ids: [8, 9] },
  { name: 'the newest two of an agent', filter: { agent: 'growth/research', limit: 2 }, ids: [7, 9] },
  { name: 'none', filter: { limit: 0 }, ids: [] },
]

for (const recentRecords of [0, 3, 100])
  for (const row of filters)
    test(`[AUD-03] a reader gets what it asks for: ${row.name} (${recentRecords} in memory)`, () =>
      inFolder(async (dataDir) => {
        const log = open(dataDir, { recentRecords, maxFileBytes: 2_000 })
        for (let at = 0; at < 10; at += 1)
          log.append(
            recordOf(at, {
              agent: at % 2 === 1 ? research : marketing,
              reasons: at % 5 === 0 ? ['INTENT_SQL_DDL', 'TOOL_NOT_GRANTED'] : [],
            }),
          )
        assert.deepEqual(await idsOf(log.read(row.filter)), row.ids)
        log.close()
      }))

for (const recentRecords of [2, 100])
  test(`[AUD-15] what was written after a record is read on, whatever the clock said; ${recentRecords} in memory`, () =>
    inFolder(async (dataDir) => {
      const log = open(dataDir, { maxFileBytes: 1_500, recentRecords })
      const early = '2020-01-01T00:00:00.000Z'
      for (let at = 0; at < 20; at += 1)
        log.append(
          recordOf(at, { ...(at === 12 ? { time: early } : {}), ...(at % 2 === 0 ? {} : { agent: research }) }),
        )
      for (let at = 0; at < 20; at += 1)
        assert.deepEqual(
          await idsOf(log.read({ after: recordOf(at).id })),
          Array.from({ length: 19 - at }, (_, more) => at + 1 + more),
        )
      const after = recordOf(9).id
      assert.deepEqual(await idsOf(log.read({ after, agent: 'growth/marketing' })), [10, 12, 14, 16, 18])
      assert.deepEqual(await idsOf(log.read({ after, limit: 3 })), [17, 18, 19])
      for (const id of ['v_99999999999999', '../etc/passwd', ''])
        assert.deepEqual(await idsOf(log.read({ after: id })), [])
      log.close()
      const again = open(dataDir, { maxFileBytes: 1_500, recentRecords })
      const rest = again.read({ after: recordOf(17).id })
      again.append(recordOf(20))
      assert.deepEqual(await idsOf(rest), [18, 19], 'what was written before the call')
      again.close()
    }))

test('[AUD-04] a record is found by its id in memory, in the growing file, and in a rotated one', () =>
  inFolder(async (dataDir) => {
    const log = open(dataDir, { recentRecords: 2, maxFileBytes: 2_000 })
    for (let at = 0; at < 10; at += 1) log.append(recordOf(at))
    for (let at = 0; at < 10; at += 1) assert.deepEqual(await log.find(recordOf(at).id), recordOf(at))
    assert.equal(log.find('v_00000000000009') instanceof Promise, false)
    for (const id of ['v_99999999999999', 'v_0000000000000', '../etc/passwd', '', '"'])
      assert.equal(await log.find(id), null, id)
    log.close()
  }))

test('[AUD-05] a line torn by a crash is cut at any byte; the lines before it and after it are whole', () =>
  inFolder(async (dataDir) => {
    const file = join(dataDir, 'audit.jsonl')
    const first = open(dataDir)
    first.append(recordOf(1))
    first.close()
    const before = await readFile(file)
    const bytes = Buffer.from(`${JSON.stringify(recordOf(3))}\n`)
    for (let cut = 0; cut < bytes.length; cut += 1) {
      await writeFile(file, Buffer.concat([before, bytes.subarray(0, cut)]))
      const log = open(dataDir)
      log.append(recordOf(2))
      log.close()
      assert.deepEqual(await recordsIn(file), [recordOf(1), recordOf(2)])
    }
  }))

test('[AUD-05] a line that cannot be read is passed over with a warning, and hides no other', () =>
  inFolder(async (dataDir) => {
    const lines: string[] = []
    const log = openVerdictLog({ log: newLog({ write: (line) => lines.push(line) }) }, { dataDir })
    log.append(recordOf(1))
    await appendFile(join(dataDir, 'audit.jsonl'), `{"id":1}\n\nnot json\n${'x'.repeat(2_000_000)}\n`)
    log.close()
    const again = openVerdictLog({ log: newLog({ write: (line) => lines.push(line) }) }, { dataDir })
    again.append(recordOf(2))
    lines.length = 0
    assert.deepEqual(await idsOf(again.read()), [1, 2])
    assert.equal(lines.filter((line) => line.includes('"audit-line-unreadable"')).length, 3)
    again.close()
  }))

/** A disk that is full after so many more bytes; `brokenSync` fails the sync alone. */
function smallDisk(): AuditDisk & { room: number; brokenSync: boolean; syncs: number } {
  const enospc = (): Error => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  return {
    room: Number.POSITIVE_INFINITY,
    brokenSync: false,
    syncs: 0,
    write(fd, bytes) {
      if (this.room === 0) throw enospc()
      const written = writeSync(fd, bytes.subarray(0, Math.min(bytes.length, this.room)))
      this.room -= written
      return written
    },
    sync(fd, done) {
      this.syncs += 1
      if (this.brokenSync) setImmediate(() => done(enospc()))
      else fsync(fd, done)
    },
    syncNow(fd) {
      if (this.brokenSync) throw enospc()
      fsyncSync(fd)
    },
  }
}

for (const room of [0, 1, 100])
  test(`[AUD-06] a disk that is full after ${room} bytes: the append throws, leaves nothing, and the next one is whole`, () =>
    inFolder(async (dataDir) => {
      const disk = smallDisk()
      const log = openVerdictLog({ log: silentLog, disk }, { dataDir })
      log.append(recordOf(1))
      disk.room = room
      const heard: string[] = []
      log.follow((record) => heard.push(record.id))
      for (let again = 0; again < 2; again += 1)
        assert.throws(
          () => log.append(recordOf(2)),
          (error) => isErrorCode(error, 'STATE_UNAVAILABLE'),
        )
      assert.equal(log.healthy, false)
      assert.equal(log.find(recordOf(2).id) instanceof Promise, true, 'not in memory')
      assert.deepEqual(await idsOf(log.read()), [1])
      disk.room = Number.POSITIVE_INFINITY
      log.append(recordOf(3))
      assert.equal(log.healthy, true)
      assert.deepEqual(heard, [recordOf(3).id])
      log.close()
      assert.deepEqual(await recordsIn(join(dataDir, 'audit.jsonl')), [recordOf(1), recordOf(3)])
      assert.equal((await verifyAudit(dataDir)).ok, true)
    }))

test('[AUD-06] a disk that has room again is found without an append, and the file is as before', () =>
  inFolder(async (dataDir) => {
    const disk = smallDisk()
    const log = openVerdictLog({ log: silentLog, disk }, { dataDir })
    log.append(recordOf(1))
    disk.room = 5
    assert.throws(() => log.append(recordOf(2)))
    disk.room = Number.POSITIVE_INFINITY
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    assert.equal(log.healthy, true)
    assert.deepEqual(await recordsIn(join(dataDir, 'audit.jsonl')), [recordOf(1)])
    log.close()
  }))

test('[AUD-07] appends are synced within 200 ms, many in one; a sync that fails shows', () =>
  inFolder(async (dataDir) => {
    const disk = smallDisk()
    const log = openVerdictLog({ log: silentLog, disk }, { dataDir })
    for (let at = 0; at < 50; at += 1) log.append(recordOf(at))
    assert.equal(disk.syncs, 0)
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(disk.syncs, 1)
    assert.equal(log.healthy, true)
    disk.brokenSync = true
    log.append(recordOf(51))
    await new Promise((resolve) => setTimeout(resolve, 400))
    assert.equal(log.healthy, false)
    log.close()
  }))

test('[AUD-08] all rotated files are kept, and a file that others may read is tightened', () =>
  inFolder(async (dataDir) => {
    const log = open(dataDir, { maxFileBytes: 1_500 })
    for (let at = 0; at < 20; at += 1) log.append(recordOf(at))
    log.close()
    assert.ok((await readdir(dataDir)).filter((name) => /^audit-\d{6}\.jsonl$/.test(name)).length >= 6)
    await chmod(join(dataDir, 'audit.jsonl'), 0o644)
    const again = open(dataDir)
    again.append(recordOf(20))
    assert.equal((await idsOf(again.read())).length, 21)
    assert.equal((await stat(join(dataDir, 'audit.jsonl'))).mode & 0o777, 0o600)
    again.close()
  }))

test('[AUD-08] a follower that throws stops neither the append nor the others', () =>
  inFolder(async (dataDir) => {
    const log = open(dataDir)
    const heard: string[] = []
    log.follow(() => {
      throw new Error('a follower that fails')
    })
    log.follow((record) => heard.push(record.id))
    log.append(recordOf(1))
    assert.deepEqual(heard, [recordOf(1).id])
    log.close()
  }))

const CHILD = `
const { openAuditLog } = await import(process.argv[1])
const { writeSync } = await import('node:fs')
const { randomBytes } = await import('node:crypto')
const log = { debug() {}, info() {}, warn() {}, error() {} }
const deps = { log, clock: { nowMs: Date.now }, random: randomBytes }
const { verdicts } = openAuditLog(deps, { dataDir: process.argv[2], maxFileBytes: 20000 })
for (let at = 0; ; at += 1) {
  verdicts.append({ ...JSON.parse(process.argv[3]), id: 'v_' + at })
  writeSync(1, at + '\\n')
}
`

test('[AUD-09] after kill -9 every append that returned is there, once, in order', () =>
  inFolder(async (dataDir) => {
    const face = new URL('./index.ts', import.meta.url).href
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', CHILD, face, dataDir, JSON.stringify(recordOf(0))],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let last = -1
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line)
      if (last === 300) child.kill('SIGKILL')
    }
    if (child.signalCode === null) await once(child, 'exit')
    assert.ok(last >= 300)
    const found = await verifyAudit(dataDir)
    assert.deepEqual(found.faults, [])
    assert.ok(found.events > last)
    const log = open(dataDir)
    const ids = await idsOf(log.read())
    log.close()
    assert.deepEqual(
      ids,
      Array.from({ length: ids.length }, (_, at) => at),
    )
    assert.ok(ids.length > last)
  }))

test('[AUD-10] verdict ids are v_ and 14 of 62 characters, all evenly likely, never twice', () => {
  const next = newVerdictIds(randomBytes)
  const counts = new Map<string, number>()
  const seen = new Set<string>()
  for (let at = 0; at < 20_000; at += 1) {
    const id = next()
    assert.match(id, /^v_[A-Za-z0-9]{14}$/)
    seen.add(id)
    for (const character of id.slice(2)) counts.set(character, (counts.get(character) ?? 0) + 1)
  }
  assert.equal(seen.size, 20_000)
  assert.equal(counts.size, 62)
  for (const [character, count] of counts) assert.ok(Math.abs(count / (280_000 / 62) - 1) < 0.1, character)
})
