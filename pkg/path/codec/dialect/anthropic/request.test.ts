import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_LIMITS, type HostedTool, type RequestView } from '#pkg/model'
import { anthropic } from './index.ts'

const work = { limits: DEFAULT_LIMITS, yieldTurn: () => Promise.resolve() }

const endpoints: readonly (readonly [method: string, path: string, query: string, name: string | null])[] = [
  ['POST', '/v1/messages', '', 'messages'],
  ['POST', '/v1/messages', '?beta=true', 'messages'],
  ['POST', '/v1/messages/count_tokens', '?beta=true', 'count_tokens'],
  ['GET', '/v1/models', '?limit=20&after_id=claude-x', 'models'],
  ['GET', '/v1/models/claude-opus-4-8', '', 'model'],
  ['GET', '/v1/messages', '', null],
  ['POST', '/v1/models', '', null],
  ['POST', '/v1/messages/', '', null],
  ['POST', '/messages', '', null],
  ['POST', '/v1/messages/batches', '', null],
  ['GET', '/v1/models/a/b', '', null],
  ['POST', '/v1/messages', '?beta=false', null],
  ['POST', '/v1/messages', '?beta=true&x=1', null],
]
for (const [method, path, query, name] of endpoints)
  test(`[ANTHROPIC-05] ${method} ${path}${query} is ${name ?? 'not owned'}`, () => {
    assert.equal(anthropic.endpointOf(method, path, query)?.name ?? null, name)
  })

function viewOf(more: object): RequestView {
  const endpoint = anthropic.endpointOf('POST', '/v1/messages', '')
  assert.ok(endpoint !== null)
  const body = { model: 'claude-x', messages: [{ role: 'user', content: 'x' }], ...more }
  const read = anthropic.readRequest(endpoint, new TextEncoder().encode(JSON.stringify(body)), work)
  assert.ok(!(read instanceof Promise) && read.ok, JSON.stringify(read))
  return read.value
}

const mcp = (serverUrl: string | null): HostedTool => ({ name: 'mcp', serverUrl })
const hosted = (name: string): HostedTool => ({ name, serverUrl: null })
const added = (tool: object): object => ({ messages: [{ role: 'system', content: [{ type: 'tool_addition', tool }] }] })

const tools: readonly (readonly [
  name: string,
  more: object,
  tools: readonly string[],
  hosted: readonly HostedTool[],
])[] = [
  ['custom tools, with and without a type', { tools: [{ name: 'a' }, { type: 'custom', name: 'b' }] }, ['a', 'b'], []],
  [
    'tools of Anthropic that the client runs',
    {
      tools: [
        { type: 'bash_20250124', name: 'bash' },
        { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' },
        { type: 'computer_20251124', name: 'computer' },
        { type: 'memory_20250818', name: 'memory' },
      ],
    },
    ['bash', 'str_replace_based_edit_tool', 'computer', 'memory'],
    [],
  ],
  [
    'toolsets',
    { tools: [{ type: 'browser_toolset_20260801' }, { type: 'computer_toolset_20260801' }] },
    ['browser', 'computer'],
    [],
  ],
  [
    'tools that the provider runs, by name without their date',
    {
      tools: [
        { type: 'web_search_20260318', name: 'web_search' },
        { type: 'code_execution_20260521', name: 'code_execution' },
        { type: 'tool_search_tool_regex', name: 'tool_search_tool_regex' },
        { type: 'cloud_toolset_20270101' },
        { type: 'bash_tomorrow', name: 'bash' },
      ],
    },
    [],
    ['web_search', 'code_execution', 'tool_search_tool_regex', 'cloud_toolset', 'bash_tomorrow'].map(hosted),
  ],
  [
    'MCP servers by their address, and a toolset of one that is not declared',
    {
      mcp_servers: [
        { type: 'url', name: 'a', url: 'https://a.example/' },
        { type: 'url', name: 'a', url: 'https://b.example/' },
        { type: 'url' },
      ],
      tools: [
        { type: 'mcp_toolset', mcp_server_name: 'a' },
        { type: 'mcp_toolset', mcp_server_name: 'z' },
      ],
    },
    [],
    [mcp('https://a.example/'), mcp('https://b.example/'), mcp(null), mcp(null)],
  ],
  [
    'models that take over, and skills',
    { fallbacks: 'default', container: { skills: [{}] } },
    [],
    [hosted('fallbacks'), hosted('skills')],
  ],
  ['a tool that is added later', added({ type: 'tool_definition', definition: { name: 'late' } }), ['late'], []],
  [
    'a provider tool that is added later',
    added({ type: 'tool_definition', definition: { type: 'web_fetch_20260318' } }),
    [],
    [hosted('web_fetch')],
  ],
  ['an MCP toolset that is added later', added({ type: 'mcp_toolset_reference', server_name: 'z' }), [], [mcp(null)]],
  ['a tool that is only named again', added({ type: 'tool_reference', name: 'a' }), [], []],
  ['nothing', { tools: null, mcp_servers: null, fallbacks: null, container: 'container_1' }, [], []],
]
for (const [name, more, own, provider] of tools)
  test(`[ANTHROPIC-04] declared tools: ${name}`, () => {
    const view = viewOf(more)
    assert.deepEqual(view.tools, own)
    assert.deepEqual(view.hostedTools, provider)
  })

test('[ANTHROPIC-05] the conversation is read: calls, and results with all of their text', () => {
  const view = viewOf({
    stream: true,
    output_config: { format: { type: 'json_schema' } },
    messages: [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'run_sql', input: {} },
          { type: 'tool_use', id: 'b', name: 'left_click', toolset_name: 'computer', input: {} },
          { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'plain' },
          {
            type: 'tool_result',
            tool_use_id: 'b',
            content: [
              { type: 'text', text: 'one ' },
              { type: 'image', source: { type: 'base64', data: 'xx' } },
              { type: 'document', source: { type: 'text', data: 'two ' } },
              { type: 'search_result', content: [{ type: 'text', text: 'three' }] },
            ],
          },
          { type: 'tool_result', tool_use_id: 'c' },
        ],
      },
    ],
  })
  assert.deepEqual(view.history.calls, [
    { id: 'a', name: 'run_sql', form: 'json', arguments: {} },
    { id: 'b', name: 'computer.left_click', form: 'json', arguments: {} },
  ])
  const shown = view.history.results.map(({ id, texts }) => [id, ...texts.map(({ text }) => text)].join(' '))
  assert.deepEqual(shown, ['a plain', 'b text one  image base64 xx document text two  search_result text three', 'c'])
  assert.deepEqual([view.stream, view.structuredOutput, view.model], [true, true, 'claude-x'])
})

test('[ANTHROPIC-05] a large body is read in turns, to the same view', async () => {
  const endpoint = anthropic.endpointOf('POST', '/v1/messages', '')
  assert.ok(endpoint !== null)
  const body = { model: 'claude-x', messages: [{ role: 'user', content: 'x'.repeat(600_000) }], tools: [{ name: 'a' }] }
  let turns = 0
  const read = await anthropic.readRequest(endpoint, new TextEncoder().encode(JSON.stringify(body)), {
    ...work,
    yieldTurn: async () => {
      turns += 1
    },
  })
  assert.ok(read.ok)
  assert.deepEqual(read.value.tools, ['a'])
  assert.ok(turns > 5)
})
