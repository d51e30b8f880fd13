/**
 * The node's programs, built from pinned Go modules. Go in: the two module folders beside this file (go.mod and go.sum
 * are committed) and the machine's Go. Out: a folder of binaries in the cache, one per module, named by a hash of
 * all that decides its bytes. A build that was cut short goes on where it stopped; its Go build cache is the module's
 * own and is removed with the last binary.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './where.ts'

const KUBERNETES_COMMANDS = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
] as const

/** One Go module and what is built of it: binary name → package. */
interface Module {
  readonly name: string
  readonly packages: Readonly<Record<string, string>>
  readonly flags: readonly string[]
}

/** Where the binaries of each module are. */
export interface Binaries {
  readonly kubernetes: string
  readonly coredns: string
}

const FOLDER = import.meta.dirname
const GO_ENV = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -trimpath', GOWORK: 'off' }

/** The pinned version of Kubernetes, as `v1.37.2`, from go.mod. */
export function kubernetesVersion(): string {
  const mod = readFileSync(join(FOLDER, 'kubernetes', 'go.mod'), 'utf8')
  const version = /^\s*(?:require )?k8s\.io\/kubernetes (v\d+\.\d+\.\d+)\b/m.exec(mod)?.[1]
  if (version === undefined) throw new Error('test/cluster/kubernetes/go.mod requires no k8s.io/kubernetes')
  return version
}

function modules(): readonly Module[] {
  const version = kubernetesVersion()
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? []
  const stamps = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'module',
    buildDate: '1970-01-01T00:00:00Z',
  }
  // Without them `--version` says v0.0.0 and features are switched as of that version.
  const x = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) =>
    Object.entries(stamps).map(([key, value]) => `-X ${path}.${key}=${value}`),
  )
  return [
    {
      name: 'kubernetes',
      packages: Object.fromEntries(KUBERNETES_COMMANDS.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`])),
      flags: ['-ldflags', ['-s -w', ...x].join(' ')],
    },
    { name: 'coredns', packages: { coredns: '.' }, flags: ['-ldflags', '-s -w'] },
  ]
}

/** The machine's Go as `go1.26.8 linux/amd64`, or null where there is none. */
export function goVersion(): string | null {
  const asked = spawnSync('go', ['version'], { encoding: 'utf8', cwd: join(FOLDER, 'kubernetes') })
  return asked.status === 0 ? asked.stdout.trim().replace('go version ', '') : null
}

function keyOf(module: Module, go: string): string {
  const hash = createHash('sha256').update(JSON.stringify([go, GO_ENV, module.flags, module.packages]))
  for (const file of ['go.mod', 'go.sum', 'main.go']) {
    const path = join(FOLDER, module.name, file)
    if (existsSync(path)) hash.update(`\0${file}\0`).update(readFileSync(path))
  }
  return hash.digest('hex').slice(0, 16)
}

/** In a pid namespace of its own that dies with us: a killed `up` must not leave compilers behind. */
const DIES_WITH_US = [
  '--pdeathsig',
  'KILL',
  '--',
  'unshare',
  '--pid',
  '--fork',
  '--kill-child',
  '--',
  'nice',
  '-n',
  '19',
]

async function goBuild(module: Module, path: string, file: string, goCache: string): Promise<void> {
  const words = [...DIES_WITH_US, 'go', 'build', '-p', '2', ...module.flags, '-o', `${file}.part`, path]
  const env = { ...process.env, ...GO_ENV, GOCACHE: goCache, GOTMPDIR: goCache }
  const child = spawn('setpriv', words, {
    cwd: join(FOLDER, module.name),
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`go build ${path} ended with ${code}`)
  renameSync(`${file}.part`, file)
}

async function build(module: Module, home: string, say: (line: string) => void): Promise<void> {
  const building = `${home}.building`
  const goCache = `${home}.gocache`
  mkdirSync(building, { recursive: true })
  mkdirSync(goCache, { recursive: true })
  for (const [name, path] of Object.entries(module.packages)) {
    const file = join(building, name)
    if (existsSync(file)) continue
    const from = performance.now()
    await goBuild(module, path, file, goCache)
    say(`built ${name.padEnd(28)} ${((performance.now() - from) / 1000).toFixed(1).padStart(6)} s`)
  }
  rmSync(goCache, { recursive: true, force: true })
  renameSync(building, home)
}

/**
 * The binaries, built now where the cache lacks them (nine to thirty minutes on two cores, once). Binaries of other
 * keys are removed. Throws where Go is missing or a build fails. Not safe against itself: the caller holds the lock.
 */
export async function binaries(say: (line: string) => void): Promise<Binaries> {
  const go = goVersion()
  const cache = cacheFolder()
  mkdirSync(cache, { recursive: true })
  const homes = new Map<string, string>()
  for (const module of modules()) {
    if (go === null) throw new Error('go is not on the PATH')
    const home = join(cache, `${module.name}-${keyOf(module, go)}`)
    const old = readdirSync(cache).filter(
      (name) => name.startsWith(`${module.name}-`) && !join(cache, name).startsWith(home),
    )
    for (const name of old) rmSync(join(cache, name), { recursive: true, force: true })
    if (!existsSync(home)) await build(module, home, say)
    homes.set(module.name, home)
  }
  return { kubernetes: homes.get('kubernetes') ?? '', coredns: homes.get('coredns') ?? '' }
}
