import type { AgentKey } from '#pkg/model'
import type { Log } from '#pkg/platform/log'
import type { Thaw } from './ports.ts'

const RETRY_AFTER_MS = 1_000

/** One agent that waits; a new object for every release. */
type Waiting = { readonly epoch: number; timer: NodeJS.Timeout | null }

/**
 * The thaw gate: a released agent stays shut until its fresh key is there. MESH.md §2. In memory: after a restart no key of
 * before is left.
 */
export class ThawGate {
  readonly #thaw: Thaw | null
  readonly #log: Log
  readonly #waiting = new Map<AgentKey, Waiting>()
  /** Called when an agent may act. */
  onThawed: (agent: AgentKey) => void = () => {}

  constructor(thaw: Thaw | null, log: Log) {
    this.#thaw = thaw
    this.#log = log
  }

  /** True while the agent waits for its key. */
  isShut(agent: AgentKey): boolean {
    return this.#waiting.has(agent)
  }

  /** The agent was released: from now on it waits. Nothing is asked before {@link ask}. */
  shut(agent: AgentKey, epoch: number): void {
    if (this.#thaw === null) return
    this.drop(agent)
    this.#waiting.set(agent, { epoch, timer: null })
  }

  /** The agent may not act any more, for other reasons. */
  drop(agent: AgentKey): void {
    const waiting = this.#waiting.get(agent)
    if (waiting?.timer != null) clearTimeout(waiting.timer)
    this.#waiting.delete(agent)
  }

  /** Asks for the key of an agent that waits; again each second while it is not there. */
  ask(agent: AgentKey): void {
    const waiting = this.#waiting.get(agent)
    if (waiting === undefined || this.#thaw === null) return
    try {
      const answer = this.#thaw(agent, waiting.epoch)
      if (typeof answer === 'boolean') return this.#answered(agent, waiting, answer)
      answer.then(
        (isThere) => this.#answered(agent, waiting, isThere),
        (error: unknown) => this.#failed(agent, waiting, error),
      )
    } catch (error) {
      this.#failed(agent, waiting, error)
    }
  }

  close(): void {
    for (const agent of [...this.#waiting.keys()]) this.drop(agent)
  }

  #answered(agent: AgentKey, waiting: Waiting, isThere: boolean): void {
    if (this.#waiting.get(agent) !== waiting) return // held again meanwhile
    if (isThere) {
      this.#waiting.delete(agent)
      return this.onThawed(agent)
    }
    waiting.timer = setTimeout(() => this.ask(agent), RETRY_AFTER_MS).unref()
  }

  #failed(agent: AgentKey, waiting: Waiting, error: unknown): void {
    this.#log.warn('agent-thaw-failed', { agent, epoch: waiting.epoch, error })
    this.#answered(agent, waiting, false)
  }
}
