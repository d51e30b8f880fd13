import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMockUpstream } from '../fixtures/mock-upstream.ts'
import { REQUEST } from '../fixtures/policies.ts'
import { startSallyctl } from '../fixtures/sallyctl.ts'
import { playScenarios, SCENARIO_POLICIES, SCENARIOS } from '../fixtures/scenarios.ts'
import { runPython } from './python.ts'

type Read = { name: string; how: string; content: string; calls: string[]; finish: string | null; error: string | null }

test('[SDK-02] the Python SDK reads every passed and every refused stream as the contract says', async (context) => {
  const upstream = await startMockUpstream(playScenarios)
  const sallyctl = await startSallyctl({ policies: SCENARIO_POLICIES, upstream: `${upstream.url}/v1` })
  try {
    const cases = SCENARIOS.flatMap((scenario) =>
      (scenario.agent === 'sever' ? (['loop'] as const) : (['loop', 'helper'] as const)).map((how) => ({
        name: scenario.name,
        how,
        model: scenario.model,
        messages: REQUEST.messages,
        tools: REQUEST.tools,
        token: sallyctl.token(`growth/${scenario.agent}`),
      })),
    )
    const reads = await runPython<Read>(
      'openai_python.py',
      JSON.stringify({ base_url: `${sallyctl.ready.facade}/openai/v1`, cases }),
    )
    assert.equal(reads.length, cases.length)
    for (const read of reads) {
      const expected = SCENARIOS.find((scenario) => scenario.name === read.name)?.expected
      assert.ok(expected !== undefined)
      await context.test(`${read.name} (${read.how})`, () => {
        assert.equal(read.error, expected.error)
        if (expected.error !== null) return
        if (expected.finish !== 'length' || read.how === 'loop')
          assert.ok(read.content.includes(expected.content), read.content)
        assert.equal(read.finish, expected.finish)
        if (expected.finish !== 'length') assert.deepEqual(read.calls, expected.calls)
      })
    }
  } finally {
    await sallyctl.stop()
    await upstream.close()
  }
})
