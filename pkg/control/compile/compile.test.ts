import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { agentKeyOf, type Snapshot } from '#pkg/model'
import { AGENT_POLICY_SCHEMA, type CrdSchema, newResourceReader } from '#pkg/platform/resources'
import { type Compiled, compile } from './index.ts'
import { SUPPORTED_POLICY } from './supported.ts'

const reader = newResourceReader()
const checks = {
  cel: (text: string) => (text.includes('((') ? 'unbalanced' : null),
  schema: (schema: unknown) => (JSON.stringify(schema).includes('nonsense') ? 'no such type' : null),
}

function compileText(text: string, generation = 1): Compiled {
  const { policies, agents, faults } = reader.read({ path: 'p.yaml', text })
  assert.deepEqual(faults, [])
  return compile({ policies, agents, generation, checks })
}

const policy = (name: string, spec: string, meta = ''): string => `---
apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: ${name}, namespace: growth${meta} }
spec:
  selector: { matchLabels: { app: m } }
  role: marketing
${spec}`
const AGENT = `---
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: a, namespace: growth, labels: { app: m, tier: "1" } }
`
const key = agentKeyOf({ namespace: 'growth', name: 'a' })
const snapshotOf = (text: string): Snapshot => {
  const compiled = compileText(text)
  assert.deepEqual(compiled.faults, [])
  const snapshot = compiled.snapshots.get(key)
  assert.ok(snapshot !== undefined)
  return snapshot
}

test('[CMP-01] allow and deny entries are unions, each with its own source', () => {
  const snapshot = snapshotOf(
    AGENT +
      policy('one', '  tools: { allow: [{ name: x }, { name: y }], deny: [{ name: "z*" }] }\n') +
      policy('two', '  tools: { allow: [{ name: x, intents: [sql.read] }], deny: [{ name: q }] }\n'),
  )
  assert.deepEqual(
    snapshot.grants.map(({ name, source }) => `${name} ${source.policy} ${source.path}`),
    ['x growth/one tools.allow[0]', 'y growth/one tools.allow[1]', 'x growth/two tools.allow[0]'],
  )
  assert.deepEqual(
    snapshot.denies.map(({ name }) => name),
    ['z*', 'q'],
  )
  assert.deepEqual(snapshot.policies, ['growth/one', 'growth/two'])
})

test('[CMP-01] the strictest mode and action win', () => {
  const audit = policy('one', '  mode: Audit\n  onViolation: { action: Record }\n')
  assert.deepEqual([snapshotOf(AGENT + audit).mode, snapshotOf(AGENT + audit).onViolation.action], ['Audit', 'Record'])
  const both = snapshotOf(AGENT + audit + policy('two', '  onViolation: { action: Abort }\n'))
  assert.deepEqual([both.mode, both.onViolation.action], ['Enforce', 'Abort'])
})

test('[CMP-02] an agent that no policy selects gets DenyAll; policies reach their own namespace alone', () => {
  const other = policy('one', '').replace('namespace: growth', 'namespace: sales')
  for (const text of [AGENT, AGENT + other, AGENT + policy('one', '').replace('app: m', 'app: n')]) {
    const snapshot = snapshotOf(text)
    assert.equal(snapshot.denyAll, true)
    assert.deepEqual([snapshot.grants, snapshot.providers], [[], []])
  }
})

test('[CMP-02] without an Agent there is the implicit one, without labels', () => {
  const implicit = agentKeyOf({ namespace: 'default', name: 'default' })
  const open = policy('one', '').replace(', namespace: growth', '').replace('{ matchLabels: { app: m } }', '{}')
  assert.equal(compileText(open).snapshots.get(implicit)?.denyAll, false)
  assert.equal(compileText(policy('one', '')).snapshots.get(implicit)?.denyAll, true)
})

const selectors: readonly (readonly [selector: string, selected: boolean])[] = [
  ['{}', true],
  ['{ matchLabels: { app: m, tier: "1" } }', true],
  ['{ matchLabels: { app: m, tier: "2" } }', false],
  ['{ matchExpressions: [{ key: app, operator: In, values: [m, n] }] }', true],
  ['{ matchExpressions: [{ key: app, operator: NotIn, values: [m] }] }', false],
  ['{ matchExpressions: [{ key: none, operator: NotIn, values: [m] }] }', true],
  ['{ matchExpressions: [{ key: tier, operator: Exists }] }', true],
  ['{ matchExpressions: [{ key: tier, operator: DoesNotExist }] }', false],
]
for (const [selector, selected] of selectors)
  test(`[CMP-02] selector ${selector} ${selected ? 'selects' : 'does not select'}`, () => {
    const text = AGENT + policy('one', '').replace('{ matchLabels: { app: m } }', selector)
    assert.equal(snapshotOf(text).denyAll, !selected)
  })

test('[CMP-03] of two policies with another role or provider the older stays; the newer is Conflicted everywhere', () => {
  const older = policy('zeta', '', ', creationTimestamp: "2026-01-01T00:00:00Z"')
  const newer = policy(
    'alpha',
    '  tools: { allow: [{ name: x }] }\n',
    ', creationTimestamp: "2026-02-01T00:00:00Z"',
  ).replace('role: marketing', 'role: sales')
  const compiled = compileText(AGENT + newer + older)
  assert.deepEqual(compiled.faults, [])
  assert.equal(compiled.conditions.get('growth/alpha')?.reason, 'Conflicted')
  assert.equal(compiled.conditions.get('growth/zeta')?.reason, 'Accepted')
  assert.deepEqual([compiled.snapshots.get(key)?.role, compiled.snapshots.get(key)?.grants], ['marketing', []])
  assert.equal(compiled.warnings.length, 1)
  const llm = (models: string): string =>
    `  llm: { providers: [{ name: openai, type: OpenAI, models: [${models}] }] }\n`
  assert.equal(
    compileText(AGENT + policy('a', llm('gpt-5')) + policy('b', llm('gpt-4'))).conditions.get('growth/b')?.reason,
    'Conflicted',
  )
  assert.equal(
    compileText(AGENT + policy('a', llm('gpt-5')) + policy('b', llm('gpt-5'))).conditions.get('growth/b')?.reason,
    'Accepted',
  )
})

const refused: readonly (readonly [name: string, spec: string, at: string, code: string, words: RegExp])[] = [
  ['a glob with its star inside', '  tools: { allow: [{ name: "a*b" }] }\n', '10:28', 'Invalid', /trailing/],
  ['an unknown intent', '  tools: { allow: [{ name: x, intents: [sql.reed] }] }\n', '10:41', 'Invalid', /sql\.read/],
  ['an unknown intent in the list', '  intents: { deny: ["monney.*"] }\n', '10:21', 'Invalid', /no intent/],
  [
    'an unknown reason',
    '  onViolation: { rules: [{ name: r, reasons: [NO_SUCH], action: Abort }] }\n',
    '10:47',
    'Invalid',
    /reasons\.md/,
  ],
  [
    'a glob of no reason',
    '  onViolation: { rules: [{ name: r, reasons: ["TAINT_*"], action: Abort }] }\n',
    '10:47',
    'Invalid',
    /no reason/,
  ],
  [
    'CEL that does not compile',
    '  tools: { allow: [{ name: x, arguments: { rules: [{ name: r, expression: "((" }] } }] }\n',
    '10:75',
    'Invalid',
    /does not compile/,
  ],
  [
    'a schema that does not compile',
    '  tools: { allow: [{ name: x, arguments: { schema: { type: nonsense } } }] }\n',
    '10:52',
    'Invalid',
    /does not compile/,
  ],
  ['Redact, which comes later', '  onViolation: { action: Redact }\n', '10:26', 'UnsupportedField', /Redact/],
  [
    'a field of a later check',
    '  budgets: [{ name: d, scope: Agent, period: Day, usd: "1" }]\n',
    '10:12',
    'UnsupportedField',
    /spec\.budgets/,
  ],
  [
    'execution that comes later',
    '  tools: { allow: [{ name: x, execution: a2a }] }\n',
    '10:42',
    'UnsupportedField',
    /a2a/,
  ],
  [
    'a host that is more than a host',
    '  llm: { providers: [{ name: a, type: OpenAICompatible, host: "a.example/v2" }] }\n',
    '10:63',
    'Invalid',
    /host/,
  ],
  ['a ceiling policy', '  namespaceSelector: {}\n', '10:22', 'UnsupportedField', /namespaceSelector/],
  [
    'a hosted tool of no shape',
    '  llm: { providers: [{ name: a, type: OpenAI, hostedTools: [{ name: x }] }] }\n',
    '10:61',
    'Invalid',
    /serverUrls/,
  ],
]
for (const [name, spec, at, code, words] of refused)
  test(`[CMP-04] ${name} is refused by line, and its policy grants nothing`, () => {
    const compiled = compileText(policy('one', spec) + AGENT)
    const [fault] = compiled.faults
    assert.ok(fault !== undefined, 'accepted')
    assert.deepEqual([`${fault.line - 2 + 4}:${fault.column}`, fault.code], [at, code], fault.message)
    assert.match(fault.message, words)
    assert.equal(compiled.snapshots.get(key)?.denyAll, true)
    assert.equal(compiled.conditions.get('growth/one')?.accepted, false)
  })

test('[CMP-05] every field of the schema either works or is refused by name', () => {
  const silent: string[] = []
  const visit = (node: unknown, name: string, wrap: (value: unknown) => Record<string, unknown>): void => {
    const member = node as CrdSchema
    if (
      SUPPORTED_POLICY[name] === true ||
      name === 'status' ||
      name === 'metadata' ||
      name === 'apiVersion' ||
      name === 'kind'
    )
      return
    const { type, properties, items } = member
    if (type === 'object' && properties !== undefined && name !== 'spec.namespaceSelector') {
      for (const [key, inner] of Object.entries(properties as object))
        visit(inner, name === '' ? key : `${name}.${key}`, (value) => wrap({ [key]: value }))
      return
    }
    if (type === 'array' && typeof items === 'object' && items !== null && 'properties' in items)
      return visit(items, name, (value) => wrap([value]))
    for (const sample of samplesOf(member)) {
      const known = SUPPORTED_POLICY[name]
      if (Array.isArray(known) && known.includes(String(sample))) continue
      const value = merged(wrap(sample))
      const { policies, faults } = reader.read({ path: 'p.json', text: JSON.stringify(value) })
      if (faults.length > 0) continue
      const compiled = compile({ policies, agents: [], generation: 1, checks })
      if (!compiled.faults.some((fault) => fault.code === 'UnsupportedField'))
        silent.push(`${name} = ${JSON.stringify(sample)}`)
    }
  }
  visit(AGENT_POLICY_SCHEMA, '', (value) => value as Record<string, unknown>)
  assert.deepEqual(silent, [])
})

/** Values other than the default that a field takes. */
function samplesOf(node: CrdSchema): readonly unknown[] {
  const values = Array.isArray(node['enum'])
    ? node['enum']
    : ({
        string: ['x', '1', 'sha256:'.padEnd(71, '0')],
        integer: [7],
        boolean: [true, false],
        array: [[]],
        object: [{ a: 'b' }],
      }[String(node['type'])] ?? ['x'])
  const inner = node['items'] as CrdSchema | undefined
  const filled = node['type'] === 'array' && inner !== undefined ? samplesOf(inner).map((item) => [item]) : values
  return filled.filter((value) => JSON.stringify(value) !== JSON.stringify(node['default']))
}

/** The sample in a policy that is otherwise complete; required members of lists are filled in. */
function merged(value: Record<string, unknown>): unknown {
  const spec = (value['spec'] ?? {}) as Record<string, unknown>
  const fill: Record<string, Record<string, unknown>> = {
    data: { name: 'a', action: 'Deny', kinds: ['x'] },
    egress: { name: 'a', hosts: ['x'] },
    budgets: { name: 'a', scope: 'Agent', usd: '1' },
    localServices: { port: 1, protocol: 'mcp' },
  }
  const whole: Record<string, unknown> = { selector: {}, role: 'r', ...spec }
  for (const [key, required] of Object.entries(fill)) {
    const list = whole[key]
    if (Array.isArray(list)) whole[key] = list.map((item) => ({ ...required, ...(item as object) }))
  }
  return { apiVersion: 'sallyport.dev/v1alpha1', kind: 'AgentPolicy', metadata: { name: 'p' }, spec: whole }
}

test('[CMP-06] agents with the same policies share their rules, and equal rules have equal digests', () => {
  const second = AGENT.replace('name: a', 'name: b')
  const one = compileText(AGENT + second + policy('p', '  tools: { allow: [{ name: x }] }\n'), 1)
  const two = compileText(AGENT + second + policy('p', '  tools: { allow: [{ name: x }] }\n'), 2)
  const b = agentKeyOf({ namespace: 'growth', name: 'b' })
  assert.equal(one.snapshots.get(key)?.grants, one.snapshots.get(b)?.grants)
  assert.equal(one.snapshots.get(key)?.digest, two.snapshots.get(key)?.digest)
  assert.notEqual(one.snapshots.get(key)?.digest, one.snapshots.get(b)?.digest)
  assert.notEqual(one.snapshots.get(key)?.generation, two.snapshots.get(key)?.generation)
})

test('[CMP-06] what a snapshot needs of a sidecar is listed', () => {
  const spec =
    '  mode: Audit\n  textTools: [{ fence: sh }]\n  tools: { allow: [{ name: x, execution: output, arguments: { schema: {}, rules: [{ name: r, expression: "true" }] } }] }\n'
  assert.deepEqual(snapshotOf(AGENT + policy('one', spec)).requiredCapabilities, [
    'mode.audit.v1',
    'text-tools.v1',
    'tools.arguments.cel.v1',
    'tools.arguments.schema.v1',
    'tools.output.v1',
  ])
})

test('[CMP-07] the merge does not depend on the order of files, and one more policy takes no deny away', () => {
  const parts = [
    '  tools: { allow: [{ name: x }], deny: [{ name: d1 }] }\n',
    '  mode: Audit\n',
    '  tools: { deny: [{ name: "d2*" }] }\n  onViolation: { action: Sever }\n',
    '  intents: { allow: [sql.read], deny: [sql.ddl] }\n',
  ].map((spec, at) => policy(`p${at}`, spec))
  const whole = snapshotOf(AGENT + parts.join(''))
  fc.assert(
    fc.property(fc.shuffledSubarray(parts, { minLength: 1 }), (chosen) => {
      const some = snapshotOf(chosen.join('') + AGENT)
      if (chosen.length === parts.length) assert.equal(some.digest, whole.digest)
      for (const deny of some.denies) assert.ok(whole.denies.some((each) => each.name === deny.name))
    }),
    { numRuns: 40 },
  )
})

test('[CMP-08] the ceiling of an agent is read, with the line that a verb names', () => {
  const held = AGENT.trimEnd().concat('\nspec: { state: Quarantined, reason: "looked odd", releaseThroughEpoch: 4 }\n')
  assert.deepEqual(compileText(held).agents, [
    {
      key,
      state: 'Quarantined',
      reason: 'looked odd',
      releaseThroughEpoch: 4,
      force: false,
      activation: 'None',
      place: 'p.yaml:5',
    },
  ])
  const dead = AGENT.trimEnd().concat('\nspec: { state: Terminated, reason: x, force: true }\n')
  const [agent] = compileText(dead).agents
  assert.deepEqual([agent?.state, agent?.force], ['Terminated', true])
  const later = AGENT.trimEnd().concat('\nspec: { serviceAccountName: x }\n')
  assert.deepEqual(
    compileText(later).faults.map((fault) => fault.code),
    ['UnsupportedField'],
  )
})

test('[CMP-08] an agent waits for a person where one of its policies says so', () => {
  const activationOf = (...activations: readonly string[]): string | undefined =>
    compileText(AGENT + activations.map((one, at) => policy(`p${at}`, `  activation: ${one}\n`)).join('')).agents[0]
      ?.activation
  assert.deepEqual(
    [activationOf(), activationOf('Automatic'), activationOf('Automatic', 'Manual'), activationOf('Manual')],
    ['None', 'Automatic', 'Manual', 'Manual'],
  )
})

test('[CMP-08] the same name in two files is a fault in both', () => {
  const one = reader.read({ path: 'a.yaml', text: AGENT })
  const two = reader.read({ path: 'b.yaml', text: AGENT })
  const compiled = compile({ policies: [], agents: [...one.agents, ...two.agents], generation: 1, checks })
  assert.deepEqual(
    compiled.faults.map(({ file, code }) => ({ file, code })),
    [
      { file: 'a.yaml', code: 'Duplicate' },
      { file: 'b.yaml', code: 'Duplicate' },
    ],
  )
})
