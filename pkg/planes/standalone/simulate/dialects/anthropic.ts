import type { Plan, PlannedCall } from '../answer.ts'
import type { StreamEvent } from '../events.ts'
import { isObject, type JsonObject } from '../faults.ts'
import { chatOf, type OtherApi, pairingFault, type Read, type Refused, type Turn } from './contract.ts'

const MODEL = /^claude-[a-z0-9.-]{1,64}$/

/** The Messages API of Anthropic: `POST /v1/messages`. */
export const anthropicApi: OtherApi<null> = {
  read: (path, _query, body) => (path === '/v1/messages' ? readBody(body) : null),
  events: (plan, read) => events(plan, read),
  whole: (plan) => ({
    ...messageOf(plan),
    content: [
      ...(plan.text.length > 0 ? [{ type: 'text', text: plan.text.join('') }] : []),
      ...plan.calls.map((call) => ({ ...toolUse(call), input: JSON.parse(call.tokens.join('')) })),
    ],
    stop_reason: stopOf(plan),
    usage: { input_tokens: plan.promptTokens, output_tokens: plan.tokens },
  }),
  streamType: () => 'text/event-stream; charset=utf-8',
}

function errorBody(type: string, message: string): object {
  return { type: 'error', error: { type, message }, request_id: 'req_simulated' }
}

function bad(message: string): Refused {
  return { ok: false, status: 400, body: errorBody('invalid_request_error', message) }
}

function readBody(body: unknown): Read<null> | Refused {
  if (!isObject(body)) return bad('The request body is not valid JSON')
  const { model, messages, max_tokens: maxTokens } = body
  if (typeof model !== 'string' || !MODEL.test(model))
    return { ok: false, status: 404, body: errorBody('not_found_error', `model: ${String(model)}`) }
  if (typeof maxTokens !== 'number' || maxTokens < 1) return bad('max_tokens: Field required')
  if (!Array.isArray(messages) || messages.length === 0) return bad('messages: at least one message is required')
  const turns: Turn[] = []
  for (const [index, message] of messages.entries()) {
    const turn = turnOf(message)
    if (typeof turn === 'string') return bad(`messages.${index}.${turn}`)
    turns.push(turn)
  }
  const pairing = pairingFault(turns)
  if (pairing !== null)
    return bad(`messages: \`tool_use\` ids were found without \`tool_result\` blocks, or the other way: ${pairing}`)
  const tools = Array.isArray(body.tools) ? body.tools.filter(isObject) : []
  return {
    ok: true,
    more: null,
    request: {
      model: { id: model, dated: `${model}-20260901`, kind: 'chat', created: 0 },
      messages: chatOf(turns),
      stream: body.stream === true,
      includeUsage: false,
      includeObfuscation: false,
      choices: 1,
      callable: tools.map((tool) => String(tool.name)),
      parallel: true,
      maxTokens,
    },
  }
}

/** One message as a turn, or the path and text of its fault. */
function turnOf(message: unknown): Turn | string {
  if (!isObject(message) || (message.role !== 'user' && message.role !== 'assistant'))
    return 'role: Input should be user or assistant'
  const { role, content } = message
  if (typeof content === 'string')
    return content === ''
      ? 'content: text content blocks must be non-empty'
      : { role, text: content, calls: [], results: [] }
  if (!Array.isArray(content) || content.length === 0) return 'content: Field required'
  const texts: string[] = []
  const calls: Turn['calls'][number][] = []
  const results: Turn['results'][number][] = []
  for (const [index, block] of content.entries()) {
    if (!isObject(block)) return `content.${index}: Input should be an object`
    if (block.type === 'text' && typeof block.text === 'string' && block.text !== '') texts.push(block.text)
    else if (block.type === 'tool_use' && role === 'assistant' && isObject(block.input))
      calls.push({ id: String(block.id), name: String(block.name), arguments: JSON.stringify(block.input) })
    else if (block.type === 'tool_result' && role === 'user') {
      if (texts.length > 0) return `content.${index}: tool_result blocks must come first`
      results.push({ id: String(block.tool_use_id), text: resultText(block.content) })
    } else return `content.${index}: Input tag ${String(block.type)} is not expected here`
  }
  return { role, text: texts.join('\n'), calls, results }
}

function resultText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('')
}

function messageOf(plan: Plan): JsonObject {
  const id = plan.id.replace('chatcmpl-', 'msg_01')
  return {
    id,
    type: 'message',
    role: 'assistant',
    model: plan.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  }
}

function stopOf(plan: Plan): string {
  return { stop: 'end_turn', tool_calls: 'tool_use', length: 'max_tokens' }[plan.finish]
}

function toolUse(call: PlannedCall): object {
  return { type: 'tool_use', id: call.id.replace('call_', 'toolu_01'), name: call.name, input: {} }
}

function* events(plan: Plan, _read: Read<null>): Generator<StreamEvent> {
  const usage = { input_tokens: plan.promptTokens, output_tokens: 1 }
  yield event('message_start', { message: { ...messageOf(plan), usage } })
  let index = 0
  if (plan.text.length > 0) {
    yield event('content_block_start', { index, content_block: { type: 'text', text: '' } })
    yield event('ping', {})
    for (const text of plan.text) yield event('content_block_delta', { index, delta: { type: 'text_delta', text } }, 1)
    yield event('content_block_stop', { index })
    index += 1
  }
  for (const call of plan.calls) {
    yield event('content_block_start', { index, content_block: toolUse(call) })
    for (const partial_json of ['', ...call.tokens])
      yield event(
        'content_block_delta',
        { index, delta: { type: 'input_json_delta', partial_json } },
        partial_json === '' ? 0 : 1,
      )
    yield event('content_block_stop', { index })
    index += 1
  }
  const delta = { stop_reason: stopOf(plan), stop_sequence: null }
  yield event('message_delta', { delta, usage: { output_tokens: plan.tokens } })
  yield event('message_stop', {})
}

function event(type: string, data: object, tokens = 0): StreamEvent {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`, tokens }
}
