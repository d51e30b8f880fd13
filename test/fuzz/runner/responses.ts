/**
 * Streams of the Responses API out of bytes: each four choose one event, the item it tells of, and what it says. Most
 * of them contradict what was told before.
 */

const NAMES = ['run_sql', 'search_docs', 'send_mail', 'admin_reset', '', 'parallel']
const TEXTS = [
  '{"query":"SELECT 1"}',
  '{"query":"DROP TABLE customers"}',
  '{"query":"SEL',
  'ECT 1"}',
  '{}',
  '',
  '{"query":"a","query":"DELETE FROM t"}',
  '{"tool_uses":[{"recipient_name":"functions.send_mail","parameters":{"query":"DROP"}}]}',
  'plain words ',
  '<tool_call>{"name":"send_mail",',
  '"arguments":{}}</tool_call>',
]
const TYPES = [
  'function_call',
  'function_call',
  'message',
  'function_call',
  'custom_tool_call',
  'reasoning',
  'web_search_call',
  'local_shell_call',
  'mcp_approval_request',
  'robot_call',
  'function_call',
]
const STATUSES = ['in_progress', 'completed', 'incomplete', null]

type Json = Record<string, unknown>
type Choice = {
  readonly index: number
  readonly text: string
  readonly name: string
  readonly type: string
  readonly bits: number
}

const pick = <T>(list: readonly T[], at: number): T => list[at % list.length] as T // never empty

function itemOf({ index, text, name, type, bits }: Choice): Json {
  const id = (bits & 1) === 0 ? `it_${index}` : 'it_same'
  const call_id = (bits & 2) === 0 ? `call_${index}` : 'call_same'
  const status = pick(STATUSES, bits >> 2)
  const part = { type: type === 'reasoning' ? 'summary_text' : 'output_text', text, annotations: [] }
  if (type === 'message') return { id, type, role: 'assistant', status, content: [part] }
  if (type === 'reasoning') return { id, type, summary: [part] }
  if (type === 'custom_tool_call') return { id, type, call_id, name, input: text, status }
  if (type === 'local_shell_call') return { id, type, call_id, action: { type: 'exec', command: [text] }, status }
  return { id, type, call_id, name, arguments: text, status, ...((bits & 16) === 0 ? {} : { namespace: 'crm' }) }
}

const DELTAS: Readonly<Record<string, string>> = {
  function_call: 'response.function_call_arguments.delta',
  custom_tool_call: 'response.custom_tool_call_input.delta',
  message: 'response.output_text.delta',
}

/** What is told between the beginning and the end of an item. */
function innerOf(kind: number, choice: Choice): Json {
  const { index, text, type, bits } = choice
  const place = { output_index: index, item_id: (bits & 1) === 0 ? `it_${index}` : 'it_same' }
  if (type === 'message') {
    if (kind % 3 > 0) return { type: DELTAS['message'], ...place, content_index: 0, delta: text }
    return { type: 'response.content_part.done', ...place, content_index: 0, part: { type: 'output_text', text } }
  }
  if (type === 'reasoning' || type === 'web_search_call')
    return { type: 'response.web_search_call.searching', ...place }
  if (kind % 4 > 0) return { type: DELTAS[type] ?? 'response.function_call_arguments.delta', ...place, delta: text }
  if (type === 'custom_tool_call') return { type: 'response.custom_tool_call_input.done', ...place, input: text }
  return {
    type: 'response.function_call_arguments.done',
    ...place,
    arguments: text,
    ...((bits & 64) === 0 ? {} : { name: choice.name }),
  }
}

/** What no provider sends. */
function oddOf(kind: number, choice: Choice): Json {
  const { index, text, bits } = choice
  const place = { output_index: index, item_id: `it_${index}` }
  if (kind % 2 === 0) return { type: 'response.in_progress', response: { id: 'resp_1', output: [itemOf(choice)] } }
  const type = pick(
    ['response.strange', 'keepalive', 'response.reasoning_text.delta', 'response.output_text.delta'],
    bits,
  )
  return { type, ...place, content_index: 0, delta: text, call: (bits & 8) === 0 ? 1 : itemOf(choice) }
}

/** The text of a stream. The first byte says of which types its four items are. */
export function responsesOf(bytes: Uint8Array): string {
  const events: Json[] = [{ type: 'response.created', response: { id: 'resp_1', output: [] } }]
  const items = new Map<number, Json>()
  const begun = new Set<number>()
  const [seed = 0] = bytes
  for (let at = 1; at + 3 < bytes.length && events.length < 60; at += 4) {
    const [kind = 0, place = 0, what = 0, bits = 0] = bytes.subarray(at, at + 4)
    const index = place % 4
    const odd = place >= 224
    const type = pick(TYPES, odd ? place : Math.floor(seed / (index + 1)))
    const name = pick(NAMES, (bits & 128) === 0 ? index : what >> 4)
    const choice: Choice = {
      index,
      text: pick(TEXTS, what),
      name,
      type,
      bits: (place & 4) === 0 ? bits & 0b1100 : bits,
    }
    const step = kind % 8
    if (step === 7 && odd) events.push(oddOf(kind >> 3, choice))
    else if (!begun.has(index) || (odd && step === 6)) {
      begun.add(index)
      const text = (choice.bits & 32) === 0 ? '' : choice.text
      events.push({
        type: 'response.output_item.added',
        output_index: index,
        item: itemOf({ ...choice, text, bits: choice.bits & 0b10011 }),
      })
    } else if (step < 5) events.push(innerOf(kind >> 3, choice))
    else {
      const item = itemOf({ ...choice, bits: choice.bits | 4 })
      items.set(index, item)
      events.push({ type: 'response.output_item.done', output_index: index, item })
    }
  }
  const end = pick(['response.completed', 'response.incomplete', 'response.failed'], bytes.at(-1) ?? 0)
  if (seed < 240) events.push({ type: end, response: { id: 'resp_1', output: [...items.values()] } })
  return events
    .map(
      (event, number) => `event: ${event['type']}\ndata: ${JSON.stringify({ ...event, sequence_number: number })}\n\n`,
    )
    .join('')
}
