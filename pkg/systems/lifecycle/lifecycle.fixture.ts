import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgentKey, type AuditSink, agentKeyOf, type NewAuditEvent, type Standing } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { newManualClock } from '#pkg/platform/clock'
import type { Disk } from '#pkg/platform/files'
import { silentLog } from '#pkg/platform/log'
import { type AgentCeiling, type Lifecycle, openLifecycle, type Verb, type VerbAsk } from './index.ts'

/** Two agents. */
export const marketing = agentKeyOf({ namespace: 'growth', name: 'marketing' })
export const research = agentKeyOf({ namespace: 'growth', name: 'research' })
/** Why the firewall severs. */
export const ddl = { code: 'INTENT_SQL_DDL', verdictId: 'v_1' } as const
/** A morning that stands still. */
export const clock = newManualClock(Date.UTC(2026, 0, 31, 8))

/** The file of an agent that may act. */
export const active = (key: AgentKey = marketing, releaseThroughEpoch = 0): AgentCeiling => ({
  key,
  state: 'Active',
  reason: '',
  releaseThroughEpoch,
})
/** The file of an agent that a person stopped. */
export const quarantined = (key: AgentKey = marketing, releaseThroughEpoch = 0): AgentCeiling => ({
  ...active(key, releaseThroughEpoch),
  state: 'Quarantined',
  reason: 'by hand',
})

/** What a row of a table looks at: `state@epoch`, or null for an agent that is not known. */
export const brief = (standing: Standing | null): string | null => standing && `${standing.state}@${standing.epoch}`

/** Gives an empty data folder, and removes it. */
export async function inFolder(body: (dataDir: string) => Promise<void> | void): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-lifecycle-'))
  try {
    await body(dataDir)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Opens the folder for as long as `body` takes. */
export function opened<T>(dataDir: string, body: (life: Lifecycle) => T, disk?: Disk): T {
  const life = openLifecycle({ clock, log: silentLog, ...(disk === undefined ? {} : { disk }) }, { dataDir })
  try {
    return body(life)
  } finally {
    life.close()
  }
}

/** The code of the SallyportError that it throws, or null. */
export function codeOf(body: () => unknown): string | null {
  try {
    body()
    return null
  } catch (error) {
    assert.ok(error instanceof SallyportError, `not a SallyportError: ${error}`)
    return error.code
  }
}

/** A verb of a person. */
export const verb = (name: Verb, more: Partial<VerbAsk> = {}): VerbAsk => ({
  verb: name,
  reason: 'by hand',
  by: 'socket:uid=0',
  ...more,
})

/** A sink that keeps what it is told, and fails while `broken`. */
export function newSink(): AuditSink & { readonly events: NewAuditEvent[]; broken: boolean } {
  const events: NewAuditEvent[] = []
  return {
    events,
    broken: false,
    record(event) {
      if (this.broken) throw new SallyportError('STATE_UNAVAILABLE', 'the disk is full')
      events.push(event)
      return `e_${events.length}`
    },
  }
}
