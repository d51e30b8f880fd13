/** What is wrong with a schema before it is compiled, or null. */
export function schemaFault(schema: unknown): string | null {
  if (typeof schema === 'boolean') return null
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return 'a schema is an object, true or false'
  }
  return walk(schema, 0)
}

/** Deepest nesting of a schema. */
const MAX_DEPTH = 64

function walk(value: object, depth: number): string | null {
  if (depth > MAX_DEPTH) return `the schema is nested deeper than ${MAX_DEPTH}`
  for (const [key, inner] of Object.entries(value)) {
    const fault =
      memberFault(key, inner) ?? (typeof inner === 'object' && inner !== null ? walk(inner, depth + 1) : null)
    if (fault !== null) return fault
  }
  return null
}

function memberFault(key: string, value: unknown): string | null {
  if (key === '$async' && typeof value === 'boolean') return '"$async" is not a keyword of JSON Schema'
  if (key === '$schema' && typeof value === 'string' && value !== 'https://json-schema.org/draft/2020-12/schema') {
    return '"$schema" may only be https://json-schema.org/draft/2020-12/schema'
  }
  if ((key === '$ref' || key === '$dynamicRef') && typeof value === 'string' && !value.startsWith('#')) {
    return `"${key}" may only point into the schema itself (#…)`
  }
  if (key === '$id' && typeof value === 'string') return '"$id" is not taken: a schema stands for itself alone'
  return null
}
