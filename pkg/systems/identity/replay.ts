import { PROOF_MAX_SECONDS, PROOF_SKEW_SECONDS } from './proof-claims.ts'

/** Remembers which proofs were seen. */
export type ReplayCache = {
  /** `new` and remembered, `seen` before, or `full`: as many as may be remembered at a time came within one life of a proof. */
  take(jti: string): 'new' | 'seen' | 'full'
}

/** What a replay cache takes. */
export type ReplayOptions = {
  /** Monotonic. */
  readonly clock: { monotonicUs(): number }
  /** How long a name is remembered at least. Default 40,000: from the first moment at which a proof may be taken to the last. */
  readonly keepMs?: number
  /** Names in memory. Default 131,072, about 12 MiB. */
  readonly maxEntries?: number
}

const DEFAULT_KEEP_MS = (PROOF_MAX_SECONDS + 2 * PROOF_SKEW_SECONDS) * 1_000
const DEFAULT_ENTRIES = 131_072

/** Two generations: names are dropped all at once, and never before `keepMs`. */
export function newReplayCache(options: ReplayOptions): ReplayCache {
  const { clock, keepMs = DEFAULT_KEEP_MS, maxEntries = DEFAULT_ENTRIES } = options
  let young = new Set<string>()
  let old: ReadonlySet<string> = new Set()
  let turnsAtUs = clock.monotonicUs() + keepMs * 1_000
  const turn = (nowUs: number): void => {
    const long = nowUs >= turnsAtUs + keepMs * 1_000
    old = long ? new Set() : young
    young = new Set()
    turnsAtUs = nowUs + keepMs * 1_000
  }
  return {
    take: (jti) => {
      const nowUs = clock.monotonicUs()
      if (nowUs >= turnsAtUs) turn(nowUs)
      if (young.has(jti) || old.has(jti)) return 'seen'
      if (young.size + old.size >= maxEntries) return 'full'
      young.add(jti)
      return 'new'
    },
  }
}
