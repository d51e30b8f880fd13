import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { newResourceReader, type Resources } from './index.ts'

const reader = newResourceReader()
const read = (text: string): Resources => reader.read({ path: 'p.yaml', text })
const HEAD = 'apiVersion: sallyport.dev/v1alpha1\nkind: AgentPolicy\nmetadata: { name: p }\n'
const policy = (spec: string): string => `${HEAD}spec:\n  selector: {}\n  role: r\n${spec}`

const doubled: readonly (readonly [name: string, text: string, at: string])[] = [
  ['in quotes and without', policy('  "role": s\n'), '7:3'],
  [
    'as a number and as text',
    policy('  tools: { allow: [{ name: x, arguments: { schema: { 1: a, "1": b } } }] }\n'),
    '7:60',
  ],
  ['escaped', policy('  "r\\u006fle": s\n'), '7:3'],
  ['in a list', policy('  tools: { allow: [{ name: x }, { name: y, name: z }] }\n'), '7:44'],
  ['in JSON', '{"apiVersion":"sallyport.dev/v1alpha1","kind":"AgentPolicy","kind":"Agent"}', '1:61'],
]
for (const [name, text, at] of doubled)
  test(`[RES-10] a key that stands twice, ${name}: refused at the second`, () => {
    const [fault, ...more] = read(text).faults
    assert.deepEqual(
      [`${fault?.line}:${fault?.column}`, fault?.code, more.length],
      [at, 'Duplicate', 0],
      fault?.message,
    )
  })

test('[RES-10] a map of many keys takes time in proportion', () => {
  const text = Array.from({ length: 40_000 }, (_, at) => `k${at}: 1`).join('\n')
  const before = performance.now()
  assert.equal(read(text).faults[0]?.code, 'UnknownKind')
  assert.ok(performance.now() - before < 10_000) // quadratic would be minutes
})

test('[RES-11] one anchor at two places: each gets the defaults of its own place', () => {
  const { policies, faults } = read(policy('  tools: { allow: [&x { name: a }], deny: [*x] }\n'))
  assert.deepEqual(faults, [])
  const tools = policies[0]?.value.spec.tools
  assert.equal(tools?.allow?.[0]?.execution, 'local')
  assert.deepEqual(tools?.deny, [{ name: 'a', server: '' }])
})

test('[RES-11] a document with aliases reads as the same document written out', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(names, names, (allow, intents) => {
      const entries = allow.map((name) => ({ name }))
      const custom = intents.map((intent) => `custom.${intent}`)
      const spec = {
        selector: {},
        role: 'r',
        tools: { allow: entries, deny: entries },
        intents: { allow: custom, deny: custom },
      }
      const whole = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'AgentPolicy', metadata: { name: 'p' }, spec }
      const shared = stringify(whole) // writes an object that it meets again as an alias
      assert.ok(shared.includes('*'))
      const [one, two] = [read(shared), read(JSON.stringify(whole))]
      assert.deepEqual([one.faults, two.faults], [[], []])
      assert.deepEqual(one.policies[0]?.value, two.policies[0]?.value)
    }),
    { numRuns: 40 },
  )
})

test('[RES-11] an alias of nothing is told as such', () => {
  const [fault] = read(policy('  mode: *nothing\n')).faults
  assert.equal(fault?.code, 'YamlSyntax')
  assert.match(fault?.message ?? '', /anchor/)
})

test('[RES-08] an agent has a name of one part; a policy may have several', () => {
  const agent = read('apiVersion: sallyport.dev/v1alpha1\nkind: Agent\nmetadata: { name: a.b }\n')
  assert.deepEqual(
    agent.faults.map(({ line, column, code }) => ({ line, column, code })),
    [{ line: 3, column: 19, code: 'Invalid' }],
  )
  assert.deepEqual(read(policy('').replace('name: p', 'name: p.q')).faults, [])
})
