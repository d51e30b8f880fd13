import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REQUEST } from '../fixtures/gemini.ts'
import { playScenarios, SCENARIO_POLICIES, SCENARIOS } from '../fixtures/gemini-scenarios.ts'
import { startMockUpstream } from '../fixtures/mock-upstream.ts'
import { startSallyctl } from '../fixtures/sallyctl.ts'
import { runPython } from './python.ts'

type Read = {
  name: string
  how: string
  text: string
  calls: string[]
  finish: string | null
  error: string | null
  history?: number
}

test('[GEMINI-11] the Python SDK reads every passed and every refused answer as the contract says', async (context) => {
  const upstream = await startMockUpstream(playScenarios)
  const sallyctl = await startSallyctl({
    policies: SCENARIO_POLICIES,
    upstream: `${upstream.url}/v1`,
    args: ['--upstream', `gemini=${upstream.url}`],
  })
  try {
    const cases = SCENARIOS.flatMap((scenario) =>
      (scenario.agent === 'sever' ? (['loop'] as const) : (['loop', 'chat', 'whole'] as const)).map((how) => ({
        name: scenario.name,
        how,
        model: scenario.model,
        declarations: REQUEST.tools[0].functionDeclarations.map(({ name }) => ({ name })),
        token: sallyctl.token(`growth/${scenario.agent}`),
      })),
    )
    const reads = await runPython<Read>(
      'gemini_python.py',
      JSON.stringify({ base_url: `${sallyctl.ready.facade}/gemini`, cases }),
    )
    assert.equal(reads.length, cases.length)
    for (const read of reads) {
      const expected = SCENARIOS.find((scenario) => scenario.name === read.name)?.expected
      assert.ok(expected !== undefined)
      await context.test(`${read.name} (${read.how})`, () => {
        assert.equal(read.error, expected.error)
        if (expected.error !== null) return
        assert.ok(read.text.includes(expected.text), read.text)
        assert.equal(read.finish, expected.finish)
        assert.deepEqual(read.calls, expected.calls)
        if (read.how === 'chat') assert.ok((read.history ?? 0) > 1, 'the SDK took the answer for a broken one')
      })
    }
    const restored = upstream.requests.filter(({ body }) => body.includes('functionResponse'))
    assert.ok(restored.length > 0, 'no conversation went on with its refused call')
    for (const { body } of restored) assert.ok(!/"text": ?"[^"]*sallyport: INTENT/.test(body.toString('utf8')))
  } finally {
    await sallyctl.stop()
    await upstream.close()
  }
})
