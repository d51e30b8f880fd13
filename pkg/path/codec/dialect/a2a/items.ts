import type { AgentCard, Decided, Message, RequestView, Said } from '#pkg/model'
import { rpcOf } from '#pkg/path/codec/wire/jsonrpc'
import { asArray, asObject, type Json } from '#pkg/path/codec/wire/shape'
import { type A2aRequest, requestOf } from './asked.ts'
import { checkCard } from './card.ts'
import { Doubt, known, listOf, objectOf } from './members.ts'
import type { Operation } from './methods.ts'
import { saidByArtifact, saidByMessage, saidByStatus, saidByTask } from './said.ts'

/** One answer of a peer, or one event of a stream of them, with what has to be decided about it. */
export type Note = {
  /** Without the envelope of its binding. */
  readonly result: unknown
  readonly calls: readonly string[]
  /** What a refusal of it leaves: a task that is rejected, a list without some of its tasks, or an error. */
  readonly leaves: 'task' | 'list' | 'error'
  /** Of a list: the call of each of its tasks; null = a task that is not this agent's, which is left out. */
  readonly listed?: readonly (string | null)[]
  /** True for a card that was read: before it leaves, its addresses become the facade's. */
  readonly isCard?: boolean
}

const PAYLOAD = known('task', 'message', 'msg', 'statusUpdate', 'artifactUpdate', 'kind')
const LIST = known('tasks', 'nextPageToken', 'pageSize', 'totalSize')

/** Reads answers by what was asked. */
export class ItemReader {
  readonly #request: A2aRequest
  readonly #maxListed: number
  readonly #owns: (task: string) => boolean
  #calls = 0

  constructor(view: RequestView, limits: { readonly callsPerAnswer: number }) {
    this.#owns = view.peer?.owns ?? (() => false)
    this.#request = requestOf(view)
    this.#maxListed = limits.callsPerAnswer
  }

  /** What a value holds; null where it is no answer to what was asked: a fault of the stream. */
  read(value: unknown, at: number, out: Message[]): Note | null {
    const opened = this.#open(value)
    if (opened === null) return null
    if (opened.error) return { result: null, calls: [], leaves: 'error' }
    try {
      return this.#result(opened.result, at, out)
    } catch (error) {
      if (!(error instanceof Doubt)) throw error
      const call = this.#next()
      out.push({ kind: 'fault', at, scope: 'call', reason: 'WIRE_UNKNOWN_SHAPE', call })
      return { result: opened.result, calls: [call], leaves: 'error' }
    }
  }

  /** Takes a result out of its envelope. */
  #open(value: unknown): { readonly error: true } | { readonly error: false; readonly result: unknown } | null {
    const { binding, id, operation } = this.#request
    if (binding === 'http') return isError(value, operation) ? { error: true } : { error: false, result: value }
    const rpc = rpcOf(value, (result) => ({ result }))
    if (rpc === null || rpc.kind === 'request' || rpc.kind === 'notification') return null
    // a server that could not read the request does not know its id
    if (rpc.id !== id && !(rpc.kind === 'error' && rpc.id === null)) return null
    return rpc.kind === 'error' ? { error: true } : { error: false, result: rpc.result }
  }

  #result(result: unknown, at: number, out: Message[]): Note {
    const { operation } = this.#request
    switch (operation) {
      case 'send':
      case 'stream':
      case 'subscribe': {
        const said = this.#payload(result)
        return { result, calls: [this.#say(said, at, out)], leaves: said.about === 'task' ? 'task' : 'error' }
      }
      case 'get':
      case 'cancel':
        return { result, calls: [this.#say(saidByTask(result), at, out)], leaves: 'task' }
      case 'list':
        return this.#list(result, at, out)
      case 'card':
      case 'extended-card':
        return { result, calls: [this.#card(result, at, out)], leaves: 'error', isCard: true }
      default:
        return { result, calls: [], leaves: 'error' } // a setting, or nothing
    }
  }

  /** The one thing that a result says: by its kind, or by the member that wraps it. */
  #payload(result: unknown): Said {
    const object = objectOf(result, PAYLOAD, 'a result')
    const wraps = [...PAYLOAD.exact].filter((name) => name !== 'kind' && (object[name] ?? null) !== null)
    // a 0.3 status update has no such member, and of the others none has a kind
    const kind = object['kind'] ?? null
    if (kind !== null && wraps.length === 0) return this.#byKind(kind, object)
    const [wrap] = wraps
    if (kind !== null || wrap === undefined || wraps.length > 1) throw new Doubt('says nothing, or several things')
    const inner = object[wrap]
    if (wrap === 'task') return saidByTask(inner)
    if (wrap === 'message' || wrap === 'msg') return saidByMessage(inner)
    return wrap.startsWith('status') ? saidByStatus(inner) : saidByArtifact(inner)
  }

  #byKind(kind: unknown, object: Json): Said {
    switch (kind) {
      case 'task':
        return saidByTask(object)
      case 'message':
        return saidByMessage(object)
      case 'status-update':
        return saidByStatus(object)
      case 'artifact-update':
        return saidByArtifact(object)
      default:
        throw new Doubt('has a kind that the protocol has not')
    }
  }

  #say(said: Said, at: number, out: Message[]): string {
    const { live } = this.#request
    live.task = said.task ?? live.task
    live.context = said.context ?? live.context
    const call = this.#next()
    out.push({ kind: 'said', at, call, said })
    return call
  }

  #list(result: unknown, at: number, out: Message[]): Note {
    const tasks = listOf(objectOf(result, LIST, 'a list of tasks'), 'tasks')
    if (tasks.length > this.#maxListed) throw new Doubt('lists more tasks than the limit of one answer')
    const all = tasks.map(saidByTask)
    const listed = all.map((said) => {
      if (said.task === null || !this.#owns(said.task)) return null
      const call = this.#next()
      out.push({ kind: 'said', at, call, said })
      return call
    })
    return { result, calls: listed.filter((call) => call !== null), leaves: 'list', listed }
  }

  #card(result: unknown, at: number, out: Message[]): string {
    const { operation, version } = this.#request
    const kind: AgentCard['kind'] = operation === 'extended-card' ? 'extended' : 'public'
    const value = checkCard(result)
    const call = this.#next()
    out.push({ kind: 'card', at, call, card: { value, kind, version } })
    return call
  }

  #next(): string {
    this.#calls += 1
    return `s${this.#calls}`
  }
}

const OPERATIONS_WITH_CODE: ReadonlySet<Operation | null> = new Set(['card', 'extended-card'])

/** An error of the HTTP binding, which holds nothing that a client could take for a result. */
function isError(value: unknown, operation: Operation | null): boolean {
  const object = asObject(value)
  if (object === null) return false
  const only = (...names: readonly string[]): boolean => Object.keys(object).every((key) => names.includes(key))
  if (asObject(object['error']) !== null || typeof object['error'] === 'string') return only('error')
  const plain = typeof object['code'] === 'number' && typeof object['message'] === 'string'
  return plain && !OPERATIONS_WITH_CODE.has(operation) && only('code', 'message', 'data')
}

/** A list without the tasks that were refused or are not this agent's; the same where there is none. */
export function listWithout({ result, listed = [] }: Note, decided: Decided): unknown {
  const keeps = listed.map((call) => call !== null && decided.outcome(call).kind === 'released')
  if (keeps.every((kept) => kept)) return result
  const object = asObject(result) ?? {}
  const kept = (asArray(object['tasks']) ?? []).filter((_, position) => keeps[position])
  const [key, total] = Object.entries(object).find(([name]) => name === 'totalSize' || name === 'total_size') ?? ['', 0]
  const size = typeof total === 'number' ? Math.max(kept.length, total - (keeps.length - kept.length)) : total
  return { ...object, tasks: kept, ...(key === '' ? {} : { [key]: size }) }
}

/** The first refusal among these, or null. */
export function refusedText(calls: readonly string[], decided: Decided): string | null {
  for (const call of calls) {
    const outcome = decided.outcome(call)
    if (outcome.kind === 'refused') return outcome.text
  }
  return null
}
