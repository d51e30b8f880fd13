/**
 * lifecycle: which agents may act, and since when not; the kill switch of this process.
 *
 * In:  the ceilings of the folder (`apply`), `sever` from `path/enforce`, the verbs of a person (`move`); a sink of the
 *      audit log, and whoever knows whether a released agent has its fresh key (`thaw`).
 * Out: the Standing of each agent: its effective state, its epoch, its holds; an event on each change; a record of each.
 * State is by agent in `DIR/state.jsonl`: a restart, a `kill -9` or an agent that goes and comes back does not thaw,
 * and an epoch never falls. The way out of a hold is `release`, or `releaseThroughEpoch` in the Agent file; out of
 * Terminated there is none. One process owns the data folder at a time (`DIR/lock`). Whoever plugs this in lets no new
 * traffic through while `healthy` is false, nor for an agent that is `thawing`.
 *
 * Never: cuts an exchange itself (it tells), judges, forgets a hold, starts on a file it cannot read.
 */
export { type FolderLock, lockFolder } from './folder-lock.ts'
export * from './lifecycle.ts'
export { type MoveAnswer, type MoveAsk, type MoveRefusal, moveOf } from './moves.ts'
export * from './ports.ts'
