import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type AuditEvent, agentKeyOf, type NewAuditEvent, type VerdictRecord } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import { newLog, silentLog } from '#pkg/platform/log'
import {
  type AuditFaultCode,
  type AuditLog,
  followAuditFile,
  lastAuditEvents,
  openAuditLog,
  readAuditEvents,
  verifyAudit,
} from './index.ts'

const agent = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const MAX_FILE_BYTES = 3_000

function verdict(number: number): VerdictRecord {
  const about = { agent, session: null, dialect: 'openai-chat', direction: 'FromModel', tool: 'run_sql' } as const
  const why = { action: 'Deny', enforced: true, reasons: ['INTENT_SQL_DDL'], check: 'intent' } as const
  const rule = { policy: 'growth/marketing', rule: 'intents.deny[0]', us: 120, message: 'ü', generation: 1, epoch: 1 }
  return { id: `v_${number}`, time: new Date(number * 1_000).toISOString(), ...about, ...why, ...rule }
}

const move: NewAuditEvent = {
  kind: 'move',
  agent,
  from: 'Active',
  to: 'Quarantined',
  epoch: 2,
  source: 'User',
  by: 'socket:uid=0',
  code: null,
  reason: 'odd SQL',
  verdictId: null,
}

const keyUse: NewAuditEvent = { kind: 'key-use', agent, provider: 'openai', key: 'OPENAI_API_KEY' }

function opened(dataDir: string, log = silentLog): AuditLog {
  return openAuditLog(
    { log, clock: { nowMs: () => 1_000 }, random: randomBytes },
    { dataDir, maxFileBytes: MAX_FILE_BYTES },
  )
}

/** A log of two processes, over several files. */
function written(dataDir: string): void {
  for (let life = 0; life < 2; life += 1) {
    const log = opened(dataDir)
    for (let at = 0; at < 8; at += 1) {
      log.verdicts.append(verdict(life * 8 + at))
      log.record(at % 2 === 0 ? move : keyUse)
    }
    log.close()
  }
}

const original = mkdtempSync(join(tmpdir(), 'sallyport-verify-'))
written(original)
after(() => rmSync(original, { recursive: true, force: true }))

async function onCopy<T>(body: (dir: string) => T | Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-verify-'))
  try {
    await cp(original, dir, { recursive: true })
    return await body(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

type File = { readonly path: string; lines(): string[]; write(lines: readonly string[]): void }

function fileOf(dir: string, name: string): File {
  const path = join(dir, name)
  return {
    path,
    lines: () => readFileSync(path, 'utf8').trimEnd().split('\n'),
    write: (lines) => writeFileSync(path, lines.map((line) => `${line}\n`).join('')),
  }
}

function edit(file: File, change: (lines: string[]) => readonly string[]): void {
  file.write(change(file.lines()))
}

/** Writes the chain again, by somebody who knows its rules but has not the key. */
async function forge(dir: string): Promise<void> {
  const { digestOf } = await import('./chain.ts')
  let prev: string | null = null
  for (const name of [
    ...readdirSync(dir)
      .filter((one) => /^audit-\d+\.jsonl$/.test(one))
      .sort(),
    'audit.jsonl',
  ])
    edit(fileOf(dir, name), (lines) =>
      lines.map((line) => {
        const value = JSON.parse(line)
        const forged = JSON.stringify({
          ...value,
          prev: prev ?? value.prev,
          ...(value.reason ? { reason: 'fine' } : {}),
        })
        prev = digestOf(Buffer.from(forged))
        return forged
      }),
    )
}

/** The same, and goes on behind the signed head, as events of the last second do. */
async function forgeFurther(dir: string): Promise<void> {
  await forge(dir)
  const { digestOf, lineOf } = await import('./chain.ts')
  const growing = fileOf(dir, 'audit.jsonl')
  edit(growing, (lines) => {
    const last = lines.at(-1) ?? ''
    const { seq } = JSON.parse(last)
    const event: AuditEvent = { ...keyUse, id: 'e_forged', time: new Date(1_000).toISOString() } as AuditEvent // of a kind that takes both
    return [...lines, lineOf({ seq: seq + 1, prev: digestOf(Buffer.from(last)) }, event)]
  })
}

const TAMPERINGS: readonly {
  readonly name: string
  readonly code: AuditFaultCode
  readonly tamper: (dir: string) => void | Promise<void>
}[] = [
  {
    name: 'another action',
    code: 'EDITED',
    tamper: (dir) =>
      edit(fileOf(dir, 'audit.jsonl'), ([first = '', ...rest]) => [first.replace('Deny', 'Allow'), ...rest]),
  },
  {
    name: 'another action in the last line of a rotated file',
    code: 'EDITED',
    tamper: (dir) =>
      edit(fileOf(dir, 'audit-000002.jsonl'), (lines) =>
        lines.with(-1, (lines.at(-1) ?? '').replace('"seq":', '"seq": ')),
      ),
  },
  {
    name: 'the very last line',
    code: 'EDITED',
    tamper: (dir) =>
      edit(fileOf(dir, 'audit.jsonl'), (lines) => lines.with(-1, (lines.at(-1) ?? '').replace('openai', 'gemini'))),
  },
  {
    name: 'a space that JSON does not mind',
    code: 'EDITED',
    tamper: (dir) => edit(fileOf(dir, 'audit-000001.jsonl'), (lines) => lines.with(1, ` ${lines[1]}`)),
  },
  {
    name: 'a line taken out',
    code: 'DELETED',
    tamper: (dir) => edit(fileOf(dir, 'audit-000002.jsonl'), (lines) => lines.toSpliced(1, 1)),
  },
  {
    name: 'the first line taken out',
    code: 'DELETED',
    tamper: (dir) => edit(fileOf(dir, 'audit-000001.jsonl'), (lines) => lines.slice(1)),
  },
  {
    name: 'a file in the middle taken out',
    code: 'DELETED',
    tamper: (dir) => unlinkSync(join(dir, 'audit-000002.jsonl')),
  },
  { name: 'the first file taken out', code: 'DELETED', tamper: (dir) => unlinkSync(join(dir, 'audit-000001.jsonl')) },
  {
    name: 'two lines changed about',
    code: 'REORDERED',
    tamper: (dir) => edit(fileOf(dir, 'audit-000001.jsonl'), ([a = '', b = '', c = '', ...rest]) => [a, c, b, ...rest]),
  },
  {
    name: 'a line twice',
    code: 'REORDERED',
    tamper: (dir) => edit(fileOf(dir, 'audit-000001.jsonl'), (lines) => [...lines.slice(0, 2), ...lines.slice(1)]),
  },
  {
    name: 'two files changed about',
    code: 'REORDERED',
    tamper: (dir) => {
      const [one, two] = [fileOf(dir, 'audit-000001.jsonl'), fileOf(dir, 'audit-000002.jsonl')]
      const [lines, others] = [one.lines(), two.lines()]
      one.write(others)
      two.write(lines)
    },
  },
  {
    name: 'the last line taken out',
    code: 'TRUNCATED',
    tamper: (dir) => edit(fileOf(dir, 'audit.jsonl'), (lines) => lines.slice(0, -1)),
  },
  { name: 'the growing file taken out', code: 'TRUNCATED', tamper: (dir) => unlinkSync(join(dir, 'audit.jsonl')) },
  {
    name: 'half of the last line',
    code: 'TRUNCATED',
    tamper: (dir) => truncateSync(join(dir, 'audit.jsonl'), readFileSync(join(dir, 'audit.jsonl')).length - 40),
  },
  {
    name: 'everything taken out',
    code: 'TRUNCATED',
    tamper: (dir) => {
      for (const name of readdirSync(dir)) if (name.endsWith('.jsonl')) unlinkSync(join(dir, name))
    },
  },
  {
    name: 'a line that is no event',
    code: 'UNREADABLE',
    tamper: (dir) => appendFileSync(join(dir, 'audit.jsonl'), 'fine\n'),
  },
  {
    name: 'a line of 3 MiB',
    code: 'UNREADABLE',
    tamper: (dir) => appendFileSync(join(dir, 'audit.jsonl'), `${'x'.repeat(3 * 1024 * 1024)}\n`),
  },
  { name: 'the head taken out', code: 'HEAD_MISSING', tamper: (dir) => unlinkSync(join(dir, 'audit.head')) },
  {
    name: 'the head of an earlier moment with another number',
    code: 'HEAD_INVALID',
    tamper: (dir) =>
      writeFileSync(
        join(dir, 'audit.head'),
        readFileSync(join(dir, 'audit.head'), 'utf8').replace(/"seq":\d+/, '"seq":2'),
      ),
  },
  { name: 'a chain written again from its first line', code: 'EDITED', tamper: forge },
  { name: 'a chain written again, and an event more than were signed', code: 'EDITED', tamper: forgeFurther },
  {
    name: 'another key',
    code: 'KEY_CHANGED',
    tamper: (dir) => {
      const { publicKey } = generateKeyPairSync('ed25519')
      writeFileSync(join(dir, 'audit.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
    },
  },
]

test('[AUD-11] a log is verified with no process, over files and restarts', () =>
  onCopy(async (dir) => {
    const found = await verifyAudit(dir)
    assert.deepEqual(found.faults, [])
    assert.equal(found.ok, true)
    assert.equal(found.events, 2 + 32)
    assert.equal(found.unsigned, 0)
    assert.ok(found.files >= 4)
    assert.equal(found.head?.seq, 34)
  }))

for (const { name, code, tamper } of TAMPERINGS) {
  test(`[AUD-12] found: ${name}`, () =>
    onCopy(async (dir) => {
      await tamper(dir)
      const found = await verifyAudit(dir)
      assert.equal(found.ok, false)
      assert.ok(
        found.faults.some((fault) => fault.code === code),
        JSON.stringify(found.faults),
      )
    }))

  if (code !== 'KEY_CHANGED')
    test(`[AUD-12] still found after a process went on with it: ${name}`, () =>
      onCopy(async (dir) => {
        await tamper(dir)
        const lines: string[] = []
        const log = opened(dir, newLog({ write: (line) => lines.push(line) }))
        log.verdicts.append(verdict(99))
        log.close()
        assert.equal((await verifyAudit(dir)).ok, false)
        const told = ['TRUNCATED', 'HEAD_MISSING', 'HEAD_INVALID'].includes(code) || tamper === forgeFurther
        if (told) assert.ok(lines.some((line) => line.includes('audit-log-changed')))
      }))
}

test('[AUD-12] any other byte, at any place, is found', () =>
  onCopy(async (dir) => {
    const names = readdirSync(dir).filter((name) => name.startsWith('audit') && name !== 'audit.key')
    let seed = 7
    for (const name of names) {
      const path = join(dir, name)
      const bytes = readFileSync(path)
      const step = Math.max(1, Math.floor(bytes.length / 60))
      for (let at = 0; at < bytes.length; at += step) {
        seed = (seed * 48_271) % 2_147_483_647
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ (1 << (seed % 8))
        writeFileSync(path, changed)
        const found = await verifyAudit(dir).catch((error: unknown) => error)
        const isFound = isErrorCode(found, 'RESOURCE_INVALID') || (found as { ok: boolean }).ok === false // a broken key is told as one
        if (!isFound && !isHarmless(name, bytes, changed)) assert.fail(`${name} at ${at}`)
      }
      writeFileSync(path, bytes)
    }
    assert.equal((await verifyAudit(dir)).ok, true)
  }))

/** Of the small files the text around what they say may differ: a line feed, a space, base64url that decodes to the same. */
function isHarmless(name: string, before: Buffer, after: Buffer): boolean {
  if (name === 'audit.jsonl' || name.startsWith('audit-')) return false
  if (name === 'audit.pub')
    try {
      return createPublicKey(after.toString()).equals(createPublicKey(before.toString()))
    } catch {
      return false
    }
  try {
    const [one, two] = [JSON.parse(before.toString()), JSON.parse(after.toString())]
    const bytesOf = (text: string): string => Buffer.from(text, 'base64url').toString('hex')
    return (
      JSON.stringify({ ...one, signature: bytesOf(one.signature) }) ===
      JSON.stringify({ ...two, signature: bytesOf(two.signature) })
    )
  } catch {
    return false
  }
}

test('[AUD-12] a key that was kept elsewhere finds a folder that was written anew as a whole', () =>
  onCopy(async (dir) => {
    const publicKey = readFileSync(join(dir, 'audit.pub'), 'utf8')
    for (const name of readdirSync(dir)) unlinkSync(join(dir, name))
    written(dir)
    assert.equal((await verifyAudit(dir)).ok, true)
    const found = await verifyAudit(dir, { publicKey })
    assert.deepEqual([...new Set(found.faults.map(({ code }) => code))], ['HEAD_INVALID', 'KEY_CHANGED'])
  }))

test('[AUD-13] verdicts of an older version are read on, and pinned: a change of them is found', () =>
  onCopy(async (dir) => {
    for (const name of readdirSync(dir)) unlinkSync(join(dir, name))
    writeFileSync(join(dir, 'verdicts-000001.jsonl'), `${JSON.stringify(verdict(1))}\n`)
    writeFileSync(join(dir, 'verdicts.jsonl'), `${JSON.stringify(verdict(2))}\n{"id":"v_torn`)
    const log = opened(dir)
    log.verdicts.append(verdict(3))
    const ids: string[] = []
    for await (const { id } of log.verdicts.read()) ids.push(id)
    assert.deepEqual(ids, ['v_1', 'v_2', 'v_3'])
    assert.deepEqual(await log.verdicts.find('v_1'), verdict(1))
    log.close()
    const again = opened(dir)
    again.close()
    const found = await verifyAudit(dir)
    assert.deepEqual([found.ok, found.earlier], [true, 2])
    writeFileSync(join(dir, 'verdicts-000001.jsonl'), `${JSON.stringify(verdict(4))}\n`)
    unlinkSync(join(dir, 'verdicts.jsonl'))
    const changed = await verifyAudit(dir)
    assert.deepEqual(
      changed.faults.map(({ code, file }) => [code, file]),
      [
        ['EARLIER_CHANGED', 'verdicts-000001.jsonl'],
        ['EARLIER_CHANGED', 'verdicts.jsonl'],
      ],
    )
  }))

test('[AUD-13] no log, no key: what is missing is said, and nothing is begun in its place', () =>
  onCopy(async (dir) => {
    await assert.rejects(verifyAudit(join(dir, 'nowhere')), (error) => isErrorCode(error, 'ADMIN_NOT_FOUND'))
    unlinkSync(join(dir, 'audit.key'))
    assert.throws(
      () => opened(dir),
      (error) => isErrorCode(error, 'STATE_UNAVAILABLE') && /audit\.key/.test(String(error)),
    )
    writeFileSync(join(dir, 'audit.key'), 'no key')
    assert.throws(
      () => opened(dir),
      (error) => isErrorCode(error, 'STATE_UNAVAILABLE'),
    )
    assert.equal((await verifyAudit(dir)).ok, true)
  }))

test('[AUD-13] heads are signed while lines come in, and events are told and read back as they were', () =>
  onCopy(async (dir) => {
    const log = opened(dir)
    const told: AuditEvent[] = []
    const stop = log.follow((event) => told.push(event))
    const id = log.record(move)
    log.verdicts.append(verdict(50))
    stop()
    log.record(keyUse)
    await new Promise((resolve) => setTimeout(resolve, 400))
    const found = await verifyAudit(dir)
    assert.deepEqual([found.ok, found.unsigned, found.head?.seq], [true, 0, found.events])
    log.close()
    assert.deepEqual(
      told.map((event) => [event.kind, event.id]),
      [
        ['move', id],
        ['verdict', 'v_50'],
      ],
    )
    const events: AuditEvent[] = []
    for await (const event of readAuditEvents(dir, silentLog)) events.push(event)
    assert.deepEqual(events.slice(-3, -1), told)
    assert.equal(events.length, found.events)
    const last = await lastAuditEvents(dir, { count: 7, wanted: ({ kind }) => kind === 'verdict', log: silentLog })
    assert.deepEqual(
      last.map((event) => event.id),
      ['v_10', 'v_11', 'v_12', 'v_13', 'v_14', 'v_15', 'v_50'],
    )
  }))

test('[AUD-13] who follows a log passes over a line that is too long for an event, and keeps nothing of it', () =>
  onCopy(async (dir) => {
    const ending = new AbortController()
    const coming = followAuditFile(dir, ending.signal)
    const first = coming.next()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const path = join(dir, 'audit.jsonl')
    for (const text of [
      'x'.repeat(3 * 1024 * 1024),
      'end\n',
      `${JSON.stringify({ kind: 'verdict', ...verdict(7) })}\n`,
    ])
      appendFileSync(path, text)
    assert.equal((await first).value?.id, 'v_7')
    ending.abort()
    assert.equal((await coming.next()).done, true)
  }))
