import { ACTIONS, type Action, CHECKS, type Check, type VerdictRecord } from '#pkg/model'
import { type Clock, rfc3339 } from '#pkg/platform/clock'
import type { AdminSource } from './ports.ts'

/** Verdicts since a moment. One that no check decided is in no check. */
export type VerdictCounts = {
  /** RFC 3339. */
  readonly since: string
  readonly actions: Readonly<Record<Action, number>>
  readonly checks: Readonly<Record<Check, number>>
}

/** Verdicts counted from now on. */
export type Tally = { readonly counts: VerdictCounts; stop(): void }

/** Begins to count. */
export function newTally(source: Pick<AdminSource, 'verdicts'>, clock: Clock): Tally {
  const actions = zeros(ACTIONS)
  const checks = zeros(CHECKS)
  const stop = source.verdicts.follow(({ action, check }: VerdictRecord) => {
    actions[action] += 1
    if (check !== null) checks[check] += 1
  })
  return { counts: { since: rfc3339(clock.nowMs()), actions, checks }, stop }
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number> // one entry for each key
}
