import { type Endpoint, NO_HISTORY, type Reading, type RequestView, type Work } from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { asArray, asObject, asText, type Json, places, twinIn } from '#pkg/path/codec/wire/shape'
import { historyOf } from './history.ts'
import { toolsOf } from './tools.ts'

const MESSAGES: Endpoint = { name: 'messages', method: 'POST', path: '/v1/messages', kind: 'judged' }
const COUNT: Endpoint = { name: 'count_tokens', method: 'POST', path: '/v1/messages/count_tokens', kind: 'plain' }
const MODELS: Endpoint = { name: 'models', method: 'GET', path: '/v1/models', kind: 'plain' }
const MODEL_PATH = /^\/v1\/models\/([A-Za-z0-9._:@-]{1,128})$/

/** What a query may say: which of two forms of the API is meant, and the pages of a list. */
const QUERY =
  /^(?:\?(?:beta=true|(?:limit|after_id|before_id)=[A-Za-z0-9._:@-]{1,128})(?:&(?:beta=true|(?:limit|after_id|before_id)=[A-Za-z0-9._:@-]{1,128})){0,3})?$/

/** The endpoints that this dialect owns; all others are refused. WIRE.md rule 9. */
export function endpointOf(method: string, path: string, query: string): Endpoint | null {
  if (!QUERY.test(query)) return null
  for (const endpoint of [MESSAGES, COUNT, MODELS]) {
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
  const fault = shapeFault(value)
  return fault === null ? { ok: true, value: viewOf(endpoint, body, value) } : malformed(fault)
}

function bodiless(endpoint: Endpoint): RequestView {
  return {
    endpoint,
    provider: 'Anthropic',
    body: new Uint8Array(0),
    value: null,
    model: MODEL_PATH.exec(endpoint.path)?.[1] ?? null,
    modelless: endpoint.name === MODELS.name,
    stream: false,
    tools: [],
    hostedTools: [],
    structuredOutput: false,
    history: NO_HISTORY,
  }
}

const isListOfObjects = (value: unknown): boolean => asArray(value)?.every((item) => asObject(item) !== null) === true
const isAbsent = (value: unknown): boolean => value === undefined || value === null

/** What is read of a request. What else the provider reads, nothing here rests on. */
const TOOL = places({}, 'type', 'name', 'mcp_server_name', 'server_name')
const ADDED = places({ definition: TOOL }, ...TOOL.exact)
const BLOCK = places({ tool: ADDED }, 'type', 'id', 'name', 'toolset_name', 'input', 'tool_use_id', 'content')
const READ = places(
  {
    ...{ messages: places({ content: BLOCK }, 'role'), tools: TOOL, mcp_servers: places({}, 'name', 'url', 'type') },
    ...{ container: places({}, 'skills'), output_config: places({}, 'format') },
  },
  ...['model', 'stream', 'fallbacks', 'output_format'],
)

function shapeFault(value: Json): string | null {
  const twin = twinIn(value, READ)
  if (twin !== null) return `has "${twin}" in another spelling, which some readers take for it`
  if (asText(value['model']) === null) return 'has no "model", which must be a string'
  const stream = value['stream']
  if (!isAbsent(stream) && typeof stream !== 'boolean') return 'has a "stream" that is neither true nor false'
  const messages = asArray(value['messages'])
  if (messages === null || messages.length === 0) return 'has no "messages", which must be a list'
  for (const entry of messages) {
    const message = asObject(entry)
    if (message === null) return 'has a message that is not an object'
    const content = message['content']
    if (!isAbsent(content) && typeof content !== 'string' && !isListOfObjects(content))
      return 'has a message whose "content" is neither a string nor a list of objects'
  }
  for (const key of ['tools', 'mcp_servers']) {
    if (!isAbsent(value[key]) && !isListOfObjects(value[key])) return `has "${key}" that is no list of objects`
  }
  return toolFault(value)
}

/** A type that is no text would be sorted as a tool of the client. */
function toolFault(value: Json): string | null {
  for (const tool of asArray(value['tools']) ?? []) {
    const type = asObject(tool)?.['type']
    if (!isAbsent(type) && asText(type) === null) return 'has a tool whose "type" is not a string'
  }
  return null
}

function viewOf(endpoint: Endpoint, body: Uint8Array, value: Json): RequestView {
  const { tools, hosted } = toolsOf(value)
  return {
    endpoint,
    provider: 'Anthropic',
    body,
    value,
    model: asText(value['model']),
    modelless: false,
    stream: value['stream'] === true,
    tools,
    hostedTools: hosted,
    structuredOutput: !isAbsent(value['output_format']) || !isAbsent(asObject(value['output_config'])?.['format']),
    history: historyOf(value),
  }
}
