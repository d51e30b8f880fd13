/** Requests that are refused before anything is dialled, and whole answers that hide a call. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Reason } from '#pkg/model'
import {
  CLAUDE,
  CLAUDE_DENY,
  CLAUDE_REQUEST,
  callBlock,
  claudeMessage,
  claudeStream,
  toolUse,
} from '../fixtures/anthropic.ts'
import { closeChecks, JSON_TYPE, newPath, type Path } from '../fixtures/path.ts'
import { GIVEN } from './claude-shapes.ts'
import { assertUnseen, reasonsOf } from './claude-unseen.ts'

let deny: Path
before(async () => {
  deny = await newPath(CLAUDE_DENY)
})
after(closeChecks)

const wholes: readonly (readonly [name: string, body: string, reason: Reason | 'any'])[] = [
  [
    'a call beside the content',
    JSON.stringify({ ...claudeMessage([], 'tool_use'), tool_calls: [{ name: 'run_sql', ...GIVEN }] }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in the usage',
    JSON.stringify({ ...claudeMessage([], 'tool_use'), usage: { tool_use: { name: 'run_sql', ...GIVEN } } }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a call in an unknown block',
    JSON.stringify(claudeMessage([{ type: 'action', name: 'run_sql', ...GIVEN }], 'tool_use')),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'a message in a message',
    JSON.stringify({ message: claudeMessage([toolUse(0, 'run_sql', GIVEN)], 'tool_use') }),
    'WIRE_UNKNOWN_SHAPE',
  ],
  [
    'two contents',
    JSON.stringify(claudeMessage([toolUse(0, 'run_sql', GIVEN)], 'tool_use')).replace(
      '"content":',
      '"content":[],"content":',
    ),
    'any',
  ],
  [
    'content that is an object',
    JSON.stringify({ ...claudeMessage([], 'tool_use'), content: toolUse(0, 'run_sql', GIVEN) }),
    'WIRE_FRAME_MALFORMED',
  ],
  [
    'a number that clients round',
    JSON.stringify(claudeMessage([toolUse(0, 'search_docs')], 'tool_use')).replace(
      '"input":{}',
      '"input":{"id":9007199254740993}',
    ),
    'WIRE_NUMBER_RANGE',
  ],
]
for (const [name, body, reason] of wholes)
  test(`[ANTHROPIC-03] a whole answer: ${name}`, async () => {
    const seen = await deny.ask({ ...CLAUDE_REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE }, CLAUDE)
    assertUnseen(seen, name)
    if (reason !== 'any') assert.deepEqual(reasonsOf(seen), [reason])
    assert.notEqual(seen.text, body)
  })

test('[ANTHROPIC-05] a request is refused before anything is dialled', async () => {
  const tool = (type: string, more: object = {}): object => ({
    ...CLAUDE_REQUEST,
    tools: [{ type, name: 'x', ...more }],
  })
  const refused: readonly (readonly [request: object, given: object, reason: Reason])[] = [
    [{ ...CLAUDE_REQUEST, model: 'gpt-5' }, {}, 'MODEL_NOT_GRANTED'],
    [tool('web_fetch_20260318'), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [tool('code_execution_20260521'), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [tool('advisor_20260301', { model: 'claude-x' }), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [tool('something_new'), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [tool('mcp_toolset', { mcp_server_name: 'wiki' }), {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [
      { ...CLAUDE_REQUEST, mcp_servers: [{ type: 'url', name: 'wiki', url: 'https://wiki.example/' }] },
      {},
      'TOOL_HOSTED_NOT_GRANTED',
    ],
    [{ ...CLAUDE_REQUEST, fallbacks: [{ model: 'claude-other' }] }, {}, 'TOOL_HOSTED_NOT_GRANTED'],
    [
      { ...CLAUDE_REQUEST, container: { skills: [{ type: 'anthropic', skill_id: 'xlsx' }] } },
      {},
      'TOOL_HOSTED_NOT_GRANTED',
    ],
    [
      {
        ...CLAUDE_REQUEST,
        messages: [
          {
            role: 'system',
            content: [
              {
                type: 'tool_addition',
                tool: { type: 'tool_definition', definition: { type: 'web_fetch_20260318', name: 'web_fetch' } },
              },
            ],
          },
        ],
      },
      {},
      'TOOL_HOSTED_NOT_GRANTED',
    ],
    [CLAUDE_REQUEST, { path: '/v1/messages/batches' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [CLAUDE_REQUEST, { path: '/v1/complete' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [CLAUDE_REQUEST, { path: '/v1/files' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [CLAUDE_REQUEST, { query: '?stream=true' }, 'WIRE_ENDPOINT_UNKNOWN'],
    [CLAUDE_REQUEST, { token: null }, 'IDENTITY_TOKEN_UNKNOWN'],
    [
      CLAUDE_REQUEST,
      { body: new TextEncoder().encode('{"model":"claude-1","model":"claude-2","messages":[{}]}') },
      'WIRE_DUPLICATE_KEY',
    ],
    [{ model: 'claude-1' }, {}, 'WIRE_REQUEST_MALFORMED'],
    [{ ...CLAUDE_REQUEST, messages: [{ role: 'user', content: [1] }] }, {}, 'WIRE_REQUEST_MALFORMED'],
    [{ ...CLAUDE_REQUEST, tools: [{ type: ['web_search'] }] }, {}, 'WIRE_REQUEST_MALFORMED'],
  ]
  for (const [request, given, reason] of refused) {
    const seen = await deny.ask(request, { chunks: [] }, { ...CLAUDE, ...given })
    assert.equal(seen.status, 403, reason)
    assert.equal(seen.upstream, null)
    assert.deepEqual(reasonsOf(seen), [reason])
    const body = JSON.parse(seen.text) as { error: { type: string; message: string } }
    assert.equal(body.error.type, 'permission_error')
    assert.ok(body.error.message.startsWith(`sallyport: ${reason}: `))
  }
})

test('[ANTHROPIC-04] granted hosted tools, and tools of Anthropic that the client runs, are no hindrance', async () => {
  const tools = [
    { type: 'web_search_20260318', name: 'web_search' },
    { type: 'bash_20250124', name: 'bash' },
    { type: 'computer_toolset_20260801' },
    ...CLAUDE_REQUEST.tools,
  ]
  const stream = claudeStream(
    [...callBlock(0, 'bash', '{"command":"ls"}'), ...callBlock(1, 'left_click', '{}', 7, { toolset_name: 'computer' })],
    'tool_use',
  )
  const seen = await deny.ask({ ...CLAUDE_REQUEST, tools }, { chunks: [stream] }, { ...CLAUDE, query: '?beta=true' })
  assert.equal(seen.status, 200)
  assert.equal(seen.upstream?.path, '/v1/messages?beta=true')
  assert.deepEqual(reasonsOf(seen), ['TOOL_NOT_GRANTED', 'TOOL_NOT_GRANTED'])
})
