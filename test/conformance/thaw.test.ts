/** The thaw gate in a whole process: a released agent gets no byte before its fresh key is there. MESH.md §2. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentKeyOf, DEFAULT_LIMITS } from '#pkg/model'
import { startStandalone } from '#pkg/planes/standalone'
import { systemClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { newCaPool } from '#pkg/systems/identity/server'
import { streamOf, textDeltas } from '../fixtures/chat.ts'
import { startMockUpstream } from '../fixtures/mock-upstream.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'

const ID = 'spiffe://sallyport.local/ns/growth/agent/marketing'
const agent = agentKeyOf({ namespace: 'growth', name: 'marketing' })

test('[LIFE-20] a released agent is refused, and not acked, until its fresh key of that epoch is there', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-'))
  mkdirSync(join(home, 'policies'))
  writeFileSync(join(home, 'policies/a.yaml'), DENY)
  const mock = await startMockUpstream((_request, reply) => reply.events([streamOf(textDeltas('hello'), 'stop')]))
  const asked: string[] = []
  const worker = newCaPool({ clock: systemClock, log: silentLog })
  let [signs, sign] = [Promise.resolve(), (): void => {}]
  const standalone = await startStandalone(
    {
      clock: systemClock,
      log: silentLog,
      random: (bytes) => randomBytes(bytes),
      caWorker: {
        run: async (job) => {
          if (job.do === 'issue') {
            asked.push(`${job.leaf.spiffeId}@${job.leaf.epoch}`)
            await signs
          }
          return await worker.run(job)
        },
        close: () => worker.close(),
      },
    },
    {
      policiesDir: join(home, 'policies'),
      dataDir: join(home, 'data'),
      port: 0,
      upstreams: [{ name: 'openai', url: `${mock.url}/v1`, key: null }],
      limits: { ...DEFAULT_LIMITS, checkTimeoutMs: 5_000, identityWaitMs: 3_000 },
    },
  )
  const ask = async (): Promise<string> => {
    const response = await fetch(`${standalone.facade}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${standalone.tokenOf(agent)}` },
      body: JSON.stringify(REQUEST),
    })
    const text = await response.text()
    return response.status === 200 ? '200' : JSON.parse(text).error.code
  }
  const acks = (): unknown => standalone.agents()[0]?.acks
  const move = (verb: 'quarantine' | 'release') => standalone.move(agent, { verb, reason: 'x', by: 'test' })
  try {
    assert.deepEqual([await ask(), asked], ['200', [`${ID}@1`]])
    move('quarantine')
    signs = new Promise((resolve) => {
      sign = resolve
    })
    assert.equal(await ask(), 'IDENTITY_AGENT_QUARANTINED')
    assert.deepEqual(move('release').acks, { wanted: 1, received: 0 })
    assert.deepEqual(
      [await ask(), asked, acks()],
      ['IDENTITY_AGENT_INACTIVE', [`${ID}@1`, `${ID}@2`], { wanted: 1, received: 0 }],
    )
    const requests = mock.requests.length
    sign()
    assert.deepEqual([await ask(), acks()], ['200', { wanted: 1, received: 1 }])
    assert.equal(mock.requests.length, requests + 1)
  } finally {
    await standalone.close(0)
    await mock.close()
    rmSync(home, { recursive: true, force: true })
  }
})
