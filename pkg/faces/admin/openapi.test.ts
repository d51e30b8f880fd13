import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERROR_CODES } from '#pkg/model/errors'
import { ADMIN_STATUSES } from '#pkg/platform/metrics'
import { recordOf } from '../../../test/fixtures/admin-source.ts'
import { ask, over, tcp, withAdmin } from './admin.fixture.ts'
import { assertFits, seen } from './described.fixture.ts'
import { adminOpenApi } from './index.ts'
import { partsOf, ROUTES } from './routes.ts'

const document = adminOpenApi()

type Operation = {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description: string }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: object } } }
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    operation: operation as Operation, // as `openApiOf` makes it
  })),
)

test('[ADM-16] the document has an operation for each route and no other, each with a name, words and its faults', () => {
  assert.deepEqual(
    operations.map(({ method, path }) => `${method} ${path}`).sort(),
    ROUTES.map(({ method, path }) => `${method} ${path}`).sort(),
  )
  assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length)
  for (const { method, path, operation } of operations) {
    assert.match(operation.summary, /^[A-Z].*[.?]$/, path)
    assert.match(operation.operationId, /^[a-z]+[A-Za-z0-9]*$/)
    for (const status of ['400', '401', '405', '500'])
      assert.ok(operation.responses[status] !== undefined, `${path} ${status}`)
    assert.ok(Object.keys(operation.responses).some((status) => status.startsWith('2')))
    for (const { description } of operation.parameters ?? []) assert.ok(description.length > 5, path)
    const segments = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => name)
    assert.deepEqual(
      segments,
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
    )
    assert.equal(method === 'POST', operation.requestBody !== undefined, path)
  }
})

test('[ADM-16] every code that the admin API may say is somewhere in the document, and every reference leads to a shape', () => {
  const text = JSON.stringify(document.components.responses)
  const elsewhere = [
    'UPSTREAM_FAILED',
    'UPSTREAM_TIMEOUT',
    'SETTINGS_INVALID',
    'CSR_REFUSED',
    'IDENTITY_DENIED',
    'RESOURCE_INVALID',
    'UNREACHABLE',
  ]
  for (const code of Object.keys(ERROR_CODES)) assert.equal(text.includes(`"${code}"`), !elsewhere.includes(code), code)
  const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name)
  assert.deepEqual(
    [...new Set(names)].sort().filter((name) => document.components.schemas[name] === undefined),
    [],
  )
  assert.deepEqual(
    Object.keys(document.components.schemas).filter((name) => !names.includes(name)),
    [],
  )
})

test('[MET-02] every status of the document is one that requests are counted by', () => {
  const statuses = new Set(operations.flatMap(({ operation }) => Object.keys(operation.responses)))
  const counted: readonly string[] = ADMIN_STATUSES
  assert.deepEqual(
    [...statuses].filter((status) => !counted.includes(status)),
    [],
  )
})

test('[ADM-16] docs/reference/admin-api.md speaks of every route', () => {
  const page = readFileSync(new URL('../../../docs/reference/admin-api.md', import.meta.url), 'utf8')
  for (const { method, path } of operations) {
    const [verb = ''] = path.split('/').slice(-1)
    const told = page.includes(`${method} ${path}\``) || page.includes(`, \`${path}\``)
    assert.ok(told || (method === 'POST' && page.includes(`\`${verb}\``)), `${method} ${path}`)
  }
})

test('[ADM-16] the document is served, behind the token as all else', () =>
  withAdmin(async (bench) => {
    assert.deepEqual((await ask(tcp(bench, '/v1/openapi.json'))).json(), JSON.parse(JSON.stringify(document)))
    const without = await ask({ host: '127.0.0.1', port: bench.port, path: '/v1/openapi.json' })
    assert.equal(without.status, 401)
  }))

const JSON_TYPE = { 'content-type': 'application/json' }
const IDENTITY = {
  namespace: 'growth',
  name: 'marketing',
  spiffeId: 'spiffe://sallyport.local/ns/growth/agent/marketing',
  uid: 'u',
  epoch: 1,
  serial: '01',
  notBefore: '2026-01-01T00:00:00.000Z',
  notAfter: '2026-01-01T00:05:00.000Z',
  slot: 's1',
  thumbprint: 't',
  chain: 'PEM',
}

test('[ADM-17] every route answers, over each listener, what the document says; so do faults', () =>
  withAdmin(async (bench) => {
    const { source } = bench
    source.append(recordOf(1))
    Object.assign(source, { facade: 'http://127.0.0.1:16080' })
    const identity = { ...source.identity, of: () => Promise.resolve(IDENTITY), list: () => [IDENTITY] }
    Object.assign(source, { identity })
    const bodies: Readonly<Record<string, object>> = {
      explain: { agent: 'growth/marketing', call: { name: 'x', arguments: {} } },
      terminate: { reason: 'x', confirm: 'marketing' },
    }
    const isBrowsers = (path: string): boolean => path.startsWith('/v1/dashboard/') // with what they answer to: DASH-01
    for (const { method, path } of operations.filter((each) => !isBrowsers(each.path))) {
      const filled = path.replace('{namespace}', 'growth').replace('{name}', 'marketing').replace('{id}', 'v_000001')
      const query = path === '/v1/events' ? '?follow=false&limit=1' : ''
      const verb = path.split('/').at(-1) ?? ''
      const body = bodies[verb] ?? (path.startsWith('/v1/ca/') ? { authority: 'Jwt', reason: 'x' } : { reason: 'x' })
      for (const to of [over(bench, filled + query), tcp(bench, filled + query)]) {
        const options = { ...to, method, headers: { ...to.headers, ...(method === 'POST' ? JSON_TYPE : {}) } }
        const answer = await ask(options, method === 'POST' ? JSON.stringify(body) : undefined)
        const own: Readonly<Record<string, number>> = { '/v1/self': 401 } // no proof
        assert.equal(answer.status, own[path] ?? 200, `${method} ${filled} ${answer.text}`)
        await ask({ ...options, path: `${filled}?nonsense=1` }, method === 'POST' ? JSON.stringify(body) : undefined)
        await ask({ ...options, method: 'DELETE' })
      }
    }
    const wanted = operations.filter(({ path }) => path !== '/v1/self' && !isBrowsers(path))
    assert.deepEqual(
      wanted.filter(({ method, path }) => !seen.has(`${method} ${path} 200`)),
      [],
    )
  }))

test('[ADM-17] what a body must be is what its schema says', () =>
  withAdmin(async (bench) => {
    const rows: readonly (readonly [path: string, bodies: readonly unknown[]])[] = [
      [
        '/v1/agents/growth/marketing/quarantine',
        [
          { reason: 'x' },
          { reason: '' },
          { reason: ' \ufeff\u001d' },
          { reason: 'x'.repeat(512) },
          { reason: '😀'.repeat(513) },
          {},
          { reason: 'x', force: true },
          [],
          null,
          { reason: 1 },
        ],
      ],
      [
        '/v1/agents/growth/marketing/release',
        [
          { reason: 'x', throughEpoch: 0 },
          { reason: 'x', throughEpoch: -1 },
          { reason: 'x', throughEpoch: 1.5 },
          { reason: 'x', throughEpoch: 2 ** 53 },
          { reason: 'x', throughEpoch: null },
        ],
      ],
      [
        '/v1/ca/taint',
        [
          { authority: 'Jwt', reason: 'x' },
          { authority: 'jwt', reason: 'x' },
          { authority: 'Jwt', reason: 'x', slot: null },
          { authority: 'Jwt', reason: 'x', slot: '' },
          { authority: 'Jwt', reason: 'x', slot: 'a_B-9' },
          { authority: 'Jwt' },
        ],
      ],
      [
        '/v1/ca/prepare',
        [
          { authority: 'X509', reason: 'x' },
          { authority: 'X509', reason: 'x', slot: 'a' },
        ],
      ],
      [
        '/v1/explain',
        [
          { agent: 'growth/marketing', call: { name: 'x' } },
          { agent: 'growth/marketing', call: { name: '' } },
          { agent: 'growth/marketing', call: { name: 'x', more: 1 } },
          { agent: 'growth/marketing', request: { method: 'GET', url: 'x' } },
          { agent: 'growth/marketing', request: { method: 'GET' } },
          { agent: 'growth/marketing', call: { name: 'x' }, request: { method: 'GET', url: 'x' } },
          { agent: 'marketing', call: { name: 'x' } },
          'x',
        ],
      ],
    ]
    for (const [path, bodies] of rows) {
      const route = ROUTES.find((each) => each.method === 'POST' && partsOf(each, path) !== null)
      for (const body of bodies) {
        const answer = await ask(over(bench, path, { method: 'POST', headers: JSON_TYPE }), JSON.stringify(body))
        const fits = (): void => assertFits(route?.doc.body ?? {}, body, path)
        if (answer.status === 200) fits()
        else assert.throws(fits, `${path} ${JSON.stringify(body)} is ${answer.status}`)
      }
    }
  }))
