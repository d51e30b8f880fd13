/**
 * compile: resources → one Snapshot per agent, with the merge rules.
 *
 * In:  AgentPolicies and Agents that `platform/resources` found valid; a port that says whether CEL and schemas compile.
 * Out: snapshots (default deny for agents that nobody selects), the ceilings of agents, a condition per policy, faults with
 *      their lines. A field or value of a check that does not exist yet is refused by name, never silently ignored.
 * Capabilities that a snapshot may require: `tools.arguments.schema.v1`, `tools.arguments.cel.v1`, `tools.output.v1`,
 * `text-tools.v1`, `intents.v1`, `on-violation.rules.v1`, `hosted-tools.v1`, `mode.audit.v1`, `egress.v1`, `llm.opaque.v1`.
 *
 * Never: I/O, a clock, half of a policy. POLICY.md "Merge", "Version skew".
 */
export { compile } from './compile.ts'
export type { CompileChecks, Compiled, CompiledAgent, CompileInput, Condition } from './contract.ts'
