import type { AgentKey } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import { type AgentRow, isBlank } from './agent-row.ts'
import type { StateFile } from './state-file.ts'

const RETRY_AFTER_MS = 1_000

/** All rows, in memory and on the disk. */
export class DurableRows {
  readonly #rows: Map<AgentKey, AgentRow>
  readonly #file: StateFile
  readonly #log: Log
  #healthy = true
  #closed = false
  #retryTimer: NodeJS.Timeout | null = null

  constructor(rows: Map<AgentKey, AgentRow>, file: StateFile, log: Log) {
    this.#rows = rows
    this.#file = file
    this.#log = log
  }

  /** False from a failed write until all of it is on the disk. */
  get healthy(): boolean {
    return this.#healthy && !this.#closed
  }

  get(agent: AgentKey): AgentRow | undefined {
    return this.#rows.get(agent)
  }

  /** In memory alone, until {@link write}. */
  set(row: AgentRow): void {
    this.#rows.set(row.agent, row)
  }

  /** Writes the rows that say something; true = {@link sync} makes them last. */
  write(rows: readonly AgentRow[]): boolean {
    const saying = rows.filter((row) => !isBlank(row))
    if (saying.length === 0) return false
    return this.#attempt('write', () => {
      if (this.#healthy && this.#file.appendable) this.#file.append(saying)
      else this.#replace()
    })
  }

  sync(): void {
    this.#attempt('sync', () => this.#file.sync())
  }

  /** Writes everything anew if something is not on the disk. */
  heal(step: string): void {
    if (this.#healthy) return
    this.#stopTimer()
    this.#attempt(step, () => this.#replace())
  }

  /** What still waits is tried once more; another process may own the folder from here on. */
  close(): void {
    this.#stopTimer()
    this.heal('close')
    this.#closed = true
    this.#stopTimer()
    this.#file.close()
  }

  #replace(): void {
    this.#file.replace([...this.#rows.values()].filter((row) => !isBlank(row)))
  }

  #attempt(step: string, write: () => void): boolean {
    if (this.#closed) return false
    try {
      write()
    } catch (error) {
      if (this.#healthy) this.#log.error('lifecycle-state-unavailable', { step, error })
      this.#healthy = false
      this.#retryTimer ??= setTimeout(() => this.heal('retry'), RETRY_AFTER_MS).unref()
      return false
    }
    if (!this.#healthy) this.#recovered()
    return true
  }

  #recovered(): void {
    this.#healthy = true
    this.#stopTimer()
    this.#log.info('lifecycle-state-recovered')
  }

  #stopTimer(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#retryTimer = null
  }
}
