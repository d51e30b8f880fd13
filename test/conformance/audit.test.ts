/** The audit log of the real process: what is on record, and that nothing of it can be changed unseen. DESIGN §14. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { callDeltas, streamOf, textDeltas } from '../fixtures/chat.ts'
import { type MockHandler, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { REQUEST, SEVER } from '../fixtures/policies.ts'
import { SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'

const DROP = JSON.stringify({ query: 'DROP TABLE customers' })
const agent = 'growth/marketing'

/** Text first, then a call that the policy answers with Sever. */
function twice(): MockHandler {
  let asked = 0
  return (_request, reply) => {
    asked += 1
    if (asked === 1) reply.events([streamOf(textDeltas('hello there'), 'stop')])
    else reply.events([streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls')])
  }
}

async function ask(running: Running): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${running.token(agent)}` }
  const url = `${running.ready.facade}/openai/v1/chat/completions`
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(REQUEST) })
  await response.text().catch(() => '')
  return response
}

test('[PROMISE-RECORD] [AUD-11] [AUD-14] a life of an agent stands in one chain that verifies while the process runs, after it, and not once it was changed', async () => {
  const mock = await startMockUpstream(twice())
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-audit-'))
  const running = await startSallyctl({ policies: { 'a.yaml': SEVER }, upstream: `${mock.url}/v1`, dataDir })
  const cli = (...words: string[]) => spawned(SALLYCTL, [...words, '--data', dataDir])
  try {
    await ask(running)
    await ask(running)
    assert.equal((await ask(running)).status, 403)
    assert.equal((await cli('release', agent, '--reason', 'was a test')).status, 0)
    await sleep(300)
    const live = await cli('audit', 'verify', '-o', 'json')
    assert.equal(live.status, 0, live.err + live.out)
    const tail = await cli('audit', 'tail', '--lines', '1000', '-o', 'json')
    const events = tail.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const kinds = events.map(({ kind }) => kind)
    for (const kind of ['open', 'ca', 'issuance', 'key-use', 'verdict', 'move']) assert.ok(kinds.includes(kind), kind)
    const uses = events.filter(({ kind }) => kind === 'key-use')
    assert.deepEqual(
      uses.map(({ agent: who, provider, key }) => [who, provider, key]),
      [
        [agent, 'openai', 'OPENAI_API_KEY'],
        [agent, 'openai', 'OPENAI_API_KEY'],
      ],
    )
    const sever = events.findIndex(({ action }) => action === 'Sever')
    const held = events.findIndex(({ to }) => to === 'Quarantined')
    assert.ok(sever > kinds.indexOf('key-use') && held > sever, 'the verdict is written before the move')
    assert.equal(events[held].verdictId, events[sever].id)
    assert.ok(!readFileSync(join(dataDir, 'audit.jsonl'), 'utf8').includes(DROP.slice(2, -2)))
    assert.ok(!readFileSync(join(dataDir, 'audit.jsonl'), 'utf8').includes('sk-provider-key'))
  } finally {
    await running.stop('SIGTERM')
    await mock.close()
  }
  try {
    const table = await cli('audit', 'verify')
    assert.match(table.out, /^OK: \d+ events in 1 file,/)
    assert.match(table.out, /; 0 behind it/)
    const path = join(dataDir, 'audit.jsonl')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"action":"Sever"', '"action":"Allow"'))
    const changed = await cli('audit', 'verify')
    assert.equal(changed.status, 1)
    assert.match(changed.out, /^CHANGED: /)
    assert.match(
      changed.out,
      /^EDITED +audit\.jsonl:\d+ is not as it was written: audit\.jsonl:\d+, which holds its digest, /m,
    )
  } finally {
    rmSync(dataDir, { recursive: true })
  }
})

test('[LIFE-13] a second process on the data folder, whose socket is gone, writes nothing into the record of the first', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-audit-'))
  const setup = { policies: { 'a.yaml': SEVER }, upstream: 'http://127.0.0.1:9/v1', dataDir }
  const running = await startSallyctl(setup)
  try {
    unlinkSync(join(dataDir, 'admin.sock'))
    await assert.rejects(startSallyctl(setup), /ended with 69: .*already uses the data folder/s)
    assert.equal((await spawned(SALLYCTL, ['audit', 'verify', '--data', dataDir])).status, 0)
    assert.equal(readFileSync(join(dataDir, 'audit.jsonl'), 'utf8').split('"kind":"open"').length, 2)
  } finally {
    await running.stop('SIGTERM')
    rmSync(dataDir, { recursive: true })
  }
})
