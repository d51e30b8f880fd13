/** Runs the targets, in its own thread: the thread of `run.ts` watches it, and ends it when an input hangs or eats memory. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { foundBefore, keepFound, MAX_FOUND, seedsOf } from './corpus.ts'
import { MAX_INPUT_BYTES, mutate } from './mutate.ts'
import { newRandom, type Random } from './random.ts'
import type { Target } from './target.ts'
import { loadTargets } from './targets.ts'

/** What `run.ts` gives. `shared`: run number (Int32 at 0), input length (at 4), then the input in hand. */
export type Given = {
  readonly seed: string
  readonly target: string | null
  readonly endMs: number
  /** Mutated inputs per target; infinity = until `endMs`. */
  readonly runs: number
  readonly shared: SharedArrayBuffer
}

/** What comes back. */
export type Told =
  | { readonly kind: 'target'; readonly name: string }
  | { readonly kind: 'failure'; readonly name: string; readonly input: Uint8Array; readonly stack: string }
  | { readonly kind: 'done'; readonly rows: readonly Row[] }

/** What one target did. Heap after a collection, MiB; slowest run in ms. */
export type Row = {
  readonly name: string
  readonly runs: number
  readonly seconds: number
  readonly kinds: number
  readonly slowestMs: number
  readonly heapGrewMib: number
}

/** Time of one target before the next has its turn. The inputs of a target do not depend on it. */
const SLICE_MS = 250

type State = {
  readonly target: Target
  readonly random: Random
  readonly corpus: Uint8Array[]
  readonly kinds: Set<string>
  readonly seeds: number
  runs: number
  ms: number
  slowestMs: number
  heapAt: number | null
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // what --expose-gc adds
const given = workerData as Given // `run.ts` is the only one that starts this
const numbers = new Int32Array(given.shared, 0, 2)
const inHand = new Uint8Array(given.shared, 8)
const tell = (told: Told) => parentPort?.postMessage(told)

function heapMib(): number {
  collect()
  return process.memoryUsage().heapUsed / 1_048_576
}

async function once(state: State, bytes: Uint8Array): Promise<boolean> {
  Atomics.store(numbers, 1, bytes.length)
  inHand.set(bytes)
  Atomics.add(numbers, 0, 1)
  const started = performance.now()
  try {
    const kind = (await state.target.run(Uint8Array.from(bytes))) ?? ''
    const ms = performance.now() - started
    state.runs++
    state.ms += ms
    state.slowestMs = Math.max(state.slowestMs, ms)
    if (!state.kinds.has(kind)) keep(state, kind, bytes)
    return true
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    tell({ kind: 'failure', name: state.target.name, input: bytes, stack })
    return false
  }
}

function keep(state: State, kind: string, bytes: Uint8Array): void {
  if (state.kinds.size >= MAX_FOUND) return
  state.kinds.add(kind)
  if (state.runs <= state.seeds) return // a seed, or found before
  state.corpus.push(bytes)
  keepFound(state.target.name, bytes)
}

async function main(): Promise<void> {
  const targets = await loadTargets(given.target)
  const states = targets.map((target): State => {
    const corpus = [...seedsOf(target.name), ...foundBefore(target.name)].map((bytes) =>
      bytes.subarray(0, MAX_INPUT_BYTES),
    )
    const random = newRandom(`${given.seed} ${target.name}`)
    return {
      target,
      random,
      corpus,
      kinds: new Set(),
      seeds: corpus.length,
      runs: 0,
      ms: 0,
      slowestMs: 0,
      heapAt: null,
    }
  })
  for (const state of states) {
    tell({ kind: 'target', name: state.target.name })
    for (const bytes of [new Uint8Array(0), ...state.corpus]) if (!(await once(state, bytes))) return
  }
  while (Date.now() < given.endMs && states.some(hasMore))
    for (const state of states) if (hasMore(state) && !(await slice(state))) return
  tell({ kind: 'done', rows: states.map(rowOf) })
}

/** The empty input and the corpus as it stood at the start come before the mutations. */
const hasMore = ({ runs, seeds }: State) => runs < given.runs + seeds + 1

async function slice(state: State): Promise<boolean> {
  tell({ kind: 'target', name: state.target.name })
  const end = Math.min(given.endMs, Date.now() + SLICE_MS)
  while (Date.now() < end && hasMore(state))
    if (!(await once(state, mutate(state.corpus, state.random, state.target.words ?? [])))) return false
  state.heapAt ??= heapMib() // after the first slice: everything is compiled and cached
  return true
}

function rowOf(state: State): Row {
  const { target, runs, ms, kinds, slowestMs, heapAt } = state
  return {
    name: target.name,
    runs,
    seconds: ms / 1_000,
    kinds: kinds.size,
    slowestMs,
    heapGrewMib: heapAt === null ? 0 : heapMib() - heapAt,
  }
}

await main()
