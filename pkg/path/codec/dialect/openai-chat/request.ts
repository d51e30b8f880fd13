import {
  type Endpoint,
  type History,
  type HistoryCall,
  type HistoryContent,
  NO_HISTORY,
  type Reading,
  type RequestView,
  type Work,
} from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { asArray, asObject, asText, type Json, placedContent, places, twinIn } from '#pkg/path/codec/wire/shape'
import { ELSEWHERE, toolsOf } from './shape.ts'

const CHAT: Endpoint = { name: 'chat.completions', method: 'POST', path: '/chat/completions', kind: 'judged' }
const EMBEDDINGS: Endpoint = { name: 'embeddings', method: 'POST', path: '/embeddings', kind: 'plain' }
const MODELS: Endpoint = { name: 'models', method: 'GET', path: '/models', kind: 'plain' }
const MODEL_PATH = /^\/models\/[A-Za-z0-9._:@-]{1,128}$/

/** Some gateways take the model, or its key, from the query: only a version is asked for there. */
const QUERY = /^(?:\?(?:api-version=[A-Za-z0-9.-]{1,32})?)?$/

/** The endpoints that this dialect owns; all others are refused. WIRE.md rule 9, §2 last line of the table's text. */
export function endpointOf(method: string, path: string, query: string): Endpoint | null {
  if (!QUERY.test(query)) return null
  for (const endpoint of [CHAT, EMBEDDINGS, MODELS]) {
    if (endpoint.method === method && endpoint.path === path) return endpoint
  }
  return method === 'GET' && MODEL_PATH.test(path) ? { ...MODELS, name: 'model', path } : null
}

const malformed = (detail: string): Reading<never> => ({ ok: false, reason: 'WIRE_REQUEST_MALFORMED', at: 0, detail })

/** Reads a request of an owned endpoint, strictly: what a lenient provider could read otherwise is refused. */
export function readRequest(
  endpoint: Endpoint,
  body: Uint8Array,
  work: Work,
): Reading<RequestView> | Promise<Reading<RequestView>> {
  if (endpoint.method === 'GET') {
    return body.length > 0 ? malformed('has a body, which a GET may not') : { ok: true, value: bodiless(endpoint) }
  }
  const bounds = { depth: work.limits.jsonDepth, bytes: work.limits.requestBytes }
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'envelope' }, (parsed) => readParsed(endpoint, body, parsed))
}

function readParsed(endpoint: Endpoint, body: Uint8Array, parsed: Reading<unknown>): Reading<RequestView> {
  if (!parsed.ok) return { ok: false, reason: parsed.reason, at: parsed.at, detail: parsed.detail }
  const value = asObject(parsed.value)
  if (value === null) return malformed('is not a JSON object')
  const fault = shapeFault(endpoint, value)
  return fault === null ? { ok: true, value: viewOf(endpoint, body, value) } : malformed(fault)
}

function bodiless(endpoint: Endpoint): RequestView {
  return {
    endpoint,
    provider: 'OpenAI',
    body: new Uint8Array(0),
    value: null,
    model: endpoint.name === 'model' ? endpoint.path.slice('/models/'.length) : null,
    modelless: endpoint.name === MODELS.name,
    stream: false,
    tools: [],
    hostedTools: [],
    structuredOutput: false,
    history: NO_HISTORY,
  }
}

/** What is read of a request. What else a provider reads, nothing here rests on. */
const FUNCTION = places({}, 'name', 'arguments', 'input')
const CALL = places({ function: FUNCTION, custom: FUNCTION }, 'id', 'type')
const MESSAGE = places({ tool_calls: CALL, function_call: FUNCTION }, 'role', 'content', 'tool_call_id')
const TOOL = places({ function: FUNCTION, custom: FUNCTION }, 'type', 'server_url', 'require_approval')
const READ = places(
  { messages: MESSAGE, tools: TOOL, functions: FUNCTION, response_format: places({}, 'type') },
  ...['model', 'stream', 'n', 'web_search_options', ...ELSEWHERE],
)

function shapeFault(endpoint: Endpoint, value: Json): string | null {
  const twin = twinIn(value, READ)
  if (twin !== null) return `has "${twin}" in another spelling, which some readers take for it`
  if (asText(value['model']) === null) return 'has no "model", which must be a string'
  const stream = value['stream']
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    return 'has a "stream" that is neither true nor false'
  }
  if (endpoint.name !== CHAT.name) return null
  const messages = asArray(value['messages'])
  if (messages === null || messages.length === 0) return 'has no "messages", which must be a list'
  if (messages.some((message) => asObject(message) === null)) return 'has a message that is not an object'
  for (const key of ['tools', 'functions']) {
    const list = value[key]
    if (list === undefined || list === null) continue
    if (asArray(list)?.every((tool) => asObject(tool) !== null) !== true)
      return `has "${key}" that is no list of objects`
  }
  return null
}

function viewOf(endpoint: Endpoint, body: Uint8Array, value: Json): RequestView {
  const { tools, hosted } = toolsOf(value)
  const format = asText(asObject(value['response_format'])?.['type'])
  return {
    endpoint,
    provider: 'OpenAI',
    body,
    value,
    model: asText(value['model']),
    modelless: false,
    stream: value['stream'] === true,
    tools,
    hostedTools: hosted,
    structuredOutput: format !== null && format !== 'text',
    history: historyOf(value),
  }
}

function historyOf(value: Json): History {
  const calls: HistoryCall[] = []
  const results: HistoryContent[] = []
  const documents: HistoryContent[] = []
  for (const [place, entry] of (asArray(value['messages']) ?? []).entries()) {
    const message = asObject(entry)
    if (message === null) continue
    for (const item of asArray(message['tool_calls']) ?? []) pushCall(asObject(item), calls)
    const legacy = asObject(message['function_call'])
    if (legacy !== null) pushCall({ function: legacy }, calls)
    const member = `messages[${place}]`
    if (message['role'] === 'tool' || message['role'] === 'function') {
      results.push(placedContent(message, member, { id: asText(message['tool_call_id']), names: ['content'] }))
      continue
    }
    for (const [at, part] of (asArray(message['content']) ?? []).entries()) {
      if (!isText(part)) documents.push(placedContent(part, `${member}.content[${at}]`))
    }
  }
  return { calls, results, documents }
}

function pushCall(call: Json | null, calls: HistoryCall[]): void {
  const id = asText(call?.['id'])
  for (const [key, member, form] of CALL_FORMS) {
    const inner = asObject(call?.[key])
    const name = asText(inner?.['name'])
    if (inner !== null && name !== null) calls.push({ id, name, form, arguments: inner[member] })
  }
}

const CALL_FORMS = [
  ['function', 'arguments', 'json'],
  ['custom', 'input', 'text'],
] as const

/** What people and models write; all else in a message came from somewhere. */
function isText(part: unknown): boolean {
  const type = asText(asObject(part)?.['type'])
  return typeof part === 'string' || type === 'text' || type === 'refusal' || type === 'thinking'
}
