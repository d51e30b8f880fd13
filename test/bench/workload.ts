/** What is sent and answered in every case: one chat stream with text and one allowed call, and one small whole answer. */

/** Text events of one stream; the role event comes before them. */
export const TEXT_EVENTS = 64

/** Deltas of the call's arguments. */
const ARGUMENT_EVENTS = 48

/** Events that carry a stamp: role, text, call opening, arguments, close. `[DONE]` carries none. */
export const STAMPED_EVENTS = 1 + TEXT_EVENTS + 1 + ARGUMENT_EVENTS + 1

/** The member of an event behind which the mock writes when it sent it: 19 digits of monotonic nanoseconds. */
export const STAMP_MARK = '"obfuscation":"'
export const STAMP_DIGITS = 19

const columns = Array.from({ length: 31 }, (_, index) => `sum(amount_${index}) AS total_${index}`)

/** An allowed read of just under 1 KiB. */
export const SQL = `SELECT region, ${columns.join(', ')} FROM orders WHERE placed_at >= '2026-01-01' GROUP BY region ORDER BY region LIMIT 50`

const ARGUMENTS = JSON.stringify({
  query: SQL,
  reason: `monthly report ${'of the regions, as asked '.repeat(20).trim()}`,
})

/** A stream as the mock sends it; each event has room for its stamp. */
export function streamEvents(): readonly string[] {
  const size = Math.ceil(ARGUMENTS.length / ARGUMENT_EVENTS)
  const pieces = Array.from({ length: ARGUMENT_EVENTS }, (_, index) =>
    ARGUMENTS.slice(index * size, (index + 1) * size),
  )
  const opening = { index: 0, id: 'call_bench', type: 'function', function: { name: 'run_sql', arguments: '' } }
  return [
    event({ role: 'assistant', content: '', refusal: null }),
    ...Array.from({ length: TEXT_EVENTS }, (_, index) => event({ content: ` word${index % 10}` })),
    event({ tool_calls: [opening] }),
    ...pieces.map((piece) => event({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
    event({}, 'tool_calls'),
  ]
}

const ENVELOPE = {
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  created: 1_780_000_000,
  model: 'gpt-5-mini-2025-08-07',
  service_tier: 'default',
  system_fingerprint: 'fp_bench',
}

function event(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }]
  return `data: ${JSON.stringify({ ...ENVELOPE, choices, obfuscation: '0'.repeat(STAMP_DIGITS) })}\n\n`
}

/** The answer that does not stream: no call, about 700 bytes. */
export const WHOLE_ANSWER = JSON.stringify({
  ...ENVELOPE,
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'All regions grew in May; the north most. '.repeat(6), refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 120, completion_tokens: 60, total_tokens: 180 },
})

const TOOLS = ['run_sql', 'search_docs', 'list_tables'].map((name) => ({
  type: 'function',
  function: {
    name,
    description: `The tool ${name}.`,
    parameters: {
      type: 'object',
      required: ['query'],
      properties: { query: { type: 'string' }, reason: { type: 'string' } },
    },
  },
}))

/** A request as an agent sends it. `paceMs` tells the mock how long to wait between two events. */
export function requestBody(stream: boolean, paceMs: number): string {
  return JSON.stringify({
    model: 'gpt-5-mini',
    stream,
    user: `pace-${paceMs}`,
    messages: [
      { role: 'system', content: 'You are a careful analyst of a garden shop. '.repeat(8) },
      { role: 'user', content: 'How did the regions do in May?' },
    ],
    tools: TOOLS,
  })
}

/** CEL rules in the policy: 20 on run_sql itself, one each on 80 other tools. */
export const POLICY_RULES = 100

/** The policy folder's only file: one agent, 81 granted tools, 100 CEL rules. */
export function policyFile(): string {
  const rule = (name: string, expression: string) => ({ name, expression, message: `${name} does not hold` })
  const own = Array.from({ length: 20 }, (_, index) =>
    rule(`no-table-${index}`, `!args.query.contains('private_${index}')`),
  )
  const schema = {
    type: 'object',
    required: ['query'],
    additionalProperties: false,
    properties: { query: { type: 'string', maxLength: 8_192 }, reason: { type: 'string', maxLength: 4_096 } },
  }
  const others = Array.from({ length: POLICY_RULES - own.length }, (_, index) => ({
    name: `tool_${index}`,
    arguments: { rules: [rule('short', 'size(args.query) < 4096')] },
  }))
  const spec = {
    selector: { matchLabels: { app: 'bench' } },
    role: 'bench',
    llm: { providers: [{ name: 'openai', type: 'OpenAI', models: ['gpt-5*'] }] },
    tools: { allow: [...others, { name: 'run_sql', intents: ['sql.read'], arguments: { schema, rules: own } }] },
    intents: { allow: ['sql.read'] },
  }
  const apiVersion = 'sallyport.dev/v1alpha1'
  const agent = {
    apiVersion,
    kind: 'Agent',
    metadata: { name: 'bench', labels: { app: 'bench' } },
    spec: { state: 'Active' },
  }
  const policy = { apiVersion, kind: 'AgentPolicy', metadata: { name: 'bench' }, spec }
  return `${JSON.stringify(agent)}\n---\n${JSON.stringify(policy)}\n` // JSON is YAML
}
