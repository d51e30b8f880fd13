/**
 * Starts the node: leftovers away, binaries, certificates and configs, cgroups, namespaces with the daemons, images,
 * CoreDNS. Each step says how long it took. It returns with the cluster ready, or throws with everything taken down.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Binaries, binaries, kubernetesVersion } from './binaries.ts'
import { corednsImage, importImage, PAUSE, TOOLS } from './images.ts'
import { inNode, kubectl } from './inside.ts'
import { findInit, makeCgroups, takeDown } from './machine.ts'
import { writeConfigs } from './node/configs.ts'
import { makeCertificates } from './node/pki.ts'
import { cacheFolder, NAME, NETWORK, rootFolder } from './where.ts'

type Say = (line: string) => void

/** How long one step may take before the start counts as failed; a machine may be busy. */
const STEP_LIMIT_MS = 180_000

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`

async function step<T>(say: Say, name: string, work: () => T | Promise<T>): Promise<T> {
  const from = performance.now()
  const result = await work()
  say(`${name.padEnd(34)} ${seconds(from).padStart(8)}`)
  return result
}

/** The node's files, once they are there: whether the cluster was made ready and is still up. */
export function isReady(root: string = rootFolder()): boolean {
  return existsSync(join(root, 'ready')) && findInit(root) !== null
}

function whatEnded(root: string): string | null {
  const ended = existsSync(join(root, 'ended')) ? readdirSync(join(root, 'ended')) : []
  const log = (name: string): string =>
    readFileSync(join(root, 'log', name), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(-8)
      .join('\n')
  if (ended[0] !== undefined) return `${ended[0]} ended:\n${log(ended[0])}`
  return findInit(root) === null ? `the node's first process ended:\n${log('init')}` : null
}

/** Asks until the answer is yes. Throws at the limit, or at once if a daemon ended. */
async function until(root: string, what: string, ask: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + STEP_LIMIT_MS
  for (;;) {
    if (await ask().catch(() => false)) return
    const ended = whatEnded(root)
    if (ended !== null) throw new Error(ended)
    if (performance.now() > end)
      throw new Error(`${what}: not within ${STEP_LIMIT_MS / 1000} s; see log-of-last-failure in ${cacheFolder()}`)
    await sleep(100)
  }
}

function prepare(root: string, built: Binaries): void {
  for (const name of ['pki', 'log', 'ended', 'var/upper', 'var/work'])
    mkdirSync(join(root, name), { recursive: true, mode: 0o700 })
  symlinkSync(built.kubernetes, join(root, 'bin'))
  writeConfigs(root)
}

/** The namespaces and process 1. Its standard input is the string that ties it to us until it is told to stay. */
async function startInit(root: string): Promise<ChildProcess> {
  const { node, pods, services } = NETWORK
  const env = {
    ...{ PATH: process.env['PATH'], HOME: '/run', LANG: 'C', NAME, BIN: join(root, 'bin') },
    ...{
      NODE4: node.v4,
      NODE6: node.v6,
      PODS4: pods.v4,
      PODS6: pods.v6,
      SERVICES4: services.v4,
      SERVICES6: services.v6,
    },
  }
  const own = [
    '--pid',
    '--fork',
    '--kill-child',
    '--mount',
    '--propagation',
    'private',
    '--net',
    '--uts',
    '--ipc',
    '--mount-proc',
  ]
  const log = openSync(join(root, 'log', 'init'), 'w')
  const words = [...own, 'bash', join(import.meta.dirname, 'node', 'init.sh'), root]
  const child = spawn('unshare', words, { detached: true, env, cwd: '/', stdio: ['pipe', log, log] })
  closeSync(log)
  child.stdin?.on('error', () => {}) // it ended first: the next question says so
  const end = performance.now() + 10_000
  while (findInit(root) === null && child.exitCode === null && performance.now() < end) await sleep(10)
  return child
}

async function dns(): Promise<void> {
  await kubectl(['apply', '-f', join(import.meta.dirname, 'node', 'coredns.yaml')])
  await kubectl(
    ['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout', `${STEP_LIMIT_MS / 1000}s`],
    {
      timeoutMs: STEP_LIMIT_MS,
    },
  )
}

async function start(root: string, built: Binaries, say: Say): Promise<void> {
  await step(say, 'certificates and configs', async () => {
    prepare(root, built)
    await makeCertificates(join(root, 'pki'))
  })
  makeCgroups()
  const from = performance.now()
  const init = await step(say, 'namespaces', () => startInit(root))
  const images = step(say, 'images (pause, tools, coredns)', async () => {
    await until(root, 'containerd', async () => (await inNode(['ctr', 'version'])) !== '')
    for (const image of [PAUSE, TOOLS, corednsImage(built.coredns)]) await importImage(image)
  })
  const server = step(say, 'API server', () =>
    until(root, 'API server', async () => existsSync(join(root, 'apiserver-ready'))),
  )
  await Promise.all([images, server])
  await step(say, 'node Ready', () =>
    until(root, 'node Ready', async () => {
      const path = '-o=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'
      return (await kubectl(['get', 'nodes', path])).trim() === 'True'
    }),
  )
  await step(say, 'service account', () =>
    until(
      root,
      'ServiceAccount default',
      async () => (await kubectl(['get', 'serviceaccount', 'default', '-o', 'name'])) !== '',
    ),
  )
  await step(say, 'cluster DNS', dns)
  init.stdin?.end('keep\n')
  init.unref()
  writeFileSync(join(root, 'ready'), new Date().toISOString())
  say(`${'from namespaces to cluster DNS'.padEnd(34)} ${seconds(from).padStart(8)}`)
}

/** What the daemons said is all that a failed start leaves, in the cache. */
function keepLog(root: string): void {
  const kept = join(cacheFolder(), 'log-of-last-failure')
  rmSync(kept, { recursive: true, force: true })
  if (existsSync(join(root, 'log'))) cpSync(join(root, 'log'), kept, { recursive: true })
}

/** Starts a cluster where none runs; `say` gets a line for each step. The caller holds the lock. */
export async function up(say: Say): Promise<void> {
  const root = rootFolder()
  if (isReady(root)) return say('is up already: make cluster-status')
  const from = performance.now()
  if (await takeDown(root)) say('removed what an earlier run had left')
  const built = await step(say, `binaries (Kubernetes ${kubernetesVersion()})`, () => binaries(say))
  try {
    await start(root, built, say)
  } catch (error) {
    keepLog(root)
    await takeDown(root)
    throw error
  }
  say(`ready in ${seconds(from)}: sh test/cluster/kubectl get pods -A`)
}
