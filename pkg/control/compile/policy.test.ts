import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newResourceReader } from '#pkg/platform/resources'
import { compile } from './index.ts'

const reader = newResourceReader()

function codesOf(spec: object): readonly string[] {
  const whole = { selector: {}, role: 'r', ...spec }
  const resource = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'AgentPolicy', metadata: { name: 'p' }, spec: whole }
  const { policies, agents, faults } = reader.read({ path: 'p.json', text: JSON.stringify(resource) })
  assert.deepEqual(faults, [])
  const checks = { cel: () => null, schema: () => null }
  return compile({ policies, agents, generation: 1, checks }).faults.map((fault) => fault.code)
}

const intents: readonly (readonly [intent: string, known: boolean])[] = [
  ['sql.read', true],
  ['sql.*', true],
  ['*', true],
  ['custom.pay', true],
  ['custom.*', true],
  ['custom.pay-*', true],
  ['cust*', false],
  ['custom.Pay*', false],
  ['sqll.*', false],
  ['sql.*.read', false],
  ['SQL.*', false],
  ['sql.reads*', false],
]
for (const [intent, known] of intents)
  test(`[CMP-04] the intent ${intent} ${known ? 'is known' : 'is refused'}`, () => {
    for (const list of ['allow', 'deny'])
      assert.deepEqual(codesOf({ intents: { [list]: [intent] } }), known ? [] : ['Invalid'], list)
  })

const hosted: readonly (readonly [tool: unknown, known: boolean])[] = [
  ['web_search', true],
  ['web_*', true],
  [{ name: 'mcp', serverUrls: ['https://mcp.example/sse'] }, true],
  [{ name: 'mcp', serverUrls: [] }, true],
  ['w*b', false],
  [7, false],
  [['web_search'], false],
  [{ name: 'mcp' }, false],
  [{ name: 'web_search', serverUrls: [] }, false],
  [{ name: 'mcp', serverUrls: ['mcp.example'] }, false],
  [{ name: 'mcp', serverUrls: ['file:///etc'] }, false],
  [{ name: 'mcp', serverUrls: ['https://a.example', 7] }, false],
  [{ name: 'mcp', serverUrls: [], more: 1 }, false],
]
for (const [tool, known] of hosted)
  test(`[CMP-04] the hosted tool ${JSON.stringify(tool)} ${known ? 'is known' : 'is refused'}`, () => {
    const llm = { providers: [{ name: 'openai', type: 'OpenAI', hostedTools: [tool] }] }
    assert.deepEqual(codesOf({ llm }), known ? [] : ['Invalid'])
  })
