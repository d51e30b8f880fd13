import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AuditSink, agentKeyOf, type NewAuditEvent } from '#pkg/model'
import { silentMetrics } from '#pkg/platform/metrics'
import { recordOf } from '../../../test/fixtures/admin-source.ts'
import { countedAudit, countedVerdicts } from './counted.ts'

const agent = agentKeyOf({ namespace: 'growth', name: 'marketing' })

test('[MET-03] a verdict that cannot be written down is counted, and the error goes on', () => {
  const counted: string[] = []
  const metrics = { ...silentMetrics, count: (name: string) => void counted.push(name) }
  let full = true
  const sink = countedVerdicts(
    {
      append: () => {
        if (full) throw new Error('the disk is full')
      },
      get healthy() {
        return !full
      },
    },
    metrics,
  )
  assert.throws(() => sink.append(recordOf(1)), /the disk is full/)
  assert.equal(sink.healthy, false)
  full = false
  sink.append(recordOf(2))
  assert.equal(sink.healthy, true)
  assert.deepEqual(counted, ['sallyport_audit_append_failures_total'])
})

test('[MET-03] moves, issuances and keys of the CA are counted once they are on record', () => {
  const counted: unknown[] = []
  const metrics = { ...silentMetrics, count: (name: string, labels: object) => void counted.push([name, labels]) }
  let full = false
  const audit: AuditSink = {
    record: () => {
      if (full) throw new Error('the disk is full')
      return 'e_1'
    },
  }
  const why = { by: null, reason: null, code: null, verdictId: null }
  const events: readonly NewAuditEvent[] = [
    { kind: 'move', agent, from: 'Active', to: 'Quarantined', epoch: 2, source: 'User', ...why },
    { kind: 'ca', authority: 'Jwt', slot: 's', from: null, to: 'Prepared', by: null, reason: null },
    { kind: 'key-use', agent, provider: 'openai', key: 'OPENAI_API_KEY' },
  ]
  const sink = countedAudit(audit, metrics)
  for (const event of events) assert.equal(sink.record(event), 'e_1')
  full = true
  for (const event of events) assert.throws(() => sink.record(event))
  assert.deepEqual(counted, [
    ['sallyport_agent_moves_total', { to: 'Quarantined', source: 'User' }],
    ['sallyport_ca_moves_total', { authority: 'Jwt', to: 'Prepared' }],
    ...events.map(() => ['sallyport_audit_append_failures_total', {}]),
  ])
})
