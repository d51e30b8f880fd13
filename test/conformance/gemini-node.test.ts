import assert from 'node:assert/strict'
import { after, before, mock, test } from 'node:test'
import {
  ApiError,
  type Content,
  type FunctionDeclaration,
  type GenerateContentResponse,
  GoogleGenAI,
} from '@google/genai'
import { REQUEST } from '../fixtures/gemini.ts'
import { playScenarios, SCENARIO_POLICIES, SCENARIOS, type Scenario } from '../fixtures/gemini-scenarios.ts'
import { type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'

let upstream: MockUpstream
let sallyctl: Running
before(async () => {
  mock.method(console, 'warn', () => {}) // the SDK warns wherever a call stands beside text
  upstream = await startMockUpstream(playScenarios)
  sallyctl = await startSallyctl({
    policies: SCENARIO_POLICIES,
    upstream: `${upstream.url}/v1`,
    args: ['--upstream', `gemini=${upstream.url}`],
    env: { GEMINI_API_KEY: 'AIza-provider-key' },
  })
})
after(async () => {
  await sallyctl.stop()
  await upstream.close()
})

const tokenOf = (agent: string): string => sallyctl.token(`growth/${agent}`)
const clientOf = (agent: string): GoogleGenAI =>
  new GoogleGenAI({ apiKey: tokenOf(agent), httpOptions: { baseUrl: `${sallyctl.ready.facade}/gemini` } })

// the fixture's declarations, as the SDK types them
const functionDeclarations = JSON.parse(JSON.stringify(REQUEST.tools[0].functionDeclarations)) as FunctionDeclaration[]
const config = { tools: [{ functionDeclarations }], automaticFunctionCalling: { disable: true } }

type Read = { text: string; calls: string[]; finish: string | null; error: string | null }

const reasonOf = (error: unknown): string => {
  if (!(error instanceof ApiError)) return `not an ApiError: ${error}`
  return /"reason":\s*"([A-Z_]+)"/.exec(error.message)?.[1] ?? error.message
}

function add(read: Read, chunk: GenerateContentResponse): void {
  read.text += chunk.text ?? ''
  read.calls.push(...(chunk.functionCalls ?? []).map((call) => call.name ?? ''))
  read.finish = chunk.candidates?.[0]?.finishReason ?? read.finish
}

const readers: Readonly<Record<string, (scenario: Scenario, read: Read) => Promise<void>>> = {
  loop: async ({ agent, model }, read) => {
    const stream = await clientOf(agent).models.generateContentStream({ model, contents: 'go on', config })
    for await (const chunk of stream) add(read, chunk)
  },
  chat: async ({ agent, model }, read) => {
    const chat = clientOf(agent).chats.create({ model, config })
    for await (const chunk of await chat.sendMessageStream({ message: 'go on' })) add(read, chunk)
    assert.ok(chat.getHistory(true).length > 1, 'the SDK took the answer for a broken one')
  },
  'not streamed': async ({ agent, model }, read) =>
    add(read, await clientOf(agent).models.generateContent({ model, contents: 'go on', config })),
}

for (const scenario of SCENARIOS)
  for (const [how, reader] of Object.entries(readers))
    test(`[GEMINI-10] the Node SDK reads: ${scenario.name} (${how})`, async (context) => {
      if (scenario.name === 'sever ends the stream' && how !== 'loop') return context.diagnostic('severed by the loop')
      const read: Read = { text: '', calls: [], finish: null, error: null }
      try {
        await reader(scenario, read)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        read.error = reasonOf(error)
        assert.equal(error.status, 403)
      }
      const { expected } = scenario
      assert.equal(read.error, expected.error)
      if (expected.error !== null) return
      assert.ok(read.text.includes(expected.text), read.text)
      assert.deepEqual(read.calls, expected.calls)
      assert.equal(read.finish, expected.finish)
    })

type Sent = { readonly contents: readonly Content[] }
const lastSent = (): Sent => JSON.parse(upstream.requests.at(-1)?.body.toString('utf8') ?? '{}')

for (const name of ['text then a refused call', 'the second of three is refused', 'a refused call in pieces'])
  test(`[GEMINI-10] the next request of a conversation: ${name}`, async () => {
    const scenario = SCENARIOS.find((each) => each.name === name)
    assert.ok(scenario !== undefined)
    const chat = clientOf('deny').chats.create({ model: scenario.model, config })
    for await (const _ of await chat.sendMessageStream({ message: 'go on' }));
    for await (const _ of await chat.sendMessageStream({ message: 'and then?' }));
    const { contents } = lastSent()
    const parts = contents.flatMap((content) => content.parts ?? [])
    const calls = parts.flatMap((part) => part.functionCall ?? [])
    assert.ok(calls.some((call) => call.name === 'run_sql' && call.args?.['query'] === 'DROP TABLE customers'))
    const next = contents.at(-1)
    assert.equal(next?.parts?.[0]?.functionResponse?.name, 'run_sql')
    assert.match(String(next?.parts?.[0]?.functionResponse?.response?.['error']), /^sallyport: INTENT_SQL_DDL/)
    assert.equal(next?.parts?.at(-1)?.text, 'and then?')
    assert.ok(!parts.some((part) => part.text?.includes('sallyport:')))
  })

test('[GEMINI-10] the token in the query is enough, and neither it nor its header goes upstream', async () => {
  const url = `${sallyctl.ready.facade}/gemini/v1beta/models/gemini-text-alone:streamGenerateContent?alt=sse&key=${tokenOf('deny')}`
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(REQUEST) })
  assert.equal(answer.status, 200)
  assert.match(await answer.text(), /Two do/)
  const sent = upstream.requests.at(-1)
  assert.equal(sent?.target, '/v1beta/models/gemini-text-alone:streamGenerateContent?alt=sse')
  assert.equal(sent?.headers['x-goog-api-key'], 'AIza-provider-key')
  assert.ok(!sent?.rawHead.includes('sp_vk_'))
  const openai = await fetch(`${sallyctl.ready.facade}/openai/v1/models?key=${tokenOf('deny')}`)
  assert.equal(openai.status, 403)
})

test('[GEMINI-10] an array is read by JSON.parse, streamed or refused', async () => {
  for (const scenario of SCENARIOS.filter(({ agent }) => agent === 'deny')) {
    const url = `${sallyctl.ready.facade}/gemini/v1beta/models/${scenario.model}:streamGenerateContent`
    const headers = { 'content-type': 'application/json', 'x-goog-api-key': tokenOf('deny') }
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(REQUEST) })
    const chunks = (await answer.json()) as GenerateContentResponse[]
    const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
    assert.deepEqual(
      parts.flatMap((part) => part.functionCall?.name ?? []),
      scenario.expected.calls,
    )
    assert.ok(
      parts
        .map((part) => part.text ?? '')
        .join('')
        .includes(scenario.expected.text),
    )
  }
})
