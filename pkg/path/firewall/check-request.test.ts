import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACTIVE, agent, firewall, snapshot, view } from './firewall.fixture.ts'

const requests = [
  { name: 'an active agent, a granted model', given: {}, state: 'Active', reasons: [] },
  { name: 'a quarantined agent', given: {}, state: 'Quarantined', reasons: ['IDENTITY_AGENT_QUARANTINED'] },
  { name: 'a suspended agent', given: {}, state: 'Suspended', reasons: ['IDENTITY_AGENT_SUSPENDED'] },
  { name: 'a terminated agent', given: {}, state: 'Terminated', reasons: ['IDENTITY_AGENT_TERMINATED'] },
  { name: 'a provisioned agent', given: {}, state: 'Provisioned', reasons: ['IDENTITY_AGENT_PROVISIONED'] },
  { name: 'an agent without its fresh key', given: {}, thawing: true, reasons: ['IDENTITY_AGENT_INACTIVE'] },
  { name: 'no policy', given: {}, more: { denyAll: true }, reasons: ['POLICY_NONE_SELECTS'] },
  { name: 'no provider', given: {}, more: { providers: [] }, reasons: ['PROVIDER_NOT_GRANTED'] },
  { name: 'a provider of another type', given: { provider: 'Anthropic' }, reasons: ['PROVIDER_NOT_GRANTED'] },
  { name: 'another model', given: { model: 'gpt-4' }, reasons: ['MODEL_NOT_GRANTED'] },
  { name: 'no model', given: { model: null }, reasons: ['MODEL_NOT_GRANTED'] },
  {
    name: 'the list of models',
    given: {
      model: null,
      modelless: true,
      endpoint: { name: 'models', method: 'GET', path: '/models', kind: 'plain' },
    },
    reasons: [],
  },
  {
    name: 'one granted model',
    given: {
      model: 'gpt-5-mini',
      endpoint: { name: 'model', method: 'GET', path: '/models/gpt-5-mini', kind: 'plain' },
    },
    reasons: [],
  },
  {
    name: 'one other model',
    given: { model: 'o9', endpoint: { name: 'model', method: 'GET', path: '/models/o9', kind: 'plain' } },
    reasons: ['MODEL_NOT_GRANTED'],
  },
  {
    name: 'a granted hosted tool',
    given: { hostedTools: [{ name: 'web_search_preview', serverUrl: null }] },
    reasons: [],
  },
  {
    name: 'two hosted tools that are not',
    given: {
      hostedTools: [
        { name: 'code_interpreter', serverUrl: null },
        { name: 'file_search', serverUrl: null },
      ],
    },
    reasons: ['TOOL_HOSTED_NOT_GRANTED', 'TOOL_HOSTED_NOT_GRANTED'],
  },
  { name: 'hosted mcp, approved always', given: mcp('https://mcp.example/a', 'always'), reasons: [] },
  {
    name: 'hosted mcp, approved never',
    given: mcp('https://mcp.example/a', 'never'),
    reasons: ['TOOL_HOSTED_NOT_GRANTED'],
  },
  {
    name: 'hosted mcp, approval left to the default',
    given: mcp('https://mcp.example/a', undefined),
    reasons: ['TOOL_HOSTED_NOT_GRANTED'],
  },
  {
    name: 'hosted mcp of another server',
    given: mcp('https://mcp.example/b', 'always'),
    reasons: ['TOOL_HOSTED_NOT_GRANTED'],
  },
] as const

function mcp(serverUrl: string, approval: string | undefined) {
  return { hostedTools: [{ name: 'mcp', serverUrl, asksAlways: approval === 'always' }] }
}

for (const row of requests) {
  test(`[FW-01] a request: ${row.name}`, () => {
    const own = firewall()
    const rules = own.load(snapshot('more' in row ? row.more : {}))
    const state = 'state' in row ? row.state : ACTIVE.state
    const standing = { ...ACTIVE, state, ...('thawing' in row ? { thawing: row.thawing } : {}) }
    const asked = view(row.given)
    const found = own.inspect(rules, { view: asked, agent, standing }).request(asked)
    assert.deepEqual(
      found.map((finding) => finding.reason),
      row.reasons,
    )
  })
}
