import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  ACTIONS,
  type Action,
  agentKeyOf,
  type Finding,
  findingOf,
  REASONS,
  type Reason,
  type Snapshot,
  type Standing,
  type Subject,
  strictness,
} from '#pkg/model'
import { decide, isLive } from './index.ts'

const agent = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const source = { policy: 'growth/marketing', path: 'onViolation.rules[0]' }
const standing: Standing = { agent, state: 'Active', epoch: 3, holds: [] }

const snapshot = (more: Partial<Snapshot> = {}): Snapshot => ({
  agent,
  generation: 7,
  digest: 'sha256:0',
  denyAll: false,
  role: 'marketing',
  mode: 'Enforce',
  labels: {},
  policies: ['growth/marketing'],
  requiredCapabilities: [],
  grants: [],
  denies: [],
  textTools: [],
  intents: { allow: [], deny: [] },
  servers: [],
  peers: [],
  callers: [],
  egress: [],
  providers: [],
  onViolation: { action: 'Deny', rules: [] },
  ...more,
})

const CALL: Subject = { kind: 'call', tool: 'run_sql', named: true, ordinal: 2 }
const STREAM: Subject = { kind: 'stream', tool: null, named: false, ordinal: 0 }
const ruled = (action: Action, ...reasons: string[]) =>
  snapshot({ onViolation: { action: 'Deny', rules: [{ source, name: 'r', reasons, action }] } })

type Row = readonly [name: string, snapshot: Snapshot, subject: Subject, reason: Reason, action: Action, open: boolean]

const rows: readonly Row[] = [
  ['the general action is Deny', snapshot(), CALL, 'TOOL_NOT_GRANTED', 'Deny', false],
  [
    'a general Record passes on record',
    snapshot({ onViolation: { action: 'Record', rules: [] } }),
    CALL,
    'TOOL_NOT_GRANTED',
    'Record',
    true,
  ],
  [
    'a general Record never lets a wire fault pass',
    snapshot({ onViolation: { action: 'Record', rules: [] } }),
    CALL,
    'WIRE_DUPLICATE_KEY',
    'Deny',
    false,
  ],
  [
    'a general Sever is Abort for doubt',
    snapshot({ onViolation: { action: 'Sever', rules: [] } }),
    CALL,
    'WIRE_DUPLICATE_KEY',
    'Abort',
    false,
  ],
  ['a rule may sever for doubt', ruled('Sever', 'WIRE_*'), CALL, 'WIRE_DUPLICATE_KEY', 'Sever', false],
  ['a rule may not let doubt pass', ruled('Record', 'WIRE_*'), CALL, 'WIRE_DUPLICATE_KEY', 'Deny', false],
  ['a rule wins over the general action', ruled('Sever', 'INTENT_SQL_DDL'), CALL, 'INTENT_SQL_DDL', 'Sever', false],
  ['a rule for another reason says nothing', ruled('Sever', 'INTENT_SQL_DDL'), CALL, 'INTENT_SQL_WRITE', 'Deny', false],
  ['a fault of the stream aborts', snapshot(), STREAM, 'WIRE_FRAMING', 'Abort', false],
  [
    'identity is Deny whatever the rules say',
    ruled('Record', 'IDENTITY_*'),
    CALL,
    'IDENTITY_AGENT_QUARANTINED',
    'Deny',
    false,
  ],
  ['a call in text alone passes on record', snapshot(), CALL, 'TOOL_IN_TEXT', 'Record', true],
]

for (const [name, given, subject, reason, action, open] of rows)
  test(`[PROMISE-CLOSED] ${name}`, () => {
    const { verdict, permit } = decide({
      id: 'v_1',
      subject,
      findings: [findingOf(reason, 0, 'x')],
      snapshot: given,
      standing,
    })
    assert.equal(verdict.action, action)
    assert.equal(permit !== null, open)
  })

test('the refusal says reason, tool, policy and where to ask', () => {
  const finding = findingOf('TOOL_NOT_GRANTED', 0, 'is not granted to role "marketing"', {
    policy: 'growth/marketing',
    path: 'tools.allow',
  })
  const { verdict } = decide({ id: 'v_8f2', subject: CALL, findings: [finding], snapshot: snapshot(), standing })
  assert.equal(
    verdict.message,
    'sallyport: TOOL_NOT_GRANTED: tool "run_sql" is not granted to role "marketing" (policy growth/marketing). Verdict v_8f2. Ask: sallyctl policy explain v_8f2',
  )
  const unnamed = decide({
    id: 'v_1',
    subject: { ...CALL, named: false },
    findings: [finding],
    snapshot: snapshot(),
    standing,
  })
  assert.match(unnamed.verdict.message, /tool call #2 is not granted/)
})

test('Audit acts on nothing but lifecycle, wire and identity', () => {
  const audit = snapshot({ mode: 'Audit' })
  const soft = decide({
    id: 'v',
    subject: CALL,
    findings: [findingOf('INTENT_SQL_DDL', 0, 'x')],
    snapshot: audit,
    standing,
  })
  assert.deepEqual([soft.verdict.enforced, soft.permit !== null], [false, true])
  for (const reason of ['WIRE_DEPTH', 'IDENTITY_AGENT_QUARANTINED', 'POLICY_NONE_SELECTS'] as const) {
    const firm = decide({ id: 'v', subject: CALL, findings: [findingOf(reason, 0, 'x')], snapshot: audit, standing })
    assert.deepEqual([firm.verdict.enforced, firm.permit], [true, null])
  }
})

test('without a known agent there is no permit, whatever was found', () => {
  assert.equal(decide({ id: 'v', subject: CALL, findings: [], snapshot: null, standing: null }).permit, null)
  assert.equal(decide({ id: 'v', subject: CALL, findings: [], snapshot: snapshot(), standing: null }).permit, null)
})

const anyFinding: fc.Arbitrary<Finding> = fc
  .record({ reason: fc.constantFrom(...(Object.keys(REASONS) as Reason[])), at: fc.nat(50) })
  .map(({ reason, at }) => findingOf(reason, at, 'x'))

test('the earliest finding decides, then the smaller check; the order of the list says nothing', () => {
  fc.assert(
    fc.property(fc.array(anyFinding, { maxLength: 6 }), fc.integer(), (findings, seed) => {
      const one = decide({ id: 'v', subject: CALL, findings, snapshot: snapshot(), standing })
      const keyed = findings.map((finding, index) => ({ finding, key: Math.sin(seed + index) }))
      const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ finding }) => finding)
      const two = decide({ id: 'v', subject: CALL, findings: shuffled, snapshot: snapshot(), standing })
      const decisive = findings.filter((finding) => finding.reason !== 'TOOL_IN_TEXT')
      const ties = (list: readonly Finding[]) =>
        new Set(list.map((finding) => `${finding.at} ${finding.check}`)).size === list.length
      if (ties(decisive)) assert.equal(one.verdict.reason, two.verdict.reason)
      assert.equal(one.verdict.action, two.verdict.action)
    }),
  )
})

test('[PROMISE-CLOSED] one more finding never makes a verdict laxer', () => {
  fc.assert(
    fc.property(fc.array(anyFinding, { maxLength: 4 }), anyFinding, (findings, more) => {
      const before = decide({ id: 'v', subject: CALL, findings, snapshot: snapshot(), standing })
      const after = decide({ id: 'v', subject: CALL, findings: [...findings, more], snapshot: snapshot(), standing })
      assert.ok(strictness(after.verdict.action) >= strictness(before.verdict.action))
      if (before.permit === null) assert.equal(after.permit, null)
    }),
  )
  assert.equal(ACTIONS.length, 7)
})

test('a permit is dead with another epoch, generation, agent or state', () => {
  const { permit } = decide({ id: 'v', subject: CALL, findings: [], snapshot: snapshot(), standing })
  assert.ok(permit !== null)
  assert.equal(isLive(permit, snapshot(), standing), true)
  assert.equal(isLive(permit, snapshot({ generation: 8 }), standing), false)
  assert.equal(isLive(permit, snapshot(), { ...standing, epoch: 4 }), false)
  assert.equal(isLive(permit, snapshot(), { ...standing, state: 'Quarantined' }), false)
  assert.equal(isLive(permit, snapshot(), { ...standing, thawing: true }), false)
  assert.equal(isLive(permit, snapshot({ agent: agentKeyOf({ namespace: 'a', name: 'b' }) }), standing), false)
  assert.equal(isLive(permit, null, standing), false)
  assert.equal(isLive(permit, snapshot(), null), false)
})
