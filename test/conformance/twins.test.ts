/**
 * Members in two spellings: readers that ignore case (Go, .NET), or know both names of a member (JSON of protocol
 * buffers), take one for the other. What is judged under one spelling never leaves with another beside it. WIRE.md §1.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Ask } from '#pkg/model'
import { CLAUDE, CLAUDE_DENY, CLAUDE_REQUEST } from '../fixtures/anthropic.ts'
import { AS_ARRAY, AS_EVENTS, AS_WHOLE, DENY as GEMINI_DENY, REQUEST as GEMINI_REQUEST } from '../fixtures/gemini.ts'
import { closeChecks, JSON_TYPE, newPath, type Path } from '../fixtures/path.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'
import { RESPONSES_REQUEST } from '../fixtures/responses.ts'

after(closeChecks)

type Body = Record<string, unknown>
type Dialect = {
  readonly name: string
  readonly policy: string
  readonly asks: readonly Partial<Ask>[]
  /** Requests that pass. */
  readonly plain: readonly Body[]
  readonly twins: readonly (readonly [name: string, more: Body])[]
}

const schema = {
  type: 'object',
  properties: { a: { type: 'string' }, A: { type: 'string' }, tool_calls: {}, toolCalls: {} },
}
const user = { role: 'user', content: 'go on' }
const run = { id: 'c', type: 'function', function: { name: 'run_sql', arguments: '{}' } }
const claudeTools = CLAUDE_REQUEST.tools
const text = { role: 'user', parts: [{ text: 'x' }] }

const chatTwins: Dialect['twins'] = [
  ['another model', { Model: 'o9-forbidden' }],
  ['another model in capitals', { MODEL: 'o9-forbidden' }],
  ['another model in full-width letters', { ｍodel: 'o9-forbidden' }],
  ['another model behind an invisible letter', { 'mo\u200bdel': 'o9-forbidden' }],
  ['another stream', { Stream: true }],
  ['tools in capitals', { Tools: [{ type: 'web_search' }] }],
  ['a long s', { web_search_optionſ: {} }],
  ['a search in camel case', { webSearchOptions: {} }],
  ['a count', { N: 5 }],
  ['another conversation', { Messages: [user] }],
  ['the name of a tool', { tools: [{ type: 'function', Type: 'web_search', function: { name: 'a' } }] }],
  ['the type of a hosted tool alone', { tools: [{ Type: 'web_search', function: { name: 'a' } }] }],
  ['the server of a hosted tool', { tools: [{ type: 'function', serverUrl: 'https://evil.example', function: {} }] }],
  ['calls in camel case', { messages: [user, { role: 'assistant', content: null, toolCalls: [run] }] }],
  ['both calls', { messages: [user, { role: 'assistant', content: '', tool_calls: [run], Tool_Calls: [run] }] }],
  ['a legacy call', { messages: [user, { role: 'assistant', content: '', functionCall: run.function }] }],
  [
    'arguments',
    {
      messages: [
        user,
        { role: 'assistant', tool_calls: [{ ...run, function: { ...run.function, Arguments: '{"a":1}' } }] },
      ],
    },
  ],
  ['the id of a result', { messages: [user, { role: 'tool', tool_call_id: 'c', toolCallId: 'd', content: '' }] }],
]

const dialects: readonly Dialect[] = [
  {
    name: 'Chat',
    policy: DENY,
    asks: [{}],
    plain: [
      { ...REQUEST, tools: [{ type: 'function', function: { name: 'a', parameters: schema } }] },
      {
        ...REQUEST,
        Seed: 1,
        metadata: { Model: 'x', model: 'y' },
        messages: [user, { role: 'assistant', content: null, tool_calls: [run] }],
      },
    ],
    twins: chatTwins,
  },
  {
    name: 'Responses',
    policy: DENY,
    asks: [{ path: '/responses' }],
    plain: [
      { ...RESPONSES_REQUEST, tools: [{ type: 'function', name: 'a', parameters: schema }] },
      { ...RESPONSES_REQUEST, metadata: { Model: 'x', model: 'y' } },
    ],
    twins: [
      ['another model', { Model: 'o9-forbidden' }],
      ['another input', { Input: 'x' }],
      ['tools in capitals', { TOOLS: [{ type: 'web_search' }] }],
      ['an earlier answer in camel case', { previousResponseId: 'resp_1' }],
      ['a prompt', { Prompt: { id: 'p' } }],
      ['background', { Background: true }],
      ['the type of a tool', { tools: [{ type: 'function', TYPE: 'web_search', name: 'a' }] }],
      ['the server of a tool', { tools: [{ type: 'function', serverURL: 'https://evil.example', name: 'a' }] }],
      ['an approval', { tools: [{ type: 'function', requireApproval: 'never', name: 'a' }] }],
      [
        'a tool of a namespace',
        { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'function', Type: 'web_search', name: 'a' }] }] },
      ],
      ['tools of an item', { input: [{ type: 'additional_tools', Tools: [{ type: 'web_search' }] }] }],
      ['the type of an item', { input: [{ type: 'message', Type: 'additional_tools', role: 'user', content: 'x' }] }],
      [
        'the id of a call',
        { input: [{ type: 'function_call', call_id: 'c', callId: 'd', name: 'a', arguments: '{}' }] },
      ],
    ],
  },
  {
    name: 'Anthropic',
    policy: CLAUDE_DENY,
    asks: [CLAUDE],
    plain: [{ ...CLAUDE_REQUEST, tools: [{ name: 'a', input_schema: schema }] }],
    twins: [
      ['another model', { Model: 'claude-forbidden' }],
      ['tools in capitals', { Tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] }],
      ['servers in camel case', { mcpServers: [{ type: 'url', name: 'm', url: 'https://evil.example' }] }],
      ['a fallback', { Fallbacks: [{ model: 'x' }] }],
      ['the type of a tool', { tools: [{ ...claudeTools[0], Type: 'code_execution_20250825' }] }],
      ['the name of a tool', { tools: [{ ...claudeTools[0], NAME: 'admin_reset' }] }],
      ['skills of a container', { container: { Skills: [{ type: 'anthropic', skill_id: 'pptx' }] } }],
      [
        'the type of a block',
        { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', Type: 'tool_addition' }] }] },
      ],
      [
        'the input of a call',
        {
          messages: [
            user,
            {
              role: 'assistant',
              content: [{ type: 'tool_use', id: 't', name: 'run_sql', input: {}, Input: { query: 'DROP TABLE x' } }],
            },
          ],
        },
      ],
      ['the content of a message', { messages: [{ role: 'user', content: 'x', Content: [] }] }],
    ],
  },
  {
    name: 'Gemini',
    policy: GEMINI_DENY,
    asks: [AS_EVENTS, AS_ARRAY, AS_WHOLE],
    plain: [
      { ...GEMINI_REQUEST, tools: [{ functionDeclarations: [{ name: 'a', parametersJsonSchema: schema }] }] },
      {
        ...GEMINI_REQUEST,
        contents: [
          text,
          { role: 'model', parts: [{ functionCall: { name: 'a', args: { function_call: 1, functionCall: 2 } } }] },
          { role: 'user', parts: [{ functionResponse: { name: 'a', response: { a_b: 1, aB: 2 } } }] },
        ],
      },
    ],
    twins: [
      ['tools in capitals', { Tools: [{ googleSearch: {} }] }],
      ['a cached content in capitals', { CachedContent: 'cachedContents/x' }],
      ['both names of a configuration', { toolConfig: {}, tool_config: { function_calling_config: { mode: 'ANY' } } }],
      [
        'both names of a schema',
        { generationConfig: { responseMimeType: 'text/plain', response_mime_type: 'application/json' } },
      ],
      [
        'both names of declarations',
        { tools: [{ functionDeclarations: [{ name: 'a' }], function_declarations: [{ name: 'b' }] }] },
      ],
      [
        'both names of a call',
        { contents: [text, { role: 'model', parts: [{ functionCall: { name: 'a' }, function_call: { name: 'b' } }] }] },
      ],
      [
        'both names of a result',
        {
          contents: [
            text,
            {
              role: 'user',
              parts: [
                { functionResponse: { name: 'a', response: {} }, function_response: { name: 'a', response: {} } },
              ],
            },
          ],
        },
      ],
      [
        'both names of bytes',
        { contents: [{ role: 'user', parts: [{ inlineData: { data: '' }, inline_data: { data: '' } }] }] },
      ],
      [
        'both names of a server',
        {
          tools: [
            {
              mcpServers: [
                {
                  streamableHttpTransport: { url: 'https://a.example' },
                  streamable_http_transport: { url: 'https://evil.example' },
                },
              ],
            },
          ],
        },
      ],
      [
        'arguments in another case',
        { contents: [text, { role: 'model', parts: [{ functionCall: { name: 'a', args: {}, Args: { x: 1 } } }] }] },
      ],
    ],
  },
]

const play = { chunks: ['{}'], headers: JSON_TYPE }

for (const { name, policy, asks, plain, twins } of dialects)
  test(`[TWIN-01] ${name}: a member in a second spelling is refused, and no other name is`, async () => {
    const path = await newPath(policy)
    try {
      for (const ask of asks) {
        for (const body of plain) await expectPassed(path, body, ask)
        for (const [twin, more] of twins)
          for (const stream of streams(name)) await expectRefused(path, { ...plain[0], ...more, ...stream }, ask, twin)
      }
    } finally {
      await path.close()
    }
  })

/** Gemini says in its path whether it streams. */
const streams = (name: string): readonly Body[] => (name === 'Gemini' ? [{}] : [{ stream: true }, { stream: false }])

async function expectPassed(path: Path, body: Body, ask: Partial<Ask>): Promise<void> {
  const seen = await path.ask(body, play, ask)
  assert.notEqual(seen.upstream, null, `${JSON.stringify(body)}: ${seen.text}`)
}

async function expectRefused(path: Path, body: Body, ask: Partial<Ask>, twin: string): Promise<void> {
  const seen = await path.ask(body, play, ask)
  assert.equal(seen.upstream, null, `${twin} was sent`)
  assert.equal(seen.status, 403, twin)
  assert.deepEqual(seen.verdicts.at(-1)?.reasons, ['WIRE_REQUEST_MALFORMED'], twin)
}
