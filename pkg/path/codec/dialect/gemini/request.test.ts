import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_LIMITS, type Endpoint, type Reading, type RequestView } from '#pkg/model'
import { gemini } from './index.ts'

const MODEL = '/v1beta/models/gemini-2.5-flash'

type EndpointRow = readonly [method: string, path: string, query: string, expected: Partial<Endpoint> | null]
const endpoints: readonly EndpointRow[] = [
  ['POST', `${MODEL}:generateContent`, '', { kind: 'judged', query: '' }],
  ['POST', `${MODEL}:streamGenerateContent`, '?alt=sse', { kind: 'judged', framing: 'sse', query: '?alt=sse' }],
  ['POST', `${MODEL}:streamGenerateContent`, '', { kind: 'judged', framing: 'json-array', query: '' }],
  ['POST', `${MODEL}:streamGenerateContent`, '?alt=json', { framing: 'json-array' }],
  ['POST', `${MODEL}:streamGenerateContent`, '?$alt=sse', { framing: 'sse' }],
  ['POST', `${MODEL}:streamGenerateContent`, '?%24alt=json%3Benum-encoding%3Dint', { framing: 'json-array' }],
  ['POST', `${MODEL}:countTokens`, '', { kind: 'plain' }],
  ['POST', `${MODEL}:embedContent`, '', { kind: 'plain' }],
  ['POST', `${MODEL}:batchEmbedContents`, '', { kind: 'plain' }],
  ['POST', '/v1/models/gemini-2.5-flash:generateContent', '', { kind: 'judged' }],
  ['POST', '/v1alpha/models/gemini-2.5-flash:generateContent', '', { kind: 'judged' }],
  [
    'GET',
    '/v1beta/models',
    '?pageSize=10&pageToken=Ab%3D%3D',
    { kind: 'plain', query: '?pageSize=10&pageToken=Ab%3D%3D' },
  ],
  ['GET', MODEL, '', { kind: 'plain' }],
  ['POST', `${MODEL}:generateContent`, '?key=sp_vk_x', { query: '' }],
  ['POST', `${MODEL}:streamGenerateContent`, '?key=AIza&alt=sse', { framing: 'sse', query: '?alt=sse' }],
  ['POST', `${MODEL}:streamGenerateContent`, '?alt=sse&key=AIza', { framing: 'sse', query: '?alt=sse' }],
  ['POST', `${MODEL}:generateContent`, '?%6bey=AIza', { query: '' }],
  ['POST', `${MODEL}:generateContent`, '?prettyPrint=false', { query: '?prettyPrint=false' }],
  ['POST', `${MODEL}:generateContent`, '?alt=sse', null],
  ['POST', `${MODEL}:streamGenerateContent`, '?alt=proto', null],
  ['POST', `${MODEL}:streamGenerateContent`, '?alt=sse&alt=json', null],
  ['POST', `${MODEL}:streamGenerateContent`, '?alt=sse&$alt=json', null],
  ['POST', `${MODEL}:generateContent`, '?fields=candidates', null],
  ['POST', `${MODEL}:generateContent`, '?callback=f', null],
  ['POST', `${MODEL}:generateContent`, '?access_token=x', null],
  ['POST', `${MODEL}:generateContent`, '?constructor=x', null],
  ['POST', `${MODEL}:generateContent`, '?a=%ff', null],
  ['GET', MODEL, '?pageSize=10', null],
  ['GET', `${MODEL}:generateContent`, '', null],
  ['POST', MODEL, '', null],
  ['DELETE', MODEL, '', null],
  ['POST', `${MODEL}:batchGenerateContent`, '', null],
  ['POST', `${MODEL}:constructor`, '', null],
  ['POST', '/v1beta/tunedModels/x:generateContent', '', null],
  ['POST', '/v1beta/cachedContents', '', null],
  ['GET', '/v1beta/files', '', null],
  ['POST', '/upload/v1beta/files', '', null],
  ['POST', '/v1beta/interactions', '', null],
  ['POST', '/v2/models/x:generateContent', '', null],
  ['POST', '/v1beta/models/a/b:generateContent', '', null],
]
for (const [method, path, query, expected] of endpoints)
  test(`[GEMINI-06] ${method} ${path}${query} is ${expected === null ? 'not owned' : 'owned'}`, () => {
    const endpoint = gemini.endpointOf(method, path, query)
    if (expected === null || endpoint === null) return assert.equal(endpoint, expected)
    for (const [key, value] of Object.entries(expected)) assert.equal(endpoint[key as keyof Endpoint], value) // keys of a Partial of it
  })

function read(body: object | string, name = 'generateContent'): Reading<RequestView> {
  const endpoint = gemini.endpointOf('POST', `${MODEL}:${name}`, '')
  assert.ok(endpoint !== null)
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const reading = gemini.readRequest(endpoint, bytes, { limits: DEFAULT_LIMITS, yieldTurn: () => Promise.resolve() })
  assert.ok(!(reading instanceof Promise))
  return reading
}

const contents = [{ role: 'user', parts: [{ text: 'x' }] }]

test('[GEMINI-06] a request tells its model, tools, hosted tools and history, under both names of each member', () => {
  const reading = read({
    model: 'models/gemini-2.5-flash',
    contents: [
      ...contents,
      { role: 'model', parts: [{ functionCall: { id: 'c1', name: 'a' } }, { function_call: { name: 'b' } }] },
      {
        role: 'user',
        parts: [{ functionResponse: { id: 'c1', name: 'a', response: { output: 'one', more: ['two'] } } }],
      },
      { role: 'function', parts: [{ function_response: { name: 'b', response: { error: 'no' } } }] },
    ],
    tools: [
      { functionDeclarations: [{ name: 'a' }, { name: 'b' }], googleSearch: {} },
      { function_declarations: [{ name: 'c' }] },
      { code_execution: {}, urlContext: null },
      { mcpServers: [{ name: 'm', streamableHttpTransport: { url: 'https://m.example' } }, { name: 'n' }] },
      { computer_use: { excluded_predefined_functions: ['navigate'] } },
    ],
    generation_config: { response_mime_type: 'application/json' },
  })
  assert.ok(reading.ok)
  const view = reading.value
  assert.deepEqual(
    [view.model, view.modelless, view.stream, view.structuredOutput],
    ['gemini-2.5-flash', false, false, true],
  )
  assert.deepEqual(view.tools.slice(0, 4), ['a', 'b', 'c', 'open_web_browser'])
  assert.ok(view.tools.includes('click_at') && !view.tools.includes('navigate'))
  assert.deepEqual(view.hostedTools, [
    { name: 'googleSearch', serverUrl: null },
    { name: 'codeExecution', serverUrl: null },
    { name: 'mcp', serverUrl: 'https://m.example' },
    { name: 'mcp', serverUrl: null },
  ])
  assert.deepEqual(view.history.calls, [
    { id: 'c1', name: 'a', form: 'json', arguments: {} },
    { id: null, name: 'b', form: 'json', arguments: {} },
  ])
  const shown = view.history.results.map(({ id, texts }) => [id, ...texts.map(({ text }) => text)])
  assert.deepEqual(shown, [
    ['c1', 'one', 'two'],
    [null, 'no'],
  ])
})

const refused: readonly (readonly [name: string, body: object | string, endpoint?: string])[] = [
  ['no JSON', '{'],
  ['a list', '[]'],
  ['no contents', {}],
  ['empty contents', { contents: [] }],
  ['contents that are no list', { contents: contents[0] ?? {} }],
  ['a content that is no object', { contents: ['x'] }],
  ['parts that are no list', { contents: [{ parts: { text: 'x' } }] }],
  ['a part that is no object', { contents: [{ parts: ['x'] }] }],
  ['tools that are no list', { contents, tools: { googleSearch: {} } }],
  ['declarations that are no list', { contents, tools: [{ functionDeclarations: { name: 'a' } }] }],
  ['a configuration under both names', { contents, generationConfig: {}, generation_config: {} }],
  ['a count under both names', { contents, generationConfig: { candidateCount: 1, candidate_count: 8 } }],
  ['another model in the body', { contents, model: 'models/gemini-3-ultra' }],
  ['another model in a nested request', { generateContentRequest: { model: 'models/x', contents } }, 'countTokens'],
  ['another model in one of a batch', { requests: [{ model: 'models/x' }] }, 'batchEmbedContents'],
]
for (const [name, body, endpoint] of refused)
  test(`[GEMINI-06] a request with ${name} is refused`, () => {
    const reading = read(body, endpoint)
    assert.ok(!reading.ok)
    assert.match(reading.reason, /^WIRE_(?:REQUEST_MALFORMED|INVALID_JSON)$/)
  })
