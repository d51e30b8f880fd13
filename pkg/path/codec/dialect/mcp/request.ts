import {
  type Endpoint,
  type Headers,
  NO_HISTORY,
  type Reading,
  type Reason,
  type RequestView,
  type Work,
} from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { actsOf } from './acts.ts'
import { disagreement, readHeaders, type Said } from './headers.ts'
import { BATCH_REVISION, STATELESS_REVISIONS } from './methods.ts'
import { voiceOf } from './refuse.ts'
import { type Id, idKey, type McpRequest, type Rpc, rpcOf } from './rpc.ts'

type Refused = Reading<never> & { ok: false }

const no = (reason: Reason, detail: string): Refused => ({ ok: false, reason, at: 0, detail })
const malformed = (detail: string): Refused => no('WIRE_REQUEST_MALFORMED', detail)

/** What was read of a request; null = it has no body, and asks for the events of its session. */
export function requestOf(view: RequestView): McpRequest | null {
  return (view.value?.['mcp'] as McpRequest | undefined) ?? null // put there below, and nowhere else
}

/** Reads one body and its headers, strictly. */
export function readRequest(
  endpoint: Endpoint,
  body: Uint8Array,
  work: Work,
  headers: Headers = {},
): Reading<RequestView> | Promise<Reading<RequestView>> {
  const said = readHeaders(headers)
  if (typeof said === 'string') return no('WIRE_HEADER_DISAGREES', said)
  if (endpoint.method !== 'POST') return bodiless(endpoint, body, said)
  const bounds = { depth: work.limits.jsonDepth, bytes: work.limits.requestBytes }
  const read = (parsed: Reading<unknown>): Reading<RequestView> =>
    parsed.ok
      ? readMessages({ endpoint, body, headers, said, value: parsed.value }, work.limits.callsPerAnswer)
      : parsed
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'envelope' }, read)
}

function bodiless(endpoint: Endpoint, body: Uint8Array, said: Said): Reading<RequestView> {
  if (body.length > 0) return malformed(`has a body, which a ${endpoint.method} may not`)
  if (said.revision !== null && STATELESS_REVISIONS.has(said.revision))
    return malformed(`is a ${endpoint.method}, which its protocol revision has not`)
  if (endpoint.method === 'DELETE' && said.session === null) return malformed('ends no session that it names')
  const nothing = { body: new Uint8Array(0), value: null, stream: endpoint.method === 'GET' }
  return { ok: true, value: { ...viewOf(endpoint, said, nothing), endless: endpoint.method === 'GET' } }
}

type Given = {
  readonly endpoint: Endpoint
  readonly body: Uint8Array
  readonly headers: Headers
  readonly said: Said
  readonly value: unknown
}

function readMessages(given: Given, maxMessages: number): Reading<RequestView> {
  const { value, said, headers, body } = given
  const isBatch = Array.isArray(value)
  const revision = said.revision ?? BATCH_REVISION
  if (isBatch && revision !== BATCH_REVISION)
    return malformed('holds several messages, which its protocol revision has not')
  const items: readonly unknown[] = isBatch ? value : [value]
  if (items.length === 0 || items.length > maxMessages)
    return malformed(`holds no message, or more than ${maxMessages}`)
  const messages: Rpc[] = []
  for (const item of items) {
    const rpc = rpcOf(item)
    if (rpc === null) return malformed('holds something that is not one JSON-RPC 2.0 message')
    messages.push(rpc)
  }
  const ids = idsOf(messages)
  if (ids === null) return malformed('asks twice under one id')
  const stateless = STATELESS_REVISIONS.has(revision)
  for (const rpc of messages) {
    const fault = disagreement(headers, said, rpc, stateless)
    if (fault !== null) return no('WIRE_HEADER_DISAGREES', fault)
  }
  const request: McpRequest = { messages, isBatch, stateless }
  const acts = actsOf(request, body)
  if (typeof acts === 'string') return malformed(acts)
  // a body without a request gets no answer that anybody reads
  const endpoint: Endpoint = ids.length === 0 ? { ...given.endpoint, kind: 'empty' } : given.endpoint
  const view = viewOf(endpoint, said, { body, value: { mcp: request }, stream: false })
  const endless = messages.some((rpc) => rpc.kind === 'request' && rpc.method === 'subscriptions/listen')
  return { ok: true, value: { ...view, acts, voice: voiceOf(ids), endless } }
}

function idsOf(messages: readonly Rpc[]): readonly Id[] | null {
  const ids = messages.flatMap((rpc) => (rpc.kind === 'request' ? [rpc.id] : []))
  return new Set(ids.map(idKey)).size === ids.length ? ids : null
}

type Whole = Pick<RequestView, 'body' | 'value' | 'stream'>

function viewOf(endpoint: Endpoint, said: Said, whole: Whole): RequestView {
  return {
    endpoint,
    provider: null,
    ...whole,
    model: null,
    modelless: true,
    tools: [],
    hostedTools: [],
    structuredOutput: false,
    history: NO_HISTORY,
    session: said.session,
  }
}
