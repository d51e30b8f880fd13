import { join } from 'node:path'
import type { AgentKey, AuditSink, LifecycleState, Standing } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type Clock, rfc3339 } from '#pkg/platform/clock'
import { type Disk, makeFolder, systemDisk, whyNot } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import { type AgentRow, newRow, standingOfRow, withHold, withoutFile } from './agent-row.ts'
import { strictestPerAgent, withCeiling } from './ceiling.ts'
import { DurableRows } from './durable-rows.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { causeOfFile, causeOfHold, type MoveCause, MoveLog, moveRecord } from './moves-audit.ts'
import type { AgentCeiling, Moved, SeverCause, Thaw, VerbAsk } from './ports.ts'
import { readRows, StateFile } from './state-file.ts'
import { ThawGate } from './thaw.ts'
import { withVerb } from './verbs.ts'

/** What `lifecycle` is given. `disk` is this machine's unless a test says otherwise. */
export type LifecycleDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly disk?: Disk
  /** Where moves are written down. Absent = nowhere. */
  readonly audit?: AuditSink
  /** The folder, where it is taken already; it stays taken after {@link Lifecycle.close}. Absent = it is taken and given back here. */
  readonly lock?: FolderLock
  /** What a released agent needs before its first byte. Absent = nothing. */
  readonly thaw?: Thaw
}

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
   * One verb of a person, in one turn: as {@link sever}, but `durable` says whether it is. What gives rights back is on
   * record before it is done.
   * @throws SallyportError MOVE_REFUSED, MOVE_OVERRIDDEN, STATE_UNAVAILABLE: nothing has changed; ADMIN_NOT_FOUND:
   * the agent is not known.
   */
  move(agent: AgentKey, ask: VerbAsk): Moved
  /**
   * Makes these the agents of the folder. One that is gone becomes unknown; its row stays, so that coming back does not
   * thaw, and its listeners see it as Suspended. A `releaseThroughEpoch` above the present epoch is worth the present
   * epoch, and no more later. A move that DESIGN §5 does not allow changes nothing: {@link refusedOf}. Does not throw for
   * a full disk: `healthy` says so.
   */
  apply(ceilings: readonly AgentCeiling[]): void
  /** What the agent's file asks for in vain, or null. */
  refusedOf(agent: AgentKey): { readonly state: LifecycleState } | null
  /** Called in the turn of each change, for agents that come and go too. Gives back what ends it. */
  onChange(listener: (standing: Standing) => void): () => void
  /** The agents of the folder, in its order. */
  all(): readonly Standing[]
  /** False from a failed write until all of it is written, which is tried each second: let nothing new through. */
  readonly healthy: boolean
  /** Gives the folder back. What still waits for the disk is tried once more. */
  close(): void
}

const DEFAULT_MAX_STATE_BYTES = 16 * 1024 * 1024
/** What a person can do; the log names the fault of the disk. */
const UNWRITTEN = 'it could not be written down: make room on the disk of the data folder, or repair its rights'

/**
 * Takes the data folder for this process and reads `DIR/state.jsonl`. No agent is known before the first `apply`.
 * @throws SallyportError STATE_UNAVAILABLE: the folder is in use, or its state cannot be read or written.
 */
export function openLifecycle(deps: LifecycleDeps, options: LifecycleOptions): Lifecycle {
  const { dataDir } = options
  const path = join(dataDir, 'state.jsonl')
  let lock: FolderLock | null = null
  try {
    makeFolder(dataDir)
    if (deps.lock === undefined) lock = lockFolder(dataDir)
    const rows = new Map(readRows(path, deps.log))
    const file = new StateFile(path, deps.disk ?? systemDisk, options.maxStateBytes ?? DEFAULT_MAX_STATE_BYTES)
    file.replace(rows.values())
    return new OpenLifecycle({ ...deps, lock: lock ?? NOT_OURS, rows: new DurableRows(rows, file, deps.log) })
  } catch (error) {
    lock?.release()
    if (error instanceof SallyportError) throw error
    throw unavailable(`the state of the agents, ${path}, cannot be opened: ${whyNot(error, path)}`, error)
  }
}

/** Another gives it back. */
const NOT_OURS: FolderLock = { release: () => {} }

type Parts = LifecycleDeps & { readonly lock: FolderLock; readonly rows: DurableRows }

/** One change as it is told, logged and written down. */
type Move = {
  readonly row: AgentRow
  /** False when the disk already has the row. */
  readonly changed: boolean
  readonly from: Standing | null
  readonly to: Standing
  readonly cause: MoveCause
  /** The state before, for the record; undefined = there is none to make, or it is made already. */
  readonly recordFrom?: LifecycleState | null
}

class OpenLifecycle implements Lifecycle {
  readonly #parts: Parts
  readonly #rows: DurableRows
  readonly #moves: MoveLog
  readonly #gate: ThawGate
  /** Only agents that the folder names. */
  #standings = new Map<AgentKey, Standing>()
  #ceilings: ReadonlyMap<AgentKey, AgentCeiling> = new Map()
  readonly #listeners = new Set<(standing: Standing) => void>()
  #retryTimer: NodeJS.Timeout | null = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.#rows = parts.rows
    this.#moves = new MoveLog(parts.audit ?? null, parts.log)
    this.#gate = new ThawGate(parts.thaw ?? null, parts.log)
    this.#gate.onThawed = (agent) => this.#thawed(agent)
  }

  get healthy(): boolean {
    return this.#rows.healthy && this.#moves.healthy
  }

  standingOf(agent: AgentKey): Standing | null {
    return this.#standings.get(agent) ?? null
  }

  refusedOf(agent: AgentKey): { readonly state: LifecycleState } | null {
    return this.#rows.get(agent)?.refused ?? null
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
      this.#heal('sever')
      this.#assertDurable(agent)
      return this.#standings.get(agent) ?? from
    }
    const hold = { state: 'Quarantined', source: 'Firewall', code: why.code, verdictId: why.verdictId } as const
    const next = withHold(row, { ...hold, since: rfc3339(this.#parts.clock.nowMs()) })
    const to = this.#take(from, next)
    this.#commit([{ row: next, changed: true, from, to, cause: causeOfHold(hold), recordFrom: from.state }])
    this.#assertDurable(agent)
    return to
  }

  move(agent: AgentKey, ask: VerbAsk): Moved {
    const ceiling = this.#ceilings.get(agent) ?? null
    const row = this.#rows.get(agent) ?? (ceiling === null ? null : newRow(agent))
    if (row === null || (ceiling === null && ask.verb !== 'forget'))
      throw new SallyportError('ADMIN_NOT_FOUND', `no agent "${agent}" is known`)
    const from = standingOfRow(row)
    const asked = withVerb(row, ceiling, ask, rfc3339(this.#parts.clock.nowMs()))
    if (asked === row) {
      this.#heal('move')
      return { from: from.state, to: from.state, epoch: from.epoch, changed: false, durable: this.healthy }
    }
    const next = ask.verb === 'forget' && ceiling !== null ? withCeiling(asked, ceiling, false) : asked
    const cause: MoveCause = { source: 'User', by: ask.by, code: null, reason: ask.reason, verdictId: null }
    const takes = next.epoch > row.epoch && ask.verb !== 'forget'
    if (!takes) this.#demand(moveRecord(from.state, standingOfRow(next), cause))
    const to = this.#take(from, next)
    this.#commit([{ row: next, changed: true, from, to, cause, ...(takes ? { recordFrom: from.state } : {}) }])
    const { state, epoch } = to
    return { from: from.state, to: ceiling === null ? null : state, epoch, changed: true, durable: this.healthy }
  }

  apply(ceilings: readonly AgentCeiling[]): void {
    const before = this.#standings
    const after = new Map<AgentKey, AgentCeiling>()
    for (const ceiling of strictestPerAgent(ceilings)) after.set(ceiling.key, ceiling)
    this.#ceilings = after
    this.#standings = new Map()
    const moves: Move[] = []
    for (const ceiling of after.values()) {
      const move = this.#underCeiling(ceiling, before.get(ceiling.key) ?? null)
      if (move.changed || !isSame(move.from, move.to)) moves.push(move)
    }
    for (const [agent, from] of before) if (!after.has(agent)) moves.push(this.#gone(agent, from))
    if (moves.length > 0) this.#commit(moves)
  }

  close(): void {
    this.#gate.close()
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#moves.retry()
    this.#rows.close()
    this.#listeners.clear()
    this.#parts.lock.release()
  }

  /** Puts a row in force in memory: its standing, and the thaw gate where it gives rights back. */
  #take(from: Standing | null, row: AgentRow): Standing {
    const to = standingOfRow(row)
    this.#rows.set(row)
    if (to.state !== 'Active') this.#gate.drop(row.agent)
    else if (from !== null && from.state !== 'Active') this.#gate.shut(row.agent, row.epoch)
    const standing: Standing = this.#gate.isShut(row.agent) ? { ...to, thawing: true } : to
    if (this.#ceilings.has(row.agent)) this.#standings.set(row.agent, standing)
    return standing
  }

  #underCeiling(ceiling: AgentCeiling, from: Standing | null): Move {
    const old = this.#rows.get(ceiling.key)
    const row = withCeiling(old ?? newRow(ceiling.key), ceiling, old === undefined)
    const changed = old === undefined || JSON.stringify(old) !== JSON.stringify(row)
    if (changed) this.#warn(ceiling, old, row)
    const was = old === undefined ? null : standingOfRow(old)
    const back = from === null && old?.absent === true
    const to = this.#take(back && was !== null ? { ...was, state: 'Suspended' } : from, row)
    const isMove = was === null ? to.state !== 'Active' : back || was.state !== to.state || was.epoch !== to.epoch
    const recordFrom = isMove ? { recordFrom: back ? null : (was?.state ?? null) } : {}
    return { row, changed, from, to, cause: causeOfFile(ceiling.reason), ...recordFrom }
  }

  #warn(ceiling: AgentCeiling, old: AgentRow | undefined, row: AgentRow): void {
    const { log } = this.#parts
    const agent = ceiling.key
    if (row.release !== old?.release && row.release.granted < row.release.asked)
      log.warn('agent-release-beyond-epoch', {
        agent,
        releaseThroughEpoch: row.release.asked,
        granted: row.release.granted,
      })
    if (row.refused !== null && row.refused !== old?.refused)
      log.warn('agent-move-refused', { agent, to: row.refused.state, place: ceiling.place ?? null })
  }

  #gone(agent: AgentKey, from: Standing): Move {
    const row = withoutFile(this.#rows.get(agent) ?? newRow(agent))
    this.#rows.set(row)
    this.#gate.drop(agent)
    const { state } = from
    const to = {
      agent,
      state: state === 'Terminated' ? state : 'Suspended',
      epoch: row.epoch,
      holds: from.holds,
    } as const
    return { row, changed: true, from, to, cause: causeOfFile('file removed'), recordFrom: state }
  }

  /** The file before the listeners: what a client sees of a cut must already survive a `kill -9`. */
  #commit(moves: readonly Move[]): void {
    const written = this.#rows.write(moves.flatMap((move) => (move.changed ? [move.row] : [])))
    for (const move of moves) this.#tell(move)
    for (const { recordFrom, to, cause } of moves)
      if (recordFrom !== undefined && !this.#moves.record(moveRecord(recordFrom, to, cause))) this.#retryLater()
    if (written) this.#rows.sync()
    for (const { to } of moves) this.#gate.ask(to.agent)
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = null
      if (!this.#moves.retry()) this.#retryLater()
    }, RETRY_AFTER_MS).unref()
  }

  #heal(step: string): void {
    this.#rows.heal(step)
    this.#moves.retry()
  }

  /** Writes down what gives rights back, before it does. */
  #demand(record: ReturnType<typeof moveRecord>): void {
    this.#heal('move')
    if (!this.healthy) throw unavailable(`${record.agent} stays as it is: ${UNWRITTEN}`, null)
    try {
      this.#moves.demand(record)
    } catch (error) {
      throw unavailable(`${record.agent} stays as it is: ${UNWRITTEN}`, error)
    }
  }

  #assertDurable(agent: AgentKey): void {
    if (this.healthy) return
    throw unavailable(`${agent} is quarantined in this process, but a restart would lose it: ${UNWRITTEN}`, null)
  }

  #thawed(agent: AgentKey): void {
    const from = this.#standings.get(agent)
    if (from === undefined) return
    const { thawing: _thawing, ...to } = from
    this.#standings.set(agent, to)
    this.#parts.log.info('agent-thawed', { agent, epoch: to.epoch })
    this.#hear(to)
  }

  #tell({ from, to, cause }: Move): void {
    if (isSame(from, to)) return
    const why = cause.source === 'File' ? `file: ${cause.reason ?? ''}` : (cause.reason ?? cause.code)
    if (from !== null || to.state !== 'Active')
      this.#parts.log.info('agent-moved', {
        agent: to.agent,
        from: from?.state ?? null,
        to: to.state,
        epoch: to.epoch,
        why,
        by: cause.by,
        verdictId: cause.verdictId,
      })
    this.#hear(to)
  }

  #hear(to: Standing): void {
    for (const listener of this.#listeners) {
      try {
        listener(to)
      } catch (error) {
        this.#parts.log.error('lifecycle-listener-failed', { agent: to.agent, error })
      }
    }
  }
}

const RETRY_AFTER_MS = 1_000

function isSame(left: Standing | null, right: Standing): boolean {
  return (
    left !== null &&
    left.state === right.state &&
    left.epoch === right.epoch &&
    left.holds.length === right.holds.length &&
    left.thawing === right.thawing
  )
}

function unavailable(message: string, cause: unknown): SallyportError {
  return new SallyportError('STATE_UNAVAILABLE', message, { cause: cause ?? undefined })
}
