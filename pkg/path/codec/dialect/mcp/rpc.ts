import { foldKey } from '#pkg/path/codec/wire/json'
import { asObject, type Json } from '#pkg/path/codec/wire/shape'

/** A JSON-RPC id: a text, or a whole number that every reader keeps. */
export type Id = string | number

/** One JSON-RPC message, by what it is. */
export type Rpc =
  | {
      readonly kind: 'request'
      readonly id: Id
      readonly method: string
      readonly params: Json | null
      readonly value: Json
    }
  | { readonly kind: 'notification'; readonly method: string; readonly params: Json | null; readonly value: Json }
  | { readonly kind: 'result'; readonly id: Id; readonly result: Json; readonly value: Json }
  | { readonly kind: 'error'; readonly id: Id | null; readonly value: Json }

/** What a request of MCP says: its answers are read by it. It stands in the view as the parsed body. */
export type McpRequest = {
  readonly messages: readonly Rpc[]
  readonly isBatch: boolean
  readonly stateless: boolean
}

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])

/** The message in a JSON value; null for what two readers could take for two things, or for none. */
export function rpcOf(given: unknown): Rpc | null {
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
  if (has('error')) {
    if (asObject(value['error']) === null) return null
    return id === null || id === undefined
      ? { kind: 'error', id: null, value }
      : isId(id)
        ? { kind: 'error', id, value }
        : null
  }
  const result = asObject(value['result'])
  return result !== null && isId(id) ? { kind: 'result', id, result, value } : null
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
