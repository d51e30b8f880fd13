import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Server } from 'node:net'
import { test } from 'node:test'
import type { HostTarget, Permit } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import { isPermitStale, newDial, newHosts, newResolve } from './index.ts'

const PERMIT = { agent: 'a/b', epoch: 1, generation: 1 } as unknown as Permit // the brand is `policy`'s; here it is only carried
const target = (host: string, port = 80, scheme: HostTarget['scheme'] = 'http'): HostTarget => ({ scheme, host, port })

type Row = readonly [
  what: string,
  host: string,
  answer: readonly string[] | null,
  dialled: readonly string[] | 'refused',
]
const rows: readonly Row[] = [
  ['a public address', 'a.example', ['8.8.8.8'], ['8.8.8.8']],
  ['several public addresses, in their order', 'a.example', ['2606:4700::1', '8.8.8.8'], ['2606:4700::1', '8.8.8.8']],
  ['one private among public ones', 'a.example', ['8.8.8.8', '10.0.0.1'], 'refused'],
  ['a private address', 'a.example', ['192.168.0.1'], 'refused'],
  ['this machine', 'a.example', ['127.0.0.1'], 'refused'],
  ['this machine, mapped', 'a.example', ['::ffff:127.0.0.1'], 'refused'],
  ['the metadata service', 'a.example', ['169.254.169.254'], 'refused'],
  ['the metadata service through NAT64', 'a.example', ['64:ff9b::a9fe:a9fe'], 'refused'],
  ['something that is no address', 'a.example', ['a.example'], 'refused'],
  ['a private address of a cluster name', 'otel.monitoring.svc', ['10.96.0.7'], ['10.96.0.7']],
  ['a private address of a whole cluster name', 'a.b.svc.cluster.local', ['fd00::7'], ['fd00::7']],
  ['a private address of an internal name', 'db.internal', ['172.16.0.7'], ['172.16.0.7']],
  ['a metadata service with an internal name', 'metadata.google.internal', ['169.254.169.254'], 'refused'],
  ['the IPv6 metadata service with an internal name', 'a.internal', ['fd00:ec2::254'], 'refused'],
  ['this machine with a cluster name', 'a.svc', ['127.0.0.1'], 'refused'],
  ['a name that only ends like a cluster name', 'a.notsvc', ['10.0.0.1'], 'refused'],
  ['a literal, which the policy names', '127.0.0.1', null, ['127.0.0.1']],
  ['an IPv6 literal', '::1', null, ['::1']],
  ['a name whose address is set', 'set.example', null, ['127.0.0.1']],
]
for (const [what, host, answer, dialled] of rows)
  test(`[EGR-08] ${what}: ${dialled === 'refused' ? 'is refused' : 'may be dialled'}`, async () => {
    const asked: string[] = []
    const lookup = async (name: string) => {
      asked.push(name)
      return answer ?? assert.fail('DNS was asked')
    }
    const resolved = await newResolve(lookup, { addresses: { 'set.example': ['127.0.0.1'] } })(target(host))
    assert.deepEqual(resolved.ok ? resolved.addresses : 'refused', dialled)
    assert.deepEqual(asked, answer === null ? [] : [host])
  })

for (const [what, lookup, code] of [
  [
    'a name that does not resolve',
    () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })),
    'UPSTREAM_FAILED',
  ],
  ['a name without an address', async () => [], 'UPSTREAM_FAILED'],
  ['a name with a flood of addresses', async () => Array<string>(65).fill('8.8.8.8'), 'UPSTREAM_FAILED'],
  ['a resolver that is silent', () => new Promise<string[]>(() => {}), 'UPSTREAM_TIMEOUT'],
] as const)
  test(`[EGR-08] ${what} is a fault, and no refusal`, async () => {
    const resolve = newResolve(lookup, { addresses: {}, resolveTimeoutMs: 20 })
    await assert.rejects(resolve(target('a.example')), (error) => isErrorCode(error, code))
  })

async function listening<S extends Server>(server: S, body: (port: number) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    // a listening TCP server has an AddressInfo
    await body((server.address() as AddressInfo).port)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

test('[EGR-08] plain HTTP dials the judged address under the name of the host, and asks no DNS', async () => {
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.host)
    response.end('here')
  })
  await listening(server, async (port) => {
    const hosts = newHosts({ isLive: () => true })
    const ask = { target: target('no.such.invalid', port), addresses: ['127.0.0.1'], method: 'GET', path: '/' }
    const answer = await hosts.open(PERMIT, { ...ask, headers: {}, body: null })
    const chunks: Uint8Array[] = []
    for await (const chunk of answer.chunks) chunks.push(chunk)
    assert.equal(Buffer.concat(chunks).toString(), 'here')
    assert.deepEqual(seen, [`no.such.invalid:${port}`])
    await hosts.close()
  })
})

test('[EGR-08] a tunnel dials the judged address, the next one where the first does not answer', async () => {
  const server = createNetServer((socket) => socket.end('here'))
  await listening(server, async (port) => {
    const dial = newDial({ isLive: () => true, connectTimeoutMs: 2_000 })
    const leg = await dial(PERMIT, { target: target('no.such.invalid', port, 'tcp'), addresses: ['::1', '127.0.0.1'] })
    const chunks: Uint8Array[] = []
    for await (const chunk of leg.chunks) chunks.push(chunk)
    assert.equal(Buffer.concat(chunks).toString(), 'here')
    leg.end()
    await leg.closed
  })
})

test('[EGR-11] a permit that dies while the connection is made opens neither', async () => {
  let connections = 0
  const server = createNetServer((socket) => {
    connections += 1
    socket.on('data', () => assert.fail('something was sent')).on('error', () => {})
  })
  await listening(server, async (port) => {
    let asked = 0
    const isLive = () => {
      asked += 1
      return asked === 1
    }
    const dial = newDial({ isLive, connectTimeoutMs: 2_000 })
    const addresses = ['127.0.0.1']
    await assert.rejects(dial(PERMIT, { target: target('127.0.0.1', port, 'tcp'), addresses }), isPermitStale)
    asked = 0
    const hosts = newHosts({ isLive })
    const ask = { target: target('127.0.0.1', port), addresses, method: 'GET', path: '/', headers: {}, body: null }
    await assert.rejects(hosts.open(PERMIT, ask), isPermitStale)
    await hosts.close()
    await assert.rejects(newHosts({ isLive: () => false }).open(PERMIT, ask), isPermitStale)
  })
  assert.ok(connections <= 2)
})

test('[EGR-09] a token in the path or in a header is never sent', async () => {
  const hosts = newHosts({ isLive: () => true })
  const ask = {
    target: target('127.0.0.1', 1),
    addresses: ['127.0.0.1'],
    method: 'GET',
    path: '/',
    headers: {},
    body: null,
  }
  const token = 'sp_vk_0123456789'
  for (const bad of [{ path: `/?k=${token}` }, { headers: { 'x-key': token } }])
    await assert.rejects(hosts.open(PERMIT, { ...ask, ...bad }), (error) => isErrorCode(error, 'INTERNAL'))
  await hosts.close()
})
