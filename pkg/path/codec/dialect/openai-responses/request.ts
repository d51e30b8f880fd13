import { type Endpoint, NO_HISTORY, type Reading, type RequestView, type Work } from '#pkg/model'
import { ELSEWHERE } from '#pkg/path/codec/dialect/openai-chat'
import { readBody } from '#pkg/path/codec/wire/json'
import { asArray, asObject, asText, type Json, type Places, places, twinIn } from '#pkg/path/codec/wire/shape'
import { asksForEvents } from './endpoints.ts'
import { historyOf } from './history.ts'
import { toolsOf } from './tools.ts'

const malformed = (detail: string): Reading<never> => ({ ok: false, reason: 'WIRE_REQUEST_MALFORMED', at: 0, detail })

/** Reads a request of an owned endpoint, strictly: what a lenient provider could read otherwise is refused. */
export function readRequest(
  endpoint: Endpoint,
  body: Uint8Array,
  work: Work,
): Reading<RequestView> | Promise<Reading<RequestView>> {
  if (endpoint.method !== 'POST') {
    return body.length > 0
      ? malformed(`has a body, which a ${endpoint.method} may not`)
      : { ok: true, value: bodiless(endpoint) }
  }
  const cancels = endpoint.name === 'responses.cancel'
  if (cancels && body.length === 0) return { ok: true, value: bodiless(endpoint) }
  const bounds = { depth: work.limits.jsonDepth, bytes: work.limits.requestBytes }
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'envelope' }, (parsed) => readParsed(endpoint, body, parsed))
}

function readParsed(endpoint: Endpoint, body: Uint8Array, parsed: Reading<unknown>): Reading<RequestView> {
  if (!parsed.ok) return { ok: false, reason: parsed.reason, at: parsed.at, detail: parsed.detail }
  const value = asObject(parsed.value)
  if (value === null) return malformed('is not a JSON object')
  if (endpoint.name === 'responses.cancel') {
    return Object.keys(value).length === 0
      ? { ok: true, value: bodiless(endpoint) }
      : malformed('has members in its body, which a cancel may not')
  }
  const fault = shapeFault(value)
  return fault === null ? { ok: true, value: viewOf(endpoint, body, value) } : malformed(fault)
}

function bodiless(endpoint: Endpoint): RequestView {
  return {
    endpoint,
    provider: 'OpenAI',
    body: new Uint8Array(0),
    value: null,
    model: null,
    modelless: true,
    stream: endpoint.name === 'responses.retrieve' && asksForEvents(endpoint.query ?? ''),
    tools: [],
    hostedTools: [],
    structuredOutput: false,
    history: NO_HISTORY,
  }
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null

/** What is read of a request. What else the provider reads, nothing here rests on. */
const IN_TOOL: Record<string, Places> = { environment: places({}, 'type') }
const TOOL = places(
  IN_TOOL,
  ...['type', 'name', 'tools', 'server_url', 'connector_id', 'tunnel_id', 'require_approval', 'execution'],
)
IN_TOOL['tools'] = TOOL // a namespace has tools of its own
const ITEM = places(
  { tools: TOOL, content: places({}, 'type') },
  ...['type', 'role', 'id', 'call_id', 'name', 'namespace', 'arguments', 'input', 'action', 'operation', 'output'],
)
const READ = places(
  { input: ITEM, tools: TOOL, conversation: places({}, 'id') },
  ...['model', 'stream', 'store', 'background', 'previous_response_id', 'prompt', 'text', ...ELSEWHERE],
)

function shapeFault(value: Json): string | null {
  const twin = twinIn(value, READ)
  if (twin !== null) return `has "${twin}" in another spelling, which some readers take for it`
  if (!isAbsent(value['model']) && asText(value['model']) === null) return 'has a "model" that is not a string'
  for (const key of ['stream', 'store', 'background']) {
    if (!isAbsent(value[key]) && typeof value[key] !== 'boolean') return `has a "${key}" that is neither true nor false`
  }
  const { input, conversation, previous_response_id: previous } = value
  if (!isAbsent(input) && typeof input !== 'string' && !isListOfObjects(input)) {
    return 'has an "input" that is neither a text nor a list of objects'
  }
  if (!isAbsent(previous) && asText(previous) === null) return 'has a "previous_response_id" that is not a string'
  if (!isAbsent(conversation) && asText(conversation) === null && asText(asObject(conversation)?.['id']) === null) {
    return 'has a "conversation" that is neither an id nor an object with one'
  }
  return isAbsent(value['tools']) || toolsAreObjects(value['tools']) ? null : 'has "tools" that is no list of objects'
}

function isListOfObjects(value: unknown): boolean {
  return asArray(value)?.every((entry) => asObject(entry) !== null) === true
}

/** Also inside a namespace. */
function toolsAreObjects(value: unknown): boolean {
  return (
    isListOfObjects(value) &&
    (asArray(value) ?? []).every((tool) => {
      const inner = asObject(tool)?.['tools']
      return isAbsent(inner) || toolsAreObjects(inner)
    })
  )
}

function viewOf(endpoint: Endpoint, body: Uint8Array, value: Json): RequestView {
  const { tools, hosted } = toolsOf(value)
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
    structuredOutput: hasFormat(value),
    history: historyOf(value, tools),
  }
}

/** The last format that the request asks for: items of the input may change it. */
function hasFormat(value: Json): boolean {
  const updates = (asArray(value['input']) ?? [])
    .map(asObject)
    .filter((item) => item?.['type'] === 'configuration_update')
  const formats = [value, ...updates].map((place) => asText(asObject(asObject(place?.['text'])?.['format'])?.['type']))
  const format = formats.filter((type) => type !== null).at(-1)
  return format !== undefined && format !== 'text'
}
