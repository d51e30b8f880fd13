import type { Decided, Message, RequestActs } from '#pkg/model'
import { valueSpan } from '#pkg/path/codec/wire/json'
import { CLIENT_NOTIFICATIONS, CLIENT_REQUESTS } from './methods.ts'
import { errorOf, toolResultOf } from './refuse.ts'
import { hasTwin, type McpRequest, type Rpc } from './rpc.ts'

const encoder = new TextEncoder()

const CALL_MEMBERS = new Set(['name', 'arguments', '_meta', 'task', 'inputResponses', 'requestState'])

const keyOf = (position: number): string => `r${position}`

/** What the messages of one body do; a text says what is wrong with them. */
export function actsOf(request: McpRequest, body: Uint8Array): RequestActs | string {
  const out: Message[] = []
  let text: string | null = null
  for (const [position, rpc] of request.messages.entries()) {
    if (rpc.kind === 'request' && rpc.method === 'tools/call') {
      text ??= Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
      const fault = pushCall(rpc, text, request.isBatch ? [position] : [], out)
      if (fault !== null) return fault
    } else if (!isKnown(rpc, request.stateless)) {
      out.push({ kind: 'fault', at: 0, scope: 'call', reason: 'WIRE_METHOD_UNKNOWN', call: keyOf(position) })
    }
  }
  return { messages: out, refusal: (decided) => refusalOf(request, new Set(callsOf(out)), decided) }
}

function isKnown(rpc: Rpc, stateless: boolean): boolean {
  if (rpc.kind === 'request') return CLIENT_REQUESTS[stateless ? 'stateless' : 'session'].has(rpc.method)
  return rpc.kind !== 'notification' || CLIENT_NOTIFICATIONS.has(rpc.method)
}

type Call = Rpc & { kind: 'request' }

/** The call of a tool, its arguments as they were written. */
function pushCall(rpc: Call, text: string, path: readonly number[], out: Message[]): string | null {
  const { params } = rpc
  if (params === null || typeof params['name'] !== 'string') return 'calls a tool without its name'
  if (hasTwin(params, CALL_MEMBERS))
    return 'has a member that some reader takes for the name or the arguments of its call'
  const call = keyOf(path[0] ?? 0)
  const given = params['arguments']
  const span = given === undefined ? null : valueSpan(text, [...path, 'params', 'arguments'])
  const written = span === null ? '{}' : text.slice(span.start, span.end)
  out.push({ kind: 'call-open', at: 0, call, name: params['name'], form: 'json' })
  out.push({ kind: 'call-delta', at: 0, call, text: written })
  out.push({ kind: 'call-close', at: 0, call, cause: 'own' })
  return null
}

function callsOf(messages: readonly Message[]): readonly string[] {
  return messages.flatMap((message) => ('call' in message && message.call !== null ? [message.call] : []))
}

const BESIDE = 'was not carried out, since another message of the same body was refused'

/**
 * One refusal holds back the whole body, since a server could not be sent a part of it byte for byte. Each request is
 * answered: with its refusal, or with the word that it was not carried out. A body without requests gets a 403.
 */
function refusalOf(
  request: McpRequest,
  judged: ReadonlySet<string>,
  decided: Decided,
): ReturnType<RequestActs['refusal']> {
  const outcomes = request.messages.map((_, position) => {
    const key = keyOf(position)
    return judged.has(key) ? decided.outcome(key) : ({ kind: 'released' } as const)
  })
  const first = outcomes.find((outcome) => outcome.kind === 'refused')
  if (first?.kind !== 'refused') return null
  const answers: unknown[] = []
  for (const [position, rpc] of request.messages.entries()) {
    if (rpc.kind !== 'request') continue
    const outcome = outcomes[position]
    if (outcome?.kind !== 'refused') answers.push(errorOf(rpc.id, `sallyport: CHECK_FAILED: the request ${BESIDE}`))
    else if (rpc.method === 'tools/call') answers.push(toolResultOf(rpc.id, outcome.text, request.stateless))
    else answers.push(errorOf(rpc.id, outcome.text))
  }
  if (answers.length === 0) return { status: 403, body: jsonOf(errorOf(null, first.text)) }
  return { status: 200, body: jsonOf(request.isBatch ? answers : answers[0]) }
}

const jsonOf = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))
