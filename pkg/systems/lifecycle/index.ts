/**
 * lifecycle: which agents may act, and since when not; the kill switch of this process.
 *
 * In:  the ceilings of the folder (`apply`), and `sever` from `path/enforce`.
 * Out: the Standing of each agent: its effective state, its epoch, its holds; and an event on each change.
 * State is by agent in `DIR/state.jsonl`: a restart, a `kill -9` or an agent that goes and comes back does not thaw,
 * and an epoch never falls. The way out of a hold is `releaseThroughEpoch` in the Agent file. One process owns the
 * data folder at a time (`DIR/lock`). Whoever plugs this in lets no new traffic through while `healthy` is false.
 *
 * Never: cuts an exchange itself (it tells), judges, forgets a hold, starts on a file it cannot read.
 */
export * from './lifecycle.ts'
export type { AgentCeiling, SeverCause } from './ports.ts'
