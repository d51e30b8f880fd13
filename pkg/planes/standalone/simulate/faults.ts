/** An error answer of the provider: HTTP status and what goes into `{"error": …}`. */
export type Fault = {
  readonly status: number
  readonly message: string
  readonly param: string | null
  readonly code: string | null
}

/** A 400 about one parameter. */
export function badRequest(message: string, param: string | null = null, code: string | null = null): Fault {
  return { status: 400, message, param, code }
}

/** A 404 for a model that is not on the list. */
export function modelNotFound(model: string): Fault {
  return {
    status: 404,
    message: `The model \`${model}\` does not exist or you do not have access to it.`,
    param: null,
    code: 'model_not_found',
  }
}

/** The provider's error body. */
export function faultBody(fault: Fault): object {
  const { message, param, code } = fault
  return { error: { message, type: 'invalid_request_error', param, code } }
}

/** How the provider names a JSON type in its messages. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  return { string: 'a string', boolean: 'a boolean', object: 'an object' }[typeof value as string] ?? 'nothing'
}

/** "Invalid type for 'x': expected y, but got z instead." */
export function wrongType(param: string, expected: string, value: unknown): Fault {
  return badRequest(
    `Invalid type for '${param}': expected ${expected}, but got ${typeName(value)} instead.`,
    param,
    'invalid_type',
  )
}

/** "Missing required parameter: 'x'." */
export function missing(param: string): Fault {
  return badRequest(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
}

/** "Invalid 'x': empty array. …" */
export function emptyArray(param: string): Fault {
  return badRequest(
    `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    param,
    'empty_array',
  )
}

/** "Invalid value: 'x'. Supported values are: …" */
export function unsupportedValue(param: string, value: unknown, supported: readonly string[]): Fault {
  const names = supported.map((name) => `'${name}'`)
  const last = names.pop() ?? ''
  const list = names.length === 0 ? last : `${names.join(', ')}, and ${last}`
  return badRequest(`Invalid value: '${String(value)}'. Supported values are: ${list}.`, param, 'invalid_value')
}

/** A parsed JSON object, not an array. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Is it an object, and not an array or null? */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The first fault of a list of checks; each runs only if none before it found one. */
export function firstFault(...checks: readonly (() => Fault | null)[]): Fault | null {
  for (const check of checks) {
    const fault = check()
    if (fault !== null) return fault
  }
  return null
}

/** The first fault that `check` finds in a list. */
export function firstFaultIn<T>(items: readonly T[], check: (item: T, index: number) => Fault | null): Fault | null {
  for (const [index, item] of items.entries()) {
    const fault = check(item, index)
    if (fault !== null) return fault
  }
  return null
}
