import OpenAI, { APIError } from 'openai'
import type {
  ChatCompletionMessage,
  ChatCompletionMessageParam,
  ChatCompletionMessageToolCall,
} from 'openai/resources/chat/completions'
import { TOOLS, type Tools } from './tools.ts'

/** How one answer arrived. Times in ms since it was asked for; null = never. */
export type Turn = {
  readonly message: ChatCompletionMessage | null
  readonly finish: string | null
  /** What the SDK threw in mid-stream, or null. */
  readonly error: APIError | null
  readonly firstTextMs: number | null
  readonly endMs: number
  /** Deltas of text before the refusal, if there was one. */
  readonly textDeltas: number
  /** What `probe` gave when the first text of a refusal came, and when the first delta of a call came. */
  readonly atRefusal: number | null
  readonly atCall: number | null
}

/** An ordinary agent: the official SDK, one conversation, tools that do what they are told. It knows of no firewall. */
export type Agent = {
  readonly messages: readonly ChatCompletionMessageParam[]
  say(text: string): void
  /** One streamed answer; it becomes part of the conversation. */
  answer(): Promise<Turn>
  /** Runs the calls of the last answer and adds their results. Returns the calls. */
  runCalls(): Promise<readonly ChatCompletionMessageToolCall[]>
}

const REFUSAL = /sallyport: [A-Z_]+: /

/** `probe` is asked at the moments that {@link Turn} names. */
export function newAgent(baseURL: string, apiKey: string, tools: Tools, probe: () => number): Agent {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 })
  const messages: ChatCompletionMessageParam[] = []
  return {
    messages,
    say: (text) => messages.push({ role: 'user', content: text }),
    async answer() {
      const turn = await readAnswer(client, messages, probe)
      if (turn.message !== null) messages.push(asHistory(turn.message))
      return turn
    },
    async runCalls() {
      const last = messages.at(-1)
      const calls = last?.role === 'assistant' ? (last.tool_calls ?? []) : []
      for (const call of calls) {
        const content =
          call.type === 'function' ? await tools.run(call.function.name, call.function.arguments) : 'unknown'
        messages.push({ role: 'tool', tool_call_id: call.id, content })
      }
      return calls
    },
  }
}

/** The answer as an agent keeps it: what the provider sent, without what the SDK parsed out of it. */
function asHistory(message: ChatCompletionMessage): ChatCompletionMessageParam {
  const calls = (message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function'
      ? [{ id: call.id, type: call.type, function: { name: call.function.name, arguments: call.function.arguments } }]
      : [],
  )
  return { role: 'assistant', content: message.content, ...(calls.length > 0 ? { tool_calls: calls } : {}) }
}

async function readAnswer(
  client: OpenAI,
  messages: readonly ChatCompletionMessageParam[],
  probe: () => number,
): Promise<Turn> {
  const started = performance.now()
  const since = () => performance.now() - started
  let [firstTextMs, atRefusal, atCall]: (number | null)[] = [null, null, null]
  let textDeltas = 0
  const ending = (message: ChatCompletionMessage | null, finish: string | null, error: APIError | null): Turn => ({
    message,
    finish,
    error,
    firstTextMs: firstTextMs ?? null,
    endMs: since(),
    textDeltas,
    atRefusal: atRefusal ?? null,
    atCall: atCall ?? null,
  })
  try {
    const stream = client.chat.completions.stream({ model: 'gpt-5', messages: [...messages], tools: TOOLS })
    stream.on('chunk', (chunk) => {
      const delta = chunk.choices[0]?.delta
      if (delta?.tool_calls !== undefined) atCall ??= probe()
      if (!delta?.content) return
      firstTextMs ??= since()
      if (REFUSAL.test(delta.content)) atRefusal ??= probe()
      else if (atRefusal === null) textDeltas++
    })
    const choice = (await stream.finalChatCompletion()).choices[0]
    return ending(choice?.message ?? null, choice?.finish_reason ?? null, null)
  } catch (error) {
    if (!(error instanceof APIError)) throw error
    return ending(null, null, error)
  }
}
