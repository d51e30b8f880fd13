import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks a second, as Linux reports to user space on every architecture. */
const TICKS_PER_SECOND = 100

/** A process and all that descend from it. */
export function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(statFields(Number(name))?.[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? [])) // grows while it is walked
  return tree
}

/** CPU time of processes so far, ms. */
export function cpuMs(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = statFields(pid)
    return Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)
  })
  return (ticks.reduce((sum, value) => sum + value, 0) * 1_000) / TICKS_PER_SECOND
}

/** Time that a core was busy so far, with whatever, ms. */
export function busyMs(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.trim().split(/ +/).map(Number)
  return ((user + nice + system + irq + softirq + steal) * 1_000) / TICKS_PER_SECOND
}

/** Resident memory of processes, MiB. */
export function rssMib(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + rssOf(pid), 0)
}

function rssOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024
  } catch {
    return 0 // it ended meanwhile
  }
}

/** Fields of /proc/PID/stat from the state on (index 0), or null when the process is gone. */
function statFields(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}
