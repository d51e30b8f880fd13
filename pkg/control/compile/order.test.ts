import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Action,
  agentKeyOf,
  globMatches,
  isReason,
  REASONS,
  type Reason,
  type Snapshot,
  strictest,
  type ViolationRule,
} from '#pkg/model'
import { compileChecks } from '#pkg/platform/expr'
import { newResourceReader, type Resources } from '#pkg/platform/resources'
import { type Compiled, compile } from './index.ts'

const reader = newResourceReader()
const checks = { cel: () => null, schema: () => null }

type Spec = Readonly<Record<string, unknown>>
type Meta = { readonly labels?: Readonly<Record<string, string>>; readonly creationTimestamp?: string }

const fileOf = (kind: string, name: string, spec: Spec, metadata: Meta = {}, path = `${name}.json`): Resources => {
  const resource = {
    apiVersion: 'sallyport.dev/v1alpha1',
    kind,
    metadata: { name, namespace: 'growth', ...metadata },
    spec,
  }
  const read = reader.read({ path, text: JSON.stringify(resource) })
  assert.deepEqual(read.faults, [])
  return read
}
const policy = (name: string, spec: Spec = {}, metadata: Meta = {}): Resources =>
  fileOf('AgentPolicy', name, { selector: {}, role: 'r', ...spec }, metadata)
const agent = (name: string, labels: Meta['labels'] = {}, spec: Spec = {}): Resources =>
  fileOf('Agent', name, spec, { labels })

const compiled = (files: readonly Resources[]): Compiled =>
  compile({
    policies: files.flatMap((file) => file.policies),
    agents: files.flatMap((file) => file.agents),
    generation: 1,
    checks,
  })
const keyOf = (name: string) => agentKeyOf({ namespace: 'growth', name })
const snapshotOf = (files: readonly Resources[], name = 'a'): Snapshot => {
  const snapshot = compiled(files).snapshots.get(keyOf(name))
  assert.ok(snapshot !== undefined)
  return snapshot
}

/** What a set of resources comes to, for comparison. */
const outcome = ({ snapshots, conditions, agents }: Compiled): unknown => ({
  digests: [...snapshots].map(([key, { digest }]) => `${key} ${digest}`).sort(),
  conditions: [...conditions].map(([key, { reason, message }]) => `${key} ${reason} ${message}`).sort(),
  agents: agents.map((each) => JSON.stringify(each)).sort(),
})

test('[CMP-03] a policy that is out contradicts nobody: the third stays whichever agent comes first', () => {
  const on = (name: string): Spec => ({ selector: { matchExpressions: [{ key: name, operator: 'Exists' }] } })
  const files = [
    agent('a', { one: 'x', two: 'x' }),
    agent('b', { two: 'x', three: 'x' }),
    policy('p1', { ...on('one'), role: 'first' }),
    policy('p2', { ...on('two'), role: 'second' }),
    policy('p3', { ...on('three'), role: 'third' }),
  ]
  const expected = outcome(compiled(files))
  const reasons = [...compiled(files).conditions].map(([key, { reason }]) => `${key} ${reason}`)
  assert.deepEqual(reasons, ['growth/p1 Accepted', 'growth/p2 Conflicted', 'growth/p3 Accepted'])
  fc.assert(
    fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (order) => {
      assert.deepEqual(outcome(compiled(order)), expected)
    }),
    { numRuns: 60 },
  )
})

const ages: readonly (readonly [name: string, a: Meta, b: Meta, out: 'a' | 'b'])[] = [
  ['the later one', { creationTimestamp: '2026-02-01T00:00:00Z' }, { creationTimestamp: '2026-01-01T00:00:00Z' }, 'a'],
  [
    'the later instant, whatever its zone writes',
    { creationTimestamp: '2026-01-01T01:00:00+03:00' },
    { creationTimestamp: '2026-01-01T00:00:00+00:00' },
    'b',
  ],
  ['the one without a time', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }, 'a'],
  ['the later name at equal age', {}, {}, 'b'],
]
for (const [name, a, b, out] of ages)
  test(`[CMP-03] of two that contradict each other ${name} is out`, () => {
    const { conditions } = compiled([agent('x'), policy('a', { role: 'one' }, a), policy('b', { role: 'two' }, b)])
    assert.equal(conditions.get(`growth/${out}`)?.reason, 'Conflicted')
    assert.equal(conditions.get(`growth/${out === 'a' ? 'b' : 'a'}`)?.reason, 'Accepted')
  })

test('[CMP-03] the key of a provider is part of it', () => {
  const llm = (key: string): Spec => ({
    llm: { providers: [{ name: 'openai', type: 'OpenAI', models: ['m'], keyRef: { name: key } }] },
  })
  const { conditions } = compiled([agent('a'), policy('p', llm('prod')), policy('q', llm('test'))])
  assert.equal(conditions.get('growth/q')?.reason, 'Conflicted')
})

test('[CMP-08] a name that two files claim is granted nothing, and the strictest ceiling stands', () => {
  const grant = (name: string): Spec => ({ selector: {}, role: 'r', tools: { allow: [{ name }] } })
  const twice = [
    fileOf('AgentPolicy', 'p', grant('x'), {}, '1.json'),
    fileOf('AgentPolicy', 'p', grant('y'), {}, '2.json'),
  ]
  const policies = compiled([agent('a'), ...twice])
  assert.deepEqual(
    policies.faults.map(({ file, code }) => `${file} ${code}`),
    ['1.json Duplicate', '2.json Duplicate'],
  )
  assert.equal(policies.snapshots.get(keyOf('a'))?.denyAll, true)
  assert.deepEqual(policies.conditions.get('growth/p')?.accepted, false)
  const agents = [
    fileOf('Agent', 'a', { state: 'Active', releaseThroughEpoch: 9 }, { labels: { b: 'c' } }, '1.json'),
    fileOf('Agent', 'a', { state: 'Quarantined', reason: 'odd', releaseThroughEpoch: 4 }, {}, '2.json'),
  ]
  for (const order of [agents, [...agents].reverse()]) {
    const both = compiled([...order, policy('p')])
    const [held] = both.agents
    assert.deepEqual([held?.state, held?.reason, held?.releaseThroughEpoch], ['Quarantined', 'odd', 4])
    assert.equal(both.snapshots.get(keyOf('a'))?.denyAll, true)
    assert.equal(both.faults.length, 2)
  }
})

test('[CMP-02] a label that an object has by nature is not taken for one', () => {
  const selector = { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }
  assert.equal(snapshotOf([agent('a'), policy('p', { selector })]).denyAll, true)
  assert.equal(snapshotOf([agent('a', { constructor: 'x' }), policy('p', { selector })]).denyAll, false)
})

test('[CMP-02] who is selected by nobody, and what selects nobody, is said once and by line', () => {
  const { warnings, faults } = compiled([
    agent('a', { app: 'm' }),
    policy('p', { selector: { matchLabels: { app: 'n' } } }),
  ])
  assert.deepEqual(faults, [])
  assert.deepEqual(
    warnings.map(({ file }) => file),
    ['p.json', 'a.json'],
  )
  const many = compiled(Array.from({ length: 100 }, (_, at) => agent(`a${at}`)))
  assert.equal(many.warnings.length, 20)
})

/** What a policy says of a reason, as `path/policy` reads it: its strictest rule that matches, else its general action. */
function actionFor(reason: Reason, action: Action, rules: readonly ViolationRule[]): Action {
  const matching = rules.filter((rule) => rule.reasons.some((glob) => globMatches(glob, reason)))
  return matching.length === 0 ? action : matching.map((rule) => rule.action).reduce(strictest)
}

const globs = ['*', 'INTENT_*', 'INTENT_SQL_*', 'INTENT_SQL_DDL', 'ARGUMENT_*', 'TOOL_NOT_GRANTED', 'MODEL_NOT_GRANTED']
const actions = fc.constantFrom<Action>('Record', 'Deny', 'Abort', 'Sever')
const violations = fc.record({
  action: actions,
  rules: fc.array(fc.record({ reasons: fc.subarray(globs, { minLength: 1 }), action: actions }), { maxLength: 3 }),
})

test('[CMP-01] per reason the strictest policy wins: a lax rule is an exception from its own policy alone', () => {
  fc.assert(
    fc.property(fc.array(violations, { minLength: 1, maxLength: 4 }), (given) => {
      const parts = given.map(({ action, rules }, at) => {
        const named = rules.map((rule, place) => ({ name: `r${place}`, ...rule }))
        return policy(`p${at}`, { onViolation: { action, rules: named } })
      })
      const alone = parts.map((part) => snapshotOf([agent('a'), part]).onViolation)
      const merged = snapshotOf([agent('a'), ...parts]).onViolation
      for (const reason of Object.keys(REASONS).filter(isReason)) {
        const { check } = REASONS[reason]
        if (check === 'wire' || check === 'identity') continue // their floor is of `path/policy`
        const wanted = alone.map(({ action, rules }) => actionFor(reason, action, rules)).reduce(strictest)
        assert.equal(actionFor(reason, merged.action, merged.rules), wanted, reason)
      }
    }),
    { numRuns: 150 },
  )
})

test('[CMP-01] a general Sever of one policy does not become a rule that severs for doubt', () => {
  const files = [
    agent('a'),
    policy('p', { onViolation: { action: 'Sever' } }),
    policy('q', { onViolation: { action: 'Deny', rules: [{ name: 'r', reasons: ['*'], action: 'Deny' }] } }),
  ]
  const { rules } = snapshotOf(files).onViolation
  for (const rule of rules.filter(({ action }) => action === 'Sever'))
    for (const reason of rule.reasons.filter(isReason)) assert.notEqual(REASONS[reason].check, 'wire')
  assert.deepEqual(
    [...new Set(rules.map(({ source }) => `${source.policy} ${source.path}`))],
    ['growth/q onViolation.rules[0]', 'growth/p onViolation.action'],
  )
})

const specs: readonly Spec[] = [
  { tools: { allow: [{ name: 'x' }], deny: [{ name: 'admin_*' }] } },
  { mode: 'Audit', onViolation: { action: 'Record' } },
  { role: 'other', intents: { allow: ['sql.read'] } },
  { intents: { deny: ['money.*'] }, textTools: [{ fence: 'bash' }] },
  {
    selector: { matchLabels: { app: 'm' } },
    onViolation: { rules: [{ name: 'r', reasons: ['*'], action: 'Record' }] },
  },
  { llm: { providers: [{ name: 'openai', type: 'OpenAI', models: ['m'] }] } },
  { llm: { providers: [{ name: 'openai', type: 'OpenAI', models: ['n'] }] } },
  { onViolation: { action: 'Redact' } },
]
const time = fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', undefined)
const worlds = fc
  .array(fc.tuple(fc.constantFrom(...specs), time), { maxLength: 7 })
  .map((chosen) =>
    chosen.map(([spec, at], place) => policy(`p${place}`, spec, at === undefined ? {} : { creationTimestamp: at })),
  )

test('[CMP-07] whatever the order of policies and agents, the outcome is the same', () => {
  const agents = [agent('a', { app: 'm' }), agent('b'), agent('c', { app: 'n' })]
  fc.assert(
    fc.property(worlds, fc.infiniteStream(fc.nat()), (policies, dice) => {
      const files = [...agents, ...policies]
      const shuffled = files.map((file) => ({ file, at: dice.next().value ?? 0 })).sort((x, y) => x.at - y.at)
      assert.deepEqual(outcome(compiled(shuffled.map(({ file }) => file))), outcome(compiled(files)))
    }),
    { numRuns: 150 },
  )
})

test('[CMP-07] one more policy never takes a deny away, nor turns Enforce into Audit, nor makes an action laxer', () => {
  const more = policy('zz', { mode: 'Audit', tools: { allow: [{ name: 'y' }] }, onViolation: { action: 'Record' } })
  fc.assert(
    fc.property(worlds, (policies) => {
      const before = snapshotOf([agent('a'), ...policies])
      const after = snapshotOf([agent('a'), ...policies, more])
      if (before.denyAll) return
      for (const deny of before.denies) assert.ok(after.denies.some(({ name }) => name === deny.name))
      for (const deny of before.intents.deny) assert.ok(after.intents.deny.some(({ intent }) => intent === deny.intent))
      if (before.mode === 'Enforce') assert.equal(after.mode, 'Enforce')
      for (const reason of Object.keys(REASONS).filter(isReason)) {
        const [was, is] = [before, after].map(({ onViolation }) =>
          actionFor(reason, onViolation.action, onViolation.rules),
        )
        if (was !== undefined && is !== undefined) assert.equal(strictest(was, is), is, reason)
      }
    }),
    { numRuns: 150 },
  )
})

test('[CMP-06] 5,000 agents are compiled in a fraction of a second, and share what their policies say', () => {
  const agents = Array.from({ length: 5_000 }, (_, at) => agent(`a${at}`, { app: 'm', team: `t${at % 10}` }))
  const files = [
    ...agents,
    ...Array.from({ length: 20 }, (_, at) => policy(`p${at}`, { tools: { allow: [{ name: `t${at}` }] } })),
  ]
  const before = performance.now()
  const { snapshots } = compiled(files)
  const took = performance.now() - before
  assert.equal(snapshots.size, 5_000)
  assert.equal(new Set([...snapshots.values()].map(({ grants }) => grants)).size, 1)
  // 0.2 s on one idle core; the bound leaves room for a busy one
  assert.ok(took < 1_500, `${took} ms`)
})

const allowing = (intent: string): Spec => ({ intents: { allow: [intent] } })
const hosting = (...hostedTools: unknown[]): Spec => ({
  llm: { providers: [{ name: 'o', type: 'OpenAI', models: ['m'], hostedTools }] },
})
const mcp = (...serverUrls: string[]): unknown => ({ name: 'mcp', serverUrls })

const judged: readonly (readonly [name: string, spec: Spec, accepted: boolean])[] = [
  ['an intent', allowing('sql.read'), true],
  ['a glob of intents', allowing('sql.*'), true],
  ['every intent', allowing('*'), true],
  ['an intent of its own', allowing('custom.refund'), true],
  ['a glob of its own intents', allowing('custom.re*'), true],
  ['a glob of no intent', allowing('sqll.*'), false],
  ['a verb that does not exist', allowing('sql.drop'), false],
  ['a star in the middle', allowing('s*.read'), false],
  ['upper case', allowing('SQL.read'), false],
  ['a hosted tool', hosting('web_search*'), true],
  ['hosted MCP by its server', hosting(mcp('https://mcp.example/x')), true],
  ['hosted MCP by no address', hosting(mcp('mcp.example')), false],
  ['hosted MCP by a local file', hosting(mcp('file:///etc/passwd')), false],
  [
    'hosted MCP by too many servers',
    hosting(mcp(...Array.from({ length: 65 }, (_, at) => `https://m${at}.example`))),
    false,
  ],
  ['a server list of another tool', hosting({ name: 'web_search', serverUrls: [] }), false],
  ['a hosted tool with more to it', hosting({ name: 'mcp', serverUrls: [], approval: 'never' }), false],
  ['a hosted tool that is a number', hosting(7), false],
  ['a hosted tool that is nothing', hosting(null), false],
  ['a hosted tool with an endless name', hosting('x'.repeat(129)), false],
]
for (const [name, spec, accepted] of judged)
  test(`[CMP-04] ${name} is ${accepted ? 'accepted' : 'refused'}`, () => {
    const { conditions, faults, snapshots } = compiled([agent('a'), policy('p', spec)])
    assert.deepEqual(conditions.get('growth/p')?.accepted, accepted, faults[0]?.message)
    assert.equal(faults.length, accepted ? 0 : 1)
    assert.equal(snapshots.get(keyOf('a'))?.denyAll, !accepted)
  })

test('[CMP-04] the examples are accepted as they stand, each for its agent', () => {
  for (const folder of ['marketing', 'demo']) {
    const url = new URL(`../../../docs/examples/${folder}/`, import.meta.url)
    const files = readdirSync(url).map((name) =>
      reader.read({ path: name, text: readFileSync(new URL(name, url), 'utf8') }),
    )
    const { faults, warnings, snapshots } = compile({
      policies: files.flatMap((file) => file.policies),
      agents: files.flatMap((file) => file.agents),
      generation: 1,
      checks: compileChecks,
    })
    assert.deepEqual([...files.flatMap((file) => file.faults), ...faults, ...warnings], [], folder)
    for (const snapshot of snapshots.values()) assert.equal(snapshot.denyAll, false)
  }
})
