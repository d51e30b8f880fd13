/** The official SDK for Node against a real `sallyctl up`: every passed and refused stream of Responses, and the next request. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { RESPONSES_REQUEST } from '../fixtures/responses.ts'
import { playResponses, RESPONSES_SCENARIOS } from '../fixtures/responses-scenarios.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'
import { SCENARIO_POLICIES, type Scenario } from '../fixtures/scenarios.ts'

let upstream: MockUpstream
let sallyctl: Running
before(async () => {
  upstream = await startMockUpstream(playResponses)
  sallyctl = await startSallyctl({ policies: SCENARIO_POLICIES, upstream: `${upstream.url}/v1` })
})
after(async () => {
  await sallyctl.stop()
  await upstream.close()
})

const clientOf = (agent: string): OpenAI =>
  new OpenAI({
    baseURL: `${sallyctl.ready.facade}/openai/v1`,
    apiKey: sallyctl.token(`growth/${agent}`),
    logLevel: 'off',
  })

type Read = {
  content: string
  calls: string[]
  finish: string | null
  error: string | null
  output: OpenAI.Responses.ResponseOutputItem[]
}

const nothing = (): Read => ({ content: '', calls: [], finish: null, error: null, output: [] })

const codeOf = (error: unknown): string =>
  error instanceof OpenAI.APIError ? String(error.code ?? error.status) : `not an APIError: ${error}`

const requestOf = (scenario: Scenario) => ({
  model: scenario.model,
  input: 'go on',
  tools: RESPONSES_REQUEST.tools.map(({ name }) => ({
    type: 'function' as const,
    name,
    parameters: {},
    strict: false,
  })),
})

/** The raw loop that most programs write: deltas of text, calls as their items end. */
async function readLoop(scenario: Scenario): Promise<Read> {
  const read = nothing()
  try {
    const stream = await clientOf(scenario.agent).responses.create({ ...requestOf(scenario), stream: true })
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta' || event.type === 'response.refusal.delta')
        read.content += event.delta
      if (event.type === 'response.output_item.done') {
        read.output.push(event.item)
        if (event.item.type === 'function_call') read.calls.push(event.item.name)
      }
      if ('response' in event) {
        read.finish = event.response.status ?? null
        const told = event.response.output.filter((item) => item.type !== 'message' && item.type !== 'reasoning')
        if (event.type !== 'response.created' && event.type !== 'response.in_progress')
          assert.deepEqual(
            told.map((item) => (item.type === 'function_call' ? item.name : item.type)),
            read.calls,
          )
      }
    }
  } catch (error) {
    read.error = codeOf(error)
  }
  return read
}

/** The SDK's own helper, which puts the response together and throws on whatever it does not expect. */
async function readHelper(scenario: Scenario): Promise<Read> {
  const read = nothing()
  try {
    const stream = clientOf(scenario.agent).responses.stream(requestOf(scenario))
    const final = await stream.finalResponse()
    read.content = final.output_text
    read.finish = final.status ?? null
    for (const item of final.output) if (item.type === 'function_call') read.calls.push(item.name)
    read.output = final.output
  } catch (error) {
    read.error = codeOf(error)
  }
  return read
}

for (const scenario of RESPONSES_SCENARIOS)
  for (const [how, read] of [
    ['loop', readLoop],
    ['helper', readHelper],
  ] as const)
    test(`[RESP-14] the Node SDK reads: ${scenario.name} (${how})`, async (context) => {
      if (scenario.name === 'sever ends the stream' && how === 'helper')
        return context.diagnostic('severed by the loop already')
      const seen = await read(scenario)
      const { expected } = scenario
      assert.equal(seen.error, expected.error)
      if (expected.error !== null) return
      const inSnapshotAlone = scenario.name.includes('snapshot alone') && how === 'loop'
      if (!inSnapshotAlone) assert.ok(seen.content.includes(expected.content), seen.content)
      assert.deepEqual(seen.calls, expected.calls)
      assert.equal(seen.finish, expected.finish)
    })

test('[RESP-10] [RESP-14] the next request of the SDK: items as it has them, or the id of the answer', async () => {
  const scenario = RESPONSES_SCENARIOS.find(({ name }) => name === 'a refused call after thoughts and text')
  assert.ok(scenario !== undefined)
  const client = clientOf('deny')
  const first = await client.responses.stream(requestOf(scenario)).finalResponse()
  const user = { role: 'user', content: 'go on' } as const
  const own = first.output as OpenAI.Responses.ResponseInputItem[] // what the SDK's documents say to send back
  const items = await client.responses
    .stream({ model: 'gpt-5-echo', store: false, input: [user, ...own, user] })
    .finalResponse()
  const sent = JSON.parse(items.output_text) as { type?: string; call_id?: string }[]
  assert.deepEqual(
    sent.map(({ type }) => type ?? 'user'),
    ['user', 'reasoning', 'message', 'function_call', 'function_call_output', 'user'],
  )
  assert.equal(sent[3]?.call_id, sent[4]?.call_id)
  const byId = await client.responses
    .stream({ model: 'gpt-5-echo', previous_response_id: first.id, input: 'go on' })
    .finalResponse()
  const front = JSON.parse(byId.output_text) as { type: string; call_id: string; output: string }[]
  assert.ok(front.some(({ type, call_id }) => type === 'function_call_output' && call_id === sent[3]?.call_id))
})

test('[RESP-11] [RESP-14] the SDK fetches, takes up again, cancels and deletes what the provider keeps', async () => {
  const { responses } = clientOf('deny')
  const kept = await responses.retrieve('resp_1')
  assert.deepEqual(
    kept.output.map(({ type }) => type),
    ['message', 'message', 'function_call'],
  )
  assert.match(kept.output_text, /^I will\.sallyport: INTENT_SQL_DDL/)
  const numbers: number[] = []
  for await (const event of await responses.retrieve('resp_1', { stream: true, starting_after: 9 }))
    numbers.push(event.sequence_number)
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => 10 + at),
  )
  const again = await responses.stream({ response_id: 'resp_1' }).finalResponse()
  assert.equal(again.output.length, 3)
  const cancelled = await responses.cancel('resp_1')
  assert.deepEqual(
    cancelled.output.map(({ type }) => type),
    ['message'],
  )
  await responses.delete('resp_1')
  assert.ok(upstream.requests.some(({ method }) => method === 'DELETE'))
})
