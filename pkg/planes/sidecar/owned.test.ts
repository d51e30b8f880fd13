/** Whose hosts are asked at their own facade, and not past it. docs/decisions/0018. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostTarget, ProviderGrant, RequestView, Snapshot } from '#pkg/model'
import { type OwnedUrls, ownedFindings } from './owned.ts'

const source = { policy: 'growth/marketing', path: 'x' }
const compatible = (host: string): ProviderGrant => ({
  ...{ source, name: 'c', type: 'OpenAICompatible', host, models: [], hostedTools: [], opaque: [] },
})
const server = {
  ...{ source, name: 'w', url: 'https://tools.example/mcp', onDrift: 'Deny', pin: null },
  serverRequests: [],
}
const peer = {
  source,
  name: 'p',
  agent: { namespace: 'a', name: 'b' },
  url: 'http://peer.example:8080/a2a',
  skills: [],
}
const SNAPSHOT = {
  providers: [compatible('llm.example'), compatible('[::1]:8443'), { ...compatible(''), host: undefined }],
  servers: [server],
  peers: [peer],
} as unknown as Snapshot // what is read of it

const URLS: OwnedUrls = {
  providerUrls: ['https://api.openai.com/v1', 'http://127.0.0.1:9/v1'],
  serverUrls: { w: 'http://localhost:3001/mcp' },
  peerUrls: { p: 'http://localhost:3002/' },
  calledUrls: { 'growth/other': 'http://localhost:3003/own' },
}

const rows: readonly (readonly [scheme: HostTarget['scheme'], host: string, port: number, owned: boolean])[] = [
  ['http', 'api.openai.com', 80, true],
  ['http', '127.0.0.1', 9, true],
  ['http', 'tools.example', 80, true],
  ['http', 'peer.example', 8080, true],
  ['http', 'localhost', 3001, true],
  ['http', 'localhost', 3002, true],
  // a compatible provider is where its entry says
  ['http', 'llm.example', 80, true],
  ['http', 'llm.example', 443, true],
  ['https', 'llm.example', 443, true],
  ['http', '::1', 8443, true],
  // an agent's own server is reached through its edge
  ['http', 'localhost', 3003, true],
  ['http', '127.0.0.1', 3001, true],
  ['http', 'localhost', 9, true],
  ['http', '::1', 3003, true],
  ['http', 'llm.example', 8080, false],
  ['http', '::1', 80, false],
  ['http', 'localhost', 3004, false],
  ['http', 'sub.llm.example', 80, false],
  // nor by CONNECT
  ['tcp', 'llm.example', 443, true],
  ['tcp', 'api.openai.com', 443, true],
  ['tcp', 'tools.example', 443, true],
  ['tcp', 'localhost', 3003, true],
  ['tcp', 'llm.example', 8443, false],
  ['tcp', 'other.example', 443, false],
]
for (const [scheme, host, port, owned] of rows)
  test(`[EGR-13] ${scheme} ${host}:${port} is ${owned ? 'owned' : 'not owned'}`, () => {
    const view = { target: { scheme, host, port } } as unknown as RequestView // what is read of it
    assert.deepEqual(
      ownedFindings(URLS, SNAPSHOT, view).map(({ reason }) => reason),
      owned ? ['EGRESS_OWNED'] : [],
    )
  })
