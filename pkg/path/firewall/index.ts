/**
 * firewall: the checks wire (of a call), identity, grant and intent: Message → Finding[].
 *
 * In:  the snapshot of one agent, its standing, a request that was read, and the calls of its answer, piece by piece.
 * Out: findings, each with the offset at which it became undeniable and the rule of the policy that it rests on;
 *      and the calls that an answer writes as text.
 * Never: a decision, I/O, a clock. What needs a grammar is asked through `SqlReader`, what reads JSON through
 *      `JsonFollower`: both are ports that the plane plugs in. Doubt is a finding. WIRE.md §1, POLICY.md "Intents".
 */
export { type Firewall, type Given, newFirewall } from './firewall.ts'
export type {
  FirewallDeps,
  JsonFault,
  JsonFollower,
  JsonListener,
  NewJsonFollower,
  ServerKey,
  SqlClass,
  SqlFollower,
  SqlIntent,
  SqlReader,
  SqlReading,
  ToolDifference,
  ToolMemory,
} from './ports.ts'
export type { Rules } from './rules.ts'
export {
  newPostgresGrammar,
  newSqlReader,
  type PgQueryLibrary,
  readSql,
  type SqlInline,
  type SqlJob,
} from './sql/index.ts'
