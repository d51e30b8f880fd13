/**
 * fuzz: hostile bytes into every parser of the path. `run.ts [--minutes N | --runs N] [--target NAME] [--seed TEXT]`
 *
 * In:  test/fuzz/*.ts (each exports a `target`), test/fuzz/corpus/NAME (seeds), out/fuzz/NAME (found earlier here).
 * Out: runs a second, kinds of answers seen, slowest run, growth of the heap; new kinds go to out/fuzz/NAME.
 *      Exit 1 on a throw, a run over 5 s (with --runs over 60), or memory that grows: the input is then in test/fuzz/corpus/NAME/failed-….
 * The same seed, corpus and target make the same inputs in the same order; with `--runs` (inputs per target) also as
 * many of them on every machine, so that what a landing is judged by does not depend on its speed.
 */
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { keepFailure } from './runner/corpus.ts'
import { MAX_INPUT_BYTES } from './runner/mutate.ts'
import { loadTargets } from './runner/targets.ts'
import type { Given, Row, Told } from './runner/worker.ts'

const MAX_RUN_MS = 5_000
/** With `--runs`: how fast the machine is, and what else it does, must not decide. */
const MAX_COUNTED_RUN_MS = 60_000
const MAX_HEAP_MIB = 768
const MAX_GROWTH_MIB = 64

type Arguments = {
  readonly minutes: number
  readonly runs: number
  readonly target: string | null
  readonly seed: string
}

function stop(status: number, text: string): never {
  console.error(`fuzz: ${text}`)
  process.exit(status)
}

function readArguments(): Arguments {
  const text = { type: 'string' } as const
  try {
    const { values } = parseArgs({ options: { minutes: text, runs: text, target: text, seed: text } })
    const minutes = Number(values.minutes ?? (values.runs === undefined ? 1 : 24 * 60))
    const runs = Number(values.runs ?? Number.POSITIVE_INFINITY)
    if (!(minutes > 0 && minutes <= 24 * 60))
      stop(64, `--minutes is more than 0 and at most 1440, not ${values.minutes}`)
    if (!(runs >= 1)) stop(64, `--runs is at least 1, not ${values.runs}`)
    return { minutes, runs, target: values.target ?? null, seed: values.seed ?? String(Date.now()) }
  } catch (error) {
    stop(64, error instanceof Error ? error.message : String(error))
  }
}

/** Runs the worker to its end; resolves with its rows. Any failure ends the process. */
function watch(given: Given): Promise<readonly Row[]> {
  const numbers = new Int32Array(given.shared, 0, 2)
  const input = () => Uint8Array.from(new Uint8Array(given.shared, 8, Atomics.load(numbers, 1)))
  let name = ''
  const fail = (what: string, bytes: Uint8Array = input()): never =>
    stop(1, `${name}: ${what}\n  input (${bytes.length} bytes): ${keepFailure(name, bytes)}\n  seed: ${given.seed}`)
  const worker = new Worker(new URL('./runner/worker.ts', import.meta.url), {
    workerData: given,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  })
  const limitMs = Number.isFinite(given.runs) ? MAX_COUNTED_RUN_MS : MAX_RUN_MS
  let [last, since] = [-1, performance.now()]
  setInterval(() => {
    const run = Atomics.load(numbers, 0)
    if (run !== last) [last, since] = [run, performance.now()]
    else if (run > 0 && performance.now() - since > limitMs) fail(`one run took over ${limitMs} ms`)
  }, 250).unref()
  return new Promise((resolve) => {
    worker.on('message', (told: Told) => {
      if (told.kind === 'target') name = told.name
      else if (told.kind === 'failure') fail(told.stack, told.input)
      else resolve(told.rows)
    })
    worker.once('error', (error) => fail(error instanceof Error ? (error.stack ?? error.message) : String(error)))
  })
}

const { minutes, runs, target, seed } = readArguments()
const names = (await loadTargets(null)).map((each) => each.name)
if (target !== null && !names.includes(target)) stop(64, `there is no target ${target}; there are: ${names.join(', ')}`)
console.log(
  `fuzz: ${target ?? names.join(', ')} for ${runs === Number.POSITIVE_INFINITY ? `${minutes} min` : `${runs} runs each`}, seed ${seed}`,
)

const shared = new SharedArrayBuffer(8 + MAX_INPUT_BYTES)
const rows = await watch({ seed, target, runs, endMs: Date.now() + minutes * 60_000, shared })
for (const { name, runs, seconds, kinds, slowestMs, heapGrewMib } of rows)
  console.log(
    `${name.padEnd(16)} ${String(runs).padStart(9)} runs  ${String(Math.round(runs / seconds)).padStart(7)}/s  ` +
      `${String(kinds).padStart(4)} kinds  slowest ${slowestMs.toFixed(1)} ms  heap ${heapGrewMib >= 0 ? '+' : ''}${heapGrewMib.toFixed(1)} MiB`,
  )
const grew = rows.reduce((most, row) => Math.max(most, row.heapGrewMib), 0)
if (grew > MAX_GROWTH_MIB)
  stop(1, `the heap grew by ${grew.toFixed(0)} MiB after everything was warm (limit ${MAX_GROWTH_MIB}); seed ${seed}`)
process.exit(0)
