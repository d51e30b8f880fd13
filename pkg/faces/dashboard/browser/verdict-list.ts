import type { VerdictRecord } from '#pkg/model'

/** What a person wants to see. Empty = all. `tool` = a part of the name, in any case. */
export type Filter = {
  readonly agent: string
  readonly action: string
  readonly reason: string
  readonly tool: string
}

/** Nothing is left out. */
export const NO_FILTER: Filter = { agent: '', action: '', reason: '', tool: '' }

/** Does a filter let a verdict be seen? */
export function isWanted(record: VerdictRecord, { agent, action, reason, tool }: Filter): boolean {
  if (agent !== '' && record.agent !== agent) return false
  if (action !== '' && record.action !== action) return false
  if (reason !== '' && !record.reasons.some((each) => each === reason)) return false
  return tool === '' || (record.tool ?? '').toLowerCase().includes(tool.toLowerCase())
}

/** The newest verdicts, each once, and a person's pause. */
export type VerdictList = {
  /** False for one that is there already. */
  add(record: VerdictRecord): boolean
  /** Forgets all: the process could not say what was missed. */
  clear(): void
  /** Newest first; while paused those of the moment of the pause. */
  shown(): readonly VerdictRecord[]
  /** Newest first, paused or not. */
  all(): readonly VerdictRecord[]
  pause(): void
  resume(): void
  /** How many came since the pause; null = not paused. */
  readonly waiting: number | null
}

/** `max` = verdicts in memory; the oldest go first. Default 1,000. */
export function newVerdictList(max = 1_000): VerdictList {
  let records: readonly VerdictRecord[] = []
  let frozen: readonly VerdictRecord[] | null = null
  let waiting = 0
  const known = new Set<string>()
  return {
    add: (record) => {
      if (known.has(record.id)) return false
      known.add(record.id)
      records = [record, ...records.slice(0, max - 1)]
      if (known.size > 2 * max) {
        known.clear()
        for (const { id } of records) known.add(id)
      }
      if (frozen !== null) waiting += 1
      return true
    },
    clear: () => {
      records = []
      known.clear()
    },
    shown: () => frozen ?? records,
    all: () => records,
    pause: () => {
      frozen = records
      waiting = 0
    },
    resume: () => {
      frozen = null
    },
    get waiting() {
      return frozen === null ? null : waiting
    },
  }
}
