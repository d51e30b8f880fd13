/** What `cluster-status` prints: whether a node runs, since when, its programs with version and memory. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { kubectl } from './inside.ts'
import { findInit, type Member, members } from './machine.ts'
import { isReady } from './up.ts'
import { rootFolder } from './where.ts'

const VERSION_WORDS: Readonly<Record<string, readonly string[]>> = {
  'kube-apiserver': ['--version'],
  'kube-controller-manager': ['--version'],
  'kube-scheduler': ['--version'],
  'kube-proxy': ['--version'],
  kubelet: ['--version'],
  containerd: ['--version'],
  etcd: ['--version'],
  coredns: ['-version'],
}

function versionOf(program: string, file: string): string {
  const words = VERSION_WORDS[program]
  if (words === undefined) return ''
  const said = spawnSync(file, [...words], { encoding: 'utf8', timeout: 10_000 })
  return /v?\d+\.\d+\.\d+[^\s]*/.exec(`${said.stdout}${said.stderr}`)?.[0] ?? ''
}

const mib = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(0)} MiB`

function row(program: string, group: readonly Member[]): string {
  const first = group[0]
  const file = first === undefined ? '' : `/proc/${first.pid}/exe`
  const rss = group.reduce((sum, member) => sum + member.rssBytes, 0)
  const many = group.length > 1 ? `× ${group.length}` : ''
  return `  ${program.padEnd(26)} ${versionOf(program, file).padEnd(26)} ${mib(rss).padStart(9)} ${many}`.trimEnd()
}

/** The lines, and whether a cluster is ready. */
export async function status(): Promise<{ readonly ready: boolean; readonly lines: readonly string[] }> {
  const root = rootFolder()
  const init = findInit(root)
  if (init === null) return { ready: false, lines: ['no cluster runs'] }
  const all = members(init)
  const groups = Map.groupBy(all, ({ words }) => basename(words[0] ?? '?'))
  const rows = [...groups].map(([program, group]) => row(program, group))
  const total = `  ${'all'.padEnd(26)} ${''.padEnd(26)} ${mib(all.reduce((sum, { rssBytes }) => sum + rssBytes, 0)).padStart(9)}`
  if (!isReady(root)) return { ready: false, lines: ['is starting', ...rows, total] }
  const since = readFileSync(join(root, 'ready'), 'utf8')
  const [nodes, pods] = await Promise.all([kubectl(['get', 'nodes']), kubectl(['get', 'pods', '-A'])])
  return { ready: true, lines: [`ready since ${since}, process ${init}`, ...rows, total, '', nodes, pods.trimEnd()] }
}
