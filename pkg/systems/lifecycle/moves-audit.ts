import type { AuditSink, Hold, LifecycleState, NewAuditEvent, Standing } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import { REASON_LENGTH } from './ports.ts'

/** A move, before the log gives it its id and time. */
export type MoveRecord = Extract<NewAuditEvent, { readonly kind: 'move' }>

/** Who moved the agent, and why. */
export type MoveCause = Pick<MoveRecord, 'source' | 'by' | 'code' | 'reason' | 'verdictId'>

/** Moves that may wait to be written down; the oldest go first, counted in the log. */
const MAX_WAITING = 8_192

/** What is told of a move. */
export function moveRecord(from: LifecycleState | null, to: Standing, cause: MoveCause): MoveRecord {
  const reason = cause.reason === null ? null : [...cause.reason].slice(0, REASON_LENGTH).join('')
  return { kind: 'move', agent: to.agent, from, to: to.state, epoch: to.epoch, ...cause, reason }
}

/** Why the firewall did it. */
export function causeOfHold({ source, code, verdictId }: Pick<Hold, 'source' | 'code' | 'verdictId'>): MoveCause {
  return { source, by: null, code, reason: null, verdictId }
}

/** Why a file did it. */
export function causeOfFile(reason: string): MoveCause {
  return { source: 'File', by: null, code: null, reason: reason === '' ? null : reason, verdictId: null }
}

/**
 * Writes moves down in the turn in which they are made. A move that takes rights away is made even if it cannot be
 * written: it waits here, and `healthy` is false until it is.
 */
export class MoveLog {
  readonly #audit: AuditSink | null
  readonly #log: Log
  #waiting: MoveRecord[] = []

  constructor(audit: AuditSink | null, log: Log) {
    this.#audit = audit
    this.#log = log
  }

  get healthy(): boolean {
    return this.#waiting.length === 0
  }

  /** Writes it, or lets it wait; false = it waits. */
  record(move: MoveRecord): boolean {
    this.#waiting.push(move)
    return this.retry()
  }

  /**
   * Writes it before it is made.
   * @throws what the sink throws; nothing waits then.
   */
  demand(move: MoveRecord): void {
    this.#audit?.record(move)
  }

  /** Tries all that wait, in their order; true = none does any more. */
  retry(): boolean {
    const { length } = this.#waiting
    let written = 0
    try {
      for (const move of this.#waiting) {
        this.#audit?.record(move)
        written += 1
      }
    } catch (error) {
      if (written === 0 && length === 1) this.#log.error('moves-unrecorded', { error })
    }
    this.#waiting = this.#waiting.slice(written)
    const over = this.#waiting.length - MAX_WAITING
    if (over > 0) {
      this.#waiting = this.#waiting.slice(over)
      this.#log.error('moves-lost', { lost: over })
    }
    return this.healthy
  }
}
