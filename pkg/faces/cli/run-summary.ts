import type { VerdictRecord } from '#pkg/model'
import { printable } from './escape.ts'

/** What was refused, once for each tool and reason. `verdictId` = the newest of them. */
export type Refused = {
  readonly tool: string | null
  readonly reason: string | null
  readonly action: string
  readonly count: number
  readonly verdictId: string
}

/** The verdicts of one run. `exit` = status of the program. */
export type RunSummary = {
  readonly agent: string
  readonly exit: number
  /** How often each action was taken. */
  readonly verdicts: Readonly<Record<string, number>>
  /** Most first, at most 100. */
  readonly refused: readonly Refused[]
}

const MAX_KINDS = 100
const SHOWN = 8
/** What lets something through. */
const PASSING: readonly string[] = ['Allow', 'Record', 'Redact']

/** Counts records as they come. */
export class Tally {
  readonly #actions = new Map<string, number>()
  readonly #refused = new Map<string, Refused>()

  add(record: VerdictRecord): void {
    const { action, enforced, tool, reasons, id } = record
    const done = enforced ? action : 'Record'
    this.#actions.set(done, (this.#actions.get(done) ?? 0) + 1)
    if (PASSING.includes(done)) return
    const [reason = null] = reasons
    const key = JSON.stringify([tool, reason, action])
    const before = this.#refused.get(key)
    if (before === undefined && this.#refused.size >= MAX_KINDS) return
    this.#refused.set(key, { tool, reason, action, count: (before?.count ?? 0) + 1, verdictId: id })
  }

  /** What was counted so far. */
  summary(agent: string, exit: number): RunSummary {
    const refused = [...this.#refused.values()].sort((left, right) => right.count - left.count)
    return { agent, exit, verdicts: Object.fromEntries(this.#actions), refused }
  }
}

/** For a person; `hint` is the command that shows all of it. */
export function summaryText({ agent, verdicts, refused }: RunSummary, hint: string): string {
  const total = Object.values(verdicts).reduce((sum, count) => sum + count, 0)
  if (total === 0) return `sallyport: ${agent}: no verdicts: nothing was proposed, and nothing refused\n`
  const passed = PASSING.reduce((sum, action) => sum + (verdicts[action] ?? 0), 0)
  const lines = [
    `sallyport: ${agent}: ${total} ${total === 1 ? 'verdict' : 'verdicts'}, ${passed} let through, ${total - passed} refused`,
  ]
  for (const { tool, reason, action, count, verdictId } of refused.slice(0, SHOWN))
    lines.push(`  ${action} ${count}x  ${tool ?? 'request'}  ${reason ?? '-'}  ${verdictId}`)
  if (refused.length > SHOWN) lines.push(`  and ${refused.length - SHOWN} more kinds`)
  lines.push(`  see ${hint}`)
  return `${lines.map(printable).join('\n')}\n`
}
