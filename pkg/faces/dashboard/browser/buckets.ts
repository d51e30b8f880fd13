import type { VerdictRecord } from '#pkg/model'

/** What became of what was judged, as the chart counts it. */
export const OUTCOMES = ['allowed', 'recorded', 'refused', 'severed'] as const

/** One of {@link OUTCOMES}. */
export type Outcome = (typeof OUTCOMES)[number]

/** What was not enforced (Audit mode) passed: it counts as recorded. */
export function outcomeOf({ action, enforced }: Pick<VerdictRecord, 'action' | 'enforced'>): Outcome {
  if (action === 'Allow') return 'allowed'
  if (!enforced || action === 'Record' || action === 'Redact' || action === 'Hold') return 'recorded'
  return action === 'Sever' ? 'severed' : 'refused'
}

/** Counts of one outcome, oldest slice first. */
export type Series = Readonly<Record<Outcome, readonly number[]>>

/** Verdicts by slice of time; only the slices that are shown are kept. */
export type Buckets = {
  add(record: Pick<VerdictRecord, 'action' | 'enforced' | 'time'>): void
  clear(): void
  /** Start of each slice, in seconds since 1970, and the counts in it; the newest slice is the one of `nowMs`. */
  read(nowMs: number): { readonly starts: readonly number[]; readonly series: Series }
}

/** `sliceMs` = length of a slice, `slices` = how many are shown. */
export function newBuckets(sliceMs = 10_000, slices = 60): Buckets {
  const counts = new Map<number, Record<Outcome, number>>()
  let newest = Number.NEGATIVE_INFINITY
  return {
    add: (record) => {
      const slice = Math.floor(Date.parse(record.time) / sliceMs)
      if (Number.isNaN(slice) || slice <= newest - slices * 2) return
      newest = Math.max(newest, slice)
      const count = counts.get(slice) ?? { allowed: 0, recorded: 0, refused: 0, severed: 0 }
      count[outcomeOf(record)] += 1
      counts.set(slice, count)
      if (counts.size > slices * 2)
        for (const each of counts.keys()) if (each <= newest - slices * 2) counts.delete(each)
    },
    clear: () => {
      counts.clear()
      newest = Number.NEGATIVE_INFINITY
    },
    read: (nowMs) => {
      const last = Math.floor(nowMs / sliceMs)
      const shown = Array.from({ length: slices }, (_each, at) => last - slices + 1 + at)
      const of = (outcome: Outcome): readonly number[] => shown.map((slice) => counts.get(slice)?.[outcome] ?? 0)
      const series = {
        allowed: of('allowed'),
        recorded: of('recorded'),
        refused: of('refused'),
        severed: of('severed'),
      }
      return { starts: shown.map((slice) => (slice * sliceMs) / 1_000), series }
    },
  }
}
