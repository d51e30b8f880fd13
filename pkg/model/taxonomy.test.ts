import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  FRAMEWORK_KEYS,
  FRAMEWORKS,
  REASON_CLASSES,
  REASONS,
  type Reason,
  THREAT_CLASSES,
  type ThreatClass,
  taxonomyOf,
  titleOf,
} from './index.ts'

/** How an id of each list is written. */
const FORMS = {
  owaspLlm: /^LLM(0[1-9]|10):2025$/,
  owaspAsi: /^ASI(0[1-9]|10)$/,
  owaspThreats: /^T([1-9]|1[0-7])$/,
  atlas: /^AML\.T\d{4}$/,
  nistAiRmf: /^(GOVERN|MAP|MEASURE|MANAGE) \d\.\d{1,2}$/,
  euAiAct: /^Art\. \d{1,3}$/,
} as const

test('[SIEM-01] every reason has a class, and every class is used', () => {
  assert.deepEqual(Object.keys(REASON_CLASSES).sort(), Object.keys(REASONS).sort())
  assert.deepEqual([...new Set<string>(Object.values(REASON_CLASSES))].sort(), Object.keys(THREAT_CLASSES).sort())
})

test('[SIEM-01] every id is written as its list writes it, is used, and stands once in a class', () => {
  assert.deepEqual(Object.keys(FRAMEWORKS), [...FRAMEWORK_KEYS])
  for (const key of FRAMEWORK_KEYS) {
    const used: readonly string[] = Object.values(THREAT_CLASSES).flatMap((row) => row[key])
    for (const id of Object.keys(FRAMEWORKS[key].ids)) {
      assert.match(id, FORMS[key])
      assert.ok(used.includes(id), `${id} is used by no class`)
      assert.notEqual(titleOf(key, id), null)
    }
    for (const row of Object.values(THREAT_CLASSES)) assert.equal(new Set<string>(row[key]).size, row[key].length)
  }
})

test('[SIEM-01] every class but that of our own faults names a list of OWASP, and all are on record', () => {
  for (const [name, row] of Object.entries(THREAT_CLASSES)) {
    const owasp = row.owaspLlm.length + row.owaspAsi.length + row.owaspThreats.length
    assert.equal(owasp > 0, name !== 'fail-closed', name)
    assert.ok(row.nistAiRmf.length > 0, name)
    assert.ok(
      row.euAiAct.some((id) => id === 'Art. 12'),
      name,
    )
  }
})

const rows: readonly (readonly [Reason, ThreatClass, readonly string[]])[] = [
  ['TOOL_NOT_GRANTED', 'excessive-agency', ['AML.T0053']],
  ['TOOL_TEXT_HIDDEN', 'injection', ['AML.T0051', 'AML.T0068']],
  ['TOOL_DRIFT', 'tool-poisoning', ['AML.T0010', 'AML.T0110']],
  ['INTENT_SQL_DDL', 'data-destruction', ['AML.T0101']],
  ['INTENT_NET_EGRESS', 'data-exfiltration', ['AML.T0086']],
  ['IDENTITY_PROOF_REPLAYED', 'identity-abuse', ['AML.T0091']],
  ['IDENTITY_AGENT_QUARANTINED', 'oversight', []],
  ['WIRE_DUPLICATE_KEY', 'protocol-confusion', []],
  ['WIRE_ENCODING_BOMB', 'resource-exhaustion', ['AML.T0029']],
]

for (const [reason, name, atlas] of rows)
  test(`[SIEM-01] ${reason} is ${name}`, () => {
    const found = taxonomyOf(reason)
    assert.deepEqual([found?.class, found?.atlas], [name, atlas])
    assert.equal(Object.hasOwn(found ?? {}, 'text'), false)
  })

test('[SIEM-01] a code that is no reason has no taxonomy, whatever it is called', () => {
  for (const code of ['', 'NO_SUCH', '__proto__', 'toString', 'constructor']) {
    assert.equal(taxonomyOf(code), null)
    assert.equal(titleOf('atlas', code), null)
  }
})
