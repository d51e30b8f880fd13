import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { fetch, H2CClient } from 'undici'
import { chunkOf, lf } from '../fixtures/chat.ts'
import { answerOf, h2Client } from '../fixtures/h2-client.ts'
import { type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { REQUEST } from '../fixtures/policies.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'
import { playScenarios, SCENARIO_POLICIES, SCENARIOS, type Scenario } from '../fixtures/scenarios.ts'

let upstream: MockUpstream
let sallyctl: Running
let dispatcher: H2CClient
/** Ends the answers that wait. */
let release = () => {}
before(async () => {
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  upstream = await startMockUpstream(async (request, reply) => {
    if (!request.body.includes('gpt-5-waits')) return playScenarios(request, reply)
    await reply.head(200, { 'content-type': 'text/event-stream' })
    await reply.chunk(lf(chunkOf({ content: 'one' })))
    await Promise.race([released, reply.closed])
    await reply.chunk(lf(chunkOf({ content: 'two' }, 'stop')))
    await reply.finish()
  })
  sallyctl = await startSallyctl({ policies: SCENARIO_POLICIES, upstream: `${upstream.url}/v1` })
  dispatcher = new H2CClient(sallyctl.ready.facade)
})
after(async () => {
  await dispatcher.destroy()
  await sallyctl.stop()
  await upstream.close()
})

/** The official SDK, its `fetch` over HTTP/2. */
const clientOf = (scenario: Scenario): OpenAI =>
  new OpenAI({
    baseURL: `${sallyctl.ready.facade}/openai/v1`,
    apiKey: sallyctl.token(`growth/${scenario.agent}`),
    // undici's types of fetch are its own
    fetch: ((url: string, init: object) => fetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch,
  })

async function read(scenario: Scenario) {
  const seen = { content: '', calls: [] as string[], finish: null as string | null, error: null as string | null }
  try {
    const stream = await clientOf(scenario).chat.completions.create({
      ...REQUEST,
      model: scenario.model,
      stream: true,
    } as unknown as OpenAI.ChatCompletionCreateParamsStreaming) // the fixture is readonly
    for await (const chunk of stream) {
      const choice = chunk.choices[0]
      seen.content += choice?.delta.content ?? ''
      seen.finish = choice?.finish_reason ?? seen.finish
      for (const { index, function: called } of choice?.delta.tool_calls ?? [])
        seen.calls[index] = (seen.calls[index] ?? '') + (called?.name ?? '')
    }
  } catch (error) {
    seen.error = error instanceof OpenAI.APIError ? String(error.code ?? error.status) : `${error}`
  }
  return seen
}

test('[H2-20] the official SDK over HTTP/2 reads what the table says; a severed agent’s streams end, others of the connection go on', async () => {
  const client = h2Client(sallyctl.ready.facade)
  const waiting = (agent: string) => {
    const stream = client.open(
      {
        ':method': 'POST',
        ':path': '/openai/v1/chat/completions',
        'content-type': 'application/json',
        authorization: `Bearer ${sallyctl.token(`growth/${agent}`)}`,
      },
      false,
    )
    stream.end(JSON.stringify({ ...REQUEST, model: 'gpt-5-waits' }))
    const first = new Promise<void>((resolve) => stream.once('data', () => resolve()))
    return { first, answer: answerOf(stream) }
  }
  const [severed, other] = [waiting('sever'), waiting('deny')]
  await Promise.all([severed.first, other.first])

  for (const scenario of SCENARIOS) {
    const { content, ...seen } = await read(scenario)
    const { content: holds, ...expected } = scenario.expected
    assert.equal(seen.error, expected.error, scenario.name)
    if (expected.error !== null) continue
    assert.ok(content.includes(holds), `${scenario.name}: ${content}`)
    assert.deepEqual(seen, expected, scenario.name)
  }

  const ended = await severed.answer
  assert.match(ended.body.toString(), /IDENTITY_/)
  assert.doesNotMatch(ended.body.toString(), /two/)
  release()
  const whole = await other.answer
  assert.deepEqual([whole.code, whole.ended], [0, true])
  assert.match(whole.body.toString(), /one.*two/s)
  client.close()
})
