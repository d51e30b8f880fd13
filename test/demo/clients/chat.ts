import { newAgent } from '../agent.ts'
import { TOOLS } from '../tools.ts'
import type { Sdk } from './contract.ts'

const MODEL = 'gpt-5'

/** `openai`, its Chat Completions: the client of the first scenes. */
export const chatSdk: Sdk = {
  name: 'openai (Chat)',
  facade: '/openai/v1',
  path: '/v1/chat/completions',
  raw: (question, key) => ({
    path: '/chat/completions',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: MODEL, stream: true, tools: TOOLS, messages: [{ role: 'user', content: question }] }),
  }),
  newAgent(baseUrl, token, tools) {
    const agent = newAgent(baseUrl, token, tools, () => 0)
    return {
      say: (text) => agent.say(text),
      async answer() {
        const { message, error } = await agent.answer()
        const calls = (message?.tool_calls ?? []).flatMap((call) =>
          call.type === 'function' ? [{ name: call.function.name, arguments: call.function.arguments }] : [],
        )
        return { text: message?.content ?? '', calls, error: error?.message ?? null }
      },
      runCalls: async () => (await agent.runCalls()).length,
    }
  },
}
