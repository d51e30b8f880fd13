/**
 * resources: files → validated AgentPolicies and Agents, each fault with file, line and column.
 *
 * In:  YAML or JSON text, several documents a file; the schemas of `crds/` (as `schema.gen.ts`).
 * Out: resources with their defaults filled in, as an API server would hold them; or faults.
 * An unknown field is a fault, not dropped: a rule that is silently dropped protects nobody. Duplicate keys, too many
 * aliases, files over 2 Mi characters or 350,000 YAML tokens, and nesting beyond 64 are refused.
 *
 * Never: I/O, a throw for what a file holds, a merge of several resources: that is `control/compile`.
 */
export {
  type FaultCode,
  type FieldPath,
  formatFault,
  formatPath,
  inOrder,
  type ReaderOptions,
  type Resource,
  type ResourceFault,
  type ResourceReader,
  type Resources,
  type SourceFile,
} from './contract.ts'
export { LATER_VALUES } from './later.ts'
export { newResourceReader } from './reader.ts'
export { AGENT_POLICY_SCHEMA, AGENT_SCHEMA, type CrdSchema } from './schema.gen.ts'
