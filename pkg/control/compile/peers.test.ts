import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newResourceReader } from '#pkg/platform/resources'
import { compile } from './compile.ts'

const checks = { cel: () => null, schema: () => null }
const head = (name: string): string => `apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: ${name}, namespace: default, creationTimestamp: "2026-01-0${name === 'p' ? 1 : 2}T00:00:00Z" }
spec:
  selector: {}
  role: r
`

function compiled(...specs: readonly string[]) {
  const reader = newResourceReader()
  const files = specs.map((spec, at) => reader.read({ path: `${at}.yaml`, text: head(at === 0 ? 'p' : 'q') + spec }))
  const policies = files.flatMap((file) => file.policies)
  const result = compile({ policies, agents: [], generation: 1, checks })
  const [snapshot] = result.snapshots.values()
  return { ...result, snapshot }
}

const outbound = (entry: string): string => `  a2a: { outbound: [ ${entry} ] }\n`
const AGENT = 'agent: { namespace: growth, name: research }'

test('[CMP-05] a peer comes into the snapshot, and needs a capability', () => {
  const { snapshot, faults } = compiled(
    outbound(
      `{ name: research, ${AGENT}, url: "https://r.example/a2a", skills: [summarize, "read_*"] }, { name: b, ${AGENT}, url: "http://127.0.0.1:1", grpc: Refuse }`,
    ),
  )
  assert.deepEqual(faults, [])
  const agent = { namespace: 'growth', name: 'research' }
  assert.deepEqual(snapshot?.peers, [
    {
      source: { policy: 'default/p', path: 'a2a.outbound[0]' },
      name: 'research',
      agent,
      url: 'https://r.example/a2a',
      skills: ['summarize', 'read_*'],
    },
    {
      source: { policy: 'default/p', path: 'a2a.outbound[1]' },
      name: 'b',
      agent,
      url: 'http://127.0.0.1:1',
      skills: [],
    },
  ])
  assert.deepEqual(snapshot.requiredCapabilities, ['a2a.outbound.v1'])
})

const faulty: readonly (readonly [what: string, spec: string, code: string])[] = [
  ['a name that is a path', outbound(`{ name: a/b, ${AGENT}, url: "https://r.example" }`), 'Invalid'],
  ['a name that is a dot segment', outbound(`{ name: "..", ${AGENT}, url: "https://r.example" }`), 'Invalid'],
  ['an address on the disk', outbound(`{ name: a, ${AGENT}, url: "file:///etc" }`), 'Invalid'],
  ['a user in the address', outbound(`{ name: a, ${AGENT}, url: "https://u:p@r.example" }`), 'Invalid'],
  ['a query in the address', outbound(`{ name: a, ${AGENT}, url: "https://r.example/?k=1" }`), 'Invalid'],
  ['a star inside a skill', outbound(`{ name: a, ${AGENT}, url: "https://r.example", skills: ["a*b"] }`), 'Invalid'],
  [
    'delegation, which comes later',
    outbound(`{ name: a, ${AGENT}, url: "https://r.example", delegate: { tools: [x] } }`),
    'UnsupportedField',
  ],
  [
    'open gRPC, which comes later',
    outbound(`{ name: a, ${AGENT}, url: "https://r.example", grpc: Open }`),
    'UnsupportedField',
  ],
  ['gRPC of a caller', `  a2a: { inbound: [ { name: t, ${AGENT}, grpc: Open } ] }\n`, 'UnsupportedField'],
  ['a caller with a name that is no path', `  a2a: { inbound: [ { name: "a/b", ${AGENT} } ] }\n`, 'Invalid'],
]
for (const [what, spec, code] of faulty) {
  test(`[CMP-04] ${what} is refused, and nothing of the policy holds`, () => {
    const { faults, snapshot } = compiled(spec)
    assert.deepEqual(
      faults.map((fault) => fault.code),
      [code],
    )
    assert.equal(snapshot?.denyAll, true)
  })
}

test('[CMP-03] two policies may name one peer if they say the same of it', () => {
  const one = outbound(`{ name: a, ${AGENT}, url: "https://r.example" }`)
  assert.equal(compiled(one, one).snapshot?.peers.length, 1)
  const differ = compiled(one, outbound(`{ name: a, ${AGENT}, url: "https://evil.example" }`))
  assert.deepEqual(
    differ.snapshot?.peers.map(({ url }) => url),
    ['https://r.example'],
  )
  assert.equal(differ.conditions.get('default/q')?.reason, 'Conflicted')
})
