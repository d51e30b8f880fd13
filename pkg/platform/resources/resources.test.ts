import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { AGENT_POLICY_SCHEMA, formatFault, newResourceReader, type Resources } from './index.ts'

const reader = newResourceReader()
const read = (text: string): Resources => reader.read({ path: 'p.yaml', text })

const POLICY = `apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: marketing, namespace: growth }
spec:
  selector: {}
  role: marketing
`
const AGENT = `apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: marketing }
`

type Row = readonly [name: string, text: string, at: string, code: string, words: RegExp]

const rows: readonly Row[] = [
  ['YAML that is none', 'a: [', '1:5', 'YamlSyntax', /./],
  ['a key that stands twice', `${POLICY}  role: other\n`, '7:3', 'Duplicate', /"role"/],
  ['another apiVersion', POLICY.replace('v1alpha1', 'v2'), '1:13', 'UnknownKind', /sallyport\.dev\/v1alpha1/],
  ['a misspelt kind', POLICY.replace('AgentPolicy', 'AgentPolcy'), '2:7', 'UnknownKind', /did you mean "AgentPolicy"/],
  ['a misspelt field', POLICY.replace('role:', 'rolle:'), '6:3', 'UnknownField', /spec\.rolle.*did you mean "role"/],
  [
    'a misspelt field deep down',
    `${POLICY}  tools: { allow: [{ name: x, argumnts: {} }] }\n`,
    '7:31',
    'UnknownField',
    /spec\.tools\.allow\[0\]\.argumnts/,
  ],
  [
    'a value of the wrong type',
    POLICY.replace('role: marketing', 'role: 7'),
    '6:9',
    'Invalid',
    /spec\.role must be of type string/,
  ],
  ['a value beyond the list', `${POLICY}  mode: Enforced\n`, '7:9', 'Invalid', /one of Audit, Enforce/],
  [
    'an action that is none: those that are refused later are not offered',
    `${POLICY}  onViolation: { action: Block }\n`,
    '7:26',
    'Invalid',
    /one of Record, Deny, Abort, Sever \(not available yet: Redact, Hold\)/,
  ],
  ['a missing field', POLICY.replace('  role: marketing\n', ''), '5:3', 'Invalid', /has no "role"/],
  ['a role that is no label', POLICY.replace('role: marketing', 'role: Marketing!'), '6:9', 'Invalid', /spec\.role/],
  ['a name that is no name', POLICY.replace('name: marketing', 'name: Market_ing'), '3:19', 'Invalid', /RFC 1123/],
  [
    'labels that are no strings',
    AGENT.replace('name: marketing', 'name: a, labels: { v: 1 }'),
    '3:35',
    'Invalid',
    /quotes/,
  ],
  [
    'two entries with the same key',
    `${POLICY}  tools: { allow: [{ name: x }, { name: x }] }\n`,
    '7:33',
    'Duplicate',
    /same name and server \("x"\)/,
  ],
  [
    'a rule of the CRD: one of fence and tag',
    `${POLICY}  textTools: [{ fence: a, tag: b }]\n`,
    '7:15',
    'Invalid',
    /fence/,
  ],
  ['a rule of the CRD: a reason for a ceiling', `${AGENT}spec: { state: Quarantined }\n`, '4:7', 'Invalid', /reason/],
  ['the same resource twice', `${AGENT}---\n${AGENT}`, '7:19', 'Duplicate', /twice/],
  [
    'too many aliases',
    `${POLICY}  tools: { allow: [&a { name: x }, ${'*a, '.repeat(80)}] }\n`,
    '1:1',
    'TooLarge',
    /aliases/,
  ],
]

for (const [name, text, at, code, words] of rows)
  test(`[RES-01] ${name} is refused by file, line and column`, () => {
    const { faults, policies, agents } = read(text)
    const [fault] = faults
    assert.ok(fault !== undefined, 'no fault')
    assert.equal(`${fault.line}:${fault.column} ${fault.code}`, `${at} ${code}`)
    assert.match(fault.message, words)
    assert.ok(formatFault(fault).startsWith(`p.yaml:${at}: `))
    if (code !== 'Duplicate' || name.startsWith('two')) assert.equal(policies.length + agents.length, 0)
  })

type Slip = readonly [name: string, text: string, faults: readonly string[]]

const slips: readonly Slip[] = [
  ['a required field', POLICY.replace('role:', 'rolle:'), ['6:3 UnknownField']],
  ['a required field of a list entry', `${POLICY}  tools: { allow: [{ nam: x }] }\n`, ['7:22 UnknownField']],
  ['the name', AGENT.replace('name:', 'nam:'), ['3:13 UnknownField']],
  [
    'one required field, with another one missing',
    POLICY.replace('role:', 'rolle:').replace('  selector: {}\n', ''),
    ['5:3 Invalid', '5:3 UnknownField'],
  ],
]

for (const [name, text, wanted] of slips)
  test(`[RES-01] a slip in ${name} is one fault, not one of the typed name and one of the meant`, () => {
    const { faults } = read(text)
    assert.deepEqual(faults.map(({ line, column, code }) => `${line}:${column} ${code}`).sort(), wanted)
  })

test('[RES-02] faults are told from the top of the file down, the counted rest last', () => {
  const text = `${POLICY.replace('role:', 'rolle:')}  mode: X\n  intents: { alow: [] }\n---\n${AGENT}spec: { stat: Active }\n`
  const lines = read(text).faults.map((fault) => fault.line)
  assert.deepEqual(lines, [6, 7, 8, 13])
  const few = newResourceReader({ maxFaults: 2 }).read({ path: 'p', text })
  assert.deepEqual(
    few.faults.map((fault) => fault.line),
    [6, 7, 8],
  )
})

test('[RES-02] all faults of a file are told at once, and one broken document does not hide the next', () => {
  const { faults, policies } = read(
    `${POLICY.replace('role:', 'rolle:')}  mode: X\n---\n${AGENT}spec: { stat: Active }\n---\n${POLICY}`,
  )
  assert.deepEqual(faults.map((fault) => fault.code).sort(), ['Invalid', 'UnknownField', 'UnknownField'])
  assert.equal(policies.length, 1)
})

test('[RES-03] defaults are filled in as an API server does; a null where there is one counts as absent', () => {
  const { policies, faults } = read(`${POLICY}  mode: null\n  tools: { allow: [{ name: x }] }\n`)
  assert.deepEqual(faults, [])
  const spec = policies[0]?.value.spec
  assert.equal(spec?.mode, 'Enforce')
  assert.deepEqual(spec?.onViolation, { action: 'Deny', rules: [] })
  const [tool] = spec?.tools?.allow ?? []
  assert.deepEqual([tool?.server, tool?.execution, tool?.resultTrust], ['', 'local', 'Untrusted'])
  const { agents } = read(AGENT)
  assert.equal(agents[0]?.key, 'default/marketing')
  assert.equal(agents[0]?.value.spec?.state, 'Active')
})

test('[RES-04] metadata and status of a live object are borne', () => {
  const live = POLICY.replace('namespace: growth', 'namespace: growth, uid: u, resourceVersion: "7", managedFields: []')
  assert.deepEqual(read(`${live}status: { observedGeneration: 7, anything: {} }\n`).faults, [])
})

test('JSON files and empty documents are read', () => {
  assert.equal(read(JSON.stringify(parse(POLICY))).policies.length, 1)
  assert.deepEqual(read('---\n---\n# nothing\n'), { policies: [], agents: [], faults: [] })
})

test('[RES-05] 5,000 agents in one file are read in seconds, not minutes', () => {
  const text = Array.from({ length: 5_000 }, (_, at) =>
    AGENT.replace('name: marketing', `name: a${at}, labels: { app: x }`),
  ).join('---\n')
  const { agents, faults } = read(text)
  assert.deepEqual([agents.length, faults.length], [5_000, 0])
})

test('a file beyond the limit is refused; of faults beyond theirs one says that there are more', () => {
  const small = newResourceReader({ maxFileLength: 10, maxFaults: 2 })
  assert.equal(small.read({ path: 'p', text: POLICY }).faults[0]?.code, 'TooLarge')
  const few = newResourceReader({ maxFaults: 2 })
  const many = few.read({ path: 'p', text: `${POLICY}  a: 1\n  b: 2\n  c: 3\n  d: 4\n` })
  assert.deepEqual(many.faults.length, 3)
  assert.match(many.faults[2]?.message ?? '', /and more faults/)
})

test('whatever a file holds, reading does not throw', () => {
  const piece = fc.constantFrom(
    'spec',
    ': ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    '"',
    'kind',
    'AgentPolicy',
    '---',
    '~',
    '!!binary',
    POLICY,
    AGENT,
  )
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 30 }),
      (pieces) => void read(pieces.join('')),
    ),
  )
})

test('the schema bounds every list and every string', () => {
  const unbounded: string[] = []
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    const {
      type,
      properties,
      items,
      additionalProperties,
      maxItems,
      maxLength,
      enum: values,
    } = node as Record<string, unknown>
    if (type === 'array' && maxItems === undefined) unbounded.push(path)
    if (type === 'string' && maxLength === undefined && values === undefined) unbounded.push(path)
    for (const [key, member] of Object.entries((properties ?? {}) as object)) visit(member, `${path}.${key}`)
    visit(items, `${path}[]`)
    visit(additionalProperties, `${path}{}`)
  }
  visit(AGENT_POLICY_SCHEMA, '')
  assert.deepEqual(unbounded, [])
})

test('the examples are valid', () => {
  for (const file of ['marketing/policy.yaml', 'marketing/agent.yaml']) {
    const url = new URL(`../../../docs/examples/${file}`, import.meta.url)
    assert.deepEqual(reader.read({ path: file, text: readFileSync(url, 'utf8') }).faults, [])
  }
})
