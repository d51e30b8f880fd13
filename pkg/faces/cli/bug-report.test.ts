import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { agentKeyOf, type VerdictRecord } from '#pkg/model'
import { recordOf } from '../../../test/fixtures/admin-source.ts'
import { run } from '../../../test/fixtures/run-cli.ts'
import { bareLogLine, bareRecord, newPseudonyms } from './redact.ts'
import { tarGz } from './tar.ts'

const CANARY = 'canary'
const SECRET = `sk-${CANARY}-0123456789`

function withFolder<T>(body: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-report-'))
  return body(dir).finally(() => rmSync(dir, { recursive: true }))
}

/** A data folder, policies, a log and an environment in which every text of somebody is a canary. */
function poisoned(dir: string): { readonly words: readonly string[]; readonly vars: Readonly<Record<string, string>> } {
  const data = join(dir, `data-${CANARY}`)
  const policies = join(dir, `policies-${CANARY}`)
  for (const folder of [data, policies]) mkdirSync(folder)
  const record = recordOf(1, {
    agent: agentKeyOf({ namespace: CANARY, name: CANARY }),
    session: SECRET,
    tool: SECRET,
    policy: `${CANARY}/${CANARY}`,
    rule: `tools.allow[${CANARY}]`,
    message: `sallyport: ${SECRET}`,
  })
  writeFileSync(join(data, 'verdicts.jsonl'), `${JSON.stringify({ ...record, extra: SECRET })}\n`)
  writeFileSync(join(data, 'tokens'), SECRET)
  writeFileSync(join(data, 'observed.json'), JSON.stringify({ version: 1, agents: { [CANARY]: SECRET } }))
  writeFileSync(join(policies, `${CANARY}.yaml`), `kind: ${CANARY}\nrole: ${SECRET}\n`)
  const line = {
    level: 'warn',
    time: '2026-01-01T00:00:00.000Z',
    event: 'checks-worker',
    kind: SECRET,
    code: SECRET,
    ms: 5,
  }
  writeFileSync(
    join(dir, 'log'),
    `${JSON.stringify({ ...line, [CANARY]: SECRET })}\nplain ${SECRET}\n{"event":"${CANARY} x"}\n`,
  )
  const names = [
    'OPENAI_API_KEY',
    'ANTHROPIC_API_KEY',
    'GEMINI_API_KEY',
    'SALLYPORT_ADMIN_TOKEN',
    'SALLYPORT_UPSTREAM',
    'SALLYPORT_ODD',
  ]
  const words = ['bug-report', '--data', data, '--policies', policies, '--log', join(dir, 'log')]
  return { words, vars: Object.fromEntries(names.map((name) => [name, SECRET])) }
}

test('[CLI-17] no canary is in the report, whatever holds it; what is of use is', () =>
  withFolder(async (dir) => {
    const { words, vars } = poisoned(dir)
    const file = join(dir, 'report.tar.gz')
    const { status, out, err } = await run([...words, '--file', file], { vars })
    assert.equal(status, 0, err)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const bytes = gunzipSync(readFileSync(file)).toString('latin1')
    assert.equal(bytes.includes(CANARY), false)
    for (const word of ['INTENT_SQL_DDL', 'agent-1', 'tool-1', 'policy-1', '"ms":5', 'checks-worker', 'sha256:'])
      assert.ok(bytes.includes(word), word)
    const names = out.split('\n').filter((line) => line.endsWith(' bytes'))
    const listed = execFileSync('tar', ['-tzf', file]).toString().trim().split('\n')
    assert.deepEqual(
      names.map((line) => line.split('  ')[0]),
      listed,
      'the list is what is in it',
    )
  }))

test('[CLI-17] it is listed before it is written, never written over, and with --dry-run not written', () =>
  withFolder(async (dir) => {
    const { words, vars } = poisoned(dir)
    const file = join(dir, 'report.tar.gz')
    const dry = await run([...words, '--file', file, '--dry-run', '-o', 'json'], { vars })
    assert.deepEqual([dry.status, JSON.parse(dry.out).written, existsSync(file)], [0, null, false])
    writeFileSync(file, 'mine')
    const there = await run([...words, '--file', file], { vars })
    assert.deepEqual([there.status, readFileSync(file, 'utf8')], [69, 'mine'])
    assert.match(there.out, /versions\.json/)
    const bare = await run(['bug-report', '--data', join(dir, 'none'), '--dry-run', '-o', 'json'])
    assert.deepEqual([bare.status, JSON.parse(bare.out).files.length], [0, 5], 'also where there is nothing')
    assert.equal((await run([...words.slice(0, -1), join(dir, 'none')])).status, 65)
  }))

test('[CLI-17] whatever stands in a record or a log line, no text of more than a word of ours comes out', () => {
  const odd = fc.string({ unit: 'binary' }).map((text) => `«${text}»`)
  fc.assert(
    fc.property(odd, fc.object({ values: [odd, fc.integer()], key: odd }), (text, more) => {
      const texts = {
        id: text,
        time: text,
        session: text,
        dialect: text,
        tool: text,
        rule: text,
        message: text,
        reasons: [text],
      }
      const record = { ...recordOf(1), ...texts, ...more } as unknown as VerdictRecord // what a broken file may hold
      assert.equal(JSON.stringify(bareRecord(record, newPseudonyms())).includes('«'), false)
      const line = JSON.stringify({ level: 'info', event: 'made', time: text, code: text, ...more })
      assert.equal(JSON.stringify(bareLogLine(line)).includes('«'), false)
    }),
  )
})

test('[CLI-17] the archive is one that tar reads, of files of any length', () =>
  withFolder(async (dir) => {
    const lengths = [0, 1, 511, 512, 513, 4_096]
    const files = lengths.map((length) => ({ name: `d/f${length}`, bytes: Buffer.alloc(length, 65) }))
    writeFileSync(join(dir, 'a.tar.gz'), tarGz(files, 1_700_000_000))
    execFileSync('tar', ['-xzf', join(dir, 'a.tar.gz'), '-C', dir])
    for (const length of lengths) assert.equal(readFileSync(join(dir, `d/f${length}`), 'latin1'), 'A'.repeat(length))
  }))
