import type { LifecycleState } from '#pkg/model'
import { sendJson } from './answers.ts'
import type { Call } from './call.ts'
import { readQuery } from './query.ts'
import type { VerdictCounts } from './tally.ts'

/** `GET /v1/summary`. Verdicts are those since the start of this process. */
export type SummaryAnswer = {
  readonly agents: Readonly<Record<LifecycleState, number>>
  readonly verdicts: VerdictCounts
  readonly health: { readonly ok: boolean; readonly reasons: readonly string[] }
}

/** Everything at a glance. */
export function summary({ deps, response, query }: Call): void {
  readQuery(query, [])
  const { source, tally } = deps
  const { ok, reasons } = source.healthy()
  const answer: SummaryAnswer = { agents: source.states(), verdicts: tally.counts, health: { ok, reasons } }
  sendJson(response, 200, answer)
}
