/** The same conversation in each dialect: where it is asked, and the events of its answer, with room for a stamp. */
import {
  argumentPieces,
  CALL,
  PARAMETERS,
  question,
  STAMP,
  SYSTEM_PROMPT,
  TOOLS,
  WHOLE_TEXT,
  WORDS,
} from './workload.ts'

/** Those of model providers; `mcp` has no streams of text and is measured by itself. */
export type DialectName = 'chat' | 'responses' | 'anthropic' | 'gemini'

/** One dialect of a model provider. */
export type BenchDialect = {
  /** Its name in the verdict log. */
  readonly logged: string
  /** The path at the provider, for a stream and for a whole answer. */
  readonly paths: { readonly stream: string; readonly whole: string }
  /** What stands before the path at Sallyport. */
  readonly facade: string
  headers(key: string): Readonly<Record<string, string>>
  request(stream: boolean, paceMs: number): string
  /** One that opens the answer, one for each of {@link WORDS}, the call, and one that closes it; these but for the call have a stamp. */
  readonly events: readonly string[]
  /** What ends the stream, without a stamp; may be empty. */
  readonly end: string
  /** The answer that does not stream: no call, about 700 bytes. */
  readonly whole: string
}

type Json = Readonly<Record<string, unknown>>

const plain = (value: Json): string => `data: ${JSON.stringify(value)}\n\n`
const named = (value: Json): string => `event: ${String(value['type'])}\ndata: ${JSON.stringify(value)}\n\n`
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const CHUNK = {
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  created: 1_780_000_000,
  model: 'gpt-5-mini-2025-08-07',
  service_tier: 'default',
  system_fingerprint: 'fp_bench',
}

function chunk(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }]
  return plain({ ...CHUNK, choices, obfuscation: STAMP })
}

const declared = TOOLS.map((name) => ({ name, description: `The tool ${name}.` }))

const chat: BenchDialect = {
  logged: 'openai-chat',
  paths: { stream: '/v1/chat/completions', whole: '/v1/chat/completions' },
  facade: '/openai',
  headers: bearer,
  request: (stream, paceMs) =>
    JSON.stringify({
      model: 'gpt-5-mini',
      stream,
      messages: [
        { role: 'system', content: SYSTEM_PROMPT },
        { role: 'user', content: question(paceMs) },
      ],
      tools: declared.map((tool) => ({ type: 'function', function: { ...tool, parameters: PARAMETERS } })),
    }),
  events: [
    chunk({ role: 'assistant', content: '', refusal: null }),
    ...WORDS.map((content) => chunk({ content })),
    chunk({
      tool_calls: [{ index: 0, id: 'call_bench', type: 'function', function: { name: 'run_sql', arguments: '' } }],
    }),
    ...argumentPieces().map((piece) => chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
    chunk({}, 'tool_calls'),
  ],
  end: 'data: [DONE]\n\n',
  whole: JSON.stringify({
    ...CHUNK,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: WHOLE_TEXT, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 120, completion_tokens: 60, total_tokens: 180 },
  }),
}

const responseOf = (status: string, output: readonly Json[], more: Json = {}): Json => ({
  id: 'resp_bench',
  object: 'response',
  created_at: 1_780_000_000,
  status,
  error: null,
  model: 'gpt-5-mini-2025-08-07',
  output,
  ...more,
})
const part = (text: string): Json => ({ type: 'output_text', annotations: [], logprobs: [], text })
const messageItem = (status: string, content: readonly Json[]): Json => ({
  id: 'msg_bench',
  type: 'message',
  role: 'assistant',
  status,
  content,
})
const callItem = (status: string, text: string): Json => ({
  id: 'fc_bench',
  type: 'function_call',
  call_id: 'call_bench',
  name: 'run_sql',
  status,
  arguments: text,
})

function responsesEvents(): { readonly events: readonly string[]; readonly end: string } {
  let sequence = 0
  const event = (type: string, members: Json): string => named({ type, ...members, sequence_number: sequence++ })
  const stamped = (type: string, members: Json): string => event(type, { ...members, obfuscation: STAMP })
  const text = { item_id: 'msg_bench', output_index: 0, content_index: 0 }
  const call = { item_id: 'fc_bench', output_index: 1 }
  const [said, args] = [WORDS.join(''), JSON.stringify(CALL)]
  // what comes between two stamped events leaves with the first of them
  const events = [
    event('response.created', { response: responseOf('in_progress', []) }) +
      event('response.output_item.added', { output_index: 0, item: messageItem('in_progress', []) }) +
      event('response.content_part.added', { ...text, part: part('') }) +
      stamped('response.output_text.delta', { ...text, delta: 'So', logprobs: [] }),
    ...WORDS.map((delta) => stamped('response.output_text.delta', { ...text, delta, logprobs: [] })),
  ]
  const whole = `So${said}`
  const done =
    event('response.output_text.done', { ...text, text: whole, logprobs: [] }) +
    event('response.content_part.done', { ...text, part: part(whole) }) +
    event('response.output_item.done', { output_index: 0, item: messageItem('completed', [part(whole)]) }) +
    event('response.output_item.added', { output_index: 1, item: callItem('in_progress', '') })
  const pieces = argumentPieces().map((delta) => stamped('response.function_call_arguments.delta', { ...call, delta }))
  const items = [messageItem('completed', [part(whole)]), callItem('completed', args)]
  const closed =
    event('response.function_call_arguments.done', { ...call, arguments: args }) +
    event('response.output_item.done', { output_index: 1, item: callItem('completed', args) }) +
    event('response.completed', { response: responseOf('completed', items, { metadata: { sent: STAMP } }) })
  const [first = '', ...others] = pieces
  return { events: [...events, done + first, ...others, closed], end: '' }
}

const responses: BenchDialect = {
  logged: 'openai-responses',
  paths: { stream: '/v1/responses', whole: '/v1/responses' },
  facade: '/openai',
  headers: bearer,
  request: (stream, paceMs) =>
    JSON.stringify({
      model: 'gpt-5-mini',
      stream,
      instructions: SYSTEM_PROMPT,
      input: [{ role: 'user', content: question(paceMs) }],
      tools: declared.map((tool) => ({ type: 'function', ...tool, parameters: PARAMETERS, strict: false })),
    }),
  ...responsesEvents(),
  whole: JSON.stringify({
    ...responseOf('completed', [messageItem('completed', [part(WHOLE_TEXT)])]),
    usage: { input_tokens: 120, output_tokens: 60, total_tokens: 180 },
  }),
}

const delta = (index: number, value: Json): string => named({ type: 'content_block_delta', index, delta: value })
const said = (text: string): string => delta(0, { type: 'text_delta', text })
const CLAUDE = { id: 'msg_bench', type: 'message', role: 'assistant', model: 'claude-opus-4-8' }

const anthropic: BenchDialect = {
  logged: 'anthropic',
  paths: { stream: '/v1/messages', whole: '/v1/messages' },
  facade: '/anthropic',
  headers: (key) => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' }),
  request: (stream, paceMs) =>
    JSON.stringify({
      model: 'claude-opus-4-8',
      max_tokens: 1_024,
      stream,
      system: SYSTEM_PROMPT,
      messages: [{ role: 'user', content: question(paceMs) }],
      tools: declared.map((tool) => ({ ...tool, input_schema: PARAMETERS })),
    }),
  events: [
    named({
      type: 'message_start',
      message: {
        ...CLAUDE,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 9, output_tokens: 1 },
      },
    }) +
      named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
      said(`So ${STAMP}`),
    // the words of this dialect carry the stamp themselves: its events have no other place for one
    ...WORDS.map((word) => said(`${word} ${STAMP}`)),
    ...argumentPieces().map((piece, index) => {
      const opens =
        named({ type: 'content_block_stop', index: 0 }) +
        named({
          type: 'content_block_start',
          index: 1,
          content_block: { type: 'tool_use', id: 'toolu_bench', name: 'run_sql', input: {} },
        })
      return (index === 0 ? opens : '') + delta(1, { type: 'input_json_delta', partial_json: piece })
    }),
    named({ type: 'content_block_stop', index: 1 }) +
      named({ type: 'content_block_start', index: 2, content_block: { type: 'text', text: '' } }) +
      delta(2, { type: 'text_delta', text: STAMP }),
  ],
  end:
    named({ type: 'content_block_stop', index: 2 }) +
    named({
      type: 'message_delta',
      delta: { stop_reason: 'tool_use', stop_sequence: null },
      usage: { output_tokens: 31 },
    }) +
    named({ type: 'message_stop' }),
  whole: JSON.stringify({
    ...CLAUDE,
    content: [{ type: 'text', text: WHOLE_TEXT }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 120, output_tokens: 60 },
  }),
}

function candidate(parts: readonly object[], finish?: string): Json {
  return {
    candidates: [
      { content: { parts, role: 'model' }, ...(finish === undefined ? {} : { finishReason: finish }), index: 0 },
    ],
    usageMetadata: { promptTokenCount: 120, candidatesTokenCount: 60, totalTokenCount: 180 },
    modelVersion: 'gemini-3-flash',
    responseId: 'bench',
  }
}

const GEMINI = '/v1beta/models/gemini-3-flash'

const gemini: BenchDialect = {
  logged: 'gemini',
  paths: { stream: `${GEMINI}:streamGenerateContent?alt=sse`, whole: `${GEMINI}:generateContent` },
  facade: '/gemini',
  headers: (key) => ({ 'x-goog-api-key': key }),
  request: (_stream, paceMs) =>
    JSON.stringify({
      systemInstruction: { parts: [{ text: SYSTEM_PROMPT }] },
      contents: [{ role: 'user', parts: [{ text: question(paceMs) }] }],
      tools: [{ functionDeclarations: declared.map((tool) => ({ ...tool, parametersJsonSchema: PARAMETERS })) }],
    }),
  events: [
    plain(candidate([{ text: `So ${STAMP}` }])),
    ...WORDS.map((word) => plain(candidate([{ text: `${word} ${STAMP}` }]))),
    plain(candidate([{ functionCall: { name: 'run_sql', args: { ...CALL, reason: `${CALL.reason} ${STAMP}` } } }])),
  ],
  end: plain(candidate([{ text: '' }], 'STOP')),
  whole: JSON.stringify(candidate([{ text: WHOLE_TEXT }], 'STOP')),
}

/** Every dialect by name. */
export const DIALECTS: Readonly<Record<DialectName, BenchDialect>> = { chat, responses, anthropic, gemini }

/** Events of a stream that have a stamp. */
export function stampedIn({ events }: BenchDialect): number {
  return events.filter((event) => event.includes(STAMP)).length
}

/** A call of a tool, by its case. */
export type BenchCall = { readonly headers: Readonly<Record<string, string>>; readonly request: string }

function toolCall(name: string, args: Json): BenchCall {
  const params = { name, arguments: args, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }
  return {
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    request: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  }
}

/** A tool server that keeps no sessions: a small call, and the one that the models make. */
export const MCP = {
  path: '/mcp',
  facade: '/mcp/warehouse',
  calls: { 'tools-call': toolCall('tool_0', { query: 'tulips' }), 'tools-call-sql': toolCall('run_sql', CALL) },
  answer: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    result: { resultType: 'complete', content: [{ type: 'text', text: WHOLE_TEXT }] },
  }),
} as const
