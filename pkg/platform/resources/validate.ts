import type { ErrorObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { nearest } from '#pkg/platform/settings'
import { type FieldFault, type FieldPath, formatPath } from './contract.ts'
import { newRuleCheck, type RuleCheck } from './rules.ts'
import type { CrdSchema } from './schema.gen.ts'

/** Validates one value against a CRD's schema and fills in its defaults, in place. */
export type Validate = (value: Record<string, unknown>) => readonly FieldFault[]

/**
 * Makes the validator of one kind, as an API server would behave: unknown fields are faults (they would be pruned there, and
 * a rule that is pruned protects nobody), a null where there is a default counts as absent, defaults are filled in, keys
 * of map lists are unique, `x-kubernetes-validations` hold.
 */
export function newValidate(schema: CrdSchema): Validate {
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: false, validateFormats: false, verbose: true })
  let check: ValidateFunction | null = null
  let rules: RuleCheck | null = null
  return (value) => {
    check ??= ajv.compile(strictSchema(schema) as object)
    rules ??= newRuleCheck(schema)
    dropNulls(schema, value)
    const faults = check(value) ? [] : (check.errors ?? []).map((error) => faultOf(error, value))
    // a misspelt field explains the missing one
    if (faults.length > 0) return faults.sort((a, b) => Number(b.onKey) - Number(a.onKey))
    return [...duplicateKeys(schema, value, []), ...rules(value)]
  }
}

/** The schema without Kubernetes' words, its objects closed. */
function strictSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strictSchema)
  if (typeof value !== 'object' || value === null) return value
  const node = value as CrdSchema // a member of a schema
  const out: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(node)) {
    if (key.startsWith('x-kubernetes-')) continue
    out[key] = key === 'default' || key === 'enum' ? member : strictSchema(member)
  }
  const root = typeof node['properties'] === 'object' && 'apiVersion' in (node['properties'] as object)
  if (typeof node['properties'] === 'object' && node['properties'] !== null && isSchemaNode(node)) {
    out['additionalProperties'] = false
    if (root) (out['properties'] as Record<string, unknown>)['status'] = {}
  }
  return out
}

/** `properties` may itself be a property's name. */
function isSchemaNode(node: CrdSchema): boolean {
  return node['type'] === 'object'
}

/** An API server drops a null where the field has a default. */
function dropNulls(schema: unknown, value: unknown): void {
  if (typeof schema !== 'object' || schema === null) return
  const node = schema as CrdSchema // a member of a schema
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(node['items'], item)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const properties = (node['properties'] ?? {}) as CrdSchema
  const object = value as Record<string, unknown>
  for (const key of Object.keys(object)) {
    if (!Object.hasOwn(properties, key)) continue
    const member = properties[key]
    if (object[key] === null && typeof member === 'object' && member !== null && 'default' in member) delete object[key]
    else dropNulls(member, object[key])
  }
}

function faultOf(error: ErrorObject, value: unknown): FieldFault {
  const path = pathOf(error.instancePath, value)
  if (error.keyword === 'additionalProperties') {
    const name = String(error.params['additionalProperty'])
    const known = Object.keys(((error.parentSchema as CrdSchema | undefined)?.['properties'] ?? {}) as object)
    const meant = nearest(name, known)
    const hint = meant === null ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`
    const at = [...path, name]
    return { path: at, code: 'UnknownField', onKey: true, message: `unknown field "${formatPath(at)}"; ${hint}` }
  }
  return { path, code: 'Invalid', onKey: false, message: `${formatPath(path)} ${wordsOf(error)}` }
}

/** What is wrong, with the limit and what to do. */
function wordsOf({ keyword, params, data, message }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return `has no "${String(params['missingProperty'])}", which is required`
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map(String)
      const meant = typeof data === 'string' ? nearest(data, allowed) : null
      return `must be one of ${allowed.join(', ')}${meant === null ? '' : `; did you mean "${meant}"?`}`
    }
    case 'type':
      if (data === null) return 'is empty; give it a value or remove it'
      return `must be of type ${String(params['type'])}, not ${typeOf(data)}`
    case 'maxItems':
      return `has ${(data as unknown[]).length} items, ${String(params['limit'])} are allowed`
    case 'maxLength':
      return `is ${[...(data as string)].length} characters long, ${String(params['limit'])} are allowed`
    case 'minItems':
    case 'minLength':
      return 'must not be empty'
    default:
      return message ?? 'is not valid'
  }
}

function typeOf(data: unknown): string {
  return Array.isArray(data) ? 'array' : typeof data
}

/** A JSON pointer as a path; steps into lists are numbers. */
function pathOf(pointer: string, value: unknown): FieldPath {
  const path: (string | number)[] = []
  let here: unknown = value
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(here) ? Number(name) : name)
    here = typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[name] : undefined
  }
  return path
}

function duplicateKeys(schema: unknown, value: unknown, path: FieldPath): readonly FieldFault[] {
  if (typeof schema !== 'object' || schema === null || typeof value !== 'object' || value === null) return []
  const node = schema as CrdSchema // a member of a schema
  if (!Array.isArray(value)) {
    const properties = (node['properties'] ?? {}) as CrdSchema
    return Object.entries(value).flatMap(([key, member]) =>
      Object.hasOwn(properties, key) ? duplicateKeys(properties[key], member, [...path, key]) : [],
    )
  }
  const keys = node['x-kubernetes-list-map-keys']
  const faults = value.flatMap((item, index) => duplicateKeys(node['items'], item, [...path, index]))
  if (!Array.isArray(keys)) return faults
  const seen = new Map<string, number>()
  for (const [index, item] of value.entries()) {
    const key = JSON.stringify(keys.map((name) => (item as Record<string, unknown>)[String(name)] ?? null))
    const before = seen.get(key)
    const at = [...path, index]
    const what = `${formatPath(at)} has the same ${keys.join(' and ')} as ${formatPath([...path, before ?? 0])}`
    if (before === undefined) seen.set(key, index)
    else faults.push({ path: at, code: 'Duplicate', onKey: false, message: what })
  }
  return faults
}
