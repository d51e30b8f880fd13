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

test('[EGR-05] an entry comes into the snapshot with its defaults, its hosts in their one spelling, and needs a capability', () => {
  const { snapshot, faults, read } = compiled(
    `  egress: [{ name: a, hosts: [API.Example., "[2001:DB8:0::1]", "::1"] }, { name: o, hosts: [o.svc], ports: [1, 2], tls: Opaque }]\n`,
  )
  assert.deepEqual([...read, ...faults], [])
  assert.deepEqual(snapshot?.egress, [
    {
      source: { policy: 'default/p', path: 'egress[0]' },
      name: 'a',
      hosts: ['api.example', '2001:db8::1', '::1'],
      ports: [443],
      methods: ['GET', 'HEAD'],
      pathPrefixes: ['/'],
      tls: 'Inspect',
    },
    {
      source: { policy: 'default/p', path: 'egress[1]' },
      name: 'o',
      hosts: ['o.svc'],
      ports: [1, 2],
      methods: ['GET', 'HEAD'],
      pathPrefixes: ['/'],
      tls: 'Opaque',
    },
  ])
  assert.deepEqual(snapshot.requiredCapabilities, ['egress.v1'])
})

test('[EGR-05] entries of several policies are a union, also those of one name', () => {
  const { snapshot, faults } = compiled(
    '  egress: [{ name: a, hosts: [a.example], methods: [GET] }]\n',
    '  egress: [{ name: a, hosts: [a.example], methods: [POST] }]\n',
  )
  assert.deepEqual(faults, [])
  assert.deepEqual(
    snapshot?.egress.map(({ source, methods }) => [source.policy, methods]),
    [
      ['default/p', ['GET']],
      ['default/q', ['POST']],
    ],
  )
})

test('[EGR-05] an empty list grants nothing; an absent one has its default', () => {
  const { snapshot } = compiled(
    '  egress: [{ name: a, hosts: [a.example], methods: [], pathPrefixes: [], ports: [] }]\n',
  )
  const [entry] = snapshot?.egress ?? []
  assert.deepEqual([entry?.methods, entry?.pathPrefixes, entry?.ports], [[], [], []])
})

const faulty: readonly (readonly [what: string, entry: string])[] = [
  ['a wildcard', 'hosts: ["*.example.com"]'],
  ['a bare wildcard', 'hosts: ["*"]'],
  ['a URL', 'hosts: ["https://a.example"]'],
  ['a port in the host', 'hosts: ["a.example:443"]'],
  ['a short IPv4 address', 'hosts: ["127.1"]'],
  ['an octal IPv4 address', 'hosts: ["0177.0.0.1"]'],
  ['a network', 'hosts: ["10.0.0.0/8"]'],
  ['a zone', 'hosts: ["fe80::1%eth0"]'],
  ['another script', 'hosts: ["bücher.example"]'],
  ['mixed scripts in punycode', 'hosts: ["xn--pple-43d.com"]'],
  ['a small method', 'hosts: [a.example], methods: [get]'],
  ['a star for all methods', 'hosts: [a.example], methods: ["*"]'],
  ['CONNECT', 'hosts: [a.example], methods: [CONNECT]'],
  ['TRACE', 'hosts: [a.example], methods: [TRACE]'],
  ['a prefix without its slash', 'hosts: [a.example], pathPrefixes: [repos]'],
  ['a prefix that climbs', 'hosts: [a.example], pathPrefixes: [/a/../b]'],
  ['a prefix with an escape of a slash', 'hosts: [a.example], pathPrefixes: [/a%2fb]'],
  ['a prefix with a query', 'hosts: [a.example], pathPrefixes: ["/a?b"]'],
  ['methods of an opaque entry', 'hosts: [a.example], methods: [POST], tls: Opaque'],
  ['prefixes of an opaque entry', 'hosts: [a.example], pathPrefixes: [/a], tls: Opaque'],
]
for (const [what, entry] of faulty)
  test(`[EGR-05] ${what} in an entry is a fault with its line`, () => {
    const { faults } = compiled(`  egress:\n  - { name: a, ${entry} }\n`)
    assert.deepEqual(
      faults.map(({ code, line }) => [code, line]),
      [['Invalid', 8]],
    )
  })

const opaque: readonly (readonly [what: string, spec: string, code: string | null])[] = [
  ['a WebSocket by GET', '{ method: GET, path: /realtime, upgrade: websocket }', null],
  ['an endpoint without an upgrade', '{ method: GET, path: /files }', 'UnsupportedField'],
  ['a WebSocket by POST', '{ method: POST, path: /realtime, upgrade: websocket }', 'Invalid'],
  ['a path with a query', '{ method: GET, path: "/realtime?model=x", upgrade: websocket }', 'Invalid'],
  ['a path that climbs', '{ method: GET, path: /a/../b, upgrade: websocket }', 'Invalid'],
]
for (const [what, spec, code] of opaque)
  test(`[EGR-12] ${what}: ${code ?? 'is taken'}`, () => {
    const { faults, snapshot, uninspected } = compiled(
      `  llm: { providers: [{ name: openai, type: OpenAI, opaque: [${spec}] }] }\n`,
    )
    assert.deepEqual(
      faults.map((fault) => fault.code),
      code === null ? [] : [code],
    )
    if (code !== null) return
    assert.deepEqual(snapshot?.providers[0]?.opaque, [{ method: 'GET', path: '/realtime', upgrade: 'websocket' }])
    assert.deepEqual(snapshot.requiredCapabilities, ['llm.opaque.v1'])
    assert.equal(uninspected.length, 1)
  })

const warned: readonly (readonly [what: string, spec: string, warnings: number])[] = [
  ['a plain entry', 'egress: [{ name: a, hosts: [a.example] }]', 0],
  ['an opaque entry of another host', 'egress: [{ name: a, hosts: [a.example], tls: Opaque }]', 0],
  ['an opaque entry of a provider', 'egress: [{ name: a, hosts: [api.openai.com], tls: Opaque }]', 1],
  ['an entry of a provider that never opens', 'egress: [{ name: a, hosts: [api.anthropic.com] }]', 1],
  [
    'an opaque entry of a tool server',
    'egress: [{ name: a, hosts: [w.example], tls: Opaque }]\n  mcp: { servers: [{ name: w, url: "https://w.example/mcp" }] }',
    1,
  ],
  ['the address of a metadata service', 'egress: [{ name: a, hosts: [169.254.169.254] }]', 1],
  ['an address of this machine', 'egress: [{ name: a, hosts: [127.0.0.1] }]', 0],
]
for (const [what, spec, warnings] of warned)
  test(`[EGR-05] ${what} is warned of ${warnings} times`, () => {
    const { uninspected, faults } = compiled(`  ${spec}\n`)
    assert.deepEqual(faults, [])
    assert.equal(uninspected.length, warnings)
    assert.ok(uninspected.every(({ line }) => line > 6))
  })
