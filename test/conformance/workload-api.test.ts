/** The Workload API of the real process, read by a gRPC client of its own. SPIFFE Workload API and Endpoint. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Client, credentials, Client as GrpcClient, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { SpiffeWorkloadAPI, type X509SVIDResponse } from '#proto/spiffe/workload'
import { DENY } from '../fixtures/policies.ts'
import { SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { startSallyctl } from '../fixtures/sallyctl.ts'

const OPEN = DENY.replace('  role: marketing\n', '  role: marketing\n  pod: { workloadApi: Open }\n')
const ID = 'spiffe://sallyport.local/ns/growth/agent/marketing'

type Seen = X509SVIDResponse | ServiceError

function follow(client: Client) {
  const { input, output, name } = SpiffeWorkloadAPI.method.fetchX509SVID
  const aware = new Metadata()
  aware.set('workload.spiffe.io', 'true')
  const call = client.makeServerStreamRequest(
    `/${SpiffeWorkloadAPI.typeName}/${name}`,
    (message) => Buffer.from(toBinary(input, message)),
    (bytes) => fromBinary(output, bytes),
    create(input),
    aware,
  )
  const seen: Seen[] = []
  call.on('data', (one: X509SVIDResponse) => seen.push(one))
  call.on('error', (error: ServiceError) => seen.push(error))
  return {
    seen,
    nth: async (at: number): Promise<Seen> => {
      for (let waited = 0; seen.length <= at; waited += 20) {
        if (waited > 15_000) assert.fail(`no answer ${at}`)
        await sleep(20)
      }
      return seen[at] as Seen // it was waited for
    },
  }
}

const serialOf = (one: Seen): string => {
  if (!('svids' in one)) assert.fail(one.details)
  const [svid] = one.svids
  assert.equal(svid?.spiffeId, ID)
  return new X509Certificate(Buffer.from(svid.x509Svid)).serialNumber
}
const codeOf = (one: Seen): number | null => ('code' in one ? one.code : null)

test('[WLAPI-07] a socket is one agent’s: by its policy, by its life, and by the rotation of the CA', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sp-wl-'))
  const path = join(home, 'm.sock')
  const running = await startSallyctl({
    policies: { 'a.yaml': OPEN },
    upstream: 'http://127.0.0.1:1/v1',
    args: ['--workload-socket', `growth/marketing=${path}`],
  })
  const client = new GrpcClient(`unix:${path}`, credentials.createInsecure())
  const cli = async (...words: string[]) => {
    const ran = await spawned(SALLYCTL, [...words, '--data', running.dataDir])
    assert.equal(ran.status, 0, ran.err)
    return ran.out
  }
  try {
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const stream = follow(client)
    const first = serialOf(await stream.nth(0))
    assert.equal(
      JSON.parse(await cli('identity', 'show', 'growth/marketing', '-o', 'json'))
        .serial.toUpperCase()
        .replaceAll(':', ''),
      first,
    )

    await cli('ca', 'prepare', 'x509', '--reason', 'rotation')
    const [before, after] = [await stream.nth(0), await stream.nth(1)]
    assert.ok('svids' in before && 'svids' in after)
    assert.ok(
      (after.svids[0]?.bundle.length ?? 0) > (before.svids[0]?.bundle.length ?? 0),
      'the new root is in the bundle',
    )

    await cli('quarantine', 'growth/marketing', '--reason', 'odd')
    assert.equal(codeOf(await stream.nth(2)), status.PERMISSION_DENIED)
    assert.equal(codeOf(await follow(client).nth(0)), status.PERMISSION_DENIED)

    await cli('release', 'growth/marketing', '--reason', 'fine')
    const again = follow(client)
    assert.notEqual(serialOf(await again.nth(0)), first)

    running.write('a.yaml', DENY)
    assert.equal(codeOf(await again.nth(1)), status.PERMISSION_DENIED)
    running.write('a.yaml', OPEN)
    await sleep(1_000)
    assert.equal(codeOf(await follow(client).nth(0)), null)
  } finally {
    client.close()
    assert.equal(await running.stop(), 0)
    rmSync(home, { recursive: true })
  }
})

test('[WLAPI-07] a socket without a name is the only agent’s; a path that cannot be one stops the start', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sp-wl-'))
  const path = join(home, 'only.sock')
  const setup = { policies: { 'a.yaml': OPEN }, upstream: 'http://127.0.0.1:1/v1' }
  const running = await startSallyctl({ ...setup, args: ['--workload-socket', path] })
  const client = new GrpcClient(`unix:${path}`, credentials.createInsecure())
  try {
    serialOf(await follow(client).nth(0))
    await assert.rejects(startSallyctl({ ...setup, args: ['--workload-socket', path] }), /another process answers/)
    await assert.rejects(
      startSallyctl({ ...setup, args: ['--workload-socket', join(home, 'x'.repeat(120))] }),
      /SETTINGS_INVALID[^\n]*the limit is 103/,
    )
  } finally {
    client.close()
    await running.stop()
    rmSync(home, { recursive: true })
  }
})

test('[WLAPI-07] a socket on which nobody is served is told at the start, and again when a file has changed it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sp-wl-'))
  const [one, other] = [join(home, 'one.sock'), join(home, 'other.sock')]
  const running = await startSallyctl({
    policies: { 'a.yaml': DENY },
    upstream: 'http://127.0.0.1:1/v1',
    args: ['--workload-socket', `growth/nobody=${one}`, '--workload-socket', `growth/marketing=${other}`],
  })
  try {
    const { warnings } = running.ready
    assert.deepEqual(
      warnings.map(({ code, agent }) => `${code} ${agent}`),
      ['WORKLOAD_SOCKET_UNSERVED null', 'WORKLOAD_SOCKET_UNSERVED growth/marketing'],
    )
    assert.match(warnings[0]?.message ?? '', /one\.sock: there is no agent "growth\/nobody"/)
    assert.match(warnings[1]?.message ?? '', /set pod\.workloadApi: Open/)
    running.write('a.yaml', OPEN)
    for (let waited = 0; !running.stderr().includes('policies-loaded'); waited += 20) {
      if (waited > 10_000) assert.fail(running.stderr())
      await sleep(20)
    }
    const advice = running
      .stderr()
      .split('policies-loaded')[0]
      ?.split('\n')
      .filter((line) => line.includes('WORKLOAD_SOCKET_UNSERVED'))
    assert.equal(advice?.length, 3, 'two at the start, one of them again')
  } finally {
    await running.stop()
    rmSync(home, { recursive: true })
  }
})
