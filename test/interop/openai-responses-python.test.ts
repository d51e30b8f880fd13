/** The official SDK for Python reads every passed and every refused stream of the Responses API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMockUpstream } from '../fixtures/mock-upstream.ts'
import { RESPONSES_REQUEST } from '../fixtures/responses.ts'
import { playResponses, RESPONSES_SCENARIOS } from '../fixtures/responses-scenarios.ts'
import { startSallyctl } from '../fixtures/sallyctl.ts'
import { SCENARIO_POLICIES } from '../fixtures/scenarios.ts'
import { runPython } from './python.ts'

type Read = { name: string; how: string; content: string; calls: string[]; finish: string | null; error: string | null }

/** Its helper ends only at `response.completed`. */
const HELPER_WANTS_COMPLETED = /response\.completed/

test('[RESP-15] the Python SDK reads every passed and every refused stream as the contract says', async (context) => {
  const upstream = await startMockUpstream(playResponses)
  const sallyctl = await startSallyctl({ policies: SCENARIO_POLICIES, upstream: `${upstream.url}/v1` })
  try {
    const cases = RESPONSES_SCENARIOS.flatMap((scenario) =>
      (scenario.agent === 'sever' ? (['loop'] as const) : (['loop', 'helper'] as const)).map((how) => ({
        name: scenario.name,
        how,
        model: scenario.model,
        tools: RESPONSES_REQUEST.tools,
        token: sallyctl.token(`growth/${scenario.agent}`),
      })),
    )
    const reads = await runPython<Read>(
      'openai_responses_python.py',
      JSON.stringify({ base_url: `${sallyctl.ready.facade}/openai/v1`, cases }),
    )
    assert.equal(reads.length, cases.length)
    for (const read of reads) {
      const expected = RESPONSES_SCENARIOS.find((scenario) => scenario.name === read.name)?.expected
      assert.ok(expected !== undefined)
      await context.test(`${read.name} (${read.how})`, () => {
        if (read.how === 'helper' && expected.error === null && expected.finish !== 'completed') {
          return assert.match(String(read.error), HELPER_WANTS_COMPLETED)
        }
        assert.equal(read.error, expected.error)
        if (expected.error !== null) return
        const inSnapshotAlone = read.name.includes('snapshot alone') && read.how === 'loop'
        if (!inSnapshotAlone) assert.ok(read.content.includes(expected.content), read.content)
        assert.deepEqual(read.calls, expected.calls)
        assert.equal(read.finish, expected.finish)
      })
    }
  } finally {
    await sallyctl.stop()
    await upstream.close()
  }
})
