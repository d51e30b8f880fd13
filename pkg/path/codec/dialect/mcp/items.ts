import type { Decided, Limits, Message, Outcome, RequestView, ToolPage } from '#pkg/model'
import { asArray, asObject, asText, type Json } from '#pkg/path/codec/wire/shape'
import { SERVER_ASKS, SERVER_NOTIFICATIONS } from './methods.ts'
import { errorOf, toolResultOf } from './refuse.ts'
import { requestOf } from './request.ts'
import { type Id, idKey, type McpRequest, type Rpc, rpcOf } from './rpc.ts'

/** One message of a server, with what has to be decided about it. */
export type Item = {
  readonly rpc: Rpc
  /** The method that it answers; null = it answers none that is known. */
  readonly method: string | null
  readonly calls: readonly string[]
}

/** One frame, or one whole answer: a message or, in the oldest revision, several. */
export type Note = { readonly items: readonly Item[]; readonly isBatch: boolean }

type Asked = { readonly method: string; readonly cursor: string | null }

/** Reads the messages of one answer: each of them answers what was asked, tells what is known, or asks what can be granted. */
export class ItemReader {
  readonly #request: McpRequest | null
  readonly #asked = new Map<string, Asked>()
  readonly #answered = new Set<string>()
  readonly #maxCalls: number
  #calls = 0

  constructor(view: RequestView, limits: Pick<Limits, 'callsPerAnswer'>) {
    this.#request = requestOf(view)
    this.#maxCalls = limits.callsPerAnswer
    for (const rpc of this.#request?.messages ?? []) {
      if (rpc.kind !== 'request') continue
      this.#asked.set(idKey(rpc.id), { method: rpc.method, cursor: asText(rpc.params?.['cursor']) })
    }
  }

  /** What a value holds; null where two readers could take it for two things, or nobody asked for it: a fault of the stream. */
  read(value: unknown, at: number, out: Message[]): Note | null {
    const isBatch = Array.isArray(value)
    if (isBatch && (value.length === 0 || this.#request?.stateless === true)) return null
    const items: Item[] = []
    for (const one of isBatch ? value : [value]) {
      const rpc = rpcOf(one)
      const item = rpc === null ? null : this.#item(rpc, at, out)
      if (item === null) return null
      items.push(item)
    }
    return { items, isBatch }
  }

  /** True once more was to be decided than one answer may hold. */
  get overflown(): boolean {
    return this.#calls > this.#maxCalls
  }

  #item(rpc: Rpc, at: number, out: Message[]): Item | null {
    if (rpc.kind === 'request') return this.#ask(rpc, at, out)
    if (rpc.kind === 'notification') {
      const known = SERVER_NOTIFICATIONS.has(rpc.method)
      return { rpc, method: null, calls: known ? [] : [this.#fault('WIRE_METHOD_UNKNOWN', at, out)] }
    }
    if (rpc.kind === 'error' && rpc.id === null) return { rpc, method: null, calls: [] }
    const asked = this.#answers(rpc.id)
    if (asked === null) return null
    return rpc.kind === 'error' ? { rpc, ...asked, calls: [] } : this.#result(rpc, asked, at, out)
  }

  /** What an id answers, once; null = nothing. The events of a session may answer what was asked before. */
  #answers(id: Id | null): { readonly method: string | null; readonly cursor: string | null } | null {
    if (this.#request === null) return { method: null, cursor: null }
    const key = id === null ? '' : idKey(id)
    const asked = this.#asked.get(key)
    if (asked === undefined || this.#answered.has(key)) return null
    this.#answered.add(key)
    return asked
  }

  #ask(rpc: Rpc & { kind: 'request' }, at: number, out: Message[]): Item | null {
    if (this.#request?.stateless === true)
      return { rpc, method: null, calls: [this.#fault('WIRE_METHOD_UNKNOWN', at, out)] }
    if (rpc.method === 'ping') return { rpc, method: null, calls: [] }
    return { rpc, method: null, calls: [this.#asks(rpc.method, at, out)] }
  }

  #asks(method: unknown, at: number, out: Message[]): string {
    const request = typeof method === 'string' ? SERVER_ASKS.get(method) : undefined
    if (request === undefined) return this.#fault('WIRE_METHOD_UNKNOWN', at, out)
    const call = this.#next()
    out.push({ kind: 'ask', at, call, request })
    return call
  }

  #result(
    rpc: Rpc & { kind: 'result' },
    asked: Omit<Asked, 'method'> & { method: string | null },
    at: number,
    out: Message[],
  ): Item {
    const { result } = rpc
    const calls: string[] = []
    for (const input of inputsOf(result)) calls.push(this.#asks(asObject(input)?.['method'], at, out))
    // an answer that comes again on the events of a session is known by its look alone
    const isList = asked.method === 'tools/list' || (asked.method === null && asArray(result['tools']) !== null)
    if (isList && !isInputRequired(result)) calls.push(this.#list(result, asked, at, out))
    return { rpc, method: asked.method, calls }
  }

  #list(result: Json, asked: { method: string | null; cursor: string | null }, at: number, out: Message[]): string {
    const page = pageOf(result, asked.cursor)
    if (page === null) return this.#fault('WIRE_UNKNOWN_SHAPE', at, out)
    const call = this.#next()
    out.push({ kind: 'list', at, call, page })
    return call
  }

  #fault(reason: 'WIRE_METHOD_UNKNOWN' | 'WIRE_UNKNOWN_SHAPE', at: number, out: Message[]): string {
    const call = this.#next()
    out.push({ kind: 'fault', at, scope: 'call', reason, call })
    return call
  }

  #next(): string {
    this.#calls += 1
    return `s${this.#calls}`
  }
}

/** Any other kind of result than these two is one that this dialect cannot read. */
function isInputRequired(result: Json): boolean {
  return result['resultType'] === 'input_required'
}

/** What a result asks of the client before it can be one; one entry that cannot be granted where it has no such list. */
function inputsOf(result: Json): readonly unknown[] {
  const inputs = result['inputRequests']
  if (inputs === undefined || inputs === null) {
    const type = result['resultType']
    return type === undefined || type === 'complete' || type === 'task' || isInputRequired(result) ? [] : [null]
  }
  const entries = Array.isArray(inputs) ? inputs : Object.values(asObject(inputs) ?? { none: null })
  return entries.slice(0, MAX_INPUTS + 1)
}

/** What one result may ask of a client; more is over the limit of an answer in any case. */
const MAX_INPUTS = 4_096

function pageOf(result: Json, cursor: string | null): ToolPage | null {
  const tools = []
  for (const entry of asArray(result['tools']) ?? [null]) {
    const value = asObject(entry)
    const name = asText(value?.['name'])
    if (value === null || name === null) return null
    tools.push({ name, value })
  }
  const next = result['nextCursor']
  if (next !== undefined && next !== null && typeof next !== 'string') return null
  return { tools, cursor, next: asText(next) }
}

/** What a client gets of a message after it was decided: as it came, another in its place, or nothing. */
export type Kept =
  | { readonly kind: 'same' }
  | { readonly kind: 'other'; readonly value: unknown }
  | { readonly kind: 'none' }

/** Carries out what was decided about one message. */
export function keptOf({ rpc, method, calls }: Item, decided: Decided, view: RequestView): Kept {
  const text = refusedText(calls, decided)
  if (text === null) return { kind: 'same' }
  if (rpc.kind !== 'result') return { kind: 'none' }
  const stateless = requestOf(view)?.stateless === true
  return {
    kind: 'other',
    value: method === 'tools/call' ? toolResultOf(rpc.id, text, stateless) : errorOf(rpc.id, text),
  }
}

/** The first refusal among these, or null. */
export function refusedText(calls: readonly string[], decided: Decided): string | null {
  const outcome = calls.map(decided.outcome).find((one: Outcome) => one.kind === 'refused')
  return outcome?.kind === 'refused' ? outcome.text : null
}
