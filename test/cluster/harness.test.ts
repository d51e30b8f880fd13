import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { importImage, TOOLS } from './images.ts'
import { inNode, kubectl } from './inside.ts'
import { difference, type Inventory, inventory, namespaces, processesOf } from './left.ts'
import { findInit } from './machine.ts'

const RUN = join(import.meta.dirname, 'run.ts')
const LIMIT_MS = 120_000
const BODY = '\r\n\r\nit works\n'

interface Ended {
  readonly code: number | null
  readonly out: string
}

/** Starts a verb; `out()` is what it has printed so far. */
function started(
  verb: string,
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; out: () => string; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [RUN, verb], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (printed += bytes))
  const ended = once(child, 'close').then(([code]): Ended => ({ code, out: printed }))
  return { child, out: () => printed, ended }
}

const run = (verb: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> => started(verb, env).ended

async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS
  while (!(await ask())) {
    assert.ok(performance.now() < end, `${what}: not within ${LIMIT_MS} ms`)
    await sleep(50)
  }
}

const container = (command: string): object => ({
  name: 'main',
  image: TOOLS.name,
  imagePullPolicy: 'Never',
  command: ['/bin/sh', '-c', command],
})

const QUIT = 'trap "exit 0" TERM; sleep 3600 & wait'

function objects(): string {
  const web = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      containers: [
        container(`mkdir -p /tmp/www; echo it works >/tmp/www/index.html; httpd -p 8080 -h /tmp/www; ${QUIT}`),
      ],
    },
  }
  const client = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'client' },
    spec: { containers: [container(QUIT)] },
  }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ipFamilyPolicy: 'RequireDualStack', ports: [{ port: 80, targetPort: 8080 }] },
  }
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [web, client, service] })
}

const inPod = (pod: string, command: string): Promise<string> => kubectl(['exec', pod, '--', 'sh', '-c', command])

let clean: Inventory = {}

/** Nothing of the node is on the machine: no process in its namespaces, and every list as before. */
function assertClean(spaces: readonly string[]): void {
  assert.deepEqual(processesOf(spaces), [])
  assert.deepEqual(difference(clean, inventory()), [])
}

function spacesNow(): readonly string[] {
  const init = findInit()
  assert.ok(init !== null, 'a node runs')
  const own = namespaces(process.pid)
  const spaces = namespaces(init)
  assert.equal(spaces.filter((space) => own.includes(space)).length, 0, 'each of its namespaces is its own')
  return spaces
}

before(async () => {
  const { code, out } = await run('down')
  assert.equal(code, 0, out)
  clean = inventory()
})

after(async () => {
  await run('down')
})

test('status without a cluster says so', async () => {
  const { code, out } = await run('status')
  assert.deepEqual([code, out.trim()], [1, 'cluster: no cluster runs'])
})

test('where it cannot run it says what is missing and exits 69', async () => {
  const { code, out } = await run('up', { PATH: '/nowhere' })
  assert.equal(code, 69)
  assert.match(out, /^cluster: it needs .*containerd.*runc.*install\.sh/)
})

describe('a cluster', { timeout: 2 * 60 * 60_000 }, () => {
  let spaces: readonly string[] = []

  test('comes up, each step timed; a second one at the same time is told who is at it', async () => {
    const first = started('up')
    await until('the first step', () => first.out().includes('cluster: '))
    const second = await run('up')
    assert.equal(second.code, 75, second.out)
    assert.match(second.out, /^cluster: not now, another is under way \(up, process \d+\)$/m)
    const down = await run('down')
    assert.equal(down.code, 75, down.out)
    const { code, out } = await first.ended
    assert.equal(code, 0, out)
    console.log(out)
    for (const name of ['binaries', 'certificates', 'API server', 'node Ready', 'cluster DNS', 'ready in'])
      assert.ok(out.includes(name), out)
    spaces = spacesNow()
  })

  test('the node is Ready, with an address of each family', async () => {
    const [node] = JSON.parse(await kubectl(['get', 'nodes', '-o', 'json'])).items
    assert.equal(node.status.conditions.find(({ type }: { type: string }) => type === 'Ready').status, 'True')
    const addresses = node.status.addresses.filter(({ type }: { type: string }) => type === 'InternalIP')
    assert.equal(addresses.length, 2)
  })

  test('a pod has both families; its Service answers by v4, by v6 and by name', async () => {
    await kubectl(['apply', '-f', '-'], { input: objects() })
    await kubectl(['wait', '--for=condition=Ready', 'pod/web', 'pod/client', '--timeout=180s'], { timeoutMs: LIMIT_MS })
    const pod = JSON.parse(await kubectl(['get', 'pod', 'web', '-o', 'json']))
    assert.equal(pod.status.podIPs.length, 2)
    const service = JSON.parse(await kubectl(['get', 'service', 'web', '-o', 'json']))
    const [v4, v6] = service.spec.clusterIPs
    const ask = (host: string): string => `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 5 ${host} 80`
    const get = (host: string): Promise<string> => inPod('client', ask(host)).catch(() => '')
    await until('the endpoint', async () => (await get(v4)).endsWith(BODY))
    for (const host of [v4, v6, 'web', 'web.default.svc.cluster.local']) {
      assert.ok((await get(host)).endsWith(BODY), host)
    }
    for (const host of [v4, v6]) {
      assert.ok((await inPod('web', ask(host))).endsWith(BODY), `a pod reaches itself by ${host}`)
      assert.ok((await inNode(['sh', '-c', ask(host)])).endsWith(BODY), `the node's own processes reach ${host}`)
    }
    const named = await inPod('client', 'nslookup web.default.svc.cluster.local')
    assert.ok(named.includes(v4) && named.includes(v6), named)
  })

  test('an image made here runs, without a registry', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'harness-'))
    try {
      writeFileSync(join(folder, 'word'), 'from this machine\n')
      const image = { ...TOOLS, name: 'localhost/own:1', files: { ...TOOLS.files, '/word': join(folder, 'word') } }
      await importImage(image)
    } finally {
      rmSync(folder, { recursive: true })
    }
    await kubectl([
      'run',
      'own',
      '--image=localhost/own:1',
      '--image-pull-policy=Never',
      '--restart=Never',
      '--',
      '-c',
      'cat /word',
    ])
    await kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/own', '--timeout=120s'], {
      timeoutMs: LIMIT_MS,
    })
    assert.equal(await kubectl(['logs', 'own']), 'from this machine\n')
  })

  test('status names the programs with version and memory; a second up finds it up', async () => {
    const { code, out } = await run('status')
    assert.equal(code, 0, out)
    for (const name of ['kube-apiserver', 'kubelet', 'etcd', 'containerd', 'coredns'])
      assert.match(out, new RegExp(`${name} +v?\\d+\\.\\d+.* \\d+ MiB`))
    const again = await run('up')
    assert.equal(again.code, 0, again.out)
    assert.match(again.out, /is up already/)
  })

  test('while it is up the comparison sees it: processes, cgroups and the folder, and nothing else', () => {
    assert.ok(processesOf(spaces).length > 10)
    const seen = difference(clean, inventory())
    assert.ok(seen.length > 0)
    assert.deepEqual(
      seen.filter((line) => !/^\+ (?:cgroups|names): .*sallyport-cluster|^\+ files: run$/.test(line)),
      [],
    )
  })

  test('from another cache folder neither up nor down touches it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'harness-'))
    const { code, out } = await run('down', { SALLYPORT_CLUSTER_CACHE: folder })
    rmSync(folder, { recursive: true })
    assert.equal(code, 1, out)
    assert.match(out, /a cluster of another folder runs/)
    assert.equal((await run('status')).code, 0)
  })

  test('goes down and leaves the machine as it was', async () => {
    const { code, out } = await run('down')
    assert.equal(code, 0, out)
    assertClean(spaces)
    assert.match((await run('down')).out, /nothing runs, nothing was left/)
  })

  test('an up that is interrupted takes down what it had made', async () => {
    const { child, out, ended } = started('up')
    await until('the API server', () => out().includes('cluster: API server ') || child.exitCode !== null)
    const seen = spacesNow()
    child.kill('SIGINT')
    const { code, out: all } = await ended
    assert.equal(code, 1, all)
    assert.match(all, /up interrupted, taking it down/)
    assertClean(seen)
  })

  for (const moment of ['namespaces', 'API server', 'node Ready']) {
    test(`kill −9 of up after the step "${moment}": the node ends by itself, and down finds the rest`, async () => {
      const { child, out, ended } = started('up')
      await until(moment, () => out().includes(`cluster: ${moment} `) || child.exitCode !== null)
      const seen = spacesNow()
      child.kill('SIGKILL')
      await ended
      await until('the end of the node', () => processesOf(seen).length === 0)
      assert.equal((await run('down')).code, 0)
      assertClean(seen)
    })
  }

  test('kill −9 of the node’s first process ends every other; the next up starts from the leftovers', async () => {
    const first = await run('up')
    assert.equal(first.code, 0, first.out)
    const seen = spacesNow()
    process.kill(findInit() ?? Number.NaN, 'SIGKILL')
    await until('the end of the node', () => processesOf(seen).length === 0)
    const second = await run('up')
    assert.equal(second.code, 0, second.out)
    assert.match(second.out, /removed what an earlier run had left/)
    assert.equal((await run('down')).code, 0)
    assertClean(seen)
  })

  test('a start that fails says what ended and leaves the machine as it was', async () => {
    const { child, out, ended } = started('up')
    await until('namespaces', () => out().includes('cluster: namespaces ') || child.exitCode !== null)
    const seen = spacesNow()
    process.kill(findInit() ?? Number.NaN, 'SIGKILL')
    const { code, out: all } = await ended
    assert.equal(code, 1, all)
    assert.match(all, /up failed: the node's first process ended/)
    assertClean(seen)
  })
})
