import { type CelEnv, celEnv, isCelError, parse, plan } from '@bufbuild/cel'
import { type FieldFault, type FieldPath, formatPath } from './contract.ts'
import type { CrdSchema } from './schema.gen.ts'

type Program = ReturnType<typeof plan>
type Rule = { readonly rule: string; readonly message: string }

let env: CelEnv | null = null
const programs = new Map<string, Program>()

/** The rules are those of our own CRDs: a closed, small set. */
function programOf(rule: string): Program {
  let program = programs.get(rule)
  if (program === undefined) {
    env ??= celEnv()
    program = plan(env, parse(rule).expr)
    programs.set(rule, program)
  }
  return program
}

/** Faults of a value by the `x-kubernetes-validations` of its schema; a rule that errors does not hold. */
export function ruleFaults(schema: unknown, value: unknown, path: FieldPath = []): readonly FieldFault[] {
  if (typeof schema !== 'object' || schema === null || typeof value !== 'object' || value === null) return []
  const node = schema as CrdSchema // a member of a schema
  const faults: FieldFault[] = []
  for (const { rule, message } of (node['x-kubernetes-validations'] ?? []) as readonly Rule[]) {
    // values of a parsed document are JSON, which CEL takes as it is
    const held = programOf(rule)({ self: value } as Parameters<Program>[0])
    if (held === true && !isCelError(held)) continue
    const where = path.length === 0 ? 'the resource' : formatPath(path)
    faults.push({ path, code: 'Invalid', onKey: false, message: `${where}: ${message}` })
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) faults.push(...ruleFaults(node['items'], item, [...path, index]))
    return faults
  }
  const properties = (node['properties'] ?? {}) as CrdSchema
  for (const [key, member] of Object.entries(value)) faults.push(...ruleFaults(properties[key], member, [...path, key]))
  return faults
}
