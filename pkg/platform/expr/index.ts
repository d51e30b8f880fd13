/**
 * expr: CEL rules and JSON Schemas of policies, compiled once, evaluated many times, bounded.
 *
 * In:  the expressions and schemas of a policy: text of a person who may make mistakes, not of an attacker.
 * Out: programs that judge arguments, which an attacker may have written: every pattern runs through RE2 in linear time,
 *      a rule that would walk too much errors, and what errors denies.
 * Never: I/O, a remote `$ref`, the engine's own RegExp on a policy's pattern, payload in an error.
 */

export { type Checks, compileChecks } from './checks.ts'
export { type CompiledRule, compileRule, type Rule, type RuleBindings } from './rule.ts'
export { type CompiledSchema, compileSchema, type SchemaError, type SchemaValidator } from './schema.ts'
