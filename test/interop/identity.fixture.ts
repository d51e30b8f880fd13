/** A process whose identities are looked at from outside: what it gives out, stage by stage of a rotation. */
import assert from 'node:assert/strict'
import { rpc } from '../fixtures/a2a-path.ts'
import { type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'

export const TRUST_DOMAIN = 'sallyport.local'
export const AGENTS = ['marketing', 'research', 'support'] as const
export const idOf = (agent: string): string => `spiffe://${TRUST_DOMAIN}/ns/growth/agent/${agent}`

/** What one agent holds: its chain in PEM, a token for a tool server, one for another agent; each with whom it is for. */
export type Held = {
  readonly agent: string
  readonly chain: string
  readonly slot: string
  readonly tokens: readonly { readonly token: string; readonly audience: string }[]
}

/** All that the process gives out at one moment. */
export type Given = { readonly stage: string; readonly bundle: string; readonly held: readonly Held[] }

export type Outside = {
  readonly running: Running
  bundle(): Promise<string>
  ctl(...words: readonly string[]): Promise<unknown>
  /** `agents`: default all. */
  given(stage: string, agents?: readonly string[]): Promise<Given>
}

const policyOf = (name: string, spy: string): string => `
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
  mcp: { servers: [{ name: opted, url: "${spy}/mcp", identity: JwtSvid }] }
  a2a: { outbound: [{ name: peer, agent: { namespace: growth, name: peer }, url: "${spy}/a2a" }] }
`
const MESSAGE = rpc('SendMessage', { message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }] } })

/** Starts a process with three agents, and a server that sees what is sent to it. */
export async function withOutside(body: (outside: Outside) => Promise<void>): Promise<void> {
  const spy = await startMockUpstream((_request, reply) => reply.json(200, {}))
  const policies = Object.fromEntries(AGENTS.map((name) => [`${name}.yaml`, policyOf(name, spy.url)]))
  const running = await startSallyctl({
    policies,
    upstream: `${spy.url}/v1`,
    args: ['--limit', 'identityWaitMs=20000'],
  })
  try {
    await body(outsideOf(running, spy))
  } finally {
    await running.stop('SIGKILL')
    await spy.close()
  }
}

function outsideOf(running: Running, spy: MockUpstream): Outside {
  const { ready, dataDir } = running
  const ctl: Outside['ctl'] = async (...words) => {
    const { status, out, err } = await spawned(SALLYCTL, [...words, '--data', dataDir, '-o', 'json'])
    assert.equal(status, 0, err)
    return JSON.parse(out)
  }
  const admin = async (path: string): Promise<string> => {
    const response = await fetch(ready.admin + path, { headers: { authorization: `Bearer ${ready.adminToken}` } })
    assert.equal(response.status, 200, path)
    return await response.text()
  }
  const heldBy = async (agent: string): Promise<Held> => {
    const authorization = `Bearer ${running.token(`growth/${agent}`)}`
    const self = await fetch(`${ready.facade}/sallyport/v1/self`, { headers: { authorization } })
    assert.equal(((await self.json()) as { spiffeId: string }).spiffeId, idOf(agent))
    const sent = await sentBy({ facade: ready.facade, authorization, spy })
    const path = `/v1/identities/growth/${agent}`
    const shown = (await ctl('identity', 'show', `growth/${agent}`)) as { chain: string; slot: string } // cli.md
    assert.equal((JSON.parse(await admin(path)) as { chain: string }).chain, shown.chain)
    return { agent, chain: shown.chain, slot: shown.slot, tokens: sent }
  }
  const bundle = (): Promise<string> => admin('/v1/bundle')
  return {
    running,
    bundle,
    ctl,
    given: async (stage, agents = AGENTS) => {
      const held: Held[] = []
      for (const agent of agents) held.push(await heldBy(agent))
      return { stage, bundle: await bundle(), held }
    },
  }
}

type Sender = { readonly facade: string; readonly authorization: string; readonly spy: MockUpstream }

/** The JWT-SVIDs that an agent's sidecar sends: to a tool server that opts in, and to another agent. */
async function sentBy({ facade, authorization, spy }: Sender): Promise<Held['tokens']> {
  const post = async (path: string, body: object): Promise<Readonly<Record<string, string>>> => {
    const headers = {
      authorization,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    }
    const before = spy.requests.length
    await (await fetch(facade + path, { method: 'POST', headers, body: JSON.stringify(body) })).text()
    assert.equal(spy.requests.length, before + 1, `${path} was not passed on`)
    return spy.requests.at(-1)?.headers ?? {}
  }
  const toTool = await post('/mcp/opted', rpc('tools/list', {}))
  const toPeer = await post('/a2a/peer', MESSAGE)
  return [
    { token: toTool['authorization']?.replace(/^Bearer /, '') ?? '', audience: `${spy.url}/mcp` },
    { token: toPeer['x-sallyport-svid'] ?? '', audience: idOf('peer') },
  ]
}
