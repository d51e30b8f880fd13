import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '#pkg/model'
import { exportEvent } from '#pkg/systems/audit'
import { EVENT_SHAPES, moveEvent, PRODUCT, verdictEvent } from '../fixtures/audit-events.ts'
import { runPython } from './python.ts'

type Read = Readonly<Record<string, string>> | null

async function parsed(events: readonly AuditEvent[]): Promise<readonly Read[]> {
  const lines = events.map((event) => `${exportEvent('cef', event, PRODUCT)}\n`)
  return await runPython<Read>('cef_parse.py', lines.join(''))
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
