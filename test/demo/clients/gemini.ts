import { ApiError, type Content, GoogleGenAI, type Part } from '@google/genai'
import { PLAIN_TOOLS, type Sdk, type SdkAgent } from './contract.ts'

const MODEL = 'gemini-3-flash'
const functionDeclarations = PLAIN_TOOLS.map(({ name, description, schema }) => ({
  name,
  description,
  parametersJsonSchema: schema,
}))

/** `@google/genai`, its content stream. */
export const geminiSdk: Sdk = {
  name: '@google/genai',
  facade: '/gemini',
  path: '/v1/models/',
  raw: (question, key) => ({
    path: `/v1/models/${MODEL}:streamGenerateContent?alt=sse`,
    headers: { 'x-goog-api-key': key },
    body: JSON.stringify({
      contents: [{ role: 'user', parts: [{ text: question }] }],
      tools: [{ functionDeclarations }],
    }),
  }),
  newAgent(baseUrl, apiKey, box): SdkAgent {
    const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl, timeout: 20_000 } })
    const contents: Content[] = []
    return {
      say: (text) => {
        const last = contents.at(-1)
        if (last?.role === 'user') last.parts?.push({ text })
        else contents.push({ role: 'user', parts: [{ text }] })
      },
      async answer() {
        const parts: Part[] = []
        try {
          const config = { tools: [{ functionDeclarations }] }
          for await (const chunk of await client.models.generateContentStream({ model: MODEL, contents, config }))
            parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []))
        } catch (error) {
          if (!(error instanceof ApiError)) throw error
          return { text: '', calls: [], error: error.message }
        }
        contents.push({ role: 'model', parts })
        return {
          text: parts.map((part) => part.text ?? '').join(''),
          calls: parts.flatMap(({ functionCall }) =>
            functionCall === undefined
              ? []
              : [{ name: functionCall.name ?? '', arguments: JSON.stringify(functionCall.args) }],
          ),
          error: null,
        }
      },
      async runCalls() {
        const results: Part[] = []
        for (const { functionCall } of contents.at(-1)?.parts ?? []) {
          if (functionCall === undefined) continue
          const name = functionCall.name ?? ''
          const output = await box.run(name, JSON.stringify(functionCall.args))
          results.push({ functionResponse: { name, response: { output } } })
        }
        if (results.length > 0) contents.push({ role: 'user', parts: results })
        return results.length
      },
    }
  },
}
