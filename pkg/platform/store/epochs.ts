import type { AgentKey } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Log } from '#pkg/platform/log'
import type { EpochCounter, Keyed, RowStore } from './ports.ts'

/** What epochs rest on. */
export type EpochsDeps = { readonly rows: RowStore<Keyed>; readonly counter: EpochCounter; readonly log: Log }

/** All have a default. */
export type EpochsOptions = {
  /** After a loss epochs begin that far above the largest that is known: so many kills may have gone unwritten. Default 1,024. */
  readonly step?: number
  /** Between two attempts to find out the epochs again. Default 1,000. */
  readonly retryMs?: number
}

/** The epochs of all agents as one replica knows them. */
export type Epochs = {
  /** From memory. null = not known: refuse. */
  epochOf(agent: AgentKey): number | null
  /** Assigns the next one and pushes it to all replicas. @throws SallyportError STATE_UNAVAILABLE: nobody knows; refuse */
  raise(agent: AgentKey): Promise<number>
  /** Takes in an agent that has a row, at least at that epoch. */
  admit(agent: AgentKey, epoch: number): Promise<void>
  /** False while epochs are found out again: every agent is denied. */
  readonly known: boolean
  /** Called for each epoch that rises, in this replica or another. */
  onRaised(listener: (agent: AgentKey, epoch: number) => void): () => void
  close(): Promise<void>
}

/**
 * Reads the epochs of all agents that have a row; where one is missing, or has fallen, the fast store has lost some: then all
 * agents are denied until all epochs stand above whatever was there before. MESH.md §2.
 */
export async function openEpochs(deps: EpochsDeps, options: EpochsOptions = {}): Promise<Epochs> {
  const epochs = new OpenEpochs(deps, options)
  await epochs.open()
  return epochs
}

/** Epochs that are asked for at a time. */
const BATCH = 256

class OpenEpochs implements Epochs {
  readonly #deps: EpochsDeps
  readonly #step: number
  readonly #retryMs: number
  /** The largest that was ever seen of each: it never falls. */
  readonly #seen = new Map<AgentKey, number>()
  /** The last that was pushed of each. */
  readonly #told = new Map<AgentKey, number>()
  readonly #listeners = new Set<(agent: AgentKey, epoch: number) => void>()
  #known = false
  /** False while messages of others may be missing. */
  #watching = true
  /** Grows with each doubt: a reading that began before the last one proves nothing. */
  #doubts = 0
  /** Something was seen that only a loss explains, whatever a reading says. */
  #isLost = false
  #isFinding = false
  #finding: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null
  #unwatch: () => Promise<void> = async () => {}
  #closed = false

  constructor(deps: EpochsDeps, { step = 1_024, retryMs = 1_000 }: EpochsOptions) {
    this.#deps = deps
    this.#step = step
    this.#retryMs = retryMs
  }

  get known(): boolean {
    return this.#known
  }

  async open(): Promise<void> {
    this.#unwatch = await this.#deps.counter.watch({
      raised: (agent, epoch) => this.#take(agent, epoch),
      lost: () => {
        this.#watching = false
        this.#doubt('messages may be missing')
      },
      found: () => {
        this.#watching = true
        this.#doubt('messages were missing')
      },
    })
    await this.#readAll()
  }

  epochOf(agent: AgentKey): number | null {
    return this.#known ? (this.#seen.get(agent) ?? null) : null
  }

  async raise(agent: AgentKey): Promise<number> {
    const before = this.#seen.get(agent) ?? 0
    const epoch = await this.#deps.counter.raise(agent)
    if (epoch === null || epoch <= before) {
      this.#isLost = true
      this.#doubt('an epoch was lost')
      const what = `the epoch of ${agent} was lost; all agents are denied until it is found`
      throw new SallyportError('STATE_UNAVAILABLE', what)
    }
    this.#see(agent, epoch)
    return epoch
  }

  async admit(agent: AgentKey, epoch: number): Promise<void> {
    this.#see(agent, await this.#deps.counter.seed(agent, Math.max(epoch, this.#seen.get(agent) ?? 0)))
  }

  onRaised(listener: (agent: AgentKey, epoch: number) => void): () => void {
    const own = (agent: AgentKey, epoch: number): void => listener(agent, epoch)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#known = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#unwatch()
    await this.#finding
  }

  /** What is pushed comes in the order in which it happened: one that is smaller was assigned after a loss. */
  #take(agent: AgentKey, epoch: number): void {
    if (epoch < (this.#told.get(agent) ?? 0)) {
      this.#isLost = true
      this.#doubt('an epoch has fallen')
    }
    this.#told.set(agent, epoch)
    this.#see(agent, epoch)
  }

  #see(agent: AgentKey, epoch: number): void {
    if (epoch <= (this.#seen.get(agent) ?? 0)) return
    this.#seen.set(agent, epoch)
    for (const listener of this.#listeners) listener(agent, epoch)
  }

  #doubt(why: string): void {
    if (this.#closed) return
    if (this.#known) this.#deps.log.warn('epochs-in-doubt', { why })
    this.#known = false
    this.#doubts += 1
    this.#begin()
  }

  #begin(): void {
    if (this.#isFinding) return
    this.#isFinding = true
    this.#finding = this.#find()
  }

  /** Until it is known; again later where the stores do not answer. */
  async #find(): Promise<void> {
    try {
      while (!this.#known && !this.#closed && this.#watching) await this.#readAll()
    } catch (error) {
      this.#deps.log.error('epochs-unknown', { error })
    }
    this.#isFinding = false
    if (this.#known || this.#closed || !this.#watching) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#begin()
    }, this.#retryMs).unref()
  }

  /** Compares with the rows and with what was seen; a loss is answered by new epochs for all. */
  async #readAll(): Promise<void> {
    const doubts = this.#doubts
    const agents = new Map<AgentKey, number>(this.#seen)
    for await (const { row } of this.#deps.rows.all())
      agents.set(row.agent, Math.max(row.epoch, agents.get(row.agent) ?? 0))
    const found = await this.#current([...agents.keys()])
    this.#isLost ||= [...agents].some(([agent, least]) => (found.get(agent) ?? 0) < least)
    if (this.#isLost) {
      await this.#reseed([...agents.keys()])
      if (doubts === this.#doubts) this.#isLost = false
    } else for (const [agent, epoch] of found) this.#see(agent, epoch)
    if (doubts === this.#doubts && this.#watching) this.#known = !this.#closed
  }

  async #current(agents: readonly AgentKey[]): Promise<ReadonlyMap<AgentKey, number>> {
    const found = new Map<AgentKey, number>()
    for (let at = 0; at < agents.length; at += BATCH)
      await Promise.all(
        agents.slice(at, at + BATCH).map(async (agent) => {
          const epoch = await this.#deps.counter.current(agent)
          if (epoch !== null) found.set(agent, epoch)
        }),
      )
    return found
  }

  async #reseed(agents: readonly AgentKey[]): Promise<void> {
    let floor = await this.#deps.rows.newFloor(this.#step)
    for (const epoch of this.#seen.values()) floor = Math.max(floor, epoch + this.#step)
    this.#deps.log.warn('epochs-reseeded', { floor, agents: agents.length })
    for (let at = 0; at < agents.length; at += BATCH)
      await Promise.all(
        agents
          .slice(at, at + BATCH)
          .map(async (agent) => this.#see(agent, await this.#deps.counter.seed(agent, floor))),
      )
  }
}
