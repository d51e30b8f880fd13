import {
  badRequest,
  type Fault,
  firstFault,
  firstFaultIn,
  isObject,
  type JsonObject,
  modelNotFound,
  unsupportedValue,
  wrongType,
} from './faults.ts'
import { messagesFault, nameFault } from './messages.ts'
import type { Model } from './models.ts'

/** What the simulator needs of a chat request that passed validation. */
export type ChatRequest = {
  readonly model: Model
  readonly messages: readonly JsonObject[]
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly includeObfuscation: boolean
  readonly choices: number
  /** Names of the declared function tools; empty if `tool_choice` is `none`. */
  readonly callable: readonly string[]
  /** Calls beyond the first are dropped if false. */
  readonly parallel: boolean
  readonly maxTokens: number
}

/** A valid request, or the provider's error. */
export type ChatReading =
  | { readonly ok: true; readonly request: ChatRequest }
  | { readonly ok: false; readonly fault: Fault }

type Kind = 'string' | 'boolean' | 'number' | 'integer' | 'object' | 'array' | 'any'

/** Every parameter of `POST /v1/chat/completions` and its JSON type; null is "not given" for each but the first two. */
const PARAMETERS: Readonly<Record<string, Kind>> = {
  model: 'string',
  messages: 'array',
  audio: 'object',
  frequency_penalty: 'number',
  function_call: 'any',
  functions: 'array',
  logit_bias: 'object',
  logprobs: 'boolean',
  max_completion_tokens: 'integer',
  max_tokens: 'integer',
  metadata: 'object',
  modalities: 'array',
  moderation: 'object',
  n: 'integer',
  parallel_tool_calls: 'boolean',
  prediction: 'object',
  presence_penalty: 'number',
  prompt_cache_key: 'string',
  prompt_cache_options: 'object',
  prompt_cache_retention: 'string',
  reasoning_effort: 'string',
  response_format: 'object',
  safety_identifier: 'string',
  seed: 'integer',
  service_tier: 'string',
  stop: 'any',
  store: 'boolean',
  stream: 'boolean',
  stream_options: 'object',
  temperature: 'number',
  tool_choice: 'any',
  tools: 'array',
  top_logprobs: 'integer',
  top_p: 'number',
  user: 'string',
  verbosity: 'string',
  web_search_options: 'object',
}

/** Reads and validates the body of `POST /v1/chat/completions` against the models on offer. */
export function readChat(body: unknown, models: readonly Model[]): ChatReading {
  if (!isObject(body)) return { ok: false, fault: unreadableBody() }
  const fault = firstFault(
    () => firstFaultIn(Object.entries(body), parameterFault),
    () => (typeof body.model === 'string' ? null : badRequest('you must provide a model parameter')),
    () => messagesFault(body.messages),
    () => toolsFault(body),
    () => rangeFault(body),
    () => streamOptionsFault(body),
  )
  if (fault !== null) return { ok: false, fault }
  const model = models.find((entry) => entry.id === body.model && entry.kind === 'chat')
  if (model === undefined) return { ok: false, fault: modelNotFound(String(body.model)) }
  return { ok: true, request: requestOf(body, model) }
}

/** The provider's words for a body that is not a JSON object. */
export function unreadableBody(): Fault {
  return badRequest(
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
  )
}

function requestOf(body: JsonObject, model: Model): ChatRequest {
  const options = isObject(body.stream_options) ? body.stream_options : {}
  const tools = Array.isArray(body.tools) && body.tool_choice !== 'none' ? body.tools : []
  const cap = body.max_completion_tokens ?? body.max_tokens
  return {
    model,
    messages: Array.isArray(body.messages) ? body.messages.filter(isObject) : [],
    stream: body.stream === true,
    includeUsage: options.include_usage === true,
    includeObfuscation: options.include_obfuscation !== false,
    choices: typeof body.n === 'number' ? body.n : 1,
    callable: tools.flatMap((tool) =>
      isObject(tool) && isObject(tool.function) && typeof tool.function.name === 'string' ? [tool.function.name] : [],
    ),
    parallel: body.parallel_tool_calls !== false,
    maxTokens: typeof cap === 'number' ? cap : Number.POSITIVE_INFINITY,
  }
}

function parameterFault([name, value]: readonly [string, unknown]): Fault | null {
  const kind = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined
  if (kind === undefined) return badRequest(`Unknown parameter: '${name}'.`, name, 'unknown_parameter')
  if (value === null || kind === 'any') return null
  if (hasKind(value, kind)) return null
  return wrongType(name, EXPECTED[kind], value)
}

const EXPECTED: Readonly<Record<Kind, string>> = {
  string: 'a string',
  boolean: 'a boolean',
  number: 'a decimal',
  integer: 'an integer',
  object: 'an object',
  array: 'an array of objects',
  any: 'a value',
}

function hasKind(value: unknown, kind: Kind): boolean {
  if (kind === 'array') return Array.isArray(value)
  if (kind === 'object') return isObject(value)
  if (kind === 'integer') return Number.isInteger(value)
  return typeof value === kind
}

function toolsFault(body: JsonObject): Fault | null {
  const tools = body.tools
  if (!Array.isArray(tools))
    return body.tool_choice === undefined || body.tool_choice === null
      ? null
      : badRequest(
          "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
          'tool_choice',
        )
  return firstFaultIn(tools, (tool, index) => {
    const at = `tools[${index}]`
    if (!isObject(tool)) return wrongType(at, 'an object', tool)
    if (tool.type !== 'function' && tool.type !== 'custom')
      return unsupportedValue(`${at}.type`, tool.type, ['function', 'custom'])
    const body = tool[tool.type]
    if (!isObject(body))
      return badRequest(
        `Missing required parameter: '${at}.${tool.type}'.`,
        `${at}.${tool.type}`,
        'missing_required_parameter',
      )
    return nameFault(body.name, `${at}.${tool.type}.name`)
  })
}

/** Numeric parameters with their least and greatest value. */
const RANGES: readonly (readonly [name: string, least: number, greatest: number])[] = [
  ['temperature', 0, 2],
  ['top_p', 0, 1],
  ['n', 1, 128],
  ['max_tokens', 1, 1_000_000],
  ['max_completion_tokens', 1, 1_000_000],
]

function rangeFault(body: JsonObject): Fault | null {
  return firstFaultIn(RANGES, ([name, least, greatest]) => {
    const value = body[name]
    if (typeof value !== 'number') return null
    if (value < least)
      return badRequest(
        `Invalid '${name}': number below minimum value. Expected a value >= ${least}, but got ${value} instead.`,
        name,
        'number_below_min_value',
      )
    if (value > greatest)
      return badRequest(
        `Invalid '${name}': number above maximum value. Expected a value <= ${greatest}, but got ${value} instead.`,
        name,
        'number_above_max_value',
      )
    return null
  })
}

function streamOptionsFault(body: JsonObject): Fault | null {
  if (!isObject(body.stream_options) || body.stream === true) return null
  return badRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options')
}
