import assert from 'node:assert/strict'
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
