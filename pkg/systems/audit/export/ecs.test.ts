import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import type { AuditEvent } from '#pkg/model'
import { EVENT_SHAPES, moveEvent, PRODUCT, verdictEvent } from '../../../../test/fixtures/audit-events.ts'
import { exportEvent } from './index.ts'

type Field = {
  readonly type: string
  readonly normalize: readonly string[]
  readonly required?: boolean
  readonly allowed_values?: readonly { readonly name: string; readonly expected_event_types?: readonly string[] }[]
}
type Published = { readonly EcsFlat: Readonly<Record<string, Field>>; readonly EcsVersion: string }

// by require: the types of the package spell out 2,600 fields, which every type check would read
const published: Published = createRequire(import.meta.url)('@elastic/ecs')
const { EcsFlat: fields } = published

type Json = { readonly [name: string]: unknown }

/** Fields as ECS names them, with their values: objects opened, lists kept. */
function flat(value: Json, path = ''): readonly (readonly [name: string, value: unknown])[] {
  return Object.entries(value).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`
    const opens = typeof member === 'object' && member !== null && !Array.isArray(member)
    return opens ? flat(member as Json, at) : [[at, member] as const]
  })
}

const OF_TYPE: Readonly<Record<string, (value: unknown) => boolean>> = {
  keyword: (value) => typeof value === 'string' && value !== '',
  match_only_text: (value) => typeof value === 'string' && value !== '',
  date: (value) => typeof value === 'string' && new Date(value).toISOString() === value,
  long: (value) => Number.isSafeInteger(value),
}

/** What the published fields say against a document. */
function faultsOf(document: Json): readonly string[] {
  const faults: string[] = []
  const given = flat(document)
  for (const [name, value] of given) {
    if (name.startsWith('labels.')) {
      if (typeof value !== 'string' || !/^labels\.[a-z_]+$/.test(name)) faults.push(`${name}: no keyword`)
      continue
    }
    const field = fields[name]
    if (field === undefined) faults.push(`${name}: unknown`)
    else faults.push(...valueFaults(name, field, value))
  }
  for (const [name, field] of Object.entries(fields))
    if (field.required === true && !name.includes('.') && !given.some(([each]) => each === name))
      faults.push(`${name}: missing`)
  return faults.length > 0 ? faults : sortFaults(document)
}

function valueFaults(name: string, field: Field, value: unknown): readonly string[] {
  const many = field.normalize.includes('array')
  if (many !== Array.isArray(value)) return [`${name}: ${many ? 'not a list' : 'a list'}`]
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  const allowed = field.allowed_values?.map((each) => each.name)
  return values.flatMap((each) => {
    if (!(OF_TYPE[field.type]?.(each) ?? false)) return [`${name}: no ${field.type}`]
    return allowed === undefined || allowed.includes(String(each)) ? [] : [`${name}: ${each} is not allowed`]
  })
}

/** `event.type` has to be one that its category expects. */
function sortFaults(document: Json): readonly string[] {
  const { category, type } = document['event'] as { category: readonly string[]; type: readonly string[] }
  return category.flatMap((name) => {
    const expected = fields['event.category']?.allowed_values?.find((each) => each.name === name)?.expected_event_types
    return type.filter((each) => !(expected ?? []).includes(each)).map((each) => `event.type: ${each} in ${name}`)
  })
}

const ecs = (event: AuditEvent): Json => JSON.parse(exportEvent('ecs', event, PRODUCT))

test('[SIEM-05] every field of every shape of an event is a field of the published ECS, of its type', () => {
  assert.equal(published.EcsVersion, '9.4.0')
  for (const [name, event] of EVENT_SHAPES) assert.deepEqual(faultsOf(ecs(event)), [], name)
})

const right = ecs(verdictEvent())
const event = right['event'] as Json
const wrong: readonly (readonly [name: string, document: Json])[] = [
  ['an unknown field', { ...right, tool: 'x' }],
  ['an unknown field inside', { ...right, event: { ...event, us: 1 } }],
  ['a number as a text', { ...right, event: { ...event, severity: '5' } }],
  ['one value where ECS has a list', { ...right, event: { ...event, category: 'api' } }],
  ['a value that is not in the list', { ...right, event: { ...event, kind: 'finding' } }],
  ['a type that its category does not expect', { ...right, event: { ...event, type: ['deletion'] } }],
  ['a label that is no keyword', { ...right, labels: { enforced: true } }],
  ['no time', { ...right, '@timestamp': undefined }],
]

for (const [name, document] of wrong)
  test(`[SIEM-05] the published fields refuse ${name}`, () => {
    assert.notDeepEqual(faultsOf(JSON.parse(JSON.stringify(document))), [])
  })

const rows: readonly (readonly [name: string, event: AuditEvent, expected: Json])[] = [
  [
    'a refusal',
    verdictEvent(),
    {
      'event.kind': 'alert',
      'event.category': ['intrusion_detection'],
      'event.type': ['denied'],
      'event.action': 'verdict-deny',
      'event.outcome': 'failure',
      'event.code': 'INTENT_SQL_DDL',
      'event.severity': 5,
      'event.duration': 184_000,
      'rule.name': 'intents.deny[0]',
      'rule.ruleset': 'growth/marketing',
      'user.name': 'growth/marketing',
      'user.id': 'spiffe://sallyport.local/ns/growth/agent/marketing',
      'gen_ai.tool.name': 'run_sql',
      'threat.technique.id': ['AML.T0101'],
      'labels.enforced': 'true',
    },
  ],
  [
    'what Audit let pass',
    verdictEvent({ enforced: false }),
    { 'event.type': ['allowed'], 'event.outcome': 'success', 'labels.enforced': 'false' },
  ],
  [
    'a move by a person',
    moveEvent({ by: 'local', source: 'User', code: null, reason: 'why' }),
    {
      'event.category': ['iam'],
      'event.type': ['user', 'change'],
      'event.action': 'agent-quarantined',
      'event.reason': 'why',
      'user.name': 'local',
      'user.target.name': 'growth/marketing',
      'related.user': ['local', 'growth/marketing'],
      'labels.verdict_id': 'v_8fK2mQ4xT9bWcZ',
    },
  ],
]

for (const [name, given, expected] of rows)
  test(`[SIEM-05] ${name} as ECS`, () => {
    const found = Object.fromEntries(flat(ecs(given)))
    for (const [field, value] of Object.entries(expected)) assert.deepEqual(found[field], value, field)
  })
