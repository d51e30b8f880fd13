/** Results and documents of a history, each text with its place: in every dialect nothing is lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS, type Dialect, type History } from '#pkg/model'
import { anthropic } from '#pkg/path/codec/dialect/anthropic'
import { gemini } from '#pkg/path/codec/dialect/gemini'
import { openaiChat } from '#pkg/path/codec/dialect/openai-chat'
import { openaiResponses } from '#pkg/path/codec/dialect/openai-responses'

type Way = { readonly dialect: Dialect; readonly path: string; readonly wrap: (messages: unknown) => object }

const chat: Way = { dialect: openaiChat, path: '/chat/completions', wrap: (messages) => ({ model: 'm', messages }) }
const responses: Way = { dialect: openaiResponses, path: '/responses', wrap: (input) => ({ model: 'm', input }) }
const claude: Way = {
  dialect: anthropic,
  path: '/v1/messages',
  wrap: (messages) => ({ model: 'm', max_tokens: 9, messages }),
}
const google: Way = {
  dialect: gemini,
  path: '/v1beta/models/gemini-2.5-flash:generateContent',
  wrap: (contents) => ({ contents }),
}

async function historyOf({ dialect, path, wrap }: Way, messages: unknown): Promise<History> {
  const endpoint = dialect.endpointOf('POST', path, '')
  assert.ok(endpoint !== null)
  const body = new TextEncoder().encode(JSON.stringify(wrap(messages)))
  const read = await dialect.readRequest(endpoint, body, { limits: DEFAULT_LIMITS, yieldTurn: async () => {} })
  assert.ok(read.ok, read.ok ? '' : read.detail)
  return read.value.history
}

const user = (content: unknown): object => ({ role: 'user', content })
const parts = (...list: readonly object[]): object => ({ role: 'user', parts: list })

type Row = readonly [
  name: string,
  way: Way,
  message: object,
  kind: 'results' | 'documents',
  id: string | null,
  texts: Readonly<Record<string, string>>,
]

const rows: readonly Row[] = [
  [
    'a result',
    chat,
    { role: 'tool', tool_call_id: 'c', content: 'one' },
    'results',
    'c',
    { 'messages[0].content': 'one' },
  ],
  [
    'a result in parts, one of them strange',
    chat,
    {
      role: 'tool',
      tool_call_id: 'c',
      content: [
        { type: 'text', text: 'one' },
        { type: 'strange', inner: { deep: ['two'] } },
      ],
    },
    'results',
    'c',
    {
      'messages[0].content[0].type': 'text',
      'messages[0].content[0].text': 'one',
      'messages[0].content[1].type': 'strange',
      'messages[0].content[1].inner.deep[0]': 'two',
    },
  ],
  [
    'a legacy result',
    chat,
    { role: 'function', name: 'f', content: 'one' },
    'results',
    null,
    { 'messages[0].content': 'one' },
  ],
  [
    'a file',
    chat,
    user([{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:x' } }]),
    'documents',
    null,
    {
      'messages[0].content[0].type': 'file',
      'messages[0].content[0].file.filename': 'a.pdf',
      'messages[0].content[0].file.file_data': 'data:x',
    },
  ],
  [
    'an image',
    chat,
    user([{ type: 'image_url', image_url: { url: 'https://x' } }]),
    'documents',
    null,
    { 'messages[0].content[0].type': 'image_url', 'messages[0].content[0].image_url.url': 'https://x' },
  ],
  [
    'a result',
    responses,
    { type: 'function_call_output', call_id: 'c', output: 'one' },
    'results',
    'c',
    { 'input[0].output': 'one' },
  ],
  [
    'a result in parts',
    responses,
    {
      type: 'function_call_output',
      call_id: 'c',
      output: [
        { type: 'input_text', text: 'one' },
        { type: 'input_image', image_url: 'data:i' },
        { type: 'input_file', filename: 'f', file_data: 'data:f' },
      ],
    },
    'results',
    'c',
    {
      'input[0].output[0].type': 'input_text',
      'input[0].output[0].text': 'one',
      'input[0].output[1].type': 'input_image',
      'input[0].output[1].image_url': 'data:i',
      'input[0].output[2].type': 'input_file',
      'input[0].output[2].filename': 'f',
      'input[0].output[2].file_data': 'data:f',
    },
  ],
  [
    'what a shell said',
    responses,
    { type: 'shell_call_output', call_id: 'c', output: [{ stdout: 'one', stderr: 'two', outcome: { exit_code: 3 } }] },
    'results',
    'c',
    {
      'input[0].output[0].stdout': 'one',
      'input[0].output[0].stderr': 'two',
      'input[0].output[0].outcome.exit_code': '3',
    },
  ],
  [
    'a call that the provider ran, with its result',
    responses,
    { type: 'mcp_call', id: 'm', server_label: 's', name: 'n', arguments: '{}', output: 'one' },
    'results',
    'm',
    { 'input[0].server_label': 's', 'input[0].name': 'n', 'input[0].arguments': '{}', 'input[0].output': 'one' },
  ],
  [
    'results of a search in files',
    responses,
    { type: 'file_search_call', id: 'f', results: [{ text: 'one' }] },
    'results',
    'f',
    { 'input[0].results[0].text': 'one' },
  ],
  [
    'a file',
    responses,
    user([
      { type: 'input_text', text: 'see' },
      { type: 'input_file', file_url: 'https://f' },
    ]),
    'documents',
    null,
    { 'input[0].content[1].type': 'input_file', 'input[0].content[1].file_url': 'https://f' },
  ],
  [
    'a result',
    claude,
    user([{ type: 'tool_result', tool_use_id: 't', content: 'one' }]),
    'results',
    't',
    { 'messages[0].content[0].content': 'one' },
  ],
  [
    'a result in parts',
    claude,
    user([
      {
        type: 'tool_result',
        tool_use_id: 't',
        content: [
          { type: 'text', text: 'one' },
          { type: 'image', source: { type: 'base64', data: 'aGk=' } },
          { type: 'document', title: 'T', source: { type: 'text', data: 'two' } },
          { type: 'search_result', source: 'https://s', content: [{ type: 'text', text: 'three' }] },
        ],
      },
    ]),
    'results',
    't',
    {
      'messages[0].content[0].content[0].type': 'text',
      'messages[0].content[0].content[0].text': 'one',
      'messages[0].content[0].content[1].type': 'image',
      'messages[0].content[0].content[1].source.type': 'base64',
      'messages[0].content[0].content[1].source.data': 'aGk=',
      'messages[0].content[0].content[2].type': 'document',
      'messages[0].content[0].content[2].title': 'T',
      'messages[0].content[0].content[2].source.type': 'text',
      'messages[0].content[0].content[2].source.data': 'two',
      'messages[0].content[0].content[3].type': 'search_result',
      'messages[0].content[0].content[3].source': 'https://s',
      'messages[0].content[0].content[3].content[0].type': 'text',
      'messages[0].content[0].content[3].content[0].text': 'three',
    },
  ],
  [
    'what the provider found in the web',
    claude,
    { role: 'assistant', content: [{ type: 'web_search_tool_result', tool_use_id: 's', content: [{ title: 'one' }] }] },
    'results',
    's',
    { 'messages[0].content[0].content[0].title': 'one' },
  ],
  [
    'a document',
    claude,
    user([{ type: 'document', context: 'C', source: { type: 'url', url: 'https://d' } }]),
    'documents',
    null,
    {
      'messages[0].content[0].type': 'document',
      'messages[0].content[0].context': 'C',
      'messages[0].content[0].source.type': 'url',
      'messages[0].content[0].source.url': 'https://d',
    },
  ],
  [
    'a result with data and parts',
    google,
    parts({
      functionResponse: {
        id: 'g',
        name: 'n',
        response: { type: 'row', n: 4, deep: ['one'] },
        parts: [{ inlineData: { data: 'aGk=' } }],
      },
    }),
    'results',
    'g',
    {
      'contents[0].parts[0].functionResponse.response.type': 'row',
      'contents[0].parts[0].functionResponse.response.n': '4',
      'contents[0].parts[0].functionResponse.response.deep[0]': 'one',
      'contents[0].parts[0].functionResponse.parts[0].inlineData.data': 'aGk=',
    },
  ],
  [
    'a result under its other name',
    google,
    parts({ function_response: { name: 'n', response: { output: 'one' } } }),
    'results',
    null,
    { 'contents[0].parts[0].function_response.response.output': 'one' },
  ],
  [
    'a file beside a text',
    google,
    parts({ text: 'see', fileData: { fileUri: 'gs://f' } }),
    'documents',
    null,
    { 'contents[0].parts[0].fileData.fileUri': 'gs://f' },
  ],
  [
    'what code said at the provider',
    google,
    { role: 'model', parts: [{ codeExecutionResult: { output: 'one' } }] },
    'documents',
    null,
    { 'contents[0].parts[0].codeExecutionResult.output': 'one' },
  ],
]
for (const [name, way, message, kind, id, texts] of rows)
  test(`[HISTORY-03] ${way.dialect.name}: ${name}`, async () => {
    const history = await historyOf(way, [message])
    const [content, ...more] = history[kind]
    assert.deepEqual([content?.id, more.length], [id, 0])
    assert.deepEqual(Object.fromEntries((content?.texts ?? []).map(({ member, text }) => [member, text])), texts)
  })

const ways: readonly (readonly [way: Way, result: (content: unknown) => object])[] = [
  [chat, (content) => ({ role: 'tool', tool_call_id: 'c', content: [content] })],
  [responses, (content) => ({ type: 'function_call_output', call_id: 'c', output: [content] })],
  [claude, (content) => user([{ type: 'tool_result', tool_use_id: 't', content: [content] }])],
  [google, (content) => parts({ functionResponse: { name: 'n', response: { content } } })],
]
for (const [way, result] of ways)
  test(`[HISTORY-03] ${way.dialect.name}: whatever a tool gives back, every string of it is there`, async () => {
    const key = fc.stringMatching(/^[a-z]{1,8}$/)
    const data = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, fc.stringMatching(/^[ -~]{1,9}$/), tie('list'), tie('object')),
      list: fc.array(tie('value'), { maxLength: 4 }),
      object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    }))
    await fc.assert(
      fc.asyncProperty(data.object, async (content) => {
        const history = await historyOf(way, [result(content)])
        const found = history.results.flatMap(({ texts }) => texts.map(({ text }) => text))
        const all: string[] = []
        JSON.stringify(content, (_, value) => {
          if (typeof value === 'string') all.push(value)
          return value
        })
        assert.deepEqual(found.sort(), all.sort())
      }),
    )
  })
