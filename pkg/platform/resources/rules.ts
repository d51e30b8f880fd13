import { celEnv, parse, plan } from '@bufbuild/cel'
import { type FieldFault, type FieldPath, formatPath } from './contract.ts'
import type { CrdSchema } from './schema.gen.ts'

type Program = ReturnType<typeof plan>
type Rule = { readonly rule: string; readonly message: string }

/** Says which rules of a schema a value breaks. */
export type RuleCheck = (value: unknown) => readonly FieldFault[]

/**
 * Makes the judge of a schema's `x-kubernetes-validations`. Only `self` is bound: a file has no older version of itself. A rule
 * that errors does not hold. The rules are those of our own CRDs, a closed and small set; each is compiled when it is first met.
 */
export function newRuleCheck(schema: CrdSchema): RuleCheck {
  const env = celEnv()
  const programs = new Map<string, Program>()
  const holds = (rule: string, self: object): boolean => {
    let program = programs.get(rule)
    if (program === undefined) {
      program = plan(env, parse(rule).expr)
      programs.set(rule, program)
    }
    try {
      // values of a parsed document are JSON, which CEL takes as it is
      return program({ self } as Parameters<Program>[0]) === true
    } catch {
      return false
    }
  }
  const look = (node: unknown, value: unknown, path: FieldPath): readonly FieldFault[] => {
    if (typeof node !== 'object' || node === null || typeof value !== 'object' || value === null) return []
    const here = node as CrdSchema // a member of a schema
    const rules = (here['x-kubernetes-validations'] ?? []) as readonly Rule[]
    const broken = rules.filter(({ rule }) => !holds(rule, value)).map(({ message }) => faultOf(path, message))
    const properties = (here['properties'] ?? {}) as CrdSchema
    const below = Array.isArray(value)
      ? value.flatMap((item, index) => look(here['items'], item, [...path, index]))
      : Object.entries(value).flatMap(([key, member]) =>
          Object.hasOwn(properties, key) ? look(properties[key], member, [...path, key]) : [],
        )
    return [...broken, ...below]
  }
  return (value) => look(schema, value, [])
}

function faultOf(path: FieldPath, message: string): FieldFault {
  return { path, code: 'Invalid', onKey: false, message: `${formatPath(path)}: ${message}` }
}
