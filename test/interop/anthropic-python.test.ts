import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLAUDE_REQUEST } from '../fixtures/anthropic.ts'
import { CLAUDE_SCENARIO_POLICIES, CLAUDE_SCENARIOS, playClaudeScenarios } from '../fixtures/anthropic-scenarios.ts'
import { startMockUpstream } from '../fixtures/mock-upstream.ts'
import { startSallyctl } from '../fixtures/sallyctl.ts'
import { runPython } from './python.ts'

type Read = {
  name: string
  how: string
  text: string
  calls: [string, unknown][]
  finish: string | null
  error: string | null
}

test('[ANTHROPIC-08] the Python SDK reads every passed and every refused stream as the contract says', async (context) => {
  const upstream = await startMockUpstream(playClaudeScenarios)
  const sallyctl = await startSallyctl({
    policies: CLAUDE_SCENARIO_POLICIES,
    upstream: upstream.url,
    args: ['--upstream', `anthropic=${upstream.url}`],
  })
  try {
    const cases = CLAUDE_SCENARIOS.flatMap((scenario) =>
      (scenario.agent === 'sever' ? (['loop'] as const) : (['loop', 'helper', 'beta helper'] as const)).map((how) => ({
        name: scenario.name,
        how,
        model: scenario.model,
        messages: CLAUDE_REQUEST.messages,
        tools: CLAUDE_REQUEST.tools,
        token: sallyctl.token(`growth/${scenario.agent}`),
      })),
    )
    const reads = await runPython<Read>(
      'anthropic_python.py',
      JSON.stringify({ base_url: `${sallyctl.ready.facade}/anthropic`, cases }),
    )
    assert.equal(reads.length, cases.length)
    for (const read of reads) {
      const expected = CLAUDE_SCENARIOS.find((scenario) => scenario.name === read.name)?.expected
      assert.ok(expected !== undefined)
      await context.test(`${read.name} (${read.how})`, () => {
        if (expected.error !== null) return assert.ok(read.error?.includes(expected.error), String(read.error))
        assert.equal(read.error, null)
        assert.ok(read.text.includes(expected.content), read.text)
        assert.deepEqual(read.calls, expected.calls)
        assert.equal(read.finish, expected.finish)
      })
    }
  } finally {
    await sallyctl.stop()
    await upstream.close()
  }
})
