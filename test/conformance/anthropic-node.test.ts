/** The official SDK for Node against a real `sallyctl up`: every passed and refused stream, and the next request. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { CLAUDE_REQUEST } from '../fixtures/anthropic.ts'
import {
  CLAUDE_SCENARIO_POLICIES,
  CLAUDE_SCENARIOS,
  type ClaudeScenario,
  playClaudeScenarios,
} from '../fixtures/anthropic-scenarios.ts'
import { type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'

let upstream: MockUpstream
let sallyctl: Running
before(async () => {
  upstream = await startMockUpstream(playClaudeScenarios)
  sallyctl = await startSallyctl({
    policies: CLAUDE_SCENARIO_POLICIES,
    upstream: upstream.url,
    args: ['--upstream', `anthropic=${upstream.url}`],
    env: { ANTHROPIC_API_KEY: 'sk-ant-provider' },
  })
})
after(async () => {
  await sallyctl.stop()
  await upstream.close()
})

const clientOf = (scenario: ClaudeScenario): Anthropic =>
  new Anthropic({
    baseURL: `${sallyctl.ready.facade}/anthropic`,
    apiKey: sallyctl.token(`growth/${scenario.agent}`),
    logLevel: 'off',
  })

type Read = { text: string; calls: [string, unknown][]; finish: string | null; error: string | null }

const requestOf = (scenario: ClaudeScenario): Anthropic.MessageCreateParamsNonStreaming => ({
  model: scenario.model,
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'go on' }],
  tools: CLAUDE_REQUEST.tools.map((tool) => ({ ...tool })),
})

/** The raw loop that most programs write. */
async function readLoop(scenario: ClaudeScenario): Promise<Read> {
  const read: Read = { text: '', calls: [], finish: null, error: null }
  const open = new Map<number, { name: string; given: unknown; json: string }>()
  try {
    const stream = await clientOf(scenario).messages.create({ ...requestOf(scenario), stream: true })
    for await (const event of stream) {
      if (event.type === 'content_block_start' && event.content_block.type === 'tool_use') {
        open.set(event.index, { name: event.content_block.name, given: event.content_block.input, json: '' })
      }
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') read.text += event.delta.text
      if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta') {
        const call = open.get(event.index)
        if (call !== undefined) call.json += event.delta.partial_json
      }
      if (event.type === 'message_delta') read.finish = event.delta.stop_reason
    }
    for (const { name, given, json } of open.values()) read.calls.push([name, json === '' ? given : JSON.parse(json)])
  } catch (error) {
    read.error = errorOf(error)
  }
  return read
}

function readMessage(message: { content: { type: string }[]; stop_reason: string | null }): Read {
  const read: Read = { text: '', calls: [], finish: message.stop_reason, error: null }
  for (const block of message.content as Anthropic.ContentBlock[]) {
    if (block.type === 'text') read.text += block.text
    if (block.type === 'tool_use') read.calls.push([block.name, block.input])
  }
  return read
}

/** The SDK's own helper, which puts the message together and throws on whatever it does not expect. */
async function readHelper(scenario: ClaudeScenario): Promise<Read> {
  try {
    return readMessage(await clientOf(scenario).messages.stream(requestOf(scenario)).finalMessage())
  } catch (error) {
    return { text: '', calls: [], finish: null, error: errorOf(error) }
  }
}

async function readBeta(scenario: ClaudeScenario): Promise<Read> {
  try {
    const { messages, tools, ...rest } = requestOf(scenario)
    const request = { ...rest, messages, tools: tools as Anthropic.Beta.BetaTool[] } // made in this file
    return readMessage(await clientOf(scenario).beta.messages.stream(request).finalMessage())
  } catch (error) {
    return { text: '', calls: [], finish: null, error: errorOf(error) }
  }
}

const errorOf = (error: unknown): string =>
  error instanceof Anthropic.APIError ? error.message : `not an APIError: ${error}`

for (const scenario of CLAUDE_SCENARIOS)
  for (const [how, read] of [
    ['loop', readLoop],
    ['helper', readHelper],
    ['beta helper', readBeta],
  ] as const)
    test(`[ANTHROPIC-07] the Node SDK reads: ${scenario.name} (${how})`, async (context) => {
      if (scenario.name === 'sever ends the stream' && how !== 'loop')
        return context.diagnostic('severed by the loop already')
      const seen = await read(scenario)
      const { expected } = scenario
      if (expected.error !== null) return assert.ok(seen.error?.includes(expected.error), String(seen.error))
      assert.equal(seen.error, null)
      assert.ok(seen.text.includes(expected.content), seen.text)
      assert.deepEqual(seen.calls, expected.calls)
      assert.equal(seen.finish, expected.finish)
    })

const conversations: readonly (readonly [name: string, original: readonly string[]])[] = [
  ['the second of three is refused', ['tool_use', 'tool_use', 'tool_use']],
  ['thinking, text, then a refused call', ['thinking', 'text', 'tool_use']],
]
for (const [name, original] of conversations)
  test(`[ANTHROPIC-06] [ANTHROPIC-07] the next request of the conversation: ${name}`, async () => {
    const scenario = CLAUDE_SCENARIOS.find((each) => each.name === name)
    assert.ok(scenario !== undefined)
    const client = clientOf(scenario)
    const message = await client.messages.stream(requestOf(scenario)).finalMessage()
    const results = message.content.filter((block) => block.type === 'tool_use')
    const answer: Anthropic.MessageParam = {
      role: 'user',
      content: [
        ...results.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'fine' })),
        { type: 'text', text: 'go on without' },
      ],
    }
    const next = requestOf(scenario)
    const messages = [...next.messages, { role: 'assistant' as const, content: message.content }, answer]
    await client.messages.stream({ ...next, messages }).finalMessage()
    const sent = JSON.parse(upstream.requests.at(-1)?.body.toString('utf8') ?? '') as {
      messages: { content: Record<string, unknown>[] }[] // as this test has written it
    }
    const [, assistant, user] = sent.messages
    assert.deepEqual(
      assistant?.content.map(({ type }) => type),
      original,
    )
    const call = assistant?.content.find((block) => JSON.stringify(block['input'] ?? {}).includes('DROP TABLE'))
    assert.ok(call !== undefined, 'the call is back')
    assert.deepEqual(
      [user?.content[0]?.['type'], user?.content[0]?.['tool_use_id'], user?.content[0]?.['is_error']],
      ['tool_result', call['id'], true],
    )
    assert.equal(user?.content.length, answer.content.length + 1)
    assert.equal(upstream.requests.at(-1)?.headers['x-api-key'], 'sk-ant-provider')
  })
