/** Providers of type OpenAICompatible: what is granted, where it goes, and the official SDK. docs/decisions/0022. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { callDeltas, chunkOf, sse, streamOf } from '../fixtures/chat.ts'
import { startMockUpstream } from '../fixtures/mock-upstream.ts'
import { closeChecks, JSON_TYPE, newPath } from '../fixtures/path.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'
import { RESPONSES_REQUEST } from '../fixtures/responses.ts'
import { startSallyctl } from '../fixtures/sallyctl.ts'

after(closeChecks)

const OPENAI = '{ name: openai, type: OpenAI, models: ["gpt-5*"] }'
const of = (name: string, host: string, model: string): string =>
  `{ name: ${name}, type: OpenAICompatible, host: "${host}", models: ["${model}"] }`
const policyOf = (...entries: string[]): string => DENY.replace(OPENAI, entries.join(', '))
const MINE = of('mine', 'llm.example', 'gpt-5*')

type Row = readonly [
  name: string,
  policy: string,
  facade: string,
  path: string,
  reason: string | null,
  address?: string,
]
const rows: readonly Row[] = [
  ['its entry', policyOf(MINE), 'openai-compatible', '/chat/completions', null, 'https://llm.example/v1'],
  [
    'its entry, with a port',
    policyOf(of('a', 'llm.example:8443', '*')),
    'openai-compatible',
    '/chat/completions',
    null,
    'https://llm.example:8443/v1',
  ],
  [
    'its entry beside one of OpenAI',
    policyOf(OPENAI, MINE),
    'openai-compatible',
    '/chat/completions',
    null,
    'https://llm.example/v1',
  ],
  ['an entry of OpenAI', policyOf(OPENAI), 'openai-compatible', '/chat/completions', 'PROVIDER_NOT_GRANTED'],
  ['its entry, asked for OpenAI', policyOf(MINE), 'openai', '/chat/completions', 'PROVIDER_NOT_GRANTED'],
  [
    'a model of its second entry',
    policyOf(of('a', 'a.example', 'x'), MINE),
    'openai-compatible',
    '/chat/completions',
    'MODEL_NOT_GRANTED',
  ],
  [
    'another model',
    policyOf(of('a', 'llm.example', 'x')),
    'openai-compatible',
    '/chat/completions',
    'MODEL_NOT_GRANTED',
  ],
  ['an endpoint that nobody owns', policyOf(MINE), 'openai-compatible', '/files', 'WIRE_ENDPOINT_UNKNOWN'],
]

for (const [name, policy, facade, path, reason, address] of rows) {
  test(`[COMPAT-01] ${name}: ${reason ?? 'goes through'}`, async () => {
    const own = await newPath(policy)
    try {
      const stream = sse([chunkOf({ content: 'hi' }), chunkOf({}, 'stop')])
      const seen = await own.ask(REQUEST, { chunks: [stream] }, { facade, path })
      assert.equal(seen.verdicts[0]?.reasons[0] ?? null, reason)
      if (reason !== null) return assert.equal(seen.upstream, null)
      assert.equal(seen.text, stream)
      assert.deepEqual([seen.upstream?.address, seen.upstream?.path], [address, path])
    } finally {
      await own.close()
    }
  })
}

test('[COMPAT-01] the Node SDK through the process: judged, at the address of --upstream, with its own key', async () => {
  const keys: (string | undefined)[] = []
  const calls = ['{"query":"SELECT a FROM t"}', '{"query":"DROP TABLE t"}']
  const upstream = await startMockUpstream((request, reply) => {
    keys.push(request.headers['authorization'])
    return reply.events([streamOf(callDeltas(0, 'run_sql', calls[keys.length - 1] ?? ''), 'tool_calls')])
  })
  const sallyctl = await startSallyctl({
    policies: { 'p.yaml': policyOf(MINE) },
    upstream: 'http://127.0.0.1:1/v1',
    args: ['--upstream', `openai-compatible=${upstream.url}/v1`],
    env: { OPENAI_COMPATIBLE_API_KEY: 'sk-compatible' },
  })
  try {
    const baseURL = `${sallyctl.ready.facade}/openai-compatible/v1`
    const client = new OpenAI({ baseURL, apiKey: sallyctl.token('growth/marketing'), maxRetries: 0 })
    const ask = async () => {
      const messages = [{ role: 'user' as const, content: 'go on' }]
      const final = await client.chat.completions.stream({ model: 'gpt-5-mini', messages }).finalChatCompletion()
      return final.choices[0]?.message
    }
    assert.equal((await ask())?.tool_calls?.length, 1)
    const refused = await ask()
    assert.equal(refused?.tool_calls?.length ?? 0, 0)
    assert.match(refused?.content ?? '', /INTENT_SQL_DDL/)
    assert.deepEqual(keys, ['Bearer sk-compatible', 'Bearer sk-compatible'])
  } finally {
    await sallyctl.stop()
    await upstream.close()
  }
})

const elsewhere: readonly (readonly [name: string, more: object, query: string, reason: string | null])[] = [
  ['a version in the query', {}, '?api-version=2025-04-01-preview', null],
  ['a model in the query', {}, '?model=o9', 'WIRE_ENDPOINT_UNKNOWN'],
  ['a version and a model in the query', {}, '?api-version=1&model=o9', 'WIRE_ENDPOINT_UNKNOWN'],
  ['switches that are off', { models: [], plugins: null, enable_search: false, fallbacks: [] }, '', null],
  ['other models', { models: ['o9'] }, '', 'TOOL_HOSTED_NOT_GRANTED'],
  ['other models in another case', { Models: ['o9'] }, '', 'WIRE_REQUEST_MALFORMED'],
  ['models to fall back to', { fallbacks: [{ model: 'o9' }] }, '', 'TOOL_HOSTED_NOT_GRANTED'],
  ['another address', { api_base: 'https://evil.example' }, '', 'TOOL_HOSTED_NOT_GRANTED'],
  ['members in a member', { extra_body: { models: ['o9'] } }, '', 'TOOL_HOSTED_NOT_GRANTED'],
  ['a plugin', { plugins: [{ id: 'web' }] }, '', 'TOOL_HOSTED_NOT_GRANTED'],
  ['a search', { search_parameters: { mode: 'on' } }, '', 'TOOL_HOSTED_NOT_GRANTED'],
  ['a search that is switched on', { enable_search: true }, '', 'TOOL_HOSTED_NOT_GRANTED'],
  ['a granted plugin', { plugins: [{ id: 'web' }], models: ['gpt-5'] }, '', 'granted'],
]

for (const [name, more, query, reason] of elsewhere) {
  test(`[COMPAT-02] a request with ${name}: ${reason ?? 'goes through'}`, async () => {
    const granted = reason === 'granted'
    const own = await newPath(policyOf(granted ? MINE.replace(' }', ', hostedTools: [plugins, models] }') : MINE))
    try {
      const expected = granted ? null : reason
      for (const [path, request] of [
        ['/chat/completions', REQUEST] as const,
        ['/responses', RESPONSES_REQUEST] as const,
      ]) {
        if (query !== '' && path === '/responses') continue // it has no query at all
        const given = { facade: 'openai-compatible', path, query }
        const seen = await own.ask({ ...request, ...more }, { chunks: ['{}'], headers: JSON_TYPE }, given)
        assert.equal(seen.verdicts.at(-1)?.reasons[0] ?? null, expected, path)
        assert.equal(seen.upstream === null, expected !== null, path)
      }
    } finally {
      await own.close()
    }
  })
}
