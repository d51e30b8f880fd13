import {
  type Dialect,
  type Endpoint,
  type Message,
  NO_HISTORY,
  type Reading,
  type Reason,
  type RequestActs,
  type RequestView,
  type Said,
  type Work,
} from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { rpcOf } from '#pkg/path/codec/wire/jsonrpc'
import { asObject, type Json } from '#pkg/path/codec/wire/shape'
import type { A2aRequest } from './asked.ts'
import { queryOf, type Route, routeOf, type Site } from './endpoint.ts'
import { facadeOf, versionIn } from './headers.ts'
import { Doubt } from './members.ts'
import { METHODS, type Version } from './methods.ts'
import { type Asked, askedBy } from './params.ts'
import { jsonOf, refusalOf, voiceOf } from './refuse.ts'

type Refused = Reading<never> & { ok: false }

const no = (reason: Reason, detail: string): Refused => ({ ok: false, reason, at: 0, detail })
const malformed = (detail: string): Refused => no('WIRE_REQUEST_MALFORMED', detail)

/** What stands before the body, read. */
type Given = {
  readonly endpoint: Endpoint
  readonly route: Route
  readonly version: Version | null
  readonly address: string
  readonly body: Uint8Array
}

/** Reads one request of either version and binding, strictly. */
export function readerAt(site: Site): Dialect['readRequest'] {
  return (endpoint, body, work, headers = {}) => {
    const said = versionIn(headers)
    if (typeof said === 'string') return no('WIRE_HEADER_DISAGREES', said)
    const named = site.placeIn(endpoint.path)
    const route = named === null ? null : routeOf(endpoint.method, named.rest)
    if (named === null || route === null) return no('WIRE_ENDPOINT_UNKNOWN', 'names a path that the protocol has not')
    if (route.version !== null && said.version !== null && route.version !== said.version)
      return no('WIRE_HEADER_DISAGREES', 'names one version of the protocol in a header, another in its path')
    const address = `${facadeOf(headers)}${site.base}${named.place}`
    return readAt({ endpoint, route, version: said.version, address, body }, work)
  }
}

function readAt(given: Given, work: Work): Reading<RequestView> | Promise<Reading<RequestView>> {
  const { endpoint, route, body } = given
  if (endpoint.method !== 'POST' && body.length > 0) return malformed(`has a body, which a ${endpoint.method} may not`)
  if (body.length === 0 && route.binding === 'http') return readParams(given, queryParams(endpoint, route), null)
  const bounds = { depth: work.limits.jsonDepth, bytes: work.limits.requestBytes }
  const read = (parsed: Reading<unknown>): Reading<RequestView> => {
    if (!parsed.ok) return parsed
    if (route.binding === 'jsonrpc') return readRpc(given, parsed.value)
    const params = asObject(parsed.value)
    return params === null ? malformed('has a body that is no object') : readParams(given, params, params)
  }
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'envelope' }, read)
}

const queryParams = (endpoint: Endpoint, { operation }: Route): Json =>
  Object.fromEntries(queryOf(operation, endpoint.query ?? '') ?? [])

/** One message of JSON-RPC; the protocol has no batches, and nothing but requests. */
function readRpc(given: Given, value: unknown): Reading<RequestView> {
  const rpc = rpcOf(value)
  if (rpc?.kind !== 'request') return malformed('holds something that is not one JSON-RPC 2.0 request')
  const method = METHODS.get(rpc.method)
  if (method !== undefined && given.version !== null && given.version !== method.version)
    return no('WIRE_HEADER_DISAGREES', 'names one version of the protocol in a header, a method of another in its body')
  const version = method?.version ?? given.version ?? '0.3'
  const request = requestWith(given, { version, operation: method?.operation ?? null, id: rpc.id })
  if (method === undefined) return seen(given, request, { value: rpc.value, asked: NOTHING, unknown: true })
  return doubting(() => {
    const asked = askedBy(method.operation, version, rpc.params ?? {}, null)
    return seen(given, request, { value: rpc.value, asked, unknown: false })
  })
}

/** The params of the HTTP binding: its body, or its query. */
function readParams(given: Given, params: Json, value: Json | null): Reading<RequestView> {
  const { operation, version = null, task, tenant } = given.route
  if (operation === null) return malformed('has no body')
  const request = requestWith(given, { version: version ?? given.version ?? '0.3', operation, id: null })
  if (operation === 'card') return seen(given, request, { value: null, asked: NOTHING, unknown: false })
  return doubting(() => {
    const asked = askedBy(operation, request.version, params, task)
    if (tenant !== null && asked.tenant !== null && asked.tenant !== tenant)
      return no('WIRE_HEADER_DISAGREES', 'names one tenant in its path, another in its body')
    return seen(given, request, { value, asked, unknown: false })
  })
}

function doubting(read: () => Reading<RequestView>): Reading<RequestView> {
  try {
    return read()
  } catch (error) {
    if (error instanceof Doubt) return malformed(error.message)
    throw error
  }
}

const NOTHING: Asked = { said: null, tasks: [], contexts: [], tenant: null }

function requestWith(given: Given, more: Pick<A2aRequest, 'version' | 'operation' | 'id'>): A2aRequest {
  return { binding: given.route.binding, address: given.address, live: { task: null, context: null }, ...more }
}

type Seen = { readonly value: Json | null; readonly asked: Asked; readonly unknown: boolean }

function seen(given: Given, request: A2aRequest, { value, asked, unknown }: Seen): Reading<RequestView> {
  const streams = request.operation === 'stream' || request.operation === 'subscribe'
  const view: RequestView = {
    endpoint: given.endpoint,
    provider: null,
    body: given.body,
    value,
    model: null,
    modelless: true,
    stream: streams,
    tools: [],
    hostedTools: [],
    structuredOutput: false,
    history: NO_HISTORY,
    acts: actsOf(request, asked.said, unknown),
    voice: voiceOf(request),
    errorStatus: errorStatusOf(request),
    endless: request.operation === 'subscribe',
    goesOnWith: { tasks: asked.tasks, contexts: asked.contexts },
    own: request,
  }
  return { ok: true, value: view }
}

/** An error of JSON-RPC is an answer like any other; of one with another status the Python SDK tells nothing. */
function errorStatusOf({ binding }: A2aRequest): number {
  return binding === 'jsonrpc' ? 200 : 403
}

const CALL = 'r0'

/** What the request itself does: it says something, or asks for what no version has. */
function actsOf(request: A2aRequest, said: Said | null, unknown: boolean): RequestActs {
  const messages: Message[] = []
  if (said !== null) messages.push({ kind: 'said', at: 0, call: CALL, said })
  if (unknown) messages.push({ kind: 'fault', at: 0, scope: 'call', reason: 'WIRE_METHOD_UNKNOWN', call: CALL })
  return {
    messages,
    refusal: (decided) => {
      const outcome = messages.length === 0 ? null : decided.outcome(CALL)
      if (outcome?.kind !== 'refused') return null
      return { status: errorStatusOf(request), body: jsonOf(refusalOf(request, outcome.text)) }
    },
  }
}
