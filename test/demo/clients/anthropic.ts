import Anthropic, { APIError } from '@anthropic-ai/sdk'
import type { MessageParam, ToolResultBlockParam } from '@anthropic-ai/sdk/resources/messages'
import { PLAIN_TOOLS, type Sdk, type SdkAgent } from './contract.ts'

const MODEL = 'claude-sonnet-5'
const tools = PLAIN_TOOLS.map(({ name, description, schema }) => ({ name, description, input_schema: schema }))

/** `@anthropic-ai/sdk`, its streaming helper. */
export const anthropicSdk: Sdk = {
  name: '@anthropic-ai/sdk',
  facade: '/anthropic',
  path: '/v1/messages',
  raw: (question, key) => ({
    path: '/v1/messages',
    headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: MODEL,
      max_tokens: 1_000,
      stream: true,
      tools,
      messages: [{ role: 'user', content: question }],
    }),
  }),
  newAgent(baseURL, apiKey, box): SdkAgent {
    const client = new Anthropic({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 })
    const messages: MessageParam[] = []
    return {
      say: (text) => {
        const last = messages.at(-1)
        if (last?.role === 'user' && Array.isArray(last.content)) last.content.push({ type: 'text', text })
        else messages.push({ role: 'user', content: [{ type: 'text', text }] })
      },
      async answer() {
        try {
          const final = await client.messages
            .stream({ model: MODEL, max_tokens: 1_000, messages, tools })
            .finalMessage()
          messages.push({ role: 'assistant', content: final.content })
          return {
            text: final.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
            calls: final.content.flatMap((block) =>
              block.type === 'tool_use' ? [{ name: block.name, arguments: JSON.stringify(block.input) }] : [],
            ),
            error: null,
          }
        } catch (error) {
          if (!(error instanceof APIError)) throw error
          return { text: '', calls: [], error: error.message }
        }
      },
      async runCalls() {
        const content = messages.at(-1)?.content
        const results: ToolResultBlockParam[] = []
        for (const block of Array.isArray(content) ? content : [])
          if (block.type === 'tool_use')
            results.push({
              type: 'tool_result',
              tool_use_id: block.id,
              content: await box.run(block.name, JSON.stringify(block.input)),
            })
        if (results.length > 0) messages.push({ role: 'user', content: results })
        return results.length
      },
    }
  },
}
