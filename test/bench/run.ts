/**
 * bench: what the path costs. The same load against no proxy, nginx, a bare Node proxy and Sallyport with a policy of
 * 100 rules, in turns, in one run; each alone on one core, load and mock on the other. docs/performance.md.
 *
 *   run.ts [--quick] [--install] [--only SYSTEM,…] [--subjects SUBJECT,…]
 *     --quick    one round of Chat and identity, under a minute: to see that it works
 *     --install  fetch Debian's nginx package into out/bench when there is no nginx (nothing is installed)
 *     --only     a choice of direct, nginx, node, sallyport; direct is always measured
 *     --subjects a choice of chat, responses, anthropic, gemini, mcp, identity
 *
 * Out: a table, and rows in out/bench.json. Exit 1 when a system lost an event or answered wrongly, 64 for bad usage.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, styleText } from 'node:util'
import type { Results, Subject } from './measure.ts'
import {
  disturbance,
  firstByteAt,
  measureMemory,
  measureStart,
  type Plan,
  rowsOf,
  runRounds,
  streamsOf,
} from './measure.ts'
import { findNginx, unpackNginx } from './nginx.ts'
import { canPin, endAll, killAll, LOAD_CORE, pinSelf, runOwn, SYSTEM_CORE, startLoad, startOwn } from './processes.ts'
import { goalsOf, type Row, tableOf, writeRows } from './report.ts'
import { type Place, STARTS, type System, type SystemName } from './systems.ts'

const FULL: Plan = {
  rounds: 5,
  otherRounds: 3,
  warmUpMs: 2_000,
  oneStreamMs: 3_000,
  sixteenStreamsMs: 4_500,
  requestsMs: 2_500,
  memoryMs: 2_000,
  starts: 5,
}
const QUICK: Plan = {
  rounds: 1,
  otherRounds: 1,
  warmUpMs: 700,
  oneStreamMs: 1_200,
  sixteenStreamsMs: 2_500,
  requestsMs: 1_500,
  memoryMs: 700,
  starts: 1,
}
/** Share of the system's core that others may take before the table says so. */
const QUIET = 0.02

const LIMIT_MS = 20 * 60_000
const ALL: readonly SystemName[] = ['direct', 'nginx', 'node', 'sallyport']

/** `identity` is measured by itself, without the systems. */
const SUBJECTS = ['chat', 'responses', 'anthropic', 'gemini', 'mcp', 'identity'] as const

const out = fileURLToPath(new URL('../../out/', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))

function cleanUp(): void {
  killAll()
  rmSync(home, { recursive: true, force: true })
}
process.on('exit', cleanUp)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
setTimeout(() => stop(1, `the bench was not over after ${LIMIT_MS / 60_000} minutes`), LIMIT_MS).unref()

function stop(status: number, text: string): never {
  console.error(`bench: ${text}`)
  process.exit(status)
}

function say(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${styleText('dim', text)}`)
}

type Arguments = {
  readonly plan: Plan
  readonly quick: boolean
  readonly install: boolean
  readonly names: readonly SystemName[]
  readonly subjects: readonly Subject[]
  readonly identity: boolean
}

/** Those of `all` that a list names; all if there is none. */
function chosen<T extends string>(what: string, all: readonly T[], list: string | undefined): readonly T[] {
  const named = list?.split(',')
  const unknown = named?.find((name) => !all.some((known) => known === name))
  if (unknown !== undefined) stop(64, `unknown ${what} ${unknown}; known: ${all.join(', ')}`)
  return all.filter((name) => named?.includes(name) ?? true)
}

function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean' },
        install: { type: 'boolean' },
        only: { type: 'string' },
        subjects: { type: 'string' },
      },
    })
    const only = chosen('system', ALL, values.only)
    const subjects = chosen('subject', SUBJECTS, values.subjects ?? (values.quick ? 'chat,identity' : undefined))
    return {
      plan: values.quick ? QUICK : FULL,
      quick: values.quick === true,
      install: values.install === true,
      names: ALL.filter((name) => name === 'direct' || only.includes(name)),
      subjects: subjects.filter((subject) => subject !== 'identity'),
      identity: subjects.includes('identity'),
    }
  } catch (error) {
    stop(64, error instanceof Error ? error.message : String(error))
  }
}

/** nginx if there is one, or if it may be fetched. */
function nginxFor(wanted: boolean, install: boolean): string | null {
  if (!wanted) return null
  const folder = join(out, 'bench/nginx')
  if (findNginx(folder) === null && install) {
    console.log('fetching the nginx package of this Debian into out/bench/nginx …')
    unpackNginx(folder)
  }
  const found = findNginx(folder)
  if (found === null) console.log('note: no nginx found, its rows are absent (on Debian: run.ts --install)')
  return found
}

type Outcome = { readonly rows: readonly Row[]; readonly disturbed: boolean }

async function measure(place: Place, { names, subjects, plan }: Arguments): Promise<Outcome> {
  const load = startLoad()
  await firstByteAt(await STARTS.direct(place)) // our own first fetch is slow; it is not the system's
  const rows: Row[] = []
  const launch = (name: SystemName): Promise<System> => STARTS[name](place)
  for (const name of names.filter((each) => each !== 'direct')) {
    say(`start of ${name}`)
    rows.push(await measureStart(() => launch(name), plan.starts))
  }
  const systems: System[] = []
  for (const name of names) {
    const system = await launch(name)
    systems.push(system)
    say(`memory of ${name}`)
    rows.push(...(await measureMemory(load, system, plan)))
  }
  const results = await runRounds(load, systems, { subjects, plan, say })
  rows.push(...(await rowsOf(results, systems)))
  say('')
  const others = disturbance(results)
  if (others > QUIET)
    console.log(
      `note: other processes took ${(others * 100).toFixed(0)} % of the system's core meanwhile: no p99 here means much`,
    )
  printSizes(results)
  for (const system of systems) await system.stop()
  return { rows, disturbed: others > QUIET }
}

function printSizes(results: Results): void {
  for (const [name, gathered] of results) {
    const streams = streamsOf(gathered)
    if (streams !== '') console.log(`streams measured, ${name}: ${streams}`)
  }
}

async function pathOf(nginx: string | null, asked: Arguments): Promise<Outcome> {
  if (asked.subjects.length === 0) return { rows: [], disturbed: false }
  const mock = await startOwn(LOAD_CORE, 'mock.ts', [])
  return await measure({ home, mockPort: mock.port, nginx }, asked)
}

async function measuredIdentity(quick: boolean): Promise<readonly Row[]> {
  say('identity')
  const printed = await runOwn(SYSTEM_CORE, 'identity.ts', quick ? ['--quick'] : [])
  say('')
  return JSON.parse(printed) as readonly Row[] // what our own program prints
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') stop(69, 'the bench reads /proc and shares the monotonic clock: Linux only')
  const asked = readArguments()
  const wanted = asked.subjects.length > 0 ? asked.names : []
  const nginx = nginxFor(wanted.includes('nginx'), asked.install)
  const names = wanted.filter((name) => name !== 'nginx' || nginx !== null)
  const cpu = cpus()
  console.log(`${cpu[0]?.model ?? 'unknown CPU'}, ${cpu.length} cores; Node ${process.version}`)
  if (!canPin()) console.log('note: no taskset or one core only: nothing is pinned, the figures mix load and system')
  pinSelf()
  const { rows: path, disturbed } = await pathOf(nginx, { ...asked, names })
  const identity = asked.identity ? await measuredIdentity(asked.quick) : []
  const rows = [...path, ...identity]
  const file = join(out, 'bench.json')
  writeRows(file, rows)
  if (path.length > 0) console.log(`\n${tableOf(path, names)}\n`)
  if (identity.length > 0) console.log(`\n${tableOf(identity, ['crypto', 'sallyport'])}\n`)
  if (names.includes('sallyport')) console.log(`${goalsOf(rows, disturbed).join('\n')}\n`)
  console.log(`rows: ${file}`)
  await endAll()
  process.exit(0)
}

await main().catch((error: unknown) => stop(1, error instanceof Error ? error.message : String(error)))
