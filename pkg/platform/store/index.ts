/**
 * store: what all replicas share of the lives of agents. A row per agent is the truth (Postgres); the epoch that is compared
 * at every write is assigned and pushed fast (Redis). MESH.md §2, DESIGN §15.
 *
 * In:  rows with an epoch, kills, the addresses of both servers.
 * Out: rows that no smaller epoch overwrites; epochs that only rise, pushed to whoever watches; null for one that is not
 *      known, which refuses.
 * One contract suite runs on the twins in this process and on the real servers (`make test-stores`).
 * `state.jsonl` of `systems/lifecycle` is the twin on a disk: one process, nothing to share, written in the turn of the move.
 *
 * Never: decides about an agent, makes an epoch fall, takes silence for an epoch.
 */
export { type Epochs, type EpochsDeps, type EpochsOptions, openEpochs } from './epochs.ts'
export { type MemoryCounters, newMemoryCounters, newMemoryRows } from './memory.ts'
export * from './ports.ts'
export { openPostgresRows, type PostgresOptions } from './postgres.ts'
export { openRedisCounter, type RedisOptions } from './redis.ts'
