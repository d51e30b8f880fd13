import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { Cache } from './cache.ts'
import { FORMATS } from './formats.ts'
import { compilePattern } from './pattern.ts'
import { schemaFault } from './schema-check.ts'
import { hasDuplicates } from './unique.ts'

/** One broken demand: where (JSON pointer; names that the schema does not know are `*`) and which keyword. No payload. */
export type SchemaError = { readonly path: string; readonly keyword: string }

/** A compiled schema. */
export type SchemaValidator = {
  /** Empty when the value fits; else the first broken demand, with what led to it: at most {@link MAX_SCHEMA_ERRORS}. */
  check(value: unknown): readonly SchemaError[]
}

/** A validator, or what is wrong with the schema. */
export type CompiledSchema =
  | { readonly ok: true; readonly validator: SchemaValidator }
  | { readonly ok: false; readonly message: string }

/** Longest schema as JSON, UTF-16 units. */
export const MAX_SCHEMA_LENGTH = 64 * 1024
/** Errors reported for one value. */
export const MAX_SCHEMA_ERRORS = 4
/** Schemas compiled by one instance of the compiler, which keeps something of each. */
const SCHEMAS_PER_COMPILER = 256

const schemas = new Cache<CompiledSchema>(1024)
const known = new WeakMap<object, CompiledSchema>()
let compiler: { readonly ajv: Ajv2020; used: number } | null = null

/** Compiles a JSON Schema 2020-12 to code. Remote references, unknown keywords and formats are faults. Cached by content. */
export function compileSchema(schema: unknown): CompiledSchema {
  const object = typeof schema === 'object' ? schema : null
  const found = object === null ? undefined : known.get(object)
  if (found !== undefined) return found
  const fault = schemaFault(schema)
  if (fault !== null) return { ok: false, message: fault }
  const text = JSON.stringify(schema)
  if (text.length > MAX_SCHEMA_LENGTH) {
    return { ok: false, message: `the schema is ${text.length} characters long, ${MAX_SCHEMA_LENGTH} are allowed` }
  }
  const compiled = schemas.get(text, () => compile(text))
  if (object !== null) known.set(object, compiled)
  return compiled
}

function compile(text: string): CompiledSchema {
  // A copy of its own: the compiler keeps it, and nobody may change it later.
  const schema: unknown = JSON.parse(text)
  try {
    if (compiler === null || compiler.used >= SCHEMAS_PER_COMPILER) compiler = { ajv: newAjv(), used: 0 }
    compiler.used += 1
    const validate = compiler.ajv.compile(typeof schema === 'boolean' ? schema : { ...(schema as object) }) // schemaFault saw that it is one of the two
    compiler.ajv.removeSchema()
    return { ok: true, validator: validatorOf(validate, namesIn(schema)) }
  } catch (cause) {
    return { ok: false, message: cause instanceof Error ? cause.message : 'the schema does not compile' }
  }
}

function validatorOf(validate: ValidateFunction, names: ReadonlySet<string>): SchemaValidator {
  return {
    check(value) {
      if (validate(value) === true) return []
      const errors = (validate.errors ?? []).slice(0, MAX_SCHEMA_ERRORS).map((error) => redacted(error, names))
      validate.errors = null
      return errors.length > 0 ? errors : [{ path: '', keyword: 'schema' }]
    },
  }
}

function redacted(error: ErrorObject, names: ReadonlySet<string>): SchemaError {
  const segments = error.instancePath.split('/').slice(1)
  const shown = segments.map((one) => (/^\d+$/.test(one) || names.has(unescaped(one)) ? one : '*'))
  const missing: unknown = error.keyword === 'required' ? error.params['missingProperty'] : undefined
  if (typeof missing === 'string') shown.push(missing)
  return { path: shown.map((one) => `/${one}`).join(''), keyword: error.keyword }
}

const unescaped = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~')

/** Every key of the schema: the names that its author wrote and that may therefore be printed. */
function namesIn(schema: unknown, names = new Set<string>()): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return names
  for (const [key, value] of Object.entries(schema)) {
    if (!Array.isArray(schema)) names.add(key)
    namesIn(value, names)
  }
  return names
}

/** RE2 behind the face of RegExp. The text is what the compiler tells patterns apart by. */
const regExp = Object.assign(
  (source: string) => {
    const pattern = compilePattern(source)
    return { test: (text: string) => pattern.test(text), toString: () => `re2:${source}` }
  },
  { code: 're2' },
)

function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allErrors: false,
    addUsedSchema: false,
    logger: false,
    formats: FORMATS,
    code: { regExp },
  })
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (wanted: boolean, items: readonly unknown[]) => !wanted || !hasDuplicates(items),
  })
  return ajv
}
