import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { AuditEvent } from '#pkg/model'
import { exportEvent } from '#pkg/systems/audit'
import { EVENT_SHAPES, moveEvent, PRODUCT, verdictEvent } from '../fixtures/audit-events.ts'

const script = join(dirname(fileURLToPath(import.meta.url)), 'cef_parse.py')

type Read = Readonly<Record<string, string>> | null

async function parsed(events: readonly AuditEvent[]): Promise<readonly Read[]> {
  const child = spawn(process.env['INTEROP_PYTHON'] ?? 'python3', [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stdin.end(events.map((event) => `${exportEvent('cef', event, PRODUCT)}\n`).join(''))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  assert.equal(code, 0)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Read)
}

test('[SIEM-04] a parser of somebody else reads every shape of an event', async () => {
  const read = await parsed(EVENT_SHAPES.map(([, event]) => event))
  for (const [at, [name, event]] of EVENT_SHAPES.entries()) {
    const found = read[at]
    assert.equal(found?.['DeviceVendor'], 'Sallyport', name)
    assert.equal(found['externalId'], event.id, name)
    assert.equal(found['cat'], event.kind, name)
    assert.equal(found['rt'], String(Date.parse(event.time)), name)
    if (event.kind === 'verdict') assert.equal(found['act'], event.action, name)
    if (event.kind === 'verdict' && event.tool !== null) assert.equal(found['tool'], event.tool, name)
    if (event.kind === 'ca') assert.equal(found['slot'], event.slot, name)
  }
})

test('[SIEM-04] no text of an agent makes a key of its own, or changes another', async () => {
  const calm = verdictEvent({ tool: 'x', message: 'x', session: 'x', caller: 'x' })
  const hostile = 'a act=Allow\ncs9=x|y\\= suser=root'
  const [left, right, move] = await parsed([
    calm,
    { ...calm, tool: hostile, message: hostile, session: hostile, caller: hostile },
    moveEvent({ reason: hostile, by: hostile }),
  ])
  assert.deepEqual(Object.keys(right ?? {}), Object.keys(left ?? {}))
  for (const key of ['act', 'suser', 'policy', 'cn1', 'epoch', 'direction'])
    assert.equal(right?.[key], left?.[key], key)
  assert.deepEqual([move?.['act'], move?.['duser']], ['Quarantined', 'growth/marketing'])
})
