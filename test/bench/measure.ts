import { type BenchCall, DIALECTS, type DialectName, MCP, stampedIn } from './dialects.ts'
import type { Measured, Phase } from './load.ts'
import { type Load, SYSTEM_CORE } from './processes.ts'
import { busyMs, cpuMs, processTree, rssMib } from './procfs.ts'
import { type Metric, type Row, row } from './report.ts'
import { quantile } from './stats.ts'
import type { System, SystemName } from './systems.ts'
/** How long each phase of a round lasts, ms, and how many rounds there are. */
export type Plan = {
  readonly rounds: number
  /** Rounds of the dialects beyond Chat. */
  readonly otherRounds: number
  readonly warmUpMs: number
  readonly oneStreamMs: number
  readonly sixteenStreamsMs: number
  readonly requestsMs: number
  readonly memoryMs: number
  /** Starts of each system. */
  readonly starts: number
}

/** What may be measured by itself. */
export type Subject = DialectName | 'mcp'

const CONNECTIONS = 32
const MEMORY_STREAMS = 64
const SETTLE_MS = 300

/** One kind of load. `name` is its case in the rows. */
type Job = {
  readonly name: string
  readonly subject: Subject
  readonly kind: Phase['kind']
  readonly concurrency: number
  readonly durationMs: number
  readonly paceMs: number
  /** Of a tool server. */
  readonly call?: BenchCall
}

type Samples = { first: number[]; text: number[]; close: number[]; total: Total }
type Total = { done: number; elapsedMs: number; cpuMs: number; busyMs: number }

/** All samples of all rounds of one system, by job. `judgedBefore`: calls judged before the first round, by dialect. */
type Gathered = { readonly jobs: Map<Job, Samples>; judgedBefore: ReadonlyMap<string, readonly number[]> }

/** What was gathered, by system. */
export type Results = ReadonlyMap<SystemName, Gathered>

const samples = (): Samples => ({
  first: [],
  text: [],
  close: [],
  total: { done: 0, elapsedMs: 0, cpuMs: 0, busyMs: 0 },
})

/** Chat is measured in full, another dialect at 16 streams and without streaming, a tool server call by call. */
function jobsOf(subject: Subject, plan: Plan): readonly Job[] {
  const before = subject === 'chat' ? '' : `${subject}/`
  const job = (name: string, kind: Phase['kind'], concurrency: number, durationMs: number, paceMs: number): Job => ({
    name: `${before}${name}`,
    subject,
    kind,
    concurrency,
    durationMs,
    paceMs,
  })
  if (subject === 'mcp')
    return Object.entries(MCP.calls).map(([name, call]) => ({ ...job(name, 'calls', 1, plan.requestsMs, 0), call }))
  const one = job('1', 'streams', 1, plan.oneStreamMs, 1)
  const rest = [
    job('16', 'streams', 16, plan.sixteenStreamsMs, 4),
    job(String(CONNECTIONS), 'requests', CONNECTIONS, plan.requestsMs, 0),
  ]
  return subject === 'chat' ? [one, ...rest] : rest
}

/** What a round is made of. */
export type Course = { readonly subjects: readonly Subject[]; readonly plan: Plan; say(text: string): void }

/** Runs every system in turn, round after round, so that what disturbs the machine disturbs all of them. */
export async function runRounds(load: Load, systems: readonly System[], course: Course): Promise<Results> {
  const { subjects, plan, say } = course
  const results = new Map(systems.map(({ name }): [SystemName, Gathered] => [name, newGathered()]))
  for (const subject of subjects) {
    const jobs = jobsOf(subject, plan)
    // nginx is a yardstick for bytes; what they say makes no difference to it
    const taking = subject === 'chat' ? systems : systems.filter(({ name }) => name !== 'nginx')
    for (const system of taking) {
      say(`${subject}: warm up ${system.name}`)
      for (const job of jobs.slice(-2)) await load.run(phaseOf(system, { ...job, durationMs: plan.warmUpMs }))
      const gathered = results.get(system.name)
      if (gathered === undefined) continue
      const judged = (await system.verdictMicros?.()) ?? new Map<string, readonly number[]>()
      gathered.judgedBefore = new Map([...judged, ...gathered.judgedBefore])
    }
    const rounds = subject === 'chat' ? plan.rounds : plan.otherRounds
    for (let round = 0; round < rounds; round++)
      for (const system of turned(taking, round)) {
        say(`${subject}: round ${round + 1} of ${rounds}: ${system.name}`)
        for (const job of jobs) await gather(load, system, samplesOf(results, system, job), job)
      }
  }
  return results
}

const newGathered = (): Gathered => ({ jobs: new Map(), judgedBefore: new Map() })

function samplesOf(results: Results, system: System, job: Job): Samples {
  const jobs = results.get(system.name)?.jobs
  const known = [...(jobs ?? [])].find(([{ name }]) => name === job.name)?.[1]
  if (known !== undefined) return known
  const made = samples()
  jobs?.set(job, made)
  return made
}

/** Every round begins with another system. */
function turned<T>(items: readonly T[], by: number): readonly T[] {
  const at = by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}

function phaseOf(system: System, job: Job): Phase {
  const { kind, concurrency, durationMs, paceMs, subject, call } = job
  const common = { kind, concurrency, durationMs, paceMs }
  if (subject === 'mcp' || call !== undefined) {
    const { headers, request } = call ?? MCP.calls['tools-call']
    const all = { authorization: `Bearer ${system.key}`, ...headers }
    return { ...common, url: system.urlOf(MCP.facade, MCP.path), headers: all, body: request, stamped: 0 }
  }
  const dialect = DIALECTS[subject]
  const streams = kind === 'streams'
  return {
    ...common,
    url: system.urlOf(dialect.facade, streams ? dialect.paths.stream : dialect.paths.whole),
    headers: dialect.headers(system.key),
    body: dialect.request(streams, paceMs),
    stamped: stampedIn(dialect),
  }
}

async function gather(load: Load, system: System, into: Samples, job: Job): Promise<void> {
  const measured = await counted(system, into.total, () => load.run(phaseOf(system, job)))
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

function chatStreams(concurrency: number, durationMs: number, paceMs: number): Job {
  return { name: '', subject: 'chat', kind: 'streams', concurrency, durationMs, paceMs }
}

/** Memory of a fresh system that has answered once, then with 64 streams open. */
export async function measureMemory(load: Load, system: System, plan: Plan): Promise<readonly Row[]> {
  if (system.pid === null) return []
  await load.run(phaseOf(system, chatStreams(1, 1, 1)))
  await pause(500)
  const idle = rssMib(processTree(system.pid))
  let most = 0
  const timer = setInterval(() => {
    if (system.pid !== null) most = Math.max(most, rssMib(processTree(system.pid)))
  }, 100)
  try {
    await load.run(phaseOf(system, chatStreams(MEMORY_STREAMS, plan.memoryMs, 10)))
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
  const { url, headers, body } = phaseOf(system, chatStreams(1, 1, 1))
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
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
  const totals = [...results.values()].flatMap(({ jobs }) => [...jobs.values()].map((each) => each.total))
  const sum = (of: (total: Total) => number) => totals.reduce((all, total) => all + of(total), 0)
  return (
    Math.max(
      0,
      sum((total) => total.busyMs - total.cpuMs),
    ) / sum((total) => total.elapsedMs)
  )
}

/** Streams that one system was measured with, by case. */
export function streamsOf({ jobs }: Gathered): string {
  const streams = [...jobs].filter(([{ kind }]) => kind === 'streams')
  return streams.map(([{ name }, { total }]) => `${name}: ${total.done}`).join(', ')
}

/** Everything that the rounds gave, as rows. */
export async function rowsOf(results: Results, systems: readonly System[]): Promise<readonly Row[]> {
  const direct = results.get('direct')
  const rows: Row[] = []
  for (const system of systems) {
    const own = results.get(system.name)
    if (own === undefined || direct === undefined) continue
    for (const [job, gathered] of own.jobs) {
      const beside = [...direct.jobs].find(([{ name }]) => name === job.name)?.[1]
      if (beside !== undefined) rows.push(...rowsOfJob(system, job, gathered, beside))
    }
    if (system.verdictMicros !== null) rows.push(...verdictRows(system, own, await system.verdictMicros()))
  }
  return rows
}

function rowsOfJob(system: System, job: Job, own: Samples, direct: Samples): readonly Row[] {
  const { name, kind } = job
  const perOne = own.total.cpuMs / own.total.done
  const cpu = (metric: Metric): readonly Row[] => (system.pid === null ? [] : [row(system.name, name, metric, perOne)])
  if (kind === 'streams')
    return [...addedRows(system.name, job, own, direct), ...(job.concurrency === 16 ? cpu('cpu_per_stream') : [])]
  if (kind === 'calls') return [...addedRows(system.name, job, own, direct), ...cpu('cpu_per_request')]
  return [row(system.name, name, 'rps', (own.total.done * 1_000) / own.total.elapsedMs), ...cpu('cpu_per_request')]
}

function verdictRows(
  system: System,
  { jobs, judgedBefore }: Gathered,
  judged: ReadonlyMap<string, readonly number[]>,
): readonly Row[] {
  const subjects = new Set([...jobs.keys()].map(({ subject }) => subject))
  return [...subjects].flatMap((subject) => {
    if (subject === 'mcp') return [] // its calls are of two kinds, and the log does not tell them apart
    const { logged } = DIALECTS[subject]
    const micros = (judged.get(logged) ?? []).slice(judgedBefore.get(logged)?.length ?? 0)
    const name = subject === 'chat' ? '100-rules' : `${subject}/100-rules`
    return [
      row(system.name, name, 'verdict_p50', quantile(micros, 0.5)),
      row(system.name, name, 'verdict_p99', quantile(micros, 0.99)),
    ]
  })
}

/** Which quantile of which samples each metric is. */
const STREAM_METRICS = [
  ['ttft_added_p50', 'first', 0.5],
  ['ttft_added_p99', 'first', 0.99],
  ['itl_added_p99', 'text', 0.99],
  ['hold_p50', 'close', 0.5],
  ['hold_p99', 'close', 0.99],
] as const
const CALL_METRICS = [
  ['call_added_p50', 'first', 0.5],
  ['call_added_p99', 'first', 0.99],
] as const

/** Quantiles less those of direct. Direct itself is split into two halves: what it "adds" is the noise of the method. */
function addedRows(system: SystemName, { name, kind }: Job, own: Samples, direct: Samples): readonly Row[] {
  const halves = system === 'direct'
  return (kind === 'calls' ? CALL_METRICS : STREAM_METRICS).map(([metric, of, share]) => {
    const [a, b] = halves ? [everySecond(own[of], 1), everySecond(own[of], 0)] : [own[of], direct[of]]
    return row(system, name, metric, (quantile(a, share) - quantile(b, share)) / 1_000)
  })
}

function everySecond(values: readonly number[], from: 0 | 1): readonly number[] {
  return values.filter((_, index) => index % 2 === from)
}
