import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { recordOf } from '../../../test/fixtures/admin-source.ts'
import { run, withProcess } from '../../../test/fixtures/run-cli.ts'

const FIELDS = 'id time agent session dialect direction tool action enforced reasons check policy rule us'.split(' ')

test('[CLI-07] verdicts prints the history and ends; json is one object a line in the order of the contract', async () =>
  withProcess(async ({ at, source }) => {
    for (let number = 0; number < 5; number += 1) source.append(recordOf(number))
    const { out, status } = await run(['verdicts', '-o', 'json', ...at])
    assert.equal(status, 0)
    const lines = out.split('\n').slice(0, -1)
    assert.equal(lines.length, 5)
    for (const line of lines) assert.deepEqual(Object.keys(JSON.parse(line)).slice(0, FIELDS.length), FIELDS)
    const filtered = await run([
      'verdicts',
      '--agent',
      'marketing',
      '-n',
      'growth',
      '--reason',
      'INTENT_SQL_DDL',
      '--since',
      '2026-01-01T00:00:03Z',
      '-o',
      'json',
      ...at,
    ])
    assert.deepEqual(
      filtered.out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id),
      ['v_000003', 'v_000004'],
    )
    assert.equal((await run(['verdicts', '--reason', 'NO', ...at])).status, 64)
    const table = await run(['verdicts', ...at])
    assert.match(
      table.out,
      /^TIME +VERDICT .*\n2026-01-01T00:00:00\.000Z +v_000000 +growth\/marketing +run_sql +Deny +INTENT_SQL_DDL +120$/m,
    )
    assert.equal(table.out.split('\n').length, 7)
    assert.equal(parseAllDocuments((await run(['verdicts', '-o', 'yaml', ...at])).out).length, 5)
  }))

test('[CLI-07] verdicts --follow goes on, and ends when the process does', async () =>
  withProcess(async ({ at, source, admin }) => {
    source.append(recordOf(1))
    let out = ''
    const stdout = async (text: string): Promise<void> => {
      out += text
      if (out.split('\n').length === 2) source.append(recordOf(2))
      if (out.split('\n').length === 3) void admin.close()
    }
    const { status, err } = await run(['verdicts', '--follow', '-o', 'json', ...at], { stdout })
    assert.equal(status, 0)
    assert.match(err, /ended/)
    assert.deepEqual(
      out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id),
      ['v_000001', 'v_000002'],
    )
  }))

test('[CLI-07] verdicts --follow ends with status 0 by a signal, as audit tail and agents --watch do', async () =>
  withProcess(async ({ at, source }) => {
    source.append(recordOf(1))
    let stop = (): void => {}
    const { status, err } = await run(['verdicts', '--follow', '-o', 'json', ...at], {
      stdout: async () => stop(),
      onSignal: (heard) => {
        stop = () => heard('SIGINT')
        return () => {}
      },
    })
    assert.deepEqual([status, err], [0, ''])
  }))

test('[CLI-07] verdicts of an agent that nobody is called are none, and who was meant is said', async () =>
  withProcess(async ({ at, source }) => {
    source.append(recordOf(1))
    const { status, out, err } = await run(['verdicts', '--agent', 'growth/marketin', '-o', 'json', ...at])
    assert.deepEqual([status, out], [0, ''])
    assert.match(err, /no agent "growth\/marketin" is known; did you mean "growth\/marketing"\?/)
    const known = await run(['verdicts', '--agent', 'growth/marketing', '-o', 'json', ...at])
    assert.deepEqual([known.out.split('\n').length, known.err], [2, ''])
  }))

/** A data folder as a process leaves it: rotated files, the one that grew, a line that a crash left torn. */
async function withFolder(body: (at: readonly string[], dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-cli-'))
  const text = (...numbers: readonly number[]): string =>
    numbers.map((number) => `${JSON.stringify(recordOf(number, number % 2 === 0 ? {} : { agent: null }))}\n`).join('')
  try {
    writeFileSync(join(dir, 'verdicts.jsonl'), `${text(5, 6)}{"id":"v_torn`)
    writeFileSync(join(dir, 'verdicts-000002.jsonl'), text(3, 4))
    writeFileSync(join(dir, 'verdicts-000001.jsonl'), text(1, 2))
    writeFileSync(join(dir, 'verdicts-notes.jsonl'), text(9))
    await body(['--data', dir], dir)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const offline: readonly (readonly [name: string, words: readonly string[], numbers: readonly number[]])[] = [
  ['everything, oldest first', [], [1, 2, 3, 4, 5, 6]],
  ['one agent', ['--agent', 'growth/marketing'], [2, 4, 6]],
  ['the newest two', ['--limit', '2'], [5, 6]],
  ['the newest of one agent', ['--limit', '1', '--agent', 'growth/marketing'], [6]],
  ['from a moment on', ['--since', '2026-01-01T00:00:05Z'], [5, 6]],
  ['one reason', ['--reason', 'TOOL_DENIED'], []],
]

for (const [name, words, numbers] of offline)
  test(`[CLI-07] without a process verdicts reads the files and says so in one line: ${name}`, async () =>
    withFolder(async (at) => {
      const { status, out, err } = await run(['verdicts', '-o', 'json', ...words, ...at])
      assert.deepEqual([status, err.split('\n').length], [0, 2])
      const lines = out.split('\n').slice(0, -1)
      assert.deepEqual(
        lines.map((line) => Number(JSON.parse(line).id.slice(2))),
        numbers,
      )
      for (const line of lines) assert.deepEqual(Object.keys(JSON.parse(line)).slice(0, FIELDS.length), FIELDS)
    }))

test('[CLI-07] the answer from the files is the answer of the process, in every format', async () =>
  withFolder(async (at) =>
    withProcess(async (bench) => {
      for (const number of [1, 2, 3, 4, 5, 6])
        bench.source.append(recordOf(number, number % 2 === 0 ? {} : { agent: null }))
      for (const format of ['table', 'wide', 'json', 'yaml']) {
        const words = ['verdicts', '-o', format]
        assert.equal((await run([...words, ...at])).out, (await run([...words, ...bench.at])).out, format)
      }
    }),
  ))

test('[CLI-07] what needs the process says so: --follow, an empty folder, --address; a wrong filter is 64', async () =>
  withFolder(async (at, dir) => {
    const rows: readonly (readonly [readonly string[], number])[] = [
      [['verdicts', '--follow', ...at], 69],
      [['verdicts', '--data', join(dir, 'none')], 69],
      [['verdicts', '--address', 'http://127.0.0.1:1', ...at], 69],
      [['verdicts', '--reason', 'NO', ...at], 64],
      [['agents', ...at], 69],
    ]
    for (const [words, status] of rows) assert.deepEqual([(await run(words)).status, words], [status, words])
  }))

test('[CLI-08] without a process policy explain VERDICT finds it in the files', async () =>
  withFolder(async (at) => {
    const { status, out } = await run(['policy', 'explain', 'v_000002', '-o', 'json', ...at])
    assert.equal(status, 0)
    const { id, rule, grants } = JSON.parse(out)
    assert.deepEqual([id, rule, grants], ['v_000002', 'intents.deny[0]', []])
    assert.equal((await run(['policy', 'explain', 'v_none', ...at])).status, 1)
  }))

test('[CLI-07] the table keeps its columns whatever stands in it; wide shows all', async () =>
  withProcess(async ({ at, source }) => {
    const long = 'a'.repeat(80)
    source.append(recordOf(1))
    source.append(recordOf(2, { tool: long, reasons: ['IDENTITY_AGENT_QUARANTINED'] }))
    source.append(recordOf(3, { enforced: false, reasons: ['TOOL_HOSTED_NOT_GRANTED'] }))
    const lines = (await run(['verdicts', ...at])).out.split('\n').slice(0, -1)
    assert.deepEqual(new Set(lines.map((line) => [...line].length)).size, 1)
    assert.match(lines[0] ?? '', / µs$/)
    assert.match(lines[2] ?? '', /a… .*IDENTITY_AGENT_QUARANTINED/)
    assert.match(lines[3] ?? '', /TOOL_HOSTED_NOT_GRANTED \(audit\)/)
    assert.ok((await run(['verdicts', '-o', 'wide', ...at])).out.includes(long))
  }))
