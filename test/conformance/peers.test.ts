/** Agents that call each other through a whole process: who asks is proved, and a captured proof is worth nothing. MESH.md §1. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentKeyOf, DEFAULT_LIMITS } from '#pkg/model'
import { type Standalone, startStandalone } from '#pkg/planes/standalone'
import { systemClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { readBundle, verifyJwtSvid } from '#pkg/systems/identity'
import { resultOf, rpc } from '../fixtures/a2a-path.ts'
import { type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'

const caller = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const ID = 'spiffe://sallyport.local/ns/growth/agent/marketing'
const ANSWER = resultOf({ message: { role: 'ROLE_AGENT', messageId: 'a1', parts: [{ text: 'done' }] } })
const MESSAGE = JSON.stringify(
  rpc('SendMessage', { message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }] } }),
)
const EDGE = '/agents/growth/research/a2a'

const one = (name: string, spec: string): string => `
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: ${name}, namespace: growth, labels: { app: ${name} } }
spec: { state: Active }
---
apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: ${name}, namespace: growth }
spec:
  selector: { matchLabels: { app: ${name} } }
  role: ${name}
${spec}`
const to = (name: string, url: string): string =>
  `{ name: ${name}, agent: { namespace: growth, name: research }, url: "${url}" }`

type World = {
  readonly standalone: Standalone
  /** The server of the agent that is called. */
  readonly server: MockUpstream
  /** A server that the caller takes for that agent: it sees what is sent there. */
  readonly spy: MockUpstream
  send(peer: string): Promise<Response>
  /** At the edge itself. */
  knock(headers: Record<string, string>, body?: string): Promise<string>
  captured(): Record<string, string>
}

async function withWorld(body: (world: World) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-'))
  const policies = join(home, 'policies')
  mkdirSync(policies)
  writeFileSync(
    join(policies, 'research.yaml'),
    one('research', '  a2a: { inbound: [{ name: marketing, agent: { namespace: growth, name: marketing } }] }\n'),
  )
  const server = await startMockUpstream((_request, reply) => reply.json(200, JSON.parse(ANSWER)))
  const spy = await startMockUpstream((_request, reply) => reply.json(200, JSON.parse(ANSWER)))
  const standalone = await startStandalone(
    { clock: systemClock, log: silentLog, random: (bytes) => randomBytes(bytes) },
    {
      policiesDir: policies,
      dataDir: join(home, 'data'),
      port: 0,
      upstreams: [{ name: 'openai', url: `${spy.url}/v1`, key: 'sk-canary' }],
      calledUrls: { 'growth/research': `${server.url}/own` },
      limits: { ...DEFAULT_LIMITS, checkTimeoutMs: 5_000, identityWaitMs: 20_000 },
    },
  )
  const edge = standalone.facade + EDGE
  const outbound = `[${to('research', edge)}, ${to('spy', spy.url + EDGE)}]`
  const llm = '  llm: { providers: [{ name: openai, type: OpenAI, models: ["*"] }] }\n'
  const servers = `{ name: opted, url: "${spy.url}/mcp", identity: JwtSvid }, { name: plain, url: "${spy.url}/plain" }`
  const mcp = `  mcp: { servers: [${servers}] }\n`
  writeFileSync(join(policies, 'marketing.yaml'), one('marketing', `${llm}${mcp}  a2a: { outbound: ${outbound} }\n`))
  while (standalone.effective(caller) === null) await new Promise((resolve) => setTimeout(resolve, 20))
  const json = { 'content-type': 'application/json' }
  const post = (url: string, headers: Record<string, string>, text = MESSAGE): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { ...json, ...headers }, body: text })
  try {
    await body({
      standalone,
      server,
      spy,
      send: (peer) =>
        post(`${standalone.facade}/a2a/${peer}`, { authorization: `Bearer ${standalone.tokenOf(caller)}` }),
      knock: async (headers, text) => {
        const response = await post(edge, headers, text)
        const answer = JSON.parse(await response.text())
        return response.status === 200 && answer.result !== undefined ? 'ok' : answer.error.data.reason
      },
      captured: () => {
        const { headers } = spy.requests.at(-1) ?? assert.fail('nothing came')
        const of = (name: string): string => String(headers[name] ?? assert.fail(`no ${name}`))
        return { 'x-sallyport-proof': of('x-sallyport-proof'), 'x-sallyport-svid': of('x-sallyport-svid') }
      },
    })
  } finally {
    await standalone.close(0)
    await Promise.all([server.close(), spy.close()])
    rmSync(home, { recursive: true, force: true })
  }
}

test('[PROOF-05] [PROOF-07] from agent to agent: the server learns who calls, and gets neither token, proof nor SVID', () =>
  withWorld(async ({ send, server, standalone }) => {
    const response = await send('research')
    assert.equal(await response.text(), ANSWER)
    const [request] = server.requests
    assert.equal(request?.headers['x-sallyport-caller'], ID)
    for (const name of ['authorization', 'x-sallyport-proof', 'x-sallyport-svid'])
      assert.equal(request?.headers[name], undefined, name)
    const records = []
    for await (const record of standalone.verdicts.read()) records.push(record)
    assert.deepEqual(
      records.map(({ agent, direction, action, caller: by }) => [agent, direction, action, by]),
      [
        ['growth/marketing', 'ToPeer', 'Allow', undefined],
        ['growth/research', 'ToPeer', 'Allow', ID],
      ],
    )
  }))

test('[PROMISE-IDENTITY] [PROOF-02] [PROOF-06] a proof that was captured passes once, for its own bytes, while its agent may act', () =>
  withWorld(async ({ send, spy, knock, captured, standalone, server }) => {
    await send('spy')
    const first = captured()
    assert.equal(await knock(first, MESSAGE.replace('hi', 'ho')), 'IDENTITY_PROOF_REQUEST')
    assert.equal(await knock({}), 'IDENTITY_PROOF_MISSING')
    assert.equal(await knock({ 'x-sallyport-svid': first['x-sallyport-svid'] ?? '' }), 'IDENTITY_PROOF_MISSING')
    assert.equal(await knock(first), 'ok')
    assert.equal(await knock(first), 'IDENTITY_PROOF_REPLAYED')
    assert.equal(server.requests.length, 1)
    await send('spy')
    standalone.move(caller, { verb: 'quarantine', reason: 'x', by: 'test' })
    assert.equal(await knock(captured()), 'IDENTITY_PROOF_STALE')
    standalone.move(caller, { verb: 'release', reason: 'x', by: 'test' })
    assert.equal(await knock(captured()), 'IDENTITY_PROOF_STALE')
    const before = spy.requests.length
    assert.equal((await send('spy')).status, 200)
    assert.equal(spy.requests.length, before + 1)
    assert.equal(await knock(captured()), 'ok')
  }))

test('[PROOF-08] a tool server that opts in gets the JWT-SVID of the agent, for its own address, and no proof', () =>
  withWorld(async ({ standalone, spy }) => {
    const ask = (server: string): Promise<Response> =>
      fetch(`${standalone.facade}/mcp/${server}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${standalone.tokenOf(caller)}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25',
        },
        body: JSON.stringify(rpc('tools/list', {})),
      })
    await ask('opted')
    const { headers } = spy.requests.at(-1) ?? assert.fail('nothing came')
    const token =
      /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(headers['authorization'] ?? '')?.[1] ?? assert.fail('no token')
    assert.equal(headers['x-sallyport-proof'], undefined)
    const bundle = readBundle('sallyport.local', JSON.stringify(standalone.identity.bundle()))
    assert.ok(typeof bundle !== 'string')
    const verdict = verifyJwtSvid(token, { bundle, audience: `${spy.url}/mcp`, nowMs: Date.now() })
    assert.equal(verdict.ok && verdict.svid.spiffeId, ID)
    await ask('plain')
    assert.equal(spy.requests.at(-1)?.headers['authorization'], undefined)
  }))

test('[PROOF-07] a provider gets neither proof nor SVID', () =>
  withWorld(async ({ standalone, spy }) => {
    await fetch(`${standalone.facade}/openai/v1/models`, {
      headers: {
        authorization: `Bearer ${standalone.tokenOf(caller)}`,
        'x-sallyport-proof': 'of the agent',
        'x-sallyport-svid': 'of the agent',
      },
    })
    const { headers } = spy.requests.at(-1) ?? assert.fail('nothing came')
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('x-sallyport')),
      [],
    )
  }))

test('[PROMISE-IDENTITY] [IDN-06] while the CA cannot sign, no agent acts, and the health of the process says why', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-'))
  const policies = join(home, 'policies')
  mkdirSync(policies)
  const llm = '  llm: { providers: [{ name: openai, type: OpenAI, models: ["*"] }] }\n'
  writeFileSync(join(policies, 'a.yaml'), one('marketing', llm))
  const mock = await startMockUpstream((_request, reply) => reply.json(200, { data: [] }))
  const start = (): Promise<Standalone> =>
    startStandalone(
      { clock: systemClock, log: silentLog, random: (bytes) => randomBytes(bytes) },
      {
        policiesDir: policies,
        dataDir: join(home, 'data'),
        port: 0,
        upstreams: [{ name: 'openai', url: `${mock.url}/v1`, key: null }],
        limits: { ...DEFAULT_LIMITS, identityWaitMs: 20_000 },
      },
    )
  const ask = async (standalone: Standalone): Promise<string> => {
    const headers = { authorization: `Bearer ${standalone.tokenOf(caller)}` }
    const response = await fetch(`${standalone.facade}/openai/v1/models`, { headers })
    const text = await response.text()
    return response.status === 200 ? 'ok' : JSON.parse(text).error.code
  }
  try {
    const first = await start()
    assert.equal(await ask(first), 'ok')
    await first.close(0)
    const keys = join(home, 'data/ca/keys')
    for (const name of readdirSync(keys)) writeFileSync(join(keys, name), 'not sealed')
    const second = await start()
    try {
      assert.equal(await ask(second), 'IDENTITY_AGENT_INACTIVE')
      assert.match(second.healthy().reasons.join(), /identities are not signed/)
      assert.equal(mock.requests.length, 1)
    } finally {
      await second.close(0)
    }
  } finally {
    await mock.close()
    rmSync(home, { recursive: true, force: true })
  }
})
