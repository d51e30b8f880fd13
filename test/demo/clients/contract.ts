import type { Tools } from '../tools.ts'

/** One answer as an SDK gave it. `error` is what the SDK threw. */
export type SdkTurn = {
  readonly text: string
  readonly calls: readonly { readonly name: string; readonly arguments: string }[]
  readonly error: string | null
}

/** An ordinary agent on one official SDK: one conversation, tools that do what they are told. */
export type SdkAgent = {
  say(text: string): void
  /** One streamed answer; it becomes part of the conversation. */
  answer(): Promise<SdkTurn>
  /** Runs the calls of the last answer and adds their results. Returns how many. */
  runCalls(): Promise<number>
}

/** One official SDK, how the provider is asked without it, and where its requests arrive. */
export type Sdk = {
  readonly name: string
  /** Below the facade: `/anthropic`. */
  readonly facade: string
  /** Begins the path of its requests at the provider. */
  readonly path: string
  newAgent(baseUrl: string, token: string, tools: Tools): SdkAgent
  /** A streamed request as bytes, for the comparison with the provider's own answer. */
  raw(
    question: string,
    key: string,
  ): { readonly path: string; readonly headers: Record<string, string>; readonly body: string }
}

/** What any answer of text is asked for with. */
export const HAIKU = 'Write a haiku about a double gate.'

/** The declared tools, without any SDK's clothes. */
export const PLAIN_TOOLS = [
  {
    name: 'search_docs',
    description: 'Search the marketing documents.',
    schema: {
      type: 'object' as const,
      properties: { query: { type: 'string' }, limit: { type: 'integer' } },
      required: ['query'],
    },
  },
  {
    name: 'run_sql',
    description: 'Run one SQL query on the marketing database.',
    schema: {
      type: 'object' as const,
      properties: { query: { type: 'string' }, reason: { type: 'string' } },
      required: ['query'],
    },
  },
]
