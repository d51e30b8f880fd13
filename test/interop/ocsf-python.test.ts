import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportEvent } from '#pkg/systems/audit'
import { EVENT_SHAPES, PRODUCT, verdictEvent } from '../fixtures/audit-events.ts'
import { runPython } from './python.ts'

/** What the published schema says against each line. */
async function faultsOf(lines: readonly string[]): Promise<readonly (readonly string[])[]> {
  const read = await runPython<{ readonly faults: readonly string[] }>(
    'ocsf_validate.py',
    lines.map((line) => `${line}\n`).join(''),
  )
  return read.map(({ faults }) => faults)
}

test('[SIEM-03] every shape of an event is valid OCSF by the published schema, with and without SPIFFE IDs', async (context) => {
  const { spiffeIdOf: _none, ...plain } = PRODUCT
  const rows = EVENT_SHAPES.flatMap(([name, event]) => [
    [name, exportEvent('ocsf', event, PRODUCT)] as const,
    [`${name}, by key`, exportEvent('ocsf', event, plain)] as const,
  ])
  const faults = await faultsOf(rows.map(([, line]) => line))
  assert.equal(faults.length, rows.length)
  for (const [at, [name]] of rows.entries()) await context.test(name, () => assert.deepEqual(faults[at], []))
})

/** What the oracle has to see, so that its silence means something. */
const WRONG: readonly (readonly [name: string, change: (event: Record<string, unknown>) => unknown])[] = [
  ['an unknown attribute', (event) => ({ ...event, tool: 'x' })],
  ['an unknown attribute inside', (event) => ({ ...event, metadata: { ...(event['metadata'] as object), x: 1 } })],
  ['a wrong type', (event) => ({ ...event, time: 'now' })],
  ['a number that is not in its list', (event) => ({ ...event, severity_id: 7 })],
  ['a caption of another number', (event) => ({ ...event, severity: 'High' })],
  ['a missing attribute', (event) => ({ ...event, finding_info: undefined })],
  ['a type of another activity', (event) => ({ ...event, type_uid: 200402 })],
  ['an attribute of a profile that is not named', (event) => ({ ...event, is_suspected_breach: true })],
  ['an object without what names it', (event) => ({ ...event, policy: { version: '1' } })],
]

test('[SIEM-03] the schema refuses what is wrong', async (context) => {
  const right: Record<string, unknown> = JSON.parse(exportEvent('ocsf', verdictEvent(), PRODUCT))
  const faults = await faultsOf(WRONG.map(([, change]) => JSON.stringify(change(right))))
  for (const [at, [name]] of WRONG.entries())
    await context.test(name, () => assert.notDeepEqual(faults[at], [], 'the oracle is blind'))
})
