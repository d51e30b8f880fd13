/**
 * crash: kill -9 at random moments, under load. `run.ts [--kills N] [--seed TEXT]`
 *
 * In:  `./sallyctl up` on one data folder, killed and started again; a simulated provider; agents on four dialects.
 * Out: a line for each kill. Exit 1 with the seed and the data folder, which is kept, where
 *      an id that a client was given, or a call that it got, is not in the record (`sallyctl verdicts`, with no process),
 *      the record is not whole (`sallyctl audit verify`), or a move of an agent that was answered does not hold.
 * The seed decides who asks what and when the kill comes, not how fast this machine is.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startSimulator } from '#pkg/planes/standalone/simulate'
import { newRandom, type Random } from '../fuzz/runner/random.ts'
import { askingOf, Lives } from './lives.ts'
import { POLICIES, VICTIMS, WORKERS } from './policies.ts'
import { checkRecord } from './record.ts'
import { type Told, work } from './traffic.ts'
import { type Folders, type Up, up } from './up.ts'

/** One of so many is killed while it starts. */
const STARTING = 6
const START_MS = 900
const WORK_MS = 800
const TOKEN_DELAY_MS = 0

type Run = {
  readonly folders: Folders
  readonly told: Told
  readonly lives: Lives
  readonly random: Random
  readonly seed: string
}

function readArguments(): { readonly kills: number; readonly seed: string } {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { kills: text, seed: text } })
  const kills = Number(values.kills ?? 20)
  if (!Number.isInteger(kills) || kills < 1) throw new Error(`--kills is a whole number above 0, not ${values.kills}`)
  return { kills, seed: values.seed ?? String(Date.now()) }
}

/** A start, some work, a kill: what was going on, for the line of this kill. */
async function round(run: Run, kill: number): Promise<string> {
  const { folders, told, lives, random, seed } = run
  const process = up(folders)
  if (random.below(STARTING) === 0) {
    const ms = random.below(START_MS)
    await sleep(ms)
    await process.kill()
    return `${ms} ms into its start`
  }
  const ready = await process.ready
  await lives.check(told, ready, random)
  const own = (name: string): Random => newRandom(`${seed}/${kill}/${name}`)
  const workers = WORKERS.map((name) => work(told, askingOf(ready, name), own(name)))
  const all = [...workers, lives.work(told, ready, own('lives'))]
  const before = told.answers
  while (told.answers === before && process.runs) await sleep(1) // the first one warms what it asks for
  const ms = random.below(WORK_MS)
  await sleep(ms)
  if (!process.runs) throw new Error('the process ended by itself')
  await process.kill()
  await Promise.all(all)
  return `${ms} ms into its work, ${told.answers - before} answers`
}

/** The last start: all of it holds, and it ends in order. */
async function finale({ folders, told, lives, random }: Run): Promise<void> {
  const process: Up = up(folders)
  await lives.check(told, await process.ready, random)
  const status = await process.end()
  if (status !== 0) throw new Error(`the last one ended with ${status}`)
  await checkRecord(folders.data, told)
}

async function play(home: string, { kills, seed }: ReturnType<typeof readArguments>): Promise<void> {
  const provider = await startSimulator({ clock: { nowMs: Date.now } }, { tokenDelayMs: TOKEN_DELAY_MS })
  const folders = { policies: join(home, 'policies'), data: join(home, 'data'), provider: provider.url }
  mkdirSync(folders.policies)
  for (const [name, text] of Object.entries(POLICIES)) writeFileSync(join(folders.policies, name), text)
  const told: Told = { ids: new Set(), released: new Map(), answers: 0 }
  const run: Run = { folders, told, lives: new Lives(VICTIMS), random: newRandom(seed), seed }
  let torn = 0
  try {
    for (let kill = 1; kill <= kills; kill += 1) {
      const what = await round(run, kill)
      const begun = existsSync(join(folders.data, 'audit.jsonl'))
      const { records, tornBytes } = begun ? await checkRecord(folders.data, told) : { records: 0, tornBytes: 0 }
      if (tornBytes > 0) torn += 1
      console.log(`kill ${kill} of ${kills}: ${what}; ${told.ids.size} ids, all among ${records} verdicts`)
    }
    await finale(run)
    const released = [...told.released.values()].reduce((sum, count) => sum + count, 0)
    console.log(
      `crash: ${kills} kills; ${told.ids.size} ids and ${released} calls that clients got are on record; ${run.lives.held} times a hold was ` +
        `there again; ${torn} last lines were torn, and cut`,
    )
  } finally {
    await provider.close()
  }
}

const given = readArguments()
console.log(`crash: ${given.kills} kills, seed ${given.seed}`)
const home = mkdtempSync(join(tmpdir(), 'sallyport-crash-'))
try {
  await play(home, given)
  rmSync(home, { recursive: true, force: true })
} catch (error) {
  console.error(
    `crash: ${error instanceof Error ? error.message : String(error)}\n  seed ${given.seed}, data folder ${home}`,
  )
  process.exitCode = 1
}
