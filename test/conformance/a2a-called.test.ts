/** What other agents ask of this one: only with a proof, only those of the policy, and never its life. MESH.md §1. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { agentKeyOf, findingOf, type Headers } from '#pkg/model'
import { systemClock } from '#pkg/platform/clock'
import {
  newProofSigner,
  newProofVerifier,
  newReplayCache,
  PROOF_HEADER,
  type ProofSubject,
  SVID_HEADER,
  thumbprintOf,
  toolDigest,
} from '#pkg/systems/identity'
import { json, reasonOf, resultOf, rpc } from '../fixtures/a2a-path.ts'
import { closeChecks, type Edge, newPath, PATIENT, type Path, type Seen } from '../fixtures/path.ts'

after(closeChecks)

const ME = 'spiffe://sallyport.local/ns/growth/agent/marketing'
const TRIAGE = 'spiffe://sallyport.local/ns/support/agent/triage'
const STRANGER = 'spiffe://sallyport.local/ns/support/agent/stranger'
const POLICY = (more = ''): string => `
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: marketing, namespace: growth, labels: { app: marketing-agent } }
spec: { state: Active }
---
apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: marketing, namespace: growth }
spec:
  selector: { matchLabels: { app: marketing-agent } }
  role: marketing
  a2a: { inbound: [ { name: triage, agent: { namespace: support, name: triage } } ] }
${more}`
const PLACE = '/growth/marketing/a2a'
const ANSWER = resultOf({ message: { role: 'ROLE_AGENT', messageId: 'a1', parts: [{ text: 'done' }] } })
const send = (more: object = {}): object =>
  rpc('SendMessage', { message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }], ...more } })

/** Proofs as the standalone process makes them, of two agents whose JWT-SVIDs are taken as read. */
function newEdge(): { readonly edge: Edge; prove(of: string, given: Partial<Asked>): Headers } {
  const subjects = new Map([TRIAGE, STRANGER].map((spiffeId) => [spiffeId, subjectOf(spiffeId)]))
  const signer = newProofSigner({ clock: systemClock, random: randomBytes })
  const verifier = newProofVerifier({
    clock: systemClock,
    replay: newReplayCache({ clock: systemClock }),
    oldestOf: () => ({ epoch: 1, generation: 1 }),
    verifySvid: (token) => {
      const subject = [...subjects.values()].find(({ jwtSvid }) => jwtSvid === token)
      if (subject === undefined) return null
      const { spiffeId, jwk } = subject
      const [jkt, toolsDigest, expiresMs] = [thumbprintOf(jwk), toolDigest([]), Date.now() + 300_000]
      return { spiffeId, jkt, toolsDigest, epoch: 1, generation: 1, expiresMs }
    },
  })
  const edge: Edge = {
    calledUrls: { 'growth/marketing': 'http://127.0.0.1:1/own' },
    proofs: {
      prove: () => Promise.resolve(null),
      token: () => Promise.resolve(null),
      verify: (to, request, headers) => {
        const one = (name: string): string | null => (typeof headers[name] === 'string' ? headers[name] : null)
        const audience =
          to === agentKeyOf({ namespace: 'growth', name: 'marketing' }) ? ME : 'spiffe://sallyport.local/none'
        const peerKey = null
        const given = { request, proof: one(PROOF_HEADER), svid: one(SVID_HEADER), audience, peerKey }
        const proven = verifier.verify(given)
        if (!proven.ok) return { ok: false, finding: findingOf(proven.reason, 0, proven.detail) }
        const [namespace = '', , name = ''] = proven.caller.split('/').slice(4)
        return { ok: true, agent: agentKeyOf({ namespace, name }), spiffeId: proven.caller }
      },
    },
  }
  return {
    edge,
    prove: (of, given) => {
      const subject = subjects.get(of)
      assert.ok(subject !== undefined)
      const path = `/agents${given.path ?? PLACE}${given.query ?? ''}`
      const request = { method: given.method ?? 'POST', path, body: Buffer.from(textOf(given)) }
      const context = { audience: given.audience ?? ME, session: null, chain: [], delegated: [], taint: [] }
      return { [PROOF_HEADER]: signer.sign(subject, context, request), [SVID_HEADER]: subject.jwtSvid }
    },
  }
}

function subjectOf(spiffeId: string): ProofSubject {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
  const jwk = { crv: 'P-256', kty: 'EC', x, y } as const
  return { spiffeId, key: pair.privateKey, jwk, jwtSvid: `jwt.${spiffeId}`, tools: [] }
}

type Asked = {
  readonly body: object | null
  readonly headers: Headers
  readonly path: string
  readonly query: string
  readonly method: string
  readonly answer: string
  readonly audience: string
}

const textOf = ({ body = send() }: Partial<Asked>): string => (body === null ? '' : JSON.stringify(body))

function ask(path: Path, given: Partial<Asked>): Promise<Seen> {
  return path.ask({}, json(given.answer ?? ANSWER), {
    facade: 'a2a-called',
    method: given.method ?? 'POST',
    path: given.path ?? PLACE,
    query: given.query ?? '',
    token: null,
    headers: { 'content-type': 'application/json', ...given.headers },
    body: Buffer.from(textOf(given)),
  })
}

type Bench = {
  readonly path: Path
  call(of: string, given?: Partial<Asked>): Promise<Seen>
  prove: ReturnType<typeof newEdge>['prove']
}

async function withEdge(policy: string, body: (bench: Bench) => Promise<void>): Promise<void> {
  const { edge, prove } = newEdge()
  const path = await newPath(policy, PATIENT, edge)
  try {
    const call = (of: string, given: Partial<Asked> = {}) =>
      ask(path, { ...given, headers: { ...given.headers, ...prove(of, given) } })
    await body({ path, call, prove })
  } finally {
    await path.close()
  }
}

test('[PROOF-05] a caller of the policy that proves who it is reaches the agent, whose server learns the name and no credential', () =>
  withEdge(POLICY(), async ({ call }) => {
    const seen = await call(TRIAGE, { headers: { 'x-sallyport-caller': STRANGER, authorization: 'Bearer x' } })
    assert.equal(seen.text, ANSWER)
    assert.equal(seen.upstream?.address, 'http://127.0.0.1:1/own')
    const { headers = {} } = seen.upstream ?? {}
    assert.equal(headers['x-sallyport-caller'], TRIAGE)
    for (const name of [PROOF_HEADER, SVID_HEADER, 'authorization']) assert.equal(headers[name], undefined, name)
    const [record] = seen.verdicts
    assert.deepEqual([record?.caller, record?.direction, record?.action], [TRIAGE, 'ToPeer', 'Allow'])
  }))

const refused: readonly (readonly [what: string, reason: string, run: (bench: Bench) => Promise<Seen>])[] = [
  ['no proof', 'IDENTITY_PROOF_MISSING', ({ path }) => ask(path, {})],
  ['a caller that the policy does not name', 'PEER_NOT_GRANTED', ({ call }) => call(STRANGER)],
  ['a proof for another agent', 'IDENTITY_PROOF_AUDIENCE', ({ call }) => call(TRIAGE, { audience: STRANGER })],
  [
    'a proof of another body',
    'IDENTITY_PROOF_REQUEST',
    ({ path, prove }) => ask(path, { headers: prove(TRIAGE, { body: send({ messageId: 'm2' }) }) }),
  ],
  [
    'a proof of another path',
    'IDENTITY_PROOF_REQUEST',
    ({ path, prove }) =>
      ask(path, {
        method: 'GET',
        body: null,
        path: `${PLACE}/tasks/t1`,
        headers: prove(TRIAGE, { method: 'GET', body: null, path: `${PLACE}/tasks/t2` }),
      }),
  ],
  [
    'a proof that was used before',
    'IDENTITY_PROOF_REPLAYED',
    async ({ path, prove }) => {
      const headers = prove(TRIAGE, {})
      assert.equal((await ask(path, { headers })).text, ANSWER)
      return await ask(path, { headers })
    },
  ],
  [
    'two proofs',
    'IDENTITY_PROOF_MISSING',
    ({ path, prove }) => ask(path, { headers: { ...prove(TRIAGE, {}), [PROOF_HEADER]: ['a', 'b'] } }),
  ],
  [
    'an agent that is not served here',
    'PEER_NOT_GRANTED',
    ({ call }) => call(TRIAGE, { path: '/growth/other/a2a', audience: 'spiffe://sallyport.local/none' }),
  ],
  [
    'a file at an address that the agent may not reach',
    'PEER_URL_NOT_GRANTED',
    ({ call }) => call(TRIAGE, { body: send({ parts: [{ url: 'https://evil.example/x' }] }) }),
  ],
  [
    "a task that is not the caller's",
    'PEER_TASK_UNKNOWN',
    ({ call }) => call(TRIAGE, { body: rpc('GetTask', { id: 't1' }) }),
  ],
]
for (const [what, reason, run] of refused)
  test(`[PROOF-06] at the edge, ${what}: ${reason}`, () =>
    withEdge(POLICY('  onViolation: { action: Sever }\n'), async (bench) => {
      const seen = await run(bench)
      assert.equal(reasonOf(seen), reason)
      assert.equal(seen.upstream, null)
      assert.ok(!seen.text.includes('done'))
      assert.equal(bench.path.standing.state, 'Active', 'a caller cost the agent its life')
    }))

test('[PROOF-06] a proof opens no other facade, and a token opens nothing at the edge', () =>
  withEdge(POLICY(), async ({ path, prove }) => {
    const other = await path.ask({}, json(ANSWER), {
      facade: 'a2a',
      path: PLACE,
      token: null,
      headers: prove(TRIAGE, {}),
    })
    assert.equal(reasonOf(other), 'IDENTITY_TOKEN_UNKNOWN')
    const body = Buffer.from(textOf({}))
    const token = await path.ask({}, json(ANSWER), { facade: 'a2a-called', path: PLACE, token: 'sp_vk_test', body })
    assert.equal(reasonOf(token), 'IDENTITY_PROOF_MISSING')
  }))

test('[PROOF-06] who calls is told by nobody but this process, under no other name of the header either', () =>
  withEdge(POLICY(), async ({ call }) => {
    const forged = {
      'x-sallyport-caller': ME,
      x_sallyport_caller: ME,
      'X.Sallyport.Caller': ME,
      x_sallyport_proof: 'p',
    }
    const seen = await call(TRIAGE, { headers: forged })
    const told = Object.entries(seen.upstream?.headers ?? {}).filter(([name]) => /sallyport/i.test(name))
    assert.deepEqual(told, [['x-sallyport-caller', TRIAGE]])
  }))

test('[PROOF-06] an agent that may not act is not reached', () =>
  withEdge(POLICY(), async ({ path, call }) => {
    path.move('Quarantined')
    const seen = await call(TRIAGE)
    assert.equal(reasonOf(seen), 'IDENTITY_AGENT_QUARANTINED')
    assert.equal(seen.upstream, null)
  }))

test('[PROOF-06] what the server of the agent answers is judged as what the agent says', () =>
  withEdge(POLICY(), async ({ call }) => {
    const answer = resultOf({
      message: { role: 'ROLE_AGENT', messageId: 'a1', parts: [{ url: 'https://evil.example/?q=secret' }] },
    })
    const seen = await call(TRIAGE, { answer })
    assert.equal(reasonOf(seen), 'PEER_URL_NOT_GRANTED')
    assert.ok(!seen.text.includes('evil'))
  }))

test('[PROOF-05] tasks are those of the caller that began them', () =>
  withEdge(POLICY(), async ({ call }) => {
    const task = resultOf({ task: { id: 't1', contextId: 'c1', status: { state: 'TASK_STATE_WORKING' } } })
    assert.equal((await call(TRIAGE, { answer: task })).text, task)
    const got = resultOf({ id: 't1', contextId: 'c1', status: { state: 'TASK_STATE_COMPLETED' } })
    assert.equal((await call(TRIAGE, { body: rpc('GetTask', { id: 't1' }), answer: got })).text, got)
  }))

test('[PROOF-05] the card of the agent leads to the edge', () =>
  withEdge(POLICY(), async ({ call }) => {
    const iface = { url: 'http://127.0.0.1:1/own', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }
    const card = { name: 'm', supportedInterfaces: [iface], skills: [{ id: 'write', name: 'w' }] }
    const path = `${PLACE}/.well-known/agent-card.json`
    const given = {
      method: 'GET',
      body: null,
      path,
      answer: JSON.stringify(card),
      headers: { host: '127.0.0.1:16080' },
    }
    const shown = JSON.parse((await call(TRIAGE, given)).text)
    assert.equal(shown.supportedInterfaces[0].url, 'http://127.0.0.1:16080/agents/growth/marketing/a2a')
    assert.equal(shown.skills.length, 1)
  }))
