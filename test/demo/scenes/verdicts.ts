import type { VerdictLine } from '../sallyport.ts'
import { claim, count, table, title } from '../say.ts'
import type { Stage } from '../stage.ts'
import type { Refusal } from './contract.ts'

/** What Sallyport wrote down, against what was refused in the scenes, and what the provider was given. */
export async function verdicts(stage: Stage, refusals: readonly Refusal[]): Promise<void> {
  title('What was judged (sallyctl verdicts)')
  const lines = await stage.sallyport.verdicts()
  table(['agent', 'tool', 'action', 'reason', 'times', 'µs'], rowsOf(lines))
  console.log()
  const refused = lines.filter((line) => line.action !== 'Allow' && !isCut(line))
  const written = refused.map((line) => `${line.agent} ${line.action} ${line.reasons.join(' ')}`)
  claim(
    [...written].sort().join() === [...refusals].sort().join() && lines.length > refused.length,
    `${refused.length} refusals, each with its reason, stand in the log; the rest was allowed, or cut with its agent`,
    { written, refusals },
  )
  const keys = new Set(stage.provider.requests.map((request) => request.authorization))
  claim(
    keys.size === 1 && keys.has(`Bearer ${stage.providerKey}`),
    `in ${stage.provider.requests.length} requests the provider saw its own key and never an agent's token`,
    [...keys].map((key) => key?.slice(0, 14)),
  )
}

/** A stream that was open when its agent was taken out: which ones, only the moment knows. */
function isCut({ reasons }: VerdictLine): boolean {
  return reasons.includes('IDENTITY_EPOCH_STALE')
}

/** One row for what was judged alike: how often, and the median of what it took. */
function rowsOf(lines: readonly VerdictLine[]): readonly (readonly string[])[] {
  const alike = new Map<string, { readonly cells: readonly string[]; readonly us: number[] }>()
  for (const { agent, tool, action, reasons, us } of lines) {
    const cells = [(agent ?? '-').replace(/^default\//, ''), tool ?? '-', action, reasons.join(' ') || '-']
    const key = cells.join('\n')
    const row = alike.get(key) ?? { cells, us: [] }
    alike.set(key, row)
    row.us.push(us)
  }
  return [...alike.values()].map(({ cells, us }) => {
    const median = us.toSorted((a, b) => a - b)[Math.floor(us.length / 2)] ?? 0
    return [...cells, count(us.length), count(median)]
  })
}
