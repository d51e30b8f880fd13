/**
 * api: the resources as types, made from `crds/`.
 *
 * In:  nothing; `make generate` writes the files beside this one.
 * Out: AgentPolicy and Agent as a file or an API server holds them.
 * Never: behaviour. Reading and defaulting is `platform/resources`.
 */
export type { Agent } from './agent.gen.ts'
export type { AgentPolicy } from './agent-policy.gen.ts'
