import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EgressGrant, HostTarget } from '#pkg/model'
import { ACTIVE, agent, firewall, snapshot, view } from './firewall.fixture.ts'

const entry = (more: Partial<EgressGrant>, at = 0): EgressGrant => ({
  source: { policy: 'growth/marketing', path: `egress[${at}]` },
  name: 'e',
  hosts: ['api.example'],
  ports: [80],
  methods: ['GET', 'HEAD'],
  pathPrefixes: ['/'],
  tls: 'Inspect',
  ...more,
})

const ENTRIES: readonly EgressGrant[] = [
  entry({ hosts: ['api.example', 'other.example'], pathPrefixes: ['/repos/acme/', '/zen'] }),
  entry({ hosts: ['api.example'], ports: [80, 8080], methods: ['POST'], pathPrefixes: ['/hooks/'] }, 1),
  entry({ hosts: ['otel.svc', '::1'], ports: [4317], tls: 'Opaque' }, 2),
  entry({ hosts: ['both.example'], ports: [443] }, 3),
  entry({ hosts: ['both.example'], ports: [443], tls: 'Opaque' }, 4),
  entry({ hosts: ['none.example'], methods: [] }, 5),
  entry({ hosts: ['127.0.0.1'] }, 6),
]

type Row = readonly [method: string, url: string, reason: string | null, rule?: string]
const NOT_GRANTED = 'EGRESS_NOT_GRANTED'
const OPAQUE = 'EGRESS_NOT_INSPECTABLE'
const rows: readonly Row[] = [
  ['GET', 'http://api.example:80/repos/acme/x', null],
  ['HEAD', 'http://api.example:80/repos/acme/x', null],
  ['GET', 'http://other.example:80/zen', null],
  ['GET', 'http://other.example:80/zen/x', null],
  ['POST', 'http://api.example:80/hooks/1', null],
  ['POST', 'http://api.example:8080/hooks/1', null],
  ['GET', 'http://127.0.0.1:80/', null],
  ['CONNECT', 'tcp://otel.svc:4317/', null],
  ['CONNECT', 'tcp://::1:4317/', null],
  ['CONNECT', 'tcp://both.example:443/', null],
  // no two entries together grant what none of them does alone
  ['GET', 'http://api.example:80/hooks/1', NOT_GRANTED, 'egress[0].pathPrefixes'],
  ['POST', 'http://api.example:80/repos/acme/x', NOT_GRANTED, 'egress[1].pathPrefixes'],
  ['GET', 'http://api.example:8080/hooks/1', NOT_GRANTED, 'egress[1].methods'],
  ['POST', 'http://other.example:80/hooks/1', NOT_GRANTED, 'egress[0].methods'],
  ['DELETE', 'http://api.example:80/repos/acme/x', NOT_GRANTED, 'egress[0].methods'],
  ['get', 'http://api.example:80/repos/acme/x', NOT_GRANTED, 'egress[0].methods'],
  ['GET', 'http://api.example:80/repos/acme', NOT_GRANTED, 'egress[0].pathPrefixes'],
  ['GET', 'http://api.example:80/repos/acme-two/x', NOT_GRANTED, 'egress[0].pathPrefixes'],
  ['GET', 'http://api.example:80/zenith', NOT_GRANTED, 'egress[0].pathPrefixes'],
  ['GET', 'http://api.example:80/', NOT_GRANTED, 'egress[0].pathPrefixes'],
  ['GET', 'http://none.example:80/', NOT_GRANTED, 'egress[5].methods'],
  ['GET', 'http://api.example:81/repos/acme/x', NOT_GRANTED, 'egress'],
  ['GET', 'http://sub.api.example:80/repos/acme/x', NOT_GRANTED, 'egress'],
  ['GET', 'http://example:80/', NOT_GRANTED, 'egress'],
  ['GET', 'http://127.0.0.2:80/', NOT_GRANTED, 'egress'],
  ['GET', 'http://::ffff:7f00:1:80/', NOT_GRANTED, 'egress'],
  ['CONNECT', 'tcp://otel.svc:443/', NOT_GRANTED, 'egress'],
  ['CONNECT', 'tcp://evil.example:443/', NOT_GRANTED, 'egress'],
  // what is to be inspected is not opened, and what is opened is not inspected
  ['CONNECT', 'tcp://api.example:80/', OPAQUE, 'egress[0].tls'],
  ['GET', 'https://both.example:443/', OPAQUE, 'egress[3].tls'],
  ['GET', 'https://api.example:80/repos/acme/x', OPAQUE, 'egress[0].tls'],
  ['GET', 'https://evil.example:443/', NOT_GRANTED, 'egress'],
  ['GET', 'http://otel.svc:4317/', NOT_GRANTED, 'egress[2].tls'],
  ['GET', 'https://otel.svc:4317/', NOT_GRANTED, 'egress[2].tls'],
]

const TARGET = /^(http|https|tcp):\/\/(.+):([0-9]+)(\/.*)$/

function findingsOf(method: string, url: string, egress: readonly EgressGrant[] = ENTRIES, more = {}) {
  const [, scheme = '', host = '', port = '', path = ''] = TARGET.exec(url) ?? []
  const target = { scheme, host, port: Number(port) } as HostTarget // one of the three, by the pattern
  const request = view({ target, endpoint: { name: 'request', method, path, kind: 'plain' } })
  const checks = firewall()
  const given = { view: request, agent, standing: { ...ACTIVE, ...more } }
  return checks.inspect(checks.load(snapshot({ egress })), given).request(request)
}

for (const [method, url, reason, rule] of rows)
  test(`[EGR-04] ${method} ${url}: ${reason ?? 'granted'}`, () => {
    const [finding] = findingsOf(method, url)
    assert.equal(finding?.reason ?? null, reason)
    assert.equal(finding?.rule?.path, rule)
  })

test('[EGR-04] without an entry nothing is granted, and no other grant opens a host', () => {
  assert.deepEqual(
    findingsOf('GET', 'http://api.example:80/', []).map(({ reason }) => reason),
    ['EGRESS_NOT_GRANTED'],
  )
})

test('[EGR-04] the state of the agent goes before its grants', () => {
  const [finding] = findingsOf('GET', 'http://127.0.0.1:80/', ENTRIES, { state: 'Quarantined' })
  assert.equal(finding?.reason, 'IDENTITY_AGENT_QUARANTINED')
})

for (const [method, path, isOpen] of [
  ['GET', '/realtime', true],
  ['GET', '/realtime/x', false],
  ['GET', '/responses', false],
  ['POST', '/realtime', false],
] as const)
  test(`[EGR-12] an upgrade of ${method} ${path} is ${isOpen ? 'open' : 'refused'} where GET /realtime is opened`, () => {
    const base = snapshot()
    const opaque = [{ method: 'GET', path: '/realtime', upgrade: 'websocket' }] as const
    const rules = snapshot({ providers: base.providers.map((provider) => ({ ...provider, opaque })) })
    const request = view({ opaque: true, endpoint: { name: 'upgrade', method, path, kind: 'plain' } })
    const checks = firewall()
    const found = checks.inspect(checks.load(rules), { view: request, agent, standing: ACTIVE }).request(request)
    assert.deepEqual(
      found.map(({ reason, rule }) => [reason, rule?.path]),
      isOpen ? [] : [['UPGRADE_NOT_GRANTED', 'llm.providers[openai].opaque']],
    )
  })
