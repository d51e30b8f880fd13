import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { agentKeyOf } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { silentLog } from '#pkg/platform/log'
import { newRpcServer } from '#pkg/platform/rpc'
import { listenOnUnixSocket } from '#pkg/platform/socket'
import { SpiffeWorkloadAPI } from '#proto/spiffe/workload'
import { newAgentKeyPair } from './agent-key.ts'
import type { Identity } from './identities.ts'
import { agentSpiffeId } from './spiffe-id.ts'
import { newWorkloadHandlers, type WorkloadSource } from './workload.ts'

const agent = agentKeyOf({ namespace: 'growth', name: 'marketing' })
const AWARE = new Metadata()
AWARE.set('workload.spiffe.io', 'true')
const CERTIFICATE = Buffer.from('30030201 05'.replace(' ', ''), 'hex')

type World = { identity: Identity | null; roots: Uint8Array[]; tell: () => void; asked: string[][] }

function identityOf(serial: string): Identity {
  const key = newAgentKeyPair()
  const x509: Identity['x509'] = {
    chain: [CERTIFICATE, CERTIFICATE],
    serial,
    notBeforeMs: 0,
    notAfterMs: 1,
    slot: 'x_1',
  }
  return { agent, spiffeId: agentSpiffeId('example.org', agent), uid: 'u', epoch: 1, key, x509 }
}

async function withApi(body: (client: Client, world: World) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-workload-'))
  const path = join(dir, 'api.sock')
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  const world: World = { identity: identityOf('1'), roots: [CERTIFICATE], tell, asked: [] }
  const source: WorkloadSource = {
    identity: async () => {
      if (world.identity === null) throw new SallyportError('IDENTITY_DENIED', 'it is Quarantined')
      return world.identity
    },
    tokenFor: async (_identity, audience, others) => {
      world.asked.push([audience, ...others])
      return 'a.b.c'
    },
    bundle: () => ({ trustDomain: 'example.org', x509: world.roots, jwt: { keys: [{ kid: 'j_1' }] } }),
    validate: (token) =>
      token === 'good' ? { spiffeId: 'spiffe://example.org/x', claims: { aud: ['a'], n: 5 } } : 'EXPIRED',
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const rpc = newRpcServer({ log: silentLog })
  rpc.add(SpiffeWorkloadAPI, newWorkloadHandlers(source))
  const server = createServer((socket) => rpc.serve(socket))
  await listenOnUnixSocket(server, path, { name: 'the test socket', option: '--test' })
  const client = new Client(`unix:${path}`, credentials.createInsecure())
  try {
    await body(client, world)
    assert.equal(listeners.size, 0, 'a stream that ended still listens')
  } finally {
    client.close()
    rpc.close()
    await new Promise((resolve) => server.close(resolve))
    rmSync(dir, { recursive: true })
  }
}

type Name = keyof typeof SpiffeWorkloadAPI.method
const pathOf = (method: DescMethod): string => `/${SpiffeWorkloadAPI.typeName}/${method.name}`
const bytesOf = (schema: DescMessage) => (value: MessageShape<DescMessage>) => Buffer.from(toBinary(schema, value))

function ask(client: Client, name: Name, request: object, metadata = AWARE): Promise<Record<string, unknown>> {
  const method: DescMethod = SpiffeWorkloadAPI.method[name]
  const message = create(method.input, request as MessageInitShape<DescMessage>) // each row gives what its method takes
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      pathOf(method),
      bytesOf(method.input),
      (bytes) => fromBinary(method.output, bytes),
      message,
      metadata,
      (error, answer) => (error === null ? resolve(answer as unknown as Record<string, unknown>) : reject(error)),
    )
  })
}

/** What a stream brings: the members of every answer and of an error. */
type Answer = {
  /** One, always. */
  readonly svids: readonly [{ spiffeId: string; x509Svid: Uint8Array; x509SvidKey: Uint8Array; bundle: Uint8Array }]
  readonly bundles: { readonly 'spiffe://example.org': Uint8Array }
  readonly code: number
  readonly details: string
}

function follow(client: Client, name: Name, metadata = AWARE) {
  const method: DescMethod = SpiffeWorkloadAPI.method[name]
  const call = client.makeServerStreamRequest(
    pathOf(method),
    bytesOf(method.input),
    (bytes) => fromBinary(method.output, bytes),
    create(method.input),
    metadata,
  )
  const queue: unknown[] = []
  let wake = (): void => {}
  const push = (one: unknown): void => {
    queue.push(one)
    wake()
  }
  call.on('data', push)
  call.on('error', push)
  const next = async (): Promise<Answer> => {
    while (queue.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    return queue.shift() as Answer // one of the answers of the service, or its error
  }
  return { next, queued: () => queue.length, cancel: () => call.cancel() }
}

const soon = (ms = 100): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const settle = async (cancel: () => void): Promise<void> => {
  cancel()
  await soon(50)
}

test('[WLAPI-01] without the security header, or with another value, every method is INVALID_ARGUMENT', () =>
  withApi(async (client) => {
    const wrong = new Metadata()
    wrong.set('workload.spiffe.io', 'false')
    const twice = new Metadata()
    twice.add('workload.spiffe.io', 'true')
    twice.add('workload.spiffe.io', 'true')
    for (const metadata of [new Metadata(), wrong, twice]) {
      for (const name of ['fetchX509SVID', 'fetchX509Bundles', 'fetchJWTBundles'] as const)
        assert.equal((await follow(client, name, metadata).next()).code, status.INVALID_ARGUMENT, name)
      for (const name of ['fetchJWTSVID', 'validateJWTSVID'] as const)
        await assert.rejects(
          ask(client, name, { audience: name === 'fetchJWTSVID' ? ['a'] : 'a', svid: 'good' }, metadata),
          {
            code: status.INVALID_ARGUMENT,
          },
        )
    }
  }))

test('[WLAPI-02] the first answer comes at once, whole: chain, key, bundle; the next ones when they differ', () =>
  withApi(async (client, world) => {
    const stream = follow(client, 'fetchX509SVID')
    const { svids } = await stream.next()
    assert.equal(svids.length, 1)
    assert.equal(svids[0].spiffeId, 'spiffe://example.org/ns/growth/agent/marketing')
    assert.deepEqual(Buffer.from(svids[0].x509Svid), Buffer.concat([CERTIFICATE, CERTIFICATE]))
    assert.deepEqual(Buffer.from(svids[0].bundle), CERTIFICATE)
    const key = createPrivateKey({ key: Buffer.from(svids[0].x509SvidKey), format: 'der', type: 'pkcs8' })
    assert.deepEqual(createPublicKey(key).export({ format: 'der', type: 'spki' }), world.identity?.key.spki)
    world.tell()
    await soon()
    assert.equal(stream.queued(), 0, 'nothing has changed')
    world.identity = identityOf('2')
    world.tell()
    assert.notDeepEqual((await stream.next()).svids[0].x509SvidKey, svids[0].x509SvidKey)
    world.roots = [CERTIFICATE, CERTIFICATE]
    world.tell()
    assert.equal((await stream.next()).svids[0].bundle.length, 2 * CERTIFICATE.length)
    await settle(stream.cancel)
  }))

test('[WLAPI-03] who loses the right to an identity loses the stream: PERMISSION_DENIED, and so does the next call', () =>
  withApi(async (client, world) => {
    const stream = follow(client, 'fetchX509SVID')
    await stream.next()
    world.identity = null
    world.tell()
    const error = await stream.next()
    assert.equal(error.code, status.PERMISSION_DENIED)
    assert.match(error.details, /Quarantined/)
    assert.equal((await follow(client, 'fetchX509SVID').next()).code, status.PERMISSION_DENIED)
    await assert.rejects(ask(client, 'fetchJWTSVID', { audience: ['a'] }), { code: status.PERMISSION_DENIED })
  }))

test('[WLAPI-04] bundles come alone, by the ID of the trust domain, and again when they change', () =>
  withApi(async (client, world) => {
    const x509 = follow(client, 'fetchX509Bundles')
    assert.deepEqual(Object.keys((await x509.next()).bundles), ['spiffe://example.org'])
    world.roots = [CERTIFICATE, CERTIFICATE]
    world.tell()
    assert.equal((await x509.next()).bundles['spiffe://example.org'].length, 2 * CERTIFICATE.length)
    const jwt = follow(client, 'fetchJWTBundles')
    const { bundles } = await jwt.next()
    assert.deepEqual(JSON.parse(Buffer.from(bundles['spiffe://example.org']).toString()), { keys: [{ kid: 'j_1' }] })
    await settle(x509.cancel)
    await settle(jwt.cancel)
  }))

const JWT_ROWS: readonly (readonly [name: string, request: object, code: number | null])[] = [
  ['one audience', { audience: ['spiffe://example.org/b'] }, null],
  ['several', { audience: ['a', 'b'] }, null],
  ['its own ID', { audience: ['a'], spiffeId: 'spiffe://example.org/ns/growth/agent/marketing' }, null],
  ['none', { audience: [] }, status.INVALID_ARGUMENT],
  ['an empty one', { audience: ['a', ''] }, status.INVALID_ARGUMENT],
  ['too many', { audience: Array.from({ length: 9 }, (_, at) => `a${at}`) }, status.INVALID_ARGUMENT],
  ['a long one', { audience: ['a'.repeat(2_049)] }, status.INVALID_ARGUMENT],
  [
    'the ID of somebody else',
    { audience: ['a'], spiffeId: 'spiffe://example.org/ns/growth/agent/other' },
    status.PERMISSION_DENIED,
  ],
  ['a request of 100 KiB', { audience: ['a'], spiffeId: 'a'.repeat(102_400) }, status.RESOURCE_EXHAUSTED],
]

test('[WLAPI-05] JWT-SVIDs: the audiences that are asked for, for the own identity alone', () =>
  withApi(async (client, world) => {
    for (const [name, request, code] of JWT_ROWS) {
      if (code !== null) {
        await assert.rejects(ask(client, 'fetchJWTSVID', request), { code }, name)
        continue
      }
      const answer = await ask(client, 'fetchJWTSVID', request)
      assert.equal((answer['svids'] as { svid: string }[])[0]?.svid, 'a.b.c', name)
    }
    assert.deepEqual(world.asked, [['spiffe://example.org/b'], ['a', 'b'], ['a']])
  }))

test('[WLAPI-06] a JWT-SVID is validated for an audience: its ID and every claim, or INVALID_ARGUMENT', () =>
  withApi(async (client) => {
    const answer = await ask(client, 'validateJWTSVID', { audience: 'a', svid: 'good' })
    assert.deepEqual([answer['spiffeId'], answer['claims']], ['spiffe://example.org/x', { aud: ['a'], n: 5 }])
    for (const request of [
      { audience: '', svid: 'good' },
      { audience: 'a', svid: '' },
      { audience: 'a', svid: 'bad' },
    ])
      await assert.rejects(ask(client, 'validateJWTSVID', request), { code: status.INVALID_ARGUMENT })
  }))

test('[WLAPI-01] a method that is not there is UNIMPLEMENTED', () =>
  withApi(async (client) => {
    const none = Buffer.alloc(0)
    await assert.rejects(
      new Promise((resolve, reject) =>
        client.makeUnaryRequest(
          '/SpiffeWorkloadAPI/FetchWITSVID',
          () => none,
          (bytes) => bytes,
          none,
          AWARE,
          (error, answer) => (error === null ? resolve(answer) : reject(error)),
        ),
      ),
      { code: status.UNIMPLEMENTED },
    )
  }))
