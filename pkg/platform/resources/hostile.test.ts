import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatFault, formatPath, newResourceReader, type Resources } from './index.ts'

const reader = newResourceReader()
const read = (text: string): Resources => reader.read({ path: 'p.yaml', text })

const HEAD = 'apiVersion: sallyport.dev/v1alpha1\nkind: AgentPolicy\n'
const policy = (metadata: string, spec = ''): string =>
  `${HEAD}metadata: { ${metadata} }\nspec:\n  selector: {}\n  role: r\n${spec}`

type Row = readonly [name: string, text: string, at: string, code: string, words: RegExp]

const refused: readonly Row[] = [
  ['a key that is a list', `${policy('name: p')}  ? [a]\n  : b\n`, '7:5', 'YamlSyntax', /string/],
  ['a template that was not rendered', policy('name: {{ .Values.name }}'), '3:20', 'YamlSyntax', /./],
  ['a tag of its own', policy('name: p', '  mode: !secret Audit\n'), '7:9', 'YamlSyntax', /tag/i],
  ['a merge key', policy('name: p', '  tools: { <<: { allow: [] } }\n'), '7:12', 'UnknownField', /<</],
  ['YAML 1.1, where no is false', `%YAML 1.1\n---\n${policy('name: p')}`, '2:1', 'YamlSyntax', /1\.1/],
  [
    'an alias that unfolds to itself',
    policy('name: p', '  tools: { allow: [{ name: x, arguments: { schema: &s { properties: { a: *s } } } }] }\n'),
    '7:74',
    'TooLarge',
    /without end/,
  ],
  ['a field named __proto__', policy('name: p', '  __proto__: { mode: Audit }\n'), '7:3', 'UnknownField', /__proto__/],
  ['a field named constructor', policy('name: p', '  constructor: {}\n'), '7:3', 'UnknownField', /constructor/],
  [
    'a field of nothing',
    policy('name: p', '  tools:\n    allow:\n    - { name: x, intents: }\n'),
    '9:27',
    'Invalid',
    /empty/,
  ],
  ['a misspelt label list', policy('name: p, lables: { a: b }'), '3:22', 'UnknownField', /did you mean "labels"/],
  ['a missing name', policy('namespace: growth'), '3:11', 'Invalid', /no "name"/],
  ['a name with an empty part', policy('name: a..b'), '3:19', 'Invalid', /RFC 1123/],
  ['a namespace with a dot', policy('name: a, namespace: b.c'), '3:33', 'Invalid', /RFC 1123/],
  ['a namespace that is empty', policy('name: a, namespace: ""'), '3:33', 'Invalid', /RFC 1123/],
  ['a name of the wrong length', policy(`name: ${'a'.repeat(254)}`), '3:19', 'Invalid', /253/],
  ['a label value that is none', policy('name: p, labels: { a: "b c" }'), '3:35', 'Invalid', /63/],
  ['a label name that is none', policy('name: p, labels: { "-a": b }'), '3:32', 'Invalid', /label name/],
  ['a time that is none', policy('name: p, creationTimestamp: yesterday'), '3:41', 'Invalid', /RFC 3339/],
  ['metadata that is no object', `${HEAD}metadata: []\nspec: { selector: {}, role: r }\n`, '3:11', 'Invalid', /name/],
  ['a number where a name stands', policy('name: 7'), '3:19', 'Invalid', /RFC 1123/],
  ['a list as a resource', '- a\n', '1:1', 'Invalid', /object/],
  ['a resource without a kind', 'apiVersion: sallyport.dev/v1alpha1\nspec: {}\n', '1:1', 'UnknownKind', /kind/],
  ['another resource of the cluster', 'apiVersion: v1\nkind: Secret\n', '1:13', 'UnknownKind', /sallyport\.dev/],
]

for (const [name, text, at, code, words] of refused)
  test(`[RES-08] ${name} is refused, never guessed at`, () => {
    const { faults, policies, agents } = read(text)
    const [fault] = faults
    assert.ok(fault !== undefined, 'accepted')
    assert.deepEqual([`${fault.line}:${fault.column}`, fault.code], [at, code], fault.message)
    assert.match(fault.message, words)
    assert.equal(policies.length + agents.length, 0)
  })

const borne: readonly (readonly [name: string, text: string])[] = [
  ['a byte order mark', `\uFEFF${policy('name: p')}`],
  ['carriage returns', policy('name: p').replaceAll('\n', '\r\n')],
  [
    'tabs in JSON',
    '{\n\t"apiVersion": "sallyport.dev/v1alpha1",\n\t"kind": "AgentPolicy",\n\t"metadata": {"name": "p"},\n\t"spec": {"selector": {}, "role": "r"}\n}\n',
  ],
  ['the version of YAML that is read', `%YAML 1.2\n---\n${policy('name: p')}`],
  ['nulls where Kubernetes writes them', policy('name: p, namespace: null, labels: null, creationTimestamp: null')],
  [
    'an alias',
    policy(
      'name: p',
      '  llm: { providers: [{ name: a, type: OpenAI, models: &m [x] }, { name: b, type: OpenAI, models: *m }] }\n',
    ),
  ],
  ['words that are booleans elsewhere', policy('name: "no"').replace('role: r', 'role: off')],
]
for (const [name, text] of borne)
  test(`[RES-08] ${name}: borne`, () => {
    const { faults, policies } = read(text)
    assert.deepEqual(faults.map(formatFault), [])
    assert.equal(policies[0]?.namespace, 'default')
  })

test('[RES-09] a number that a double cannot hold thaws nobody', () => {
  const agent = HEAD.replace('AgentPolicy', 'Agent')
  const spec = (epoch: string): Resources =>
    read(`${agent}metadata: { name: a }\nspec: { releaseThroughEpoch: ${epoch} }\n`)
  assert.equal(spec('9007199254740991').agents[0]?.value.spec?.releaseThroughEpoch, 9007199254740991)
  for (const epoch of ['9007199254740993', '-1', '1.5', '.inf', '.nan', '"1"', '1e99'])
    assert.equal(spec(epoch).faults[0]?.code, 'Invalid', epoch)
})

test('[RES-09] nesting has its limit, in a value and in what the parser itself bears', () => {
  const nested = (depth: number): string =>
    `  tools: { allow: [{ name: x, arguments: { schema: ${'{ not: '.repeat(depth)}{}${' }'.repeat(depth)} } }] }\n`
  assert.deepEqual(read(policy('name: p', nested(50))).faults, [])
  assert.equal(read(policy('name: p', nested(70))).faults[0]?.code, 'TooLarge')
  assert.equal(read(policy('name: p', nested(5_000))).policies.length, 0)
  for (const open of ['[', '{a: ', '- ', '? ', '&a '])
    for (const times of [1_000, 20_000]) {
      const { faults, policies } = read(`${policy('name: p')}---\n${open.repeat(times)}`)
      assert.ok(['YamlSyntax', 'TooLarge'].includes(faults[0]?.code ?? ''), `${open} ${times}`)
      assert.ok(policies.length <= 1)
    }
})

test('[RES-09] more faults than a call takes arguments are counted', () => {
  const { faults } = read('&a '.repeat(130_000))
  assert.equal(faults.length, 101)
  assert.match(faults[100]?.message ?? '', /more faults/)
})

test('[RES-09] a million aliases cost nothing', () => {
  const levels = Array.from({ length: 20 }, (_, at) => (at === 0 ? '&a0 [x, x]' : `&a${at} [*a${at - 1}, *a${at - 1}]`))
  const text = policy(
    'name: p',
    `  tools: { allow: [{ name: x, arguments: { schema: { enum: [${levels.join(', ')}] } } }] }\n`,
  )
  const before = performance.now()
  assert.equal(read(text).faults[0]?.code, 'TooLarge')
  assert.ok(performance.now() - before < 20_000)
})

test('[RES-01] a place is that of the field, and of the nearest one above where the field is absent', () => {
  const { policies } = read(
    policy('name: p', '  tools:\n    allow:\n      - { name: x }\n      - name: y\n        intents: [sql.read]\n'),
  )
  const at = (...path: (string | number)[]): string => {
    const { line, column } = policies[0]?.at(path) ?? { line: 0, column: 0 }
    return `${line}:${column}`
  }
  assert.equal(at('spec', 'tools', 'allow', 1, 'intents', 0), '11:19')
  assert.equal(at('spec', 'tools', 'allow', 0), '9:9')
  assert.equal(at('spec', 'tools', 'allow', 0, 'arguments', 'schema'), '9:9')
  assert.equal(at('spec', 'llm', 'providers'), '5:3')
  assert.equal(at('nothing'), '1:1')
})

test('[RES-01] a fault is one line, whatever a field is called', () => {
  const { faults } = read(`${HEAD}metadata: { name: p }\nspec: { selector: {}, role: r, "a\\nb: c": 1 }\n`)
  assert.deepEqual(
    faults.map((fault) => fault.code),
    ['UnknownField'],
  )
  for (const fault of faults) assert.ok(!formatFault(fault).includes('\n'))
  assert.equal(formatPath(['spec', 'a b', 0, 'c']), 'spec["a b"][0].c')
})

test('[RES-01] every misspelling of a field is told by name, and none is read as something else', () => {
  const fields = ['selector', 'role', 'mode', 'tools', 'textTools', 'intents', 'llm', 'onViolation']
  const values: Readonly<Record<string, unknown>> = { selector: {}, role: 'r', mode: 'Audit', textTools: [] }
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.nat(20), fc.constantFrom('x', 'Z', '_'), (field, place, letter) => {
      const at = place % (field.length + 1)
      const typed = field.slice(0, at) + letter + field.slice(at)
      const spec = { selector: {}, role: 'r', [typed]: values[field] ?? {} }
      const text = JSON.stringify({
        apiVersion: 'sallyport.dev/v1alpha1',
        kind: 'AgentPolicy',
        metadata: { name: 'p' },
        spec,
      })
      const { faults, policies } = read(text)
      assert.equal(policies.length, 0)
      assert.deepEqual([faults[0]?.code, faults.length], ['UnknownField', 1])
      assert.ok(faults[0]?.message.includes(`did you mean "${field}"?`), faults[0]?.message)
    }),
    { numRuns: 60 },
  )
})

test('[RES-05] a folder of 5,000 agents is read in time for a start within 5 s', () => {
  const text = Array.from(
    { length: 5_000 },
    (_, at) =>
      `${HEAD.replace('AgentPolicy', 'Agent')}metadata:\n  name: a${at}\n  labels: { app: x, team: t${at % 9} }\nspec:\n  state: Active\n`,
  ).join('---\n')
  const before = performance.now()
  assert.equal(read(text).agents.length, 5_000)
  // 0.8 s on one idle core; the bound leaves room for a busy one
  assert.ok(performance.now() - before < 30_000)
})
