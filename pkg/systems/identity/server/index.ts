/**
 * identity/server: the operator's half of identity: the certificate authority.
 *
 * In:  signing requests of sidecars and what an agent is (epoch, role, tools); verbs of a person on its keys.
 * Out: X.509-SVIDs and JWT-SVIDs of 300 s, the trust bundle, the slots of its keys; an audit event for each of them.
 * Keys are made and used in a thread, sealed in `DIR/keys`, and what is done with them stands in `DIR/journal.jsonl`.
 *
 * Never: the key of an agent, an identity for an agent that it was not asked about, a log line with a key or a token.
 */
export {
  type Authority,
  type AuthorityDeps,
  type AuthorityOptions,
  type AuthorityStatus,
  newAuthority,
  type SlotAsk,
} from './authority.ts'
export { newCaPool } from './ca-pool.ts'
export type { CaJob, CaResult, CaWorker } from './contract.ts'
export { type KeyManager, newFileKeyManager } from './key-manager.ts'
export type { AuthorityKind, Slot, SlotVerb } from './slots.ts'
