import type { Measured, Phase } from './load.ts'
import { type Load, SYSTEM_CORE } from './processes.ts'
import { busyMs, cpuMs, processTree, rssMib } from './procfs.ts'
import { type Row, row } from './report.ts'
import { quantile } from './stats.ts'
import type { System, SystemName } from './systems.ts'
import { requestBody } from './workload.ts'

/** How long each phase of a round lasts, ms, and how many rounds there are. */
export type Plan = {
  readonly rounds: number
  readonly warmUpMs: number
  readonly oneStreamMs: number
  readonly sixteenStreamsMs: number
  readonly requestsMs: number
  readonly memoryMs: number
  /** Starts of each system. */
  readonly starts: number
}

const CONNECTIONS = 32
const MEMORY_STREAMS = 64
const SETTLE_MS = 300

type Case = '1' | '16'
/** `judgedBefore`: calls that were judged before the first round. */
type Gathered = Record<Case, Samples> & { requests: Total; judgedBefore: number }
type Samples = { first: number[]; text: number[]; close: number[]; total: Total }
type Total = { done: number; elapsedMs: number; cpuMs: number; busyMs: number }

/** All samples of all rounds, by system. */
export type Results = ReadonlyMap<SystemName, Gathered>

const total = (): Total => ({ done: 0, elapsedMs: 0, cpuMs: 0, busyMs: 0 })
const samples = (): Samples => ({ first: [], text: [], close: [], total: total() })

/** Runs every system in turn, round after round, so that what disturbs the machine disturbs all of them. */
export async function runRounds(
  load: Load,
  systems: readonly System[],
  plan: Plan,
  say: (text: string) => void,
): Promise<Results> {
  const results = new Map(
    systems.map(({ name }): [SystemName, Gathered] => [
      name,
      { '1': samples(), '16': samples(), requests: total(), judgedBefore: 0 },
    ]),
  )
  for (const system of systems) {
    say(`warm up ${system.name}`)
    await load.run(phaseOf(system, 'streams', 16, plan.warmUpMs, 2))
    await load.run(phaseOf(system, 'requests', CONNECTIONS, plan.warmUpMs, 0))
    const gathered = results.get(system.name)
    if (gathered !== undefined) gathered.judgedBefore = (await system.verdictMicros?.())?.length ?? 0
  }
  for (let round = 0; round < plan.rounds; round++)
    for (const system of turned(systems, round)) {
      say(`round ${round + 1} of ${plan.rounds}: ${system.name}`)
      const gathered = results.get(system.name)
      if (gathered === undefined) continue
      await gather(load, system, gathered['1'], phaseOf(system, 'streams', 1, plan.oneStreamMs, 1))
      await gather(load, system, gathered['16'], phaseOf(system, 'streams', 16, plan.sixteenStreamsMs, 4))
      const phase = phaseOf(system, 'requests', CONNECTIONS, plan.requestsMs, 0)
      await counted(system, gathered.requests, () => load.run(phase))
    }
  return results
}

/** Every round begins with another system. */
function turned<T>(items: readonly T[], by: number): readonly T[] {
  const at = by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}

function phaseOf(system: System, kind: Phase['kind'], concurrency: number, durationMs: number, paceMs: number): Phase {
  return { kind, baseUrl: system.baseUrl, key: system.key, concurrency, durationMs, paceMs }
}

async function gather(load: Load, system: System, into: Samples, phase: Phase): Promise<void> {
  const measured = await counted(system, into.total, () => load.run(phase))
  for (const value of measured.firstEvent) into.first.push(value)
  for (const value of measured.textDelay) into.text.push(value)
  for (const value of measured.closeDelay) into.close.push(value)
}

/** Adds what was done, and the CPU time that the system took for it. */
async function counted(system: System, into: Total, run: () => Promise<Measured>): Promise<Measured> {
  await pause(SETTLE_MS)
  const pids = system.pid === null ? [] : processTree(system.pid)
  const [cpu, busy] = [cpuMs(pids), busyMs(SYSTEM_CORE)]
  const measured = await run()
  into.cpuMs += cpuMs(pids) - cpu
  into.busyMs += busyMs(SYSTEM_CORE) - busy
  into.done += measured.done
  into.elapsedMs += measured.elapsedMs
  return measured
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Memory of a fresh system that has answered once, then with 64 streams open. */
export async function measureMemory(load: Load, system: System, plan: Plan): Promise<readonly Row[]> {
  if (system.pid === null) return []
  await load.run(phaseOf(system, 'streams', 1, 1, 1))
  await pause(500)
  const idle = rssMib(processTree(system.pid))
  let most = 0
  const timer = setInterval(() => {
    if (system.pid !== null) most = Math.max(most, rssMib(processTree(system.pid)))
  }, 100)
  try {
    await load.run(phaseOf(system, 'streams', MEMORY_STREAMS, plan.memoryMs, 10))
  } finally {
    clearInterval(timer)
  }
  return [row(system.name, 'idle', 'rss', idle), row(system.name, String(MEMORY_STREAMS), 'rss', most)]
}

/** Median of spawn → first byte of a proxied answer. */
export async function measureStart(launch: () => Promise<System>, times: number): Promise<Row> {
  const taken: number[] = []
  let name: SystemName = 'direct'
  for (let index = 0; index < times; index++) {
    const started = performance.now()
    const system = await launch()
    try {
      taken.push((await firstByteAt(system)) - started)
    } finally {
      await system.stop()
    }
    name = system.name
  }
  return row(name, 'first-token', 'start', quantile(taken, 0.5))
}

/** When the first byte of a streamed answer came. Reads the rest of it. */
export async function firstByteAt(system: System): Promise<number> {
  const response = await fetch(`${system.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${system.key}` },
    body: requestBody(true, 1),
  })
  const reader = response.body?.getReader()
  const first = await reader?.read()
  const at = performance.now()
  if (!response.ok || first?.value === undefined) throw new Error(`${system.name} answered ${response.status}`)
  while ((await reader?.read())?.done === false);
  return at
}

/** Share (0 … 1) of the system's core that other processes of this machine took while it was measured. */
export function disturbance(results: Results): number {
  const totals = [...results.values()].flatMap((each) => [each['1'].total, each['16'].total, each.requests])
  const sum = (of: (total: Total) => number) => totals.reduce((all, total) => all + of(total), 0)
  return (
    Math.max(
      0,
      sum((total) => total.busyMs - total.cpuMs),
    ) / sum((total) => total.elapsedMs)
  )
}

/** Everything that the rounds gave, as rows. */
export async function rowsOf(results: Results, systems: readonly System[]): Promise<readonly Row[]> {
  const direct = results.get('direct')
  const rows: Row[] = []
  for (const system of systems) {
    const own = results.get(system.name)
    if (own === undefined || direct === undefined) continue
    for (const onCase of ['1', '16'] as const)
      rows.push(...streamRows(system.name, onCase, own[onCase], direct[onCase]))
    rows.push(row(system.name, String(CONNECTIONS), 'rps', (own.requests.done * 1_000) / own.requests.elapsedMs))
    if (system.pid !== null) {
      rows.push(row(system.name, String(CONNECTIONS), 'cpu_per_request', own.requests.cpuMs / own.requests.done))
      rows.push(row(system.name, '16', 'cpu_per_stream', own['16'].total.cpuMs / own['16'].total.done))
    }
    if (system.verdictMicros === null) continue
    const micros = (await system.verdictMicros()).slice(own.judgedBefore)
    rows.push(row(system.name, '100-rules', 'verdict_p50', quantile(micros, 0.5)))
    rows.push(row(system.name, '100-rules', 'verdict_p99', quantile(micros, 0.99)))
  }
  return rows
}

/** Quantiles less those of direct. Direct itself is split into two halves: what it "adds" is the noise of the method. */
function streamRows(system: SystemName, onCase: Case, own: Samples, direct: Samples): readonly Row[] {
  const halves = system === 'direct'
  const added = (kind: 'first' | 'text' | 'close', share: number): number => {
    const [a, b] = halves ? [everySecond(own[kind], 1), everySecond(own[kind], 0)] : [own[kind], direct[kind]]
    return (quantile(a, share) - quantile(b, share)) / 1_000
  }
  return [
    row(system, onCase, 'ttft_added_p50', added('first', 0.5)),
    row(system, onCase, 'ttft_added_p99', added('first', 0.99)),
    row(system, onCase, 'itl_added_p99', added('text', 0.99)),
    row(system, onCase, 'hold_p50', added('close', 0.5)),
    row(system, onCase, 'hold_p99', added('close', 0.99)),
  ]
}

function everySecond(values: readonly number[], from: 0 | 1): readonly number[] {
  return values.filter((_, index) => index % 2 === from)
}
