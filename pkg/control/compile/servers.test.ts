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
  return { ...result, snapshot, read: files.flatMap((file) => file.faults) }
}

const SERVER = '{ name: warehouse, url: "https://w.example/mcp" }'

test('[CMP-05] a server comes into the snapshot with its defaults, and what needs it is a capability', () => {
  const { snapshot, faults } = compiled(
    `  mcp: { servers: [ ${SERVER}, { name: b, url: "http://127.0.0.1:1/mcp/", onDrift: Record, pin: "sha256:${'a'.repeat(64)}", serverRequests: [sampling/createMessage, roots] } ] }
  tools: { allow: [ { name: x, server: warehouse, execution: mcp } ], deny: [ { name: y, server: b } ] }
`,
  )
  assert.deepEqual(faults, [])
  assert.deepEqual(snapshot?.servers, [
    {
      source: { policy: 'default/p', path: 'mcp.servers[0]' },
      name: 'warehouse',
      url: 'https://w.example/mcp',
      onDrift: 'Deny',
      pin: null,
      serverRequests: [],
    },
    {
      source: { policy: 'default/p', path: 'mcp.servers[1]' },
      name: 'b',
      url: 'http://127.0.0.1:1/mcp/',
      onDrift: 'Record',
      pin: `sha256:${'a'.repeat(64)}`,
      serverRequests: ['sampling', 'roots'],
    },
  ])
  assert.deepEqual(snapshot.requiredCapabilities, ['mcp.servers.v1', 'tools.execution.mcp.v1', 'tools.server.v1'])
  assert.deepEqual([snapshot.grants[0]?.execution, snapshot.denies[0]?.server], ['mcp', 'b'])
})

const faulty: readonly (readonly [what: string, spec: string, code: string])[] = [
  ['a name that is a path', 'mcp: { servers: [{ name: a/b, url: "https://w.example" }] }', 'Invalid'],
  ['a name that is a dot segment', 'mcp: { servers: [{ name: "..", url: "https://w.example" }] }', 'Invalid'],
  ['no address', 'mcp: { servers: [{ name: a, url: warehouse }] }', 'Invalid'],
  ['an address on the disk', 'mcp: { servers: [{ name: a, url: "file:///etc" }] }', 'Invalid'],
  ['a user in the address', 'mcp: { servers: [{ name: a, url: "https://u:p@w.example" }] }', 'Invalid'],
  ['a query in the address', 'mcp: { servers: [{ name: a, url: "https://w.example/?k=1" }] }', 'Invalid'],
  [
    'a request that no server makes',
    `mcp: { servers: [{ name: a, url: "https://w.example", serverRequests: [shell] }] }`,
    'Invalid',
  ],
  [
    'Hold, which comes later',
    'mcp: { servers: [{ name: a, url: "https://w.example", onDrift: Hold }] }',
    'UnsupportedField',
  ],
  ['a tool of a server with no name', 'tools: { allow: [{ name: a, server: "a b" }] }', 'Invalid'],
]
for (const [what, spec, code] of faulty) {
  test(`[CMP-04] ${what} is refused, and nothing of the policy holds`, () => {
    const { faults, snapshot } = compiled(`  ${spec}\n`)
    assert.deepEqual(
      faults.map((fault) => fault.code),
      [code],
    )
    assert.equal(snapshot?.denyAll, true)
  })
}

test('[CMP-03] two policies may name one server if they say the same of it', () => {
  const same = compiled(`  mcp: { servers: [${SERVER}] }\n`, `  mcp: { servers: [${SERVER}] }\n`)
  assert.equal(same.snapshot?.servers.length, 1)
  const differ = compiled(
    `  mcp: { servers: [${SERVER}] }\n`,
    '  mcp: { servers: [{ name: warehouse, url: "https://evil.example" }] }\n',
  )
  assert.deepEqual(
    differ.snapshot?.servers.map(({ url }) => url),
    ['https://w.example/mcp'],
  )
  assert.equal(differ.conditions.get('default/q')?.reason, 'Conflicted')
})
