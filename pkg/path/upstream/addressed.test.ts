import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Permit, UpstreamAsk, UpstreamLeg } from '#pkg/model'
import { startMockUpstream } from '../../../test/fixtures/mock-upstream.ts'
import { newUpstream } from './index.ts'

// The brand cannot be made here, and upstream reads nothing but these three.
const permit = { agent: 'default/tester', epoch: 1, generation: 1 } as unknown as Permit

const askOf = (address: string): UpstreamAsk => ({
  provider: 'warehouse',
  address,
  method: 'POST',
  path: '',
  headers: { authorization: 'Bearer of-the-agent', 'content-type': 'application/json' },
  body: Buffer.from('{}'),
})

async function bodyOf(leg: UpstreamLeg): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of leg.chunks) parts.push(chunk)
  return Buffer.concat(parts).toString()
}

test('[NET-01] an address that comes with the request is asked as it is, without a key', async () => {
  const mock = await startMockUpstream((_request, reply) => reply.json(200, { ok: true }))
  const upstream = newUpstream({ isLive: () => true }, { providers: [] })
  try {
    for (const path of ['/mcp', '/mcp/', '/']) {
      await bodyOf(await upstream.open(permit, askOf(`${mock.url}${path}`)))
      const seen = mock.requests.at(-1)
      assert.equal(seen?.rawHead.split(' ')[1], path)
      assert.equal(seen.headers['authorization'], undefined)
    }
  } finally {
    await upstream.close()
    await mock.close()
  }
})

test('[PROMISE-BOUNDED] addresses are bounded: an idle one makes room, one in use does not', async () => {
  const mock = await startMockUpstream((request, reply) => {
    if (!request.rawHead.startsWith('POST /held ')) reply.json(200, { ok: true })
  })
  const upstream = newUpstream({ isLive: () => true }, { providers: [], maxAddresses: 1 })
  try {
    const leave = new AbortController()
    const held = upstream.open(permit, { ...askOf(`${mock.url}/held`), signal: leave.signal })
    await assert.rejects(upstream.open(permit, askOf(`${mock.url}/b`)), { code: 'OVERLOADED' })
    leave.abort()
    await assert.rejects(held)
    await new Promise((resolve) => setTimeout(resolve, 50)) // its connection is closed in a turn of its own
    assert.equal(await bodyOf(await upstream.open(permit, askOf(`${mock.url}/b`))), '{"ok":true}')
  } finally {
    await upstream.close()
    await mock.close()
  }
})
