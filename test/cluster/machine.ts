/**
 * The cluster as the machine sees it: its processes, its cgroups, its root folder; and taking them away again. What is
 * found is found by looking (/proc, /sys/fs/cgroup), not by what a run wrote down, so that it works after kill −9.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NAME, rootFolder } from './where.ts'

const CGROUPS = '/sys/fs/cgroup'
const KERNEL_CLEANS_WITHIN_MS = 20_000

/** A process inside the node. */
export interface Member {
  readonly pid: number
  readonly words: readonly string[]
  readonly rssBytes: number
}

function pids(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null // the process ended between two looks
  }
}

function wordsOf(pid: number): readonly string[] {
  return (orNull(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').split('\0').slice(0, -1)
}

function namespaceOf(pid: number, kind: string): string | null {
  return orNull(() => readlinkSync(`/proc/${pid}/ns/${kind}`))
}

/** Process 1 of every node on the machine, by its number outside → the root folder it was given. */
function inits(): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const pid of pids()) {
    const [shell, script = '', folder = ''] = wordsOf(pid)
    if (shell !== 'bash' || !script.endsWith('/cluster/node/init.sh')) continue
    const numbers = orNull(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? ''
    if (/^NSpid:.*\t1$/m.test(numbers)) found.set(pid, folder)
  }
  return found
}

/** The node's process 1, by its number outside, or null where no node runs. */
export function findInit(root: string = rootFolder()): number | null {
  return [...inits()].find(([, folder]) => folder === root)?.[0] ?? null
}

/** In the node's pid namespace, or in a container's below it, which the cgroup tells. */
function belongs(pid: number, inside: string | null): boolean {
  if (inside !== null && namespaceOf(pid, 'pid') === inside) return true
  return orNull(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${NAME}/`)) === true
}

/** Every process of the node, its containers' too. */
export function members(init: number): readonly Member[] {
  const inside = namespaceOf(init, 'pid')
  return pids()
    .filter((pid) => belongs(pid, inside))
    .map((pid) => {
      const pages = Number((orNull(() => readFileSync(`/proc/${pid}/statm`, 'utf8')) ?? '').split(' ')[1] ?? 0)
      return { pid, words: wordsOf(pid), rssBytes: pages * 4096 }
    })
}

function hierarchies(): readonly string[] {
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return [CGROUPS]
  return readdirSync(CGROUPS)
    .map((name) => join(CGROUPS, name))
    .filter((path) => lstatSync(path).isDirectory())
}

/** Makes the cgroup under which the kubelet puts all pods, in every hierarchy. */
export function makeCgroups(): void {
  for (const parent of hierarchies()) {
    const own = join(parent, NAME)
    mkdirSync(own)
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      // In version 1 a new cpuset is empty and takes no process.
      const from = join(parent, file)
      if (existsSync(from)) writeFileSync(join(own, file), readFileSync(from))
    }
  }
}

function removeGroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(join(path, entry.name))
  }
  rmdirSync(path)
}

async function removeCgroups(): Promise<void> {
  const until = performance.now() + KERNEL_CLEANS_WITHIN_MS
  for (;;) {
    const left = hierarchies()
      .map((parent) => join(parent, NAME))
      .filter((path) => existsSync(path))
    if (left.length === 0) return
    try {
      for (const path of left) removeGroup(path)
    } catch (error) {
      if (performance.now() > until) throw error // a group is busy while its last process is being reaped
      await sleep(50)
    }
  }
}

/**
 * Ends the node if there is one and removes what it left: processes, with them their namespaces, mounts, links and
 * rules; cgroups; the root folder. Does nothing where nothing is. Says whether there was anything.
 * Throws where a node of another root folder runs: their cgroups have one name.
 */
export async function takeDown(root: string = rootFolder()): Promise<boolean> {
  const other = [...inits().values()].find((folder) => folder !== root)
  if (other !== undefined) throw new Error(`a cluster of another folder runs: ${other}; end that one first`)
  const init = findInit(root)
  if (init !== null) {
    const inside = namespaceOf(init, 'pid')
    process.kill(init, 'SIGKILL')
    const until = performance.now() + KERNEL_CLEANS_WITHIN_MS
    while (pids().some((pid) => belongs(pid, inside))) {
      if (performance.now() > until) throw new Error(`processes of the node do not end: pid namespace ${inside}`)
      await sleep(20)
    }
  }
  const left = existsSync(root) || hierarchies().some((parent) => existsSync(join(parent, NAME)))
  await removeCgroups()
  rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  return init !== null || left
}
