import {
  badRequest,
  emptyArray,
  type Fault,
  firstFault,
  firstFaultIn,
  isObject,
  type JsonObject,
  missing,
  unsupportedValue,
  wrongType,
} from './faults.ts'

const ROLES = ['system', 'assistant', 'user', 'function', 'tool', 'developer'] as const
const NAME = /^[a-zA-Z0-9_-]+$/
const MAX_CALL_ID = 40

/** The faults of `messages`: each message by itself, then calls and results against each other. null = none. */
export function messagesFault(value: unknown): Fault | null {
  if (value === undefined) return missing('messages')
  if (!Array.isArray(value)) return wrongType('messages', 'an array of objects', value)
  if (value.length === 0) return emptyArray('messages')
  return firstFault(
    () => firstFaultIn(value, messageFault),
    () => pairingFault(value.filter(isObject)),
  )
}

function messageFault(message: unknown, index: number): Fault | null {
  const at = `messages[${index}]`
  if (!isObject(message)) return wrongType(at, 'an object', message)
  if (message.role === undefined) return missing(`${at}.role`)
  if (!ROLES.some((role) => role === message.role)) return unsupportedValue(`${at}.role`, message.role, ROLES)
  return firstFault(
    () => contentFault(message, at),
    () => (message.role === 'assistant' ? callsFault(message, at) : null),
    () => (message.role === 'tool' && typeof message.tool_call_id !== 'string' ? missing(`${at}.tool_call_id`) : null),
  )
}

function contentFault(message: JsonObject, at: string): Fault | null {
  const content = message.content
  const hasCalls = message.tool_calls !== undefined || message.function_call !== undefined
  const mayBeEmpty = message.role === 'assistant' && (hasCalls || typeof message.refusal === 'string')
  if (content === undefined || content === null)
    return mayBeEmpty
      ? null
      : badRequest("Invalid value for 'content': expected a string, got null.", `${at}.content`, null)
  if (typeof content === 'string') return null
  if (!Array.isArray(content)) return wrongType(`${at}.content`, 'one of a string or array of objects', content)
  return firstFaultIn(content, (part, index) => {
    const path = `${at}.content[${index}]`
    if (!isObject(part)) return wrongType(path, 'an object', part)
    if (typeof part.type !== 'string') return missing(`${path}.type`)
    if (part.type === 'text' && typeof part.text !== 'string') return missing(`${path}.text`)
    return null
  })
}

function callsFault(message: JsonObject, at: string): Fault | null {
  const calls = message.tool_calls
  if (calls === undefined) return null
  if (!Array.isArray(calls)) return wrongType(`${at}.tool_calls`, 'an array of objects', calls)
  if (calls.length === 0) return emptyArray(`${at}.tool_calls`)
  return firstFaultIn(calls, (call, index) => callFault(call, `${at}.tool_calls[${index}]`))
}

function callFault(call: unknown, at: string): Fault | null {
  if (!isObject(call)) return wrongType(at, 'an object', call)
  if (typeof call.id !== 'string') return missing(`${at}.id`)
  if (call.id.length > MAX_CALL_ID)
    return badRequest(
      `Invalid '${at}.id': string too long. Expected a string with maximum length ${MAX_CALL_ID}, but got a string with length ${call.id.length} instead.`,
      `${at}.id`,
      'string_above_max_length',
    )
  if (call.type !== 'function' && call.type !== 'custom')
    return call.type === undefined
      ? missing(`${at}.type`)
      : unsupportedValue(`${at}.type`, call.type, ['function', 'custom'])
  const body = call[call.type]
  if (!isObject(body)) return missing(`${at}.${call.type}`)
  const text = call.type === 'function' ? 'arguments' : 'input'
  if (typeof body[text] !== 'string') return wrongType(`${at}.${call.type}.${text}`, 'a string', body[text])
  return nameFault(body.name, `${at}.${call.type}.name`)
}

/** The fault of a function name: missing, of another type, outside its alphabet, longer than 64. null = none. */
export function nameFault(name: unknown, param: string): Fault | null {
  if (name === undefined) return missing(param)
  if (typeof name !== 'string') return wrongType(param, 'a string', name)
  if (NAME.test(name) && name.length <= 64) return null
  return badRequest(
    `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
    param,
    'invalid_value',
  )
}

/** Every assistant call must be answered by tool messages that follow at once, and nothing else may be answered. */
function pairingFault(messages: readonly JsonObject[]): Fault | null {
  let open: string[] = []
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      const at = open.indexOf(String(message.tool_call_id))
      if (at < 0)
        return index > 0 && answersEarlierCall(messages, index) ? unknownCallId(message, index) : strayResult(index)
      open.splice(at, 1)
      continue
    }
    if (open.length > 0) return unanswered(open)
    open = callIds(message)
  }
  return open.length > 0 ? unanswered(open) : null
}

/** Is the message before this one (other results aside) an assistant message with calls? */
function answersEarlierCall(messages: readonly JsonObject[], index: number): boolean {
  const before = messages.slice(0, index).findLast((message) => message.role !== 'tool')
  return before !== undefined && callIds(before).length > 0
}

function callIds(message: JsonObject): string[] {
  const calls = message.role === 'assistant' && Array.isArray(message.tool_calls) ? message.tool_calls : []
  return calls.filter(isObject).map((call) => String(call.id))
}

function unknownCallId(message: JsonObject, index: number): Fault {
  return badRequest(
    `Invalid parameter: 'tool_call_id' of '${String(message.tool_call_id)}' not found in 'tool_calls' of previous message.`,
    `messages.[${index}].tool_call_id`,
  )
}

function strayResult(index: number): Fault {
  return badRequest(
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
    `messages.[${index}].role`,
  )
}

function unanswered(ids: readonly string[]): Fault {
  return badRequest(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(', ')}`,
    'messages',
  )
}
