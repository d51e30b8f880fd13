import type { AgentKey } from '#pkg/model'

/** What a row has at least. */
export type Keyed = { readonly agent: AgentKey; readonly epoch: number }

/** A row with the number of its writes so far. */
export type Stored<Row> = { readonly row: Row; readonly revision: number }

/** `stale`: somebody else has written since, or the epoch would fall; nothing was written, and this is what is there. */
export type Put<Row> =
  | { readonly kind: 'written'; readonly revision: number }
  | { readonly kind: 'stale'; readonly found: Stored<Row> | null }

/** One row for each agent: the truth. */
export interface RowStore<Row extends Keyed> {
  get(agent: AgentKey): Promise<Stored<Row> | null>
  /** Writes if nobody has since `seen` (0 = no row yet), and the epoch does not fall. Durable when it resolves. */
  put(row: Row, seen: number): Promise<Put<Row>>
  /** Every row, by agent. */
  all(): AsyncIterable<Stored<Row>>
  /**
   * An epoch above all that there are, by `step` at least; durable when it resolves, and above all that this ever gave.
   * What was assigned and could not be written down is below it, as long as it was fewer than `step`.
   */
  newFloor(step: number): Promise<number>
  close(): Promise<void>
}

/** What a watcher is told. */
export type EpochWatch = {
  /** An epoch rose. */
  raised(agent: AgentKey, epoch: number): void
  /** From now on messages may be missing. */
  lost(): void
  /** From now on none is: what is known has to be read again. */
  found(): void
}

/** The fast side of epochs. Nothing in it is durable. */
export interface EpochCounter {
  /** null = not known. */
  current(agent: AgentKey): Promise<number | null>
  /** The next epoch, assigned and pushed in one step; null = not known, and nothing has changed. */
  raise(agent: AgentKey): Promise<number | null>
  /** Makes the epoch at least this, and pushes it if it was less or not known. The epoch now. */
  seed(agent: AgentKey, least: number): Promise<number>
  /** Resolves once nothing that is raised from now on is missed; what it gives ends it. */
  watch(watch: EpochWatch): Promise<() => Promise<void>>
  close(): Promise<void>
}
