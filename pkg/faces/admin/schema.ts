/** A JSON Schema 2020-12. */
export type Schema = Readonly<Record<string, unknown>>

/** An object with exactly these fields; the compiler holds them against the type. Those in `optional` may be absent. */
export function objectOf<T>(
  fields: { readonly [K in keyof Required<T>]: Schema },
  optional: readonly (keyof T & string)[] = [],
): Schema {
  const names: readonly string[] = Object.keys(fields)
  const required = names.filter((name) => !optional.some((one) => one === name))
  return { type: 'object', properties: fields, required, additionalProperties: false }
}

/** A list of such values. */
export function listOf(items: Schema): Schema {
  return { type: 'array', items }
}

/** Such a value or null. */
export function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] }
}

/** One of a closed set. */
export function oneOf(values: readonly string[]): Schema {
  return { type: 'string', enum: values }
}

/** An object that has a value for each key of a closed set. */
export function mapOf(keys: readonly string[], value: Schema): Schema {
  const properties = Object.fromEntries(keys.map((key) => [key, value]))
  return { type: 'object', properties, required: keys, additionalProperties: false }
}

/** A schema of the document by its name. */
export function refTo(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

/** Any text. */
export const TEXT: Schema = { type: 'string' }
/** Yes or no. */
export const BOOLEAN: Schema = { type: 'boolean' }
/** A whole number from 0. */
export const COUNT: Schema = { type: 'integer', minimum: 0 }
/** RFC 3339. */
export const TIME: Schema = { type: 'string', format: 'date-time' }
/** Any JSON. */
export const ANY: Schema = {}

/** The pattern of a DNS label, RFC 1123, without its ends. */
export const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'

/** A name of RFC 1123. */
export const DNS_LABEL: Schema = { type: 'string', pattern: `^${LABEL}$`, maxLength: 63 }
/** `namespace/name`. */
export const AGENT: Schema = { type: 'string', pattern: `^${LABEL}/${LABEL}$`, maxLength: 127 }
