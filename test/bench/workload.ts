/** What is said in every case, whatever the dialect: text, one allowed call, and one small whole answer; and the policy. */

/** Text events of one stream; an event that opens it comes before them. */
export const TEXT_EVENTS = 64

/** Deltas of the call's arguments, where a dialect has them. */
export const ARGUMENT_EVENTS = 48

/** Behind it the mock writes when it sent the event: 19 digits of monotonic nanoseconds. */
export const STAMP_MARK = '~t'
export const STAMP_DIGITS = 19
/** Room for a stamp. */
export const STAMP = STAMP_MARK + '0'.repeat(STAMP_DIGITS)

/**
 * Stands in the SQL; mock and load write another number there for each stream and call, so that none has been read
 * before.
 */
export const SALT_MARK = '~s'
const SALT = SALT_MARK + '0'.repeat(STAMP_DIGITS)

/** Writes a number at every place that has room for one. */
export function salted(bytes: Buffer, places: readonly number[], number: bigint | number): Buffer {
  if (places.length === 0) return bytes
  const copy = Buffer.from(bytes)
  for (const at of places) copy.write(String(number).padStart(STAMP_DIGITS, '0'), at, 'latin1')
  return copy
}

/** Where {@link salted} writes. */
export function saltPlaces(bytes: Buffer): readonly number[] {
  const places: number[] = []
  for (let at = bytes.indexOf(SALT_MARK); at >= 0; at = bytes.indexOf(SALT_MARK, at + 1))
    places.push(at + SALT_MARK.length)
  return places
}

const columns = Array.from({ length: 31 }, (_, index) => `sum(amount_${index}) AS total_${index}`)

/** An allowed read of just under 1 KiB. */
export const SQL = `SELECT region, ${columns.join(', ')} FROM orders WHERE note <> '${SALT}' GROUP BY region ORDER BY region LIMIT 50`

/** What the call is made with: 1.5 KiB. */
export const CALL = {
  query: SQL,
  reason: `monthly report ${'of the regions, as asked '.repeat(20).trim()}`,
} as const

/** The arguments as a model writes them, in the pieces in which they come. */
export function argumentPieces(): readonly string[] {
  const text = JSON.stringify(CALL)
  const size = Math.ceil(text.length / ARGUMENT_EVENTS)
  const salt = text.indexOf(SALT)
  // the salt in one piece
  const edge = (index: number): number =>
    index * size > salt && index * size < salt + SALT.length ? salt + SALT.length : index * size
  return Array.from({ length: ARGUMENT_EVENTS }, (_, index) => text.slice(edge(index), edge(index + 1)))
}

/** The words of the streamed text. */
export const WORDS: readonly string[] = Array.from({ length: TEXT_EVENTS }, (_, index) => ` word${index % 10}`)

/** What an answer says that does not stream. */
export const WHOLE_TEXT = 'All regions grew in May; the north most. '.repeat(6)

/** What an agent asks. `paceMs` tells the mock how long to wait between two events. */
export const SYSTEM_PROMPT = 'You are a careful analyst of a garden shop. '.repeat(8)
export const question = (paceMs: number): string => `How did the regions do in May? pace-${paceMs}`

/** The tools that a request declares, and the schema of their arguments. */
export const TOOLS = ['run_sql', 'search_docs', 'list_tables'] as const
export const PARAMETERS = {
  type: 'object',
  required: ['query'],
  properties: { query: { type: 'string' }, reason: { type: 'string' } },
} as const

/** CEL rules in the policy: 20 on run_sql itself, one each on 80 other tools. */
export const POLICY_RULES = 100

/** The policy folder's only file: one agent, 81 granted tools, 100 CEL rules. `mockPort`: where the tool server is. */
export function policyFile(mockPort: number): string {
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
    llm: {
      providers: [
        { name: 'openai', type: 'OpenAI', models: ['gpt-5*'] },
        { name: 'anthropic', type: 'Anthropic', models: ['claude-*'] },
        { name: 'gemini', type: 'Gemini', models: ['gemini-*'] },
      ],
    },
    mcp: { servers: [{ name: 'warehouse', url: `http://127.0.0.1:${mockPort}/mcp` }] },
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
