import OpenAI, { APIError } from 'openai'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { PLAIN_TOOLS, type Sdk, type SdkAgent } from './contract.ts'

const MODEL = 'gpt-5'
const tools = PLAIN_TOOLS.map(({ name, description, schema }) => ({
  type: 'function' as const,
  name,
  description,
  parameters: schema,
  strict: false,
}))

/** `openai`, its Responses API; the provider keeps the conversation, and is told only what is new. */
export const responsesSdk: Sdk = {
  name: 'openai (Responses)',
  facade: '/openai/v1',
  path: '/v1/responses',
  raw: (question, key) => ({
    path: '/responses',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: MODEL, stream: true, tools, input: question }),
  }),
  newAgent(baseURL, apiKey, box): SdkAgent {
    const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 })
    let before: string | null = null
    let input: ResponseInputItem[] = []
    let calls: { name: string; arguments: string; id: string }[] = []
    return {
      say: (text) => input.push({ role: 'user', content: text }),
      async answer() {
        try {
          const previous = before === null ? {} : { previous_response_id: before }
          const final = await client.responses.stream({ model: MODEL, input, tools, ...previous }).finalResponse()
          before = final.id
          input = []
          calls = final.output.flatMap((item) =>
            item.type === 'function_call' ? [{ name: item.name, arguments: item.arguments, id: item.call_id }] : [],
          )
          return { text: final.output_text, calls, error: null }
        } catch (error) {
          if (!(error instanceof APIError)) throw error
          return { text: '', calls: [], error: error.message }
        }
      },
      async runCalls() {
        for (const call of calls)
          input.push({
            type: 'function_call_output',
            call_id: call.id,
            output: await box.run(call.name, call.arguments),
          })
        return calls.length
      },
    }
  },
}
