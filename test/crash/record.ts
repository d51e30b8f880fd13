/** What a dead process has left on the disk, read with no process, as a person would. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import type { Told } from './traffic.ts'

/** Counts of one look. */
export type Look = { readonly records: number; readonly tornBytes: number }

type Verdict = {
  readonly id: string
  readonly agent: string | null
  readonly tool: string | null
  readonly action: string
}

/** Throws where something that a client was told is not on record, or where the record is not whole. */
export async function checkRecord(dataDir: string, told: Told): Promise<Look> {
  const tornBytes = tornBytesOf(join(dataDir, 'audit.jsonl'))
  const cli = (...words: readonly string[]) => spawned(SALLYCTL, [...words, '--data', dataDir, '-o', 'json'])
  const [printed, verified] = await Promise.all([cli('verdicts'), cli('audit', 'verify')])
  if (printed.status !== 0) throw new Error(`sallyctl verdicts: ${printed.status} ${printed.err}`)
  if (verified.status !== 0) throw new Error(`sallyctl audit verify: ${verified.status} ${verified.out}${verified.err}`)
  const verdicts = printed.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Verdict) // DESIGN §8
  const ids = new Set(verdicts.map(({ id }) => id))
  if (ids.size !== verdicts.length) throw new Error(`${verdicts.length - ids.size} verdicts stand in the record twice`)
  const missing = [...told.ids].filter((id) => !ids.has(id))
  if (missing.length > 0)
    throw new Error(`${missing.length} ids that clients were given are not in the record: ${missing.slice(0, 5)}`)
  for (const [agent, released] of told.released) {
    const allowed = verdicts.filter(
      (one) => one.agent === agent && one.tool === 'search_docs' && one.action === 'Allow',
    )
    if (allowed.length < released)
      throw new Error(`${agent} got ${released} calls of search_docs, and ${allowed.length} are on record`)
  }
  return { records: verdicts.length, tornBytes }
}

/** Only the last line may be torn, and no start leaves it in: throws where another is no JSON. */
function tornBytesOf(path: string): number {
  const lines = readFileSync(path, 'utf8').split('\n')
  const torn = lines.pop() ?? ''
  for (const [at, line] of lines.entries())
    try {
      JSON.parse(line)
    } catch {
      throw new Error(`${path}:${at + 1} is torn: ${line.slice(0, 200)}`)
    }
  return Buffer.byteLength(torn)
}
