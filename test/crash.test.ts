import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { spawned } from './fixtures/run-cli.ts'

test('[CRASH-01] [PROMISE-RECORD] a few kills under load: nothing that a client was told is missing in the record', async () => {
  const words = [join(import.meta.dirname, 'crash/run.ts'), '--kills', '3']
  const { status, out, err } = await spawned(process.execPath, words)
  assert.equal(status, 0, out + err)
  assert.match(out, /^crash: 3 kills, seed \d+$/m)
  const [, ids = '0', calls = '0'] = /(\d+) ids and (\d+) calls that clients got are on record/.exec(out) ?? []
  assert.ok(Number(ids) + Number(calls) > 0, out)
})
