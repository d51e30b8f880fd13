import { foldKey } from '../json/keys.ts'
import { asObject, type Json } from '../shape/shape.ts'

/** A JSON-RPC id: a text, or a whole number that every reader keeps. */
export type Id = string | number

/** One JSON-RPC message, by what it is; `R` is what a result may be. */
export type RpcOf<R> =
  | {
      readonly kind: 'request'
      readonly id: Id
      readonly method: string
      readonly params: Json | null
      readonly value: Json
    }
  | { readonly kind: 'notification'; readonly method: string; readonly params: Json | null; readonly value: Json }
  | { readonly kind: 'result'; readonly id: Id; readonly result: R; readonly value: Json }
  | { readonly kind: 'error'; readonly id: Id | null; readonly value: Json }

/** A message whose results are objects. */
export type Rpc = RpcOf<Json>

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])

/** The message in a JSON value; null for what two readers could take for two things, or for none. `resultOf` answers null for a result that is none. */
export function rpcOf(given: unknown): Rpc | null
export function rpcOf<R>(given: unknown, resultOf: (result: unknown) => { readonly result: R } | null): RpcOf<R> | null
export function rpcOf(
  given: unknown,
  resultOf: (result: unknown) => { readonly result: unknown } | null = objectOnly,
): RpcOf<unknown> | null {
  const value = asObject(given)
  if (value === null || value['jsonrpc'] !== '2.0' || hasTwin(value, MEMBERS)) return null
  const has = (key: string): boolean => Object.hasOwn(value, key)
  const { method, id } = value
  if (has('method')) {
    if (typeof method !== 'string' || method === '' || has('result') || has('error')) return null
    const params = has('params') ? asObject(value['params']) : null
    if (has('params') && params === null) return null
    if (!has('id')) return { kind: 'notification', method, params, value }
    return isId(id) ? { kind: 'request', id, method, params, value } : null
  }
  if (has('result') === has('error') || has('params')) return null
  if (has('error')) return errorIn(value)
  const read = resultOf(value['result'])
  return read !== null && isId(id) ? { kind: 'result', id, result: read.result, value } : null
}

const objectOnly = (given: unknown): { readonly result: Json } | null => {
  const result = asObject(given)
  return result === null ? null : { result }
}

function errorIn(value: Json): RpcOf<never> | null {
  const { id } = value
  if (asObject(value['error']) === null) return null
  if (id === null || id === undefined) return { kind: 'error', id: null, value }
  return isId(id) ? { kind: 'error', id, value } : null
}

/** Has an object a key that some reader would take for one of these, and that is not it? */
export function hasTwin(value: Json, known: ReadonlySet<string>): boolean {
  for (const key in value) {
    if (known.has(key)) continue
    const folded = foldKey(key)
    for (const member of known) if (folded === foldKey(member)) return true
  }
  return false
}

function isId(value: unknown): value is Id {
  return (typeof value === 'string' && value.length <= MAX_ID) || Number.isSafeInteger(value)
}

/** UTF-16 units of an id. */
const MAX_ID = 1_024

/** The map key of an id: 1 is not "1". */
export function idKey(id: Id): string {
  return JSON.stringify(id)
}
