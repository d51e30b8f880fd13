import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentKeyOf, type NewAuditEvent } from '#pkg/model'
import { silentLog } from '#pkg/platform/log'
import { type AuditLog, openAuditLog } from '#pkg/systems/audit'
import { run, STEERING } from '../../../test/fixtures/run-cli.ts'

const HOSTILE = 'odd \u001b[31mSQL\u202e'

function move(reason: string, name = 'marketing'): NewAuditEvent {
  const agent = agentKeyOf({ namespace: 'growth', name })
  const why = { source: 'User', by: 'socket:uid=0', code: null, reason, verdictId: null } as const
  return { kind: 'move', agent, from: 'Active', to: 'Quarantined', epoch: 2, ...why }
}

async function withLog(body: (log: AuditLog, data: string) => Promise<void>): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'sp-audit-'))
  const deps = { log: silentLog, clock: { nowMs: () => 0 }, random: randomBytes }
  const log = openAuditLog(deps, { dataDir: data, maxFileBytes: 2_000 })
  try {
    await body(log, data)
  } finally {
    log.close()
    rmSync(data, { recursive: true })
  }
}

test('[AUD-13] tail prints the newest events, filtered, and nothing that steers a terminal', () =>
  withLog(async (log, data) => {
    for (let at = 0; at < 9; at += 1) log.record(move(`reason ${at}`, at % 2 === 0 ? 'marketing' : 'research'))
    log.record(move(HOSTILE))
    const rows: readonly (readonly [words: readonly string[], lines: number])[] = [
      [[], 11],
      [['--lines', '3'], 3],
      [['--kind', 'open'], 1],
      [['--agent', 'growth/research'], 4],
      [['--agent', 'research', '-n', 'growth', '--lines', '2'], 2],
      [['--kind', 'ca'], 0],
    ]
    for (const [words, lines] of rows) {
      const ran = await run(['audit', 'tail', '--data', data, '-o', 'json', ...words])
      assert.equal(ran.status, 0, ran.err)
      assert.equal(ran.out.split('\n').length - 1, lines, words.join(' '))
    }
    const table = await run(['audit', 'tail', '--data', data])
    assert.match(table.out, /^TIME +EVENT +KIND +AGENT +WHAT\n/)
    for (const line of table.out.split('\n')) assert.doesNotMatch(line, STEERING)
  }))

test('[AUD-13] tail --follow goes on with what comes, across rotation, each event once', () =>
  withLog(async (log, data) => {
    log.record(move('before'))
    let out = ''
    let stop = (): void => {}
    const ran = run(['audit', 'tail', '--follow', '--data', data, '-o', 'json'], {
      stdout: async (text) => {
        out += text
      },
      onSignal: (heard) => {
        stop = () => heard('SIGINT')
        return () => {}
      },
    })
    const until = async (text: string): Promise<void> => {
      for (let waited = 0; !out.includes(text); waited += 20) {
        if (waited > 5_000) assert.fail(`never: ${text}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    await until('"reason":"before"')
    for (let at = 0; at < 20; at += 1) log.record(move(`live ${at}.`))
    await until('live 19.')
    stop()
    assert.equal((await ran).status, 0)
    const reasons = out
      .trim()
      .split('\n')
      .flatMap((line) => JSON.parse(line).reason ?? [])
    assert.deepEqual(reasons, ['before', ...Array.from({ length: 20 }, (_, at) => `live ${at}.`)])
  }))

test('[AUD-12] verify says what was changed and where, with status 1; a key that is none is status 65', () =>
  withLog(async (log, data) => {
    for (let at = 0; at < 9; at += 1) log.record(move(HOSTILE))
    log.close()
    const good = await run(['audit', 'verify', '--data', data, '-o', 'json'])
    assert.equal(good.status, 0)
    assert.equal(JSON.parse(good.out).events, 10)
    const key = await run(['audit', 'verify', '--data', data, '--key', join(data, 'audit.pub')])
    assert.equal(key.status, 0)
    assert.equal((await run(['audit', 'verify', '--data', data, '--key', join(data, 'audit.head')])).status, 65)
    const path = join(data, 'audit-000001.jsonl')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"to":"Quarantined"', '"to":"\\u001b[2J"'))
    const bad = await run(['audit', 'verify', '--data', data])
    assert.equal(bad.status, 1)
    assert.match(bad.out, /^CHANGED/)
    assert.match(bad.out, /^EDITED +audit-000001\.jsonl:\d+ does not follow/m)
    for (const line of bad.out.split('\n')) assert.doesNotMatch(line, STEERING)
  }))

test('[AUD-13] [SIEM-06] a folder without a log is told, with status 1, by every verb that reads one', () =>
  withLog(async (_log, data) => {
    const empty = mkdtempSync(join(data, 'empty-'))
    for (const dir of [empty, join(data, 'none')])
      for (const words of [['verify'], ['tail'], ['tail', '-f'], ['export']]) {
        const ran = await run(['audit', ...words, '--data', dir])
        assert.deepEqual([ran.status, ran.out], [1, ''], words.join(' '))
        assert.match(ran.err, /ADMIN_NOT_FOUND: no audit log is in /)
      }
  }))

test('[SIEM-06] export prints the log of a folder, whole or filtered, across rotation', () =>
  withLog(async (log, data) => {
    for (let at = 0; at < 40; at += 1) log.record(move(`${HOSTILE} ${at}`, at % 2 === 0 ? 'marketing' : 'research'))
    const rows: readonly (readonly [words: readonly string[], lines: number])[] = [
      [[], 41],
      [['--format', 'cef', '--kind', 'open'], 1],
      [['--format', 'ecs', '--agent', 'growth/research'], 20],
      [['--since', '2026-01-01T00:00:00Z'], 0],
    ]
    for (const [words, lines] of rows) {
      const ran = await run(['audit', 'export', '--data', data, ...words])
      assert.deepEqual([ran.status, ran.err, ran.out.split('\n').length - 1], [0, '', lines], words.join(' '))
      for (const line of ran.out.split('\n')) assert.doesNotMatch(line, STEERING)
    }
    assert.equal((await run(['audit', 'export', '--data', join(data, 'none')])).status, 1)
  }))
