import { sendJson } from './answers.ts'
import type { Call } from './call.ts'
import { readQuery } from './query.ts'

/** `GET /v1/summary`: agents by state, verdicts of the last hour, and the health of the process. */
export type SummaryAnswer = {
  readonly agents: Readonly<Record<string, number>>
  readonly verdicts: {
    readonly since: string
    readonly actions: Readonly<Record<string, number>>
    readonly checks: Readonly<Record<string, number>>
  }
  readonly health: { readonly ok: boolean; readonly reasons: readonly string[] }
}

const SINCE_MS = 3_600_000

/** Counts what is known now. */
export async function summary({ deps, response, query }: Call): Promise<void> {
  readQuery(query, [])
  const { source, clock } = deps
  const sinceMs = clock.nowMs() - SINCE_MS
  const agents = newCounts()
  const actions = newCounts()
  const checks = newCounts()
  for (const { state } of source.agents()) agents.add(state)
  for await (const { action, check } of source.verdicts.read({ sinceMs })) {
    actions.add(action)
    if (check !== null) checks.add(check)
  }
  const verdicts = { since: new Date(sinceMs).toISOString(), actions: actions.all(), checks: checks.all() }
  const { ok, reasons } = source.healthy()
  const answer: SummaryAnswer = { agents: agents.all(), verdicts, health: { ok, reasons } }
  sendJson(response, 200, answer)
}

function newCounts(): { add(name: string): void; all(): Readonly<Record<string, number>> } {
  const counts = new Map<string, number>()
  return {
    add: (name) => void counts.set(name, (counts.get(name) ?? 0) + 1),
    all: () => Object.fromEntries(counts),
  }
}
