import type { Plan, PlannedCall } from '../answer.ts'
import type { StreamEvent } from '../events.ts'
import { isObject, type JsonObject } from '../faults.ts'
import { MODELS } from '../models.ts'
import { chatOf, type OtherApi, type Read, type Refused, type Turn } from './contract.ts'

/** The items that the answer goes on from: what the provider would keep under the answer's id. */
type Items = readonly JsonObject[]

/** Answers kept by id, oldest out. */
const MAX_KEPT = 1_000

/** The Responses API of OpenAI: `POST /v1/responses`. Answers are kept for `previous_response_id`, in memory. */
export function newResponsesApi(): OtherApi<Items> {
  const kept = new Map<string, Items>()
  const keep = (plan: Plan, before: Items): void => {
    kept.set(idOf(plan), [...before, ...itemsOf(plan)])
    if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value ?? '')
  }
  return {
    read: (path, _query, body) => (path === '/v1/responses' ? readBody(kept, body) : null),
    events: (plan, { more }) => {
      keep(plan, more)
      return events(plan)
    },
    whole: (plan, { more }) => {
      keep(plan, more)
      return responseOf(plan, 'completed', itemsOf(plan))
    },
    streamType: () => 'text/event-stream; charset=utf-8',
  }
}

function bad(message: string, code: string | null = null): Refused {
  return { ok: false, status: 400, body: { error: { message, type: 'invalid_request_error', param: 'input', code } } }
}

function readBody(kept: ReadonlyMap<string, Items>, body: unknown): Read<Items> | Refused {
  if (!isObject(body)) return bad('We could not parse the JSON body of your request.')
  const model = MODELS.find((each) => each.id === body.model && each.kind === 'chat')
  if (model === undefined) return bad(`The requested model '${String(body.model)}' does not exist.`, 'model_not_found')
  const before = body.previous_response_id
  const past = typeof before === 'string' ? kept.get(before) : []
  if (past === undefined)
    return bad(`Previous response with id '${String(before)}' not found.`, 'previous_response_not_found')
  const given = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input
  if (!Array.isArray(given) || !given.every(isObject)) return bad("Invalid type for 'input'.")
  const items = [...past, ...given]
  const fault = itemsFault(items)
  if (fault !== null) return bad(fault)
  const tools = Array.isArray(body.tools) ? body.tools.filter(isObject) : []
  return {
    ok: true,
    more: items,
    request: {
      model,
      messages: chatOf(turnsOf(items)),
      stream: body.stream === true,
      includeUsage: false,
      includeObfuscation: false,
      choices: 1,
      callable: tools.map((tool) => String(tool.name)),
      parallel: body.parallel_tool_calls !== false,
      maxTokens: typeof body.max_output_tokens === 'number' ? body.max_output_tokens : Number.POSITIVE_INFINITY,
    },
  }
}

/** Every call has an output behind it, and every output a call before it. */
function itemsFault(items: Items): string | null {
  const open = new Set<string>()
  const known = new Set<string>()
  for (const [index, item] of items.entries()) {
    const id = String(item.call_id)
    if (item.type === 'function_call') {
      open.add(id)
      known.add(id)
    } else if (item.type === 'function_call_output') {
      if (!known.has(id)) return `No tool call found for function call output with call_id ${id}.`
      open.delete(id)
    } else if (item.type !== undefined && item.type !== 'message')
      return `Invalid value: '${String(item.type)}' at input[${index}].`
    else if (typeof item.role !== 'string') return `Missing required parameter: 'input[${index}].role'.`
  }
  const [missing] = open
  return missing === undefined ? null : `No tool output found for function call ${missing}.`
}

/** Items as turns: what stands together of one side is one turn. */
function turnsOf(items: Items): readonly Turn[] {
  type Open = { role: Turn['role']; text: string; calls: Turn['calls'][number][]; results: Turn['results'][number][] }
  const turns: Open[] = []
  const turn = (role: Turn['role']): Open => {
    const last = turns.at(-1)
    if (last?.role === role) return last
    const opened: Open = { role, text: '', calls: [], results: [] }
    turns.push(opened)
    return opened
  }
  for (const item of items) {
    if (item.type === 'function_call')
      turn('assistant').calls.push({
        id: String(item.call_id),
        name: String(item.name),
        arguments: String(item.arguments),
      })
    else if (item.type === 'function_call_output')
      turn('user').results.push({ id: String(item.call_id), text: textOf(item.output) })
    else if (item.role === 'user' || item.role === 'assistant') turn(item.role).text += textOf(item.content)
  }
  return turns
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('')
}

const idOf = (plan: Plan): string => plan.id.replace('chatcmpl-', 'resp_')

function messageItem(plan: Plan, status: string, text: string | null): JsonObject {
  const content = text === null ? [] : [outputText(text)]
  return { id: plan.id.replace('chatcmpl-', 'msg_'), type: 'message', status, content, role: 'assistant' }
}

const outputText = (text: string): object => ({ type: 'output_text', annotations: [], logprobs: [], text })

function callItem(call: PlannedCall, status: string, args: string): JsonObject {
  const id = call.id.replace('call_', 'fc_')
  return { id, type: 'function_call', status, arguments: args, call_id: call.id, name: call.name }
}

function itemsOf(plan: Plan): Items {
  const calls = plan.calls.map((call) => callItem(call, 'completed', call.tokens.join('')))
  return plan.text.length > 0 ? [messageItem(plan, 'completed', plan.text.join('')), ...calls] : calls
}

function responseOf(plan: Plan, status: string, output: Items): object {
  const usage = {
    input_tokens: plan.promptTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: plan.tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: plan.promptTokens + plan.tokens,
  }
  return {
    id: idOf(plan),
    object: 'response',
    created_at: plan.created,
    status,
    error: null,
    incomplete_details: plan.finish === 'length' && status !== 'in_progress' ? { reason: 'max_output_tokens' } : null,
    model: plan.model,
    output,
    parallel_tool_calls: true,
    usage: status === 'in_progress' ? null : usage,
  }
}

type Raw = readonly [type: string, data: object, tokens?: number]

function* events(plan: Plan): Generator<StreamEvent> {
  let sequence_number = 0
  for (const [type, data, tokens = 0] of rawEvents(plan)) {
    const text = `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...data })}\n\n`
    sequence_number += 1
    yield { text, tokens }
  }
}

function* rawEvents(plan: Plan): Generator<Raw> {
  yield ['response.created', { response: responseOf(plan, 'in_progress', []) }]
  yield ['response.in_progress', { response: responseOf(plan, 'in_progress', []) }]
  let output_index = 0
  if (plan.text.length > 0) {
    yield* messageEvents(plan, output_index)
    output_index += 1
  }
  for (const call of plan.calls) {
    yield* callEvents(call, output_index)
    output_index += 1
  }
  const status = plan.finish === 'length' ? 'incomplete' : 'completed'
  yield [`response.${status}`, { response: responseOf(plan, status, itemsOf(plan)) }]
}

function* messageEvents(plan: Plan, output_index: number): Generator<Raw> {
  const text = plan.text.join('')
  const at = { item_id: String(messageItem(plan, '', null).id), output_index, content_index: 0 }
  yield ['response.output_item.added', { output_index, item: messageItem(plan, 'in_progress', null) }]
  yield ['response.content_part.added', { ...at, part: outputText('') }]
  for (const delta of plan.text) yield ['response.output_text.delta', { ...at, delta, logprobs: [] }, 1]
  yield ['response.output_text.done', { ...at, text, logprobs: [] }]
  yield ['response.content_part.done', { ...at, part: outputText(text) }]
  yield ['response.output_item.done', { output_index, item: messageItem(plan, 'completed', text) }]
}

function* callEvents(call: PlannedCall, output_index: number): Generator<Raw> {
  const args = call.tokens.join('')
  const at = { item_id: String(callItem(call, '', '').id), output_index }
  yield ['response.output_item.added', { output_index, item: callItem(call, 'in_progress', '') }]
  for (const delta of call.tokens) yield ['response.function_call_arguments.delta', { ...at, delta }, 1]
  yield ['response.function_call_arguments.done', { ...at, arguments: args, name: call.name }]
  yield ['response.output_item.done', { output_index, item: callItem(call, 'completed', args) }]
}
