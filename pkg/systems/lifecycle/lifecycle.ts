import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentKey, LifecycleState, Standing } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type Clock, rfc3339 } from '#pkg/platform/clock'
import { type Disk, systemDisk } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import {
  type AgentRow,
  isBlank,
  newRow,
  standingOfRow,
  withCeiling,
  withFirewallHold,
  withoutFile,
} from './agent-row.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import type { AgentCeiling, SeverCause } from './ports.ts'
import { readRows, StateFile } from './state-file.ts'

/** What `lifecycle` is given. `disk` is this machine's unless a test says otherwise. */
export type LifecycleDeps = { readonly clock: Clock; readonly log: Log; readonly disk?: Disk }

/** Everything but `dataDir` has a default. */
export type LifecycleOptions = {
  readonly dataDir: string
  /** Size of `state.jsonl` from which on it is written anew with one line per agent. Default 16 MiB. */
  readonly maxStateBytes?: number
}

/** The lives of the agents. */
export type Lifecycle = {
  /** O(1). null = the folder does not name this agent. */
  standingOf(agent: AgentKey): Standing | null
  /**
   * Quarantines now: in memory, on the file, told to the listeners, synced, in that order, before it returns. Raises
   * the epoch and adds a hold. While a hold of the firewall counts it changes nothing and gives back the same standing.
   * @throws SallyportError STATE_UNAVAILABLE when it is not durable; it is in force in memory all the same.
   */
  sever(agent: AgentKey, why: SeverCause): Standing
  /**
   * Makes these the agents of the folder. One that is gone becomes unknown; its row stays, so that coming back does not
   * thaw, and its listeners see it as Suspended. A `releaseThroughEpoch` above the present epoch is worth the present
   * epoch, and no more later. Does not throw for a full disk: `healthy` says so.
   */
  apply(ceilings: readonly AgentCeiling[]): void
  /** Called in the turn of each change, for agents that come and go too. Gives back what ends it. */
  onChange(listener: (standing: Standing) => void): () => void
  /** The agents of the folder, in its order. */
  all(): readonly Standing[]
  /** False from a failed write until all of it is on the disk, which is tried each second: let nothing new through. */
  readonly healthy: boolean
  /** Gives the folder back. What still waits for the disk is tried once more. */
  close(): void
}

const DEFAULT_MAX_STATE_BYTES = 16 * 1024 * 1024
const RETRY_AFTER_MS = 1_000

/**
 * Takes the data folder for this process and reads `DIR/state.jsonl`. No agent is known before the first `apply`.
 * @throws SallyportError STATE_UNAVAILABLE: the folder is in use, or its state cannot be read or written.
 */
export function openLifecycle(deps: LifecycleDeps, options: LifecycleOptions): Lifecycle {
  const { dataDir } = options
  const path = join(dataDir, 'state.jsonl')
  let lock: FolderLock | null = null
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    lock = lockFolder(dataDir)
    const rows = new Map(readRows(path, deps.log))
    const file = new StateFile(path, deps.disk ?? systemDisk, options.maxStateBytes ?? DEFAULT_MAX_STATE_BYTES)
    file.replace(rows.values())
    return new OpenLifecycle({ ...deps, file, lock, rows })
  } catch (error) {
    lock?.release()
    if (error instanceof SallyportError) throw error
    throw unavailable(`the lifecycle state in ${dataDir} cannot be opened`, error)
  }
}

type Parts = LifecycleDeps & {
  readonly file: StateFile
  readonly lock: FolderLock
  readonly rows: Map<AgentKey, AgentRow>
}

/** One change as it is told and logged. */
type Move = {
  readonly row: AgentRow
  /** False when the disk already has the row. */
  readonly changed: boolean
  readonly from: Standing | null
  readonly to: Standing
  readonly why: string
  readonly verdictId?: string
}

class OpenLifecycle implements Lifecycle {
  readonly #parts: Parts
  readonly #rows: Map<AgentKey, AgentRow>
  /** Only agents that the folder names. */
  #standings = new Map<AgentKey, Standing>()
  readonly #listeners = new Set<(standing: Standing) => void>()
  #healthy = true
  #closed = false
  #retryTimer: NodeJS.Timeout | null = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.#rows = parts.rows
  }

  get healthy(): boolean {
    return this.#healthy && !this.#closed
  }

  standingOf(agent: AgentKey): Standing | null {
    return this.#standings.get(agent) ?? null
  }

  all(): readonly Standing[] {
    return [...this.#standings.values()]
  }

  onChange(listener: (standing: Standing) => void): () => void {
    const own = (standing: Standing): void => listener(standing)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  sever(agent: AgentKey, why: SeverCause): Standing {
    const row = this.#rows.get(agent) ?? newRow(agent)
    const from = standingOfRow(row)
    if (from.holds.some((hold) => hold.source === 'Firewall')) {
      if (!this.#healthy) this.#heal('sever')
      this.#assertDurable(agent)
      return from
    }
    const since = rfc3339(this.#parts.clock.nowMs())
    const next = withFirewallHold(row, { code: why.code, verdictId: why.verdictId, since })
    const to = standingOfRow(next)
    this.#rows.set(agent, next)
    if (this.#standings.has(agent)) this.#standings.set(agent, to)
    this.#commit([{ row: next, changed: true, from, to, why: why.code, verdictId: why.verdictId }])
    this.#assertDurable(agent)
    return to
  }

  apply(ceilings: readonly AgentCeiling[]): void {
    const before = this.#standings
    const after = new Map<AgentKey, Standing>()
    const moves: Move[] = []
    for (const ceiling of strictestPerAgent(ceilings)) {
      const move = this.#underCeiling(ceiling, before.get(ceiling.key) ?? null)
      after.set(ceiling.key, move.to)
      if (move.changed || !isSame(move.from, move.to)) moves.push(move)
    }
    for (const [agent, from] of before) if (!after.has(agent)) moves.push(this.#gone(agent, from))
    for (const move of moves) this.#rows.set(move.row.agent, move.row)
    this.#standings = after
    if (moves.length > 0) this.#commit(moves)
  }

  close(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    if (!this.#healthy) this.#heal('close')
    this.#closed = true // another process may own the folder from here on
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#listeners.clear()
    this.#parts.file.close()
    this.#parts.lock.release()
  }

  #underCeiling(ceiling: AgentCeiling, from: Standing | null): Move {
    const old = this.#rows.get(ceiling.key)
    const row = withCeiling(old ?? newRow(ceiling.key), ceiling, old === undefined)
    const unchanged = old !== undefined && JSON.stringify(old) === JSON.stringify(row)
    if (!unchanged && row.release.granted < row.release.asked)
      this.#parts.log.warn('agent-release-beyond-epoch', {
        agent: ceiling.key,
        releaseThroughEpoch: row.release.asked,
        granted: row.release.granted,
      })
    const why = ceiling.state === 'Quarantined' ? `file: ${ceiling.reason}` : 'file'
    return { row, changed: !unchanged, from, to: standingOfRow(row), why }
  }

  #gone(agent: AgentKey, from: Standing): Move {
    const row = withoutFile(this.#rows.get(agent) ?? newRow(agent))
    return { row, changed: true, from, to: { ...from, state: 'Suspended', epoch: row.epoch }, why: 'file removed' }
  }

  /** The file before the listeners: what a client sees of a cut must already survive a `kill -9`. */
  #commit(moves: readonly Move[]): void {
    const rows = moves.flatMap((move) => (move.changed && !isBlank(move.row) ? [move.row] : []))
    const written = rows.length === 0 || this.#attempt('write', () => this.#write(rows))
    for (const move of moves) this.#tell(move)
    if (rows.length > 0 && written) this.#attempt('sync', () => this.#parts.file.sync())
  }

  #write(rows: readonly AgentRow[]): void {
    if (this.#healthy && this.#parts.file.appendable) this.#parts.file.append(rows)
    else this.#replace()
  }

  #replace(): void {
    this.#parts.file.replace([...this.#rows.values()].filter((row) => !isBlank(row)))
  }

  #attempt(step: string, write: () => void): boolean {
    if (this.#closed) return false
    try {
      write()
    } catch (error) {
      if (this.#healthy) this.#parts.log.error('lifecycle-state-unavailable', { step, error })
      this.#healthy = false
      this.#retryTimer ??= setTimeout(() => this.#heal('retry'), RETRY_AFTER_MS).unref()
      return false
    }
    if (!this.#healthy) this.#recovered()
    return true
  }

  #heal(step: string): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#retryTimer = null
    this.#attempt(step, () => this.#replace())
  }

  #recovered(): void {
    this.#healthy = true
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#retryTimer = null
    this.#parts.log.info('lifecycle-state-recovered')
  }

  #assertDurable(agent: AgentKey): void {
    if (this.healthy) return
    throw unavailable(
      `${agent} is quarantined in this process, but it could not be written down: make room on the disk`,
      null,
    )
  }

  #tell(move: Move): void {
    const { from, to, why, verdictId } = move
    if (isSame(from, to)) return
    if (from !== null || to.state !== 'Active')
      this.#log(to, from?.state ?? null, { why, verdictId: verdictId ?? null })
    for (const listener of this.#listeners) {
      try {
        listener(to)
      } catch (error) {
        this.#parts.log.error('lifecycle-listener-failed', { agent: to.agent, error })
      }
    }
  }

  #log(
    to: Standing,
    from: LifecycleState | null,
    more: { readonly why: string; readonly verdictId: string | null },
  ): void {
    this.#parts.log.info('agent-moved', { agent: to.agent, from, to: to.state, epoch: to.epoch, ...more })
  }
}

/** Two ceilings for one agent are a fault that others report; here the stricter one counts. */
function strictestPerAgent(ceilings: readonly AgentCeiling[]): Iterable<AgentCeiling> {
  const byAgent = new Map<AgentKey, AgentCeiling>()
  for (const ceiling of ceilings) {
    const other = byAgent.get(ceiling.key)
    const state = other?.state === 'Quarantined' ? other.state : ceiling.state
    const releaseThroughEpoch = Math.min(
      other?.releaseThroughEpoch ?? ceiling.releaseThroughEpoch,
      ceiling.releaseThroughEpoch,
    )
    byAgent.set(ceiling.key, { ...ceiling, state, releaseThroughEpoch })
  }
  return byAgent.values()
}

function isSame(left: Standing | null, right: Standing): boolean {
  return (
    left !== null &&
    left.state === right.state &&
    left.epoch === right.epoch &&
    left.holds.length === right.holds.length
  )
}

function unavailable(message: string, cause: unknown): SallyportError {
  const why = cause instanceof Error ? ` (${cause.message})` : ''
  return new SallyportError('STATE_UNAVAILABLE', `${message}${why}`, { cause: cause ?? undefined })
}
