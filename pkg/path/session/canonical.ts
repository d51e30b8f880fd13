import type { HistoryCall } from '#pkg/model'

/** A call as it is compared, whoever wrote it last: its name, its form, its arguments in one order. */
export function canonicalCall({ name, form, arguments: given }: Omit<HistoryCall, 'id'>): string {
  return `${form} ${JSON.stringify(name)} ${form === 'json' ? canonicalArguments(given) : textOf(given)}`
}

/** Clients write the text of the arguments anew, in their own order and spacing. What is no JSON stays as it is. */
function canonicalArguments(given: unknown): string {
  if (given === '') return '{}'
  try {
    return canonical(typeof given === 'string' ? JSON.parse(given) : (given ?? {}), MAX_DEPTH)
  } catch {
    return JSON.stringify(given)
  }
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? given : JSON.stringify(given ?? '')
}

/** Deeper arguments are never released: such a call is unknown, however it is written. */
const MAX_DEPTH = 1024

function canonical(value: unknown, depth: number): string {
  if (depth === 0) throw new RangeError('deeper than any arguments that are released')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth - 1)).join(',')}]`
  const members = Object.entries(value)
  if (members.length > 1) members.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner, depth - 1)}`).join(',')}}`
}
