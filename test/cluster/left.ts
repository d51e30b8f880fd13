/** What a machine has of the things that a node makes, listed before and after, so that a test can say what was left. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, NAME } from './where.ts'

/** Kind of thing → each one, as a line. */
export type Inventory = Readonly<Record<string, readonly string[]>>

const FOLDERS = ['/etc', '/opt', '/usr', '/var', '/run', '/srv', '/mnt', '/media', '/lib/modules', '/root/.kube']
const SYSCTLS = [
  ...['vm/overcommit_memory', 'vm/panic_on_oom', 'kernel/panic', 'kernel/panic_on_oops', 'kernel/hostname'],
  ...['kernel/keys/root_maxkeys', 'kernel/keys/root_maxbytes', 'net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'],
  ...['net/bridge/bridge-nf-call-iptables', 'net/netfilter/nf_conntrack_max'],
]
const KINDS = ['pid', 'mnt', 'net', 'uts', 'ipc'] as const
/** What containerd, runc and the kubelet call their files in the folder for temporary ones. */
const TEMPORARY = /^(?:containerd|ctd-|runc|pty|kube|shim|sallyport-cluster|image-)/

const lines = (program: string, ...words: string[]): readonly string[] =>
  execFileSync(program, words, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024, stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n')
    .filter((line) => line !== '')

const withoutCounts = (line: string): string => line.replace(/packets \d+ bytes \d+|\[\d+:\d+\]/g, '')

/** The namespaces of a process, as `net:[4026532]`. */
export function namespaces(pid: number): readonly string[] {
  return KINDS.map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`))
}

function orEmpty(read: () => string): string {
  try {
    return read()
  } catch {
    return '' // it ended while we looked
  }
}

/** Processes in one of these namespaces or in the cluster's cgroups, or whose command line names its folder. */
export function processesOf(spaces: readonly string[]): readonly string[] {
  const root = join(cacheFolder(), 'run')
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  return pids.flatMap((pid) => {
    const command = orEmpty(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
    const inside = KINDS.some((kind) => spaces.includes(orEmpty(() => readlinkSync(`/proc/${pid}/ns/${kind}`))))
    const below = orEmpty(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')).includes(`/${NAME}/`)
    return inside || below || command.includes(root) ? [`${pid} ${command}`] : []
  })
}

/** Takes stock. Files are listed by path: those of the system's folders, and the cluster's own in the temporary one. */
export function inventory(): Inventory {
  const firewalls = ['iptables-legacy-save', 'ip6tables-legacy-save'].flatMap((program) => lines(program))
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ').slice(3, 6).join(' ')),
    cgroups: lines('find', '/sys/fs/cgroup', '-type', 'd'),
    links: lines('ip', '-o', 'link').map((line) => line.split(':')[1] ?? ''),
    netns: lines('ip', 'netns', 'list'),
    routes: [...lines('ip', 'route'), ...lines('ip', '-6', 'route')],
    rules: [...lines('nft', 'list', 'ruleset'), ...firewalls.filter((line) => !line.startsWith('#'))].map(
      withoutCounts,
    ),
    sysctls: SYSCTLS.map((key) => `${key} ${orEmpty(() => readFileSync(`/proc/sys/${key}`, 'utf8')).trim()}`),
    files: [
      ...FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
        lines('find', folder, '-xdev', '-not', '-path', '/var/lib/apt/*'),
      ),
      ...readdirSync('/tmp').filter((name) => TEMPORARY.test(name)),
      ...readdirSync(cacheFolder()).filter((name) => name === 'run'),
    ],
    names: lines('find', '/sys/fs/cgroup', '-name', NAME),
  }
}

/** What is in the second and not in the first, or the other way round, each with its kind. */
export function difference(before: Inventory, after: Inventory): readonly string[] {
  return Object.entries(after).flatMap(([kind, now]) => {
    const then = before[kind] ?? []
    const [had, has] = [new Set(then), new Set(now)]
    const more = now.filter((line) => !had.has(line)).map((line) => `+ ${kind}: ${line}`)
    return [...more, ...then.filter((line) => !has.has(line)).map((line) => `- ${kind}: ${line}`)]
  })
}
