import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startMockUpstream } from '../fixtures/mock-upstream.ts'
import { REQUEST } from '../fixtures/policies.ts'
import { startSallyctl } from '../fixtures/sallyctl.ts'
import { playScenarios, SCENARIO_POLICIES, SCENARIOS } from '../fixtures/scenarios.ts'

const run = promisify(execFile)

async function speaksHttp2(): Promise<boolean> {
  try {
    return (await run('curl', ['--version'])).stdout.includes('HTTP2')
  } catch {
    return false
  }
}

test('[H2-20] curl reads the same over HTTP/2 with prior knowledge as over HTTP/1.1', async (t) => {
  if (!(await speaksHttp2())) return t.skip('needs a curl with HTTP/2')
  const upstream = await startMockUpstream(playScenarios)
  const sallyctl = await startSallyctl({ policies: SCENARIO_POLICIES, upstream: `${upstream.url}/v1` })
  try {
    for (const { name, agent, model } of SCENARIOS.filter((scenario) => scenario.agent !== 'sever')) {
      const ask = async (how: string): Promise<readonly string[]> => {
        const { stdout } = await run('curl', [
          '-sN',
          how,
          '-w',
          '\n%{http_version}',
          '-H',
          'content-type: application/json',
          '-H',
          `authorization: Bearer ${sallyctl.token(`growth/${agent}`)}`,
          '-d',
          JSON.stringify({ ...REQUEST, model }),
          `${sallyctl.ready.facade}/openai/v1/chat/completions`,
        ])
        const at = stdout.lastIndexOf('\n')
        return [stdout.slice(0, at).replace(/v_[A-Za-z0-9_-]+/g, 'v'), stdout.slice(at + 1)]
      }
      const [[one, first], [two, second]] = [await ask('--http1.1'), await ask('--http2-prior-knowledge')]
      assert.deepEqual([first, second], ['1.1', '2'], name)
      assert.equal(two, one, name)
    }
  } finally {
    await sallyctl.stop()
    await upstream.close()
  }
})
