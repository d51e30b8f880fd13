import type { ErrorObject, ValidateFunction } from 'ajv'
import { nearest } from '#pkg/platform/settings'
import { type FieldFault, type FieldPath, formatPath } from './contract.ts'
import { LATER_VALUES } from './later.ts'
import { newRuleCheck, type RuleCheck } from './rules.ts'
import type { CrdSchema } from './schema.gen.ts'

/** Faults of one value that are put into words; a reader tells fewer. */
const MAX_ERRORS = 1_000

/** Validates one value against a CRD's schema and fills in its defaults, in place. */
export type Validate = (value: Record<string, unknown>) => readonly FieldFault[]

/**
 * Makes the validator of one kind, as an API server would behave: unknown fields are faults (they would be pruned there, and
 * a rule that is pruned protects nobody), a null where there is a default counts as absent, defaults are filled in, keys
 * of map lists are unique, `x-kubernetes-validations` hold. `check` is that schema, compiled when it was generated:
 * compiling it here would take a quarter of the start.
 */
export function newValidate(schema: CrdSchema, check: ValidateFunction): Validate {
  let rules: RuleCheck | null = null
  return (value) => {
    rules ??= newRuleCheck(schema)
    dropNulls(schema, value)
    const errors = check(value) ? [] : (check.errors ?? []).slice(0, MAX_ERRORS)
    if (errors.length > 0) return withoutMissing(errors).map((error) => faultOf(error, value))
    return [...duplicateKeys(schema, value, []), ...rules(value)]
  }
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

/** A misspelt field explains the missing one: one slip, one fault. */
function withoutMissing(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const slips = errors.filter((error) => error.keyword === 'additionalProperties')
  const meant = new Set(slips.map((error) => `${error.instancePath} ${unknownOf(error).meant}`))
  return errors.filter(({ keyword, instancePath, params }) => {
    return keyword !== 'required' || !meant.has(`${instancePath} ${String(params['missingProperty'])}`)
  })
}

function unknownOf({ params, parentSchema }: ErrorObject) {
  const name = String(params['additionalProperty'])
  const known = Object.keys(((parentSchema as CrdSchema | undefined)?.['properties'] ?? {}) as object)
  return { name, known, meant: nearest(name, known) }
}

function faultOf(error: ErrorObject, value: unknown): FieldFault {
  const path = pathOf(error.instancePath, value)
  if (error.keyword === 'additionalProperties') {
    const { name, known, meant } = unknownOf(error)
    const hint = meant === null ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`
    const at = [...path, name]
    return { path: at, code: 'UnknownField', onKey: true, message: `unknown field "${formatPath(at)}"; ${hint}` }
  }
  return { path, code: 'Invalid', onKey: false, message: `${formatPath(path)} ${wordsOf(error, path)}` }
}

/** What is wrong, with the limit and what to do. */
function wordsOf({ keyword, params, data, message }: ErrorObject, path: FieldPath): string {
  switch (keyword) {
    case 'required':
      return `has no "${String(params['missingProperty'])}", which is required`
    case 'enum':
      return enumWords((params['allowedValues'] as unknown[]).map(String), data, path)
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

function enumWords(values: readonly string[], data: unknown, path: FieldPath): string {
  const later = LATER_VALUES[path.filter((step) => typeof step === 'string').join('.')] ?? []
  const usable = values.filter((value) => !later.includes(value))
  const meant = typeof data === 'string' ? nearest(data, usable) : null
  const refused = later.length === 0 ? '' : ` (not available yet: ${later.join(', ')})`
  return `must be one of ${usable.join(', ')}${refused}${meant === null ? '' : `; did you mean "${meant}"?`}`
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
    const values = keys.map((name) => (item as Record<string, unknown>)[String(name)] ?? null)
    const key = JSON.stringify(values)
    const before = seen.get(key)
    const at = [...path, index]
    const named = values.filter((one) => one !== null && one !== '').map((one) => JSON.stringify(one))
    const same = `the same ${keys.join(' and ')} (${named.join(', ')}) as ${formatPath([...path, before ?? 0])}`
    const what = `${formatPath(at)} has ${same}; give one of them another, or remove it`
    if (before === undefined) seen.set(key, index)
    else faults.push({ path: at, code: 'Duplicate', onKey: false, message: what })
  }
  return faults
}
