import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AGENT_POLICY_SCHEMA,
  AGENT_SCHEMA,
  type CrdSchema,
  type FieldPath,
  formatPath,
  newResourceReader,
} from '#pkg/platform/resources'
import { SUPPORTED_AGENT, SUPPORTED_POLICY, unsupportedFields } from './supported.ts'

const KINDS = [
  { kind: 'AgentPolicy', schema: AGENT_POLICY_SCHEMA, supported: SUPPORTED_POLICY },
  { kind: 'Agent', schema: AGENT_SCHEMA, supported: SUPPORTED_AGENT },
]

/** One field of a schema: where it stands, by name and in a value that holds it alone, first of its lists. */
type Leaf = { readonly name: string; readonly path: FieldPath; readonly node: CrdSchema }

/** Every field of `spec`, groups too: a group may be written down empty. */
function fieldsOf(node: CrdSchema, name: string, path: FieldPath): readonly Leaf[] {
  const below = Object.entries((node['properties'] ?? {}) as Record<string, CrdSchema>).flatMap(([key, member]) =>
    fieldsOf(member, `${name}.${key}`, [...path, key]),
  )
  const items = node['items'] as CrdSchema | undefined
  const inList = items === undefined ? [] : fieldsOf(items, name, [...path, 0]).filter((leaf) => leaf.name !== name)
  return [{ name, path, node }, ...below, ...inList]
}

function specOf(schema: CrdSchema): CrdSchema {
  return (schema['properties'] as Record<string, CrdSchema>)['spec'] ?? {}
}

/** Values that a field takes and that are not its default. */
function otherValues(node: CrdSchema): readonly unknown[] {
  const samples: Readonly<Record<string, readonly unknown[]>> = {
    string: ['x', ''],
    integer: [0, 1, 7],
    boolean: [true, false],
    array: [[], ['x'], [{}]],
    object: [{}, { x: 1 }],
  }
  const values = (node['enum'] as unknown[] | undefined) ?? samples[String(node['type'])] ?? ['x', {}]
  return values.filter((value) => JSON.stringify(value) !== JSON.stringify(node['default']))
}

function valueWith(path: FieldPath, value: unknown): Record<string, unknown> {
  const whole = path.reduceRight<unknown>(
    (inner, step) => (typeof step === 'number' ? [inner] : { [step]: inner }),
    value,
  )
  return whole as Record<string, unknown> // the first step is a name
}

const works = (supported: Readonly<Record<string, unknown>>, name: string): boolean =>
  Object.entries(supported).some(([key, what]) => what === true && (name === key || name.startsWith(`${key}.`)))

for (const { kind, schema, supported } of KINDS) {
  const fields = fieldsOf(specOf(schema), 'spec', ['spec'])

  test(`[CMP-05] ${kind}: every value of every field works or is refused at that field`, () => {
    let refused = 0
    for (const { name, path, node } of fields) {
      const leadsOn = Object.keys(supported).some((key) => key.startsWith(`${name}.`))
      if (works(supported, name) || leadsOn) continue
      for (const value of otherValues(node)) {
        if (Array.isArray(supported[name]) && supported[name].includes(String(value))) continue
        const found = unsupportedFields(schema, valueWith(path, value), supported)
        assert.equal(found.length, 1, `${name} = ${JSON.stringify(value)} is silently ignored`)
        const [at] = found
        assert.ok(at !== undefined && formatPath(path).startsWith(formatPath(at.path)), `${name}: ${at?.message}`)
        assert.ok(at.message.includes(formatPath(at.path)), 'the message names the field')
        refused += 1
      }
    }
    assert.ok(refused >= (kind === 'Agent' ? 3 : 100), `only ${refused} values were tried`)
  })

  test(`[CMP-05] ${kind}: what is said to work is a field of the schema, and its values are values of it`, () => {
    for (const [name, what] of Object.entries(supported)) {
      const field = fields.find((each) => each.name === name)
      assert.ok(field !== undefined, `${name} is no field`)
      if (what === true) continue
      for (const value of what) assert.ok((field.node['enum'] as string[]).includes(value), `${name}: ${value}`)
    }
  })

  test(`[CMP-05] ${kind}: a default written out asks for nothing`, () => {
    for (const { name, path, node } of fields) {
      if (node['default'] === undefined || path.length > 2) continue
      const found = unsupportedFields(schema, valueWith(path, node['default']), supported)
      assert.deepEqual(found, [], name)
    }
  })
}

test('[CMP-05] a group of a later check is refused even when it is empty, if its presence alone says something', () => {
  for (const spec of [
    { namespaceSelector: {} },
    { tools: { allow: [{ name: 'x', sensitive: [] }] } },
    { llm: { router: {} } },
  ])
    assert.equal(unsupportedFields(AGENT_POLICY_SCHEMA, { spec }, SUPPORTED_POLICY).length, 1, JSON.stringify(spec))
})

test('[CMP-05] a group of a later check may be written down as far as it keeps its defaults', () => {
  const groups = [
    'whenTainted: { mode: Graded }',
    'approvals: {}',
    'inbound: {}',
    'memory: { access: None }',
    'session: { idleTimeoutSeconds: 1800 }',
    'audit: {}',
    'pod: { kubernetesApi: Deny }',
    'activation: Automatic',
    'data: []',
    'egress: []',
    'tools: { allow: [{ name: x, server: "", execution: local, approval: {} }] }',
  ]
  const text = `apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: p }
spec: { selector: {}, role: r, ${groups.join(', ')} }
`
  const { policies, faults } = newResourceReader().read({ path: 'p.yaml', text })
  assert.deepEqual(faults, [])
  assert.deepEqual(unsupportedFields(AGENT_POLICY_SCHEMA, policies[0]?.value, SUPPORTED_POLICY), [])
})
