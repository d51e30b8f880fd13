import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '#pkg/control/compile'
import { agentKeyOf, DEFAULT_LIMITS, type Standing } from '#pkg/model'
import { newChecks } from '#pkg/planes/sidecar'
import { systemClock } from '#pkg/platform/clock'
import { compileChecks } from '#pkg/platform/expr'
import { newLog } from '#pkg/platform/log'
import { newResourceReader } from '#pkg/platform/resources'
import { explainCall } from './explain.ts'

const agent = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const standing: Standing = { agent, state: 'Active', epoch: 1, holds: [] }
const policyOf = (entries: string): string => `
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: marketing, namespace: growth }
---
apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: marketing, namespace: growth }
spec: { selector: {}, role: marketing, intents: { allow: [sql.read] }, tools: { allow: [${entries}] } }
`

const rows = [
  ['an entry of a server that judges again', '{ name: run_sql, server: w, execution: mcp }', 'Allow', 'tools.allow[0]'],
  ['an entry of a server that does not', '{ name: run_sql, server: w }', 'Deny', null],
  [
    'the one of two that carries it',
    '{ name: run_sql, server: w }, { name: "run_*", server: w, execution: mcp }',
    'Allow',
    'tools.allow[1]',
  ],
] as const

for (const [name, entries, action, path] of rows) {
  test(`[FW-16] explain names what grants a proposal: ${name}`, async () => {
    const checks = newChecks({ clock: systemClock, log: newLog({ level: 'error' }) }, DEFAULT_LIMITS)
    try {
      const read = newResourceReader().read({ path: 'p.yaml', text: policyOf(entries) })
      const compiled = compile({ ...read, generation: 1, checks: compileChecks })
      assert.deepEqual([...read.faults, ...compiled.faults], [])
      const snapshot = compiled.snapshots.get(agent)
      assert.ok(snapshot !== undefined)
      const loaded = { snapshot, rules: checks.firewall.load(snapshot) }
      const roster = { agentOf: () => agent, loaded: () => loaded }
      const lives = { healthy: true, standingOf: () => standing, sever: () => standing }
      const call = { name: 'run_sql', arguments: { query: 'SELECT a FROM t' } }
      const explained = await explainCall({ roster, lives, firewall: checks.firewall }, agent, call)
      assert.deepEqual([explained.action, explained.granted?.path ?? null], [action, path])
    } finally {
      await checks.close()
    }
  })
}
