/** MCP through the whole path, by what stands on the wire. Rows marked 2026 rest on the text of revision 2026-07-28. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Ask } from '#pkg/model'
import { closeChecks, JSON_TYPE, newPath, type Path, type Play, type Seen } from '../fixtures/path.ts'

after(closeChecks)

const policyOf = (servers: string, more = ''): string => `
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: marketing, namespace: growth, labels: { app: marketing-agent } }
spec: { state: Active }
---
apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: marketing, namespace: growth }
spec:
  selector: { matchLabels: { app: marketing-agent } }
  role: marketing
  llm: { providers: [{ name: openai, type: OpenAI, models: ["gpt-5*"] }] }
  mcp: { servers: [ ${servers} ] }
  intents: { allow: [sql.read] }
  tools:
    allow:
    - { name: search_docs }
    - { name: run_sql, server: warehouse, execution: mcp, intents: [sql.read] }
    - { name: "note_*", server: other }
    deny: [ { name: search_docs, server: other } ]
${more}`

const WAREHOUSE = '{ name: warehouse, url: "https://warehouse.example/mcp" }'
const OTHER = '{ name: other, url: "https://other.example/mcp" }'
const POLICY = policyOf(`${WAREHOUSE}, ${OTHER}`)

const withPath = async (policy: string, body: (path: Path) => Promise<void>): Promise<void> => {
  const path = await newPath(policy)
  try {
    await body(path)
  } finally {
    await path.close()
  }
}

const MODERN = {
  'mcp-protocol-version': '2026-07-28',
  'content-type': 'application/json',
} as const
const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }

type Given = {
  readonly play?: Play
  readonly headers?: Ask['headers']
  readonly server?: string
  readonly body?: string
}

const ask = (path: Path, message: unknown, given: Given = {}): Promise<Seen> =>
  path.ask({}, given.play ?? ok(message), {
    facade: 'mcp',
    path: `/${given.server ?? 'warehouse'}`,
    headers: given.headers ?? { 'content-type': 'application/json' },
    body: Buffer.from(given.body ?? JSON.stringify(message)),
  })

const call = (name: string, args: unknown, id: unknown = 1): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})
const request = (method: string, params: object = {}, id: unknown = 1): object => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})
const resultOf = (result: object, id: unknown = 1): string => JSON.stringify({ jsonrpc: '2.0', id, result })
const json = (text: string, status = 200): Play => ({ chunks: [text], headers: JSON_TYPE, status })
const ok = (message: unknown): Play => json(resultOf({ content: [] }, (message as { id?: unknown })?.id ?? 1))
const events = (...data: string[]): Play => ({ chunks: data.map((one) => `event: message\ndata: ${one}\n\n`) })

const reasonOf = (seen: Seen): string | undefined => seen.verdicts.at(-1)?.reasons[0]

// requests

type Row = readonly [what: string, name: string, args: unknown, server: string, reason: string | null]
const calls: readonly Row[] = [
  ['a grant of any server', 'search_docs', { q: 'x' }, 'warehouse', null],
  ['a grant of this server', 'run_sql', { query: 'SELECT a FROM t' }, 'warehouse', null],
  ['a grant of another server', 'run_sql', { query: 'SELECT a FROM t' }, 'other', 'TOOL_NOT_GRANTED'],
  ['a glob of this server', 'note_add', {}, 'other', null],
  ['a glob of another server', 'note_add', {}, 'warehouse', 'TOOL_NOT_GRANTED'],
  ['denied at this server alone', 'search_docs', {}, 'other', 'TOOL_DENIED'],
  ['a change of structure', 'run_sql', { query: 'DROP TABLE t' }, 'warehouse', 'INTENT_SQL_DDL'],
  ['a look-alike name', 'run_sq\u04cf', {}, 'warehouse', 'WIRE_INVISIBLE_TEXT'],
  ['no name', '', {}, 'warehouse', 'WIRE_NAME_MISSING'],
  ['arguments that are no object', 'search_docs', [1], 'warehouse', 'WIRE_ARGUMENT_SHAPE'],
  ['keys of one name to some readers', 'search_docs', { q: 1, Q: 2 }, 'warehouse', 'WIRE_DUPLICATE_KEY'],
]

for (const [what, name, args, server, reason] of calls) {
  test(`[MCP-0${reason === null ? 1 : 2}] ${what}: ${reason ?? 'goes through'}`, () =>
    withPath(POLICY, async (path) => {
      const seen = await ask(path, call(name, args, 'a-7'), { server })
      if (reason === null) {
        assert.equal(seen.text, resultOf({ content: [] }, 'a-7'))
        assert.equal(Buffer.from(seen.upstream?.body ?? []).toString(), JSON.stringify(call(name, args, 'a-7')))
        assert.deepEqual([seen.upstream?.address, seen.upstream?.path], [`https://${server}.example/mcp`, ''])
        assert.deepEqual(
          seen.verdicts.map(({ action, direction }) => [action, direction]),
          [['Allow', 'ToTool']],
        )
        return
      }
      assert.equal(seen.upstream, null)
      assert.equal(seen.status, 200)
      const { id, result } = JSON.parse(seen.text)
      assert.equal(id, 'a-7')
      assert.equal(result.isError, true)
      assert.equal(result.content[0].text.split(':')[1].trim(), reason)
      assert.deepEqual(result._meta, {
        'dev.sallyport/reason': reason,
        'dev.sallyport/verdict': seen.headers['x-sallyport-verdict'],
      })
      assert.deepEqual([reasonOf(seen), seen.verdicts.length], [reason, 1])
    }))
}

const RAW = (text: string): Given => ({ body: text })
const bodies: readonly (readonly [what: string, body: string, reason: string, code: number])[] = [
  ['no JSON', '{', 'WIRE_INVALID_JSON', -32012],
  ['one key twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 'WIRE_DUPLICATE_KEY', -32012],
  ['another protocol', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 'WIRE_REQUEST_MALFORMED', -32012],
  ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', 'WIRE_REQUEST_MALFORMED', -32012],
  ['an id that rounds', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', 'WIRE_REQUEST_MALFORMED', -32012],
  ['a request and a result', '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', 'WIRE_REQUEST_MALFORMED', -32012],
  [
    'a method twice, but for case',
    '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    'WIRE_REQUEST_MALFORMED',
    -32012,
  ],
  ['a call without a name', JSON.stringify(request('tools/call')), 'WIRE_REQUEST_MALFORMED', -32012],
  [
    'a name twice, but for case',
    JSON.stringify(request('tools/call', { name: 'search_docs', Name: 'drop_all' })),
    'WIRE_REQUEST_MALFORMED',
    -32012,
  ],
  ['an empty batch', '[]', 'WIRE_REQUEST_MALFORMED', -32012],
  ['one id twice', JSON.stringify([request('ping'), request('ping')]), 'WIRE_REQUEST_MALFORMED', -32012],
  ['something else in a batch', JSON.stringify([request('ping'), 7]), 'WIRE_REQUEST_MALFORMED', -32012],
]
for (const [what, body, reason, code] of bodies) {
  test(`[MCP-03] a body with ${what} is refused`, () =>
    withPath(POLICY, async (path) => {
      const seen = await ask(path, null, RAW(body))
      assert.deepEqual([seen.status, reasonOf(seen), seen.upstream], [403, reason, null])
      assert.equal(JSON.parse(seen.text).error.code, code)
    }))
}

const methods: readonly (readonly [method: string, headers: Ask['headers'], known: boolean])[] = [
  ['initialize', {}, true],
  ['resources/read', {}, true],
  ['prompts/get', {}, true],
  ['logging/setLevel', {}, true],
  ['server/discover', {}, false],
  ['tools/delete', {}, false],
  ['Tools/Call', {}, false],
  ['sampling/createMessage', {}, false],
  ['server/discover', MODERN, true],
  ['subscriptions/listen', MODERN, true],
  ['initialize', MODERN, false],
  ['logging/setLevel', MODERN, false],
]
for (const [method, more, known] of methods) {
  test(`[MCP-03] ${more === MODERN ? '2026: ' : ''}${method} is ${known ? 'a method' : 'none, and refused'}`, () =>
    withPath(POLICY, async (path) => {
      const params = more === MODERN ? { _meta: meta } : {}
      const headers = {
        'content-type': 'application/json',
        ...more,
        ...(more === MODERN ? { 'mcp-method': method } : {}),
      }
      const seen = await ask(path, request(method, params), { headers })
      assert.equal(seen.upstream === null, !known)
      if (known) return
      const { id, error } = JSON.parse(seen.text)
      assert.deepEqual([seen.status, id, error.code, reasonOf(seen)], [200, 1, -32011, 'WIRE_METHOD_UNKNOWN'])
    }))
}

test('[MCP-03] a notification that no revision has is refused with a status, since nobody waits for an answer', () =>
  withPath(POLICY, async (path) => {
    const seen = await ask(path, { jsonrpc: '2.0', method: 'notifications/own' })
    assert.deepEqual([seen.status, seen.upstream, reasonOf(seen)], [403, null, 'WIRE_METHOD_UNKNOWN'])
    const known = await ask(
      path,
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { play: { chunks: [], status: 202, headers: {} } },
    )
    assert.deepEqual([known.status, known.text], [202, ''])
  }))

const b64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`
const modernCall = (args: object = {}): object =>
  request('tools/call', { name: 'search_docs', arguments: args, _meta: meta })
const agreeing = { ...MODERN, 'mcp-method': 'tools/call', 'mcp-name': 'search_docs' }
const headerRows: readonly (readonly [what: string, headers: Ask['headers'], message: object, passes: boolean])[] = [
  ['2026: all that its revision asks for', agreeing, modernCall(), true],
  ['2026: a name in base64', { ...agreeing, 'mcp-name': b64('search_docs') }, modernCall(), true],
  ['2026: base64 that is none', { ...agreeing, 'mcp-name': '=?base64?%%?=' }, modernCall(), false],
  ['2026: another name', { ...agreeing, 'mcp-name': 'run_sql' }, modernCall(), false],
  ['2026: no name', { ...MODERN, 'mcp-method': 'tools/call' }, modernCall(), false],
  ['2026: another method', { ...agreeing, 'mcp-method': 'tools/list' }, modernCall(), false],
  ['2026: no method', { ...MODERN, 'mcp-name': 'search_docs' }, modernCall(), false],
  ['2026: a revision in the header alone', agreeing, call('search_docs', {}), false],
  ['2026: a revision in the body alone', JSON_TYPE, modernCall(), false],
  ['2026: a session', { ...agreeing, 'mcp-session-id': 'abc' }, modernCall(), false],
  ['2026: a parameter as in the body', { ...agreeing, 'mcp-param-region': 'eu' }, modernCall({ region: 'eu' }), true],
  ['2026: a number as in the body', { ...agreeing, 'mcp-param-n': '42.0' }, modernCall({ n: 42 }), true],
  [
    '2026: a deep parameter',
    { ...agreeing, 'mcp-param-x': b64('zürich') },
    modernCall({ at: { city: 'zürich' } }),
    true,
  ],
  ['2026: another parameter', { ...agreeing, 'mcp-param-region': 'us' }, modernCall({ region: 'eu' }), false],
  ['an unknown revision', { ...JSON_TYPE, 'mcp-protocol-version': '2031-01-01' }, call('search_docs', {}), false],
  ['a known revision', { ...JSON_TYPE, 'mcp-protocol-version': '2025-11-25' }, call('search_docs', {}), true],
  [
    'a header twice',
    { ...JSON_TYPE, 'mcp-protocol-version': ['2025-11-25', '2025-06-18'] },
    call('search_docs', {}),
    false,
  ],
  ['another method, though none is needed', { ...JSON_TYPE, 'mcp-method': 'ping' }, call('search_docs', {}), false],
]
for (const [what, headers, message, passes] of headerRows) {
  test(`[MCP-03] headers: ${what} ${passes ? 'passes' : 'is refused'}`, () =>
    withPath(POLICY, async (path) => {
      const seen = await ask(path, message, { headers })
      assert.equal(seen.upstream !== null, passes)
      if (!passes) assert.deepEqual([seen.status, reasonOf(seen)], [403, 'WIRE_HEADER_DISAGREES'])
    }))
}

test('[MCP-02] a batch passes whole or not at all, and each of its requests is answered', () =>
  withPath(POLICY, async (path) => {
    const fine = [call('search_docs', {}, 1), call('run_sql', { query: 'SELECT 1' }, 2)]
    const answers = `[${resultOf({ content: [] }, 2)},${resultOf({ content: [] }, 1)}]`
    const seen = await ask(path, fine, { play: json(answers) })
    assert.equal(seen.text, answers)
    const bad = await ask(path, [call('search_docs', {}, 1), call('run_sql', { query: 'DROP TABLE t' }, 2)])
    assert.equal(bad.upstream, null)
    const [first, second] = JSON.parse(bad.text)
    assert.deepEqual([first.id, first.error.code, second.id, second.result.isError], [1, -32010, 2, true])
    const later = { ...JSON_TYPE, 'mcp-protocol-version': '2025-06-18' }
    assert.equal(reasonOf(await ask(path, fine, { headers: later })), 'WIRE_REQUEST_MALFORMED')
  }))

test('[MCP-02] Sever at a call quarantines the agent, and nothing goes on', () =>
  withPath(
    policyOf(WAREHOUSE, '  onViolation: { rules: [{ name: d, reasons: [INTENT_SQL_DDL], action: Sever }] }\n'),
    async (path) => {
      const seen = await ask(path, call('run_sql', { query: 'DROP TABLE t' }))
      assert.deepEqual([seen.status, JSON.parse(seen.text).id, seen.upstream], [403, 1, null])
      assert.equal(path.standing.state, 'Quarantined')
      assert.equal(reasonOf(await ask(path, call('search_docs', {}))), 'IDENTITY_AGENT_QUARANTINED')
    },
  ))

test('[MCP-02] Audit lets a violation pass, on the record', () =>
  withPath(policyOf(WAREHOUSE, '  mode: Audit\n'), async (path) => {
    const seen = await ask(path, call('run_sql', { query: 'DROP TABLE t' }))
    assert.deepEqual(
      seen.verdicts.map(({ action, enforced }) => [action, enforced]),
      [['Deny', false]],
    )
    assert.notEqual(seen.upstream, null)
  }))

test('[MCP-03] a session is only its own agent’s, at its own server, until it is ended', () =>
  withPath(POLICY, async (path) => {
    const within = { ...JSON_TYPE, 'mcp-session-id': 'S-1' }
    const unknown = await ask(path, call('search_docs', {}), { headers: within })
    assert.deepEqual([unknown.status, reasonOf(unknown), unknown.upstream], [404, 'WIRE_SESSION_UNKNOWN', null])
    const opening = {
      ...json(resultOf({ protocolVersion: '2025-11-25' })),
      headers: { ...JSON_TYPE, 'mcp-session-id': 'S-1' },
    }
    const opened = await ask(path, request('initialize'), { play: opening })
    assert.equal(opened.headers['mcp-session-id'], 'S-1')
    assert.equal((await ask(path, call('search_docs', {}), { headers: within })).status, 200)
    assert.equal((await ask(path, call('note_add', {}), { headers: within, server: 'other' })).status, 404)
    const end = { facade: 'mcp', path: '/warehouse', method: 'DELETE', headers: within, body: new Uint8Array(0) }
    const ended = await path.ask({}, { chunks: ['bye'], headers: {} }, end)
    assert.deepEqual([ended.status, ended.text, ended.upstream?.body], [200, '', null])
    assert.equal((await ask(path, call('search_docs', {}), { headers: within })).status, 404)
  }))

test('[MCP-03] only POST, GET and DELETE of a server itself are owned', () =>
  withPath(POLICY, async (path) => {
    for (const [method, where, query] of [
      ['PUT', '/warehouse', ''],
      ['POST', '/warehouse/x', ''],
      ['POST', '/', ''],
      ['POST', '/warehouse', '?a=1'],
    ] as const) {
      const seen = await path.ask({}, { chunks: [] }, { facade: 'mcp', method, path: where, query })
      assert.deepEqual([seen.status, reasonOf(seen)], [403, 'WIRE_ENDPOINT_UNKNOWN'], `${method} ${where}${query}`)
    }
  }))

test('[MCP-02] rules that change while a call is judged decide about it', () =>
  withPath(POLICY, async (path) => {
    const query = `SELECT ${'a, '.repeat(1_000)} a FROM t`
    const pending = ask(path, call('run_sql', { query }))
    path.reload(policyOf(OTHER))
    const seen = await pending
    assert.equal(seen.upstream, null)
    assert.ok(!seen.text.includes('"content":[]'))
  }))

test('[MCP-04] a quarantine ends the events of a session at once', () =>
  withPath(POLICY, async (path) => {
    const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: {} })
    const before = (index: number): void => {
      if (index === 1) path.move('Quarantined')
    }
    const stream = { facade: 'mcp', path: '/warehouse', method: 'GET', body: new Uint8Array(0), headers: {} }
    const seen = await path.ask({}, { ...events(note, note), before }, stream)
    assert.equal(seen.text.split('notifications/message').length, 2)
    assert.match(seen.text, /: sallyport: IDENTITY_EPOCH_STALE\n\n$/)
    assert.equal(seen.upstreamCancelled, true)
  }))

test('[MCP-01] a server that breaks off in mid-answer is an error that the client reads', () =>
  withPath(POLICY, async (path) => {
    const { SallyportError } = await import('#pkg/model/errors')
    const breaks = new SallyportError('UPSTREAM_FAILED', 'the server broke off')
    const seen = await ask(path, call('search_docs', {}, 'x'), { play: { chunks: [': hi\n\n'], breaks } })
    const data = seen.text.trim().split('\n').at(-1)?.slice('data: '.length) ?? ''
    assert.deepEqual([JSON.parse(data).id, JSON.parse(data).error.data.reason], ['x', 'UPSTREAM_FAILED'])
  }))

// answers

const FRAMES = [
  ': hi\n\n',
  'id: 1\ndata:\n\n',
  `event: message\nid: 2\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } })}\n\n`,
  `data: ${resultOf({ content: [{ type: 'text', text: 'zürich \u{1f600}' }], structuredContent: { ID: 1, id: 2 } })}\n\n`,
].join('')

test('[MCP-05] a streamed answer is the same bytes, whole, byte by byte and at every split, in every framing', () =>
  withPath(POLICY, async (path) => {
    for (const text of [
      FRAMES,
      FRAMES.replaceAll('\n', '\r\n'),
      FRAMES.replaceAll('\n', '\r'),
      `\ufeff${FRAMES}`,
      FRAMES.slice(0, -1),
    ]) {
      const bytes = Buffer.from(text)
      const cuts = [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]
      for (let at = 1; at < bytes.length; at += 7) cuts.push([bytes.subarray(0, at), bytes.subarray(at)])
      for (const chunks of cuts) {
        const seen = await ask(path, call('search_docs', {}), { play: { chunks } })
        assert.ok(Buffer.from(seen.bytes).equals(bytes), JSON.stringify(seen.text))
        assert.equal(seen.verdicts.length, 1)
      }
    }
  }))

const askOf = (method: string, id: unknown = 99): string => JSON.stringify({ jsonrpc: '2.0', id, method, params: {} })

test('[MCP-05] what is refused of an answer is gone in every cut, and the rest is as it was', () =>
  withPath(POLICY, async (path) => {
    const asked = `data: ${askOf('sampling/createMessage')}\n\n`
    const rest = `data: ${resultOf({ content: [] })}\n\n`
    const bytes = Buffer.from(asked + rest)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 6 }), async (places) => {
        const at = [...new Set([0, ...places, bytes.length])].sort((a, b) => a - b)
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
        const seen = await ask(path, call('search_docs', {}), { play: { chunks } })
        assert.equal(seen.text, rest)
        assert.deepEqual(
          seen.verdicts.map(({ reasons }) => reasons[0]),
          [undefined, 'SERVER_REQUEST_NOT_GRANTED'],
        )
      }),
      { numRuns: 60 },
    )
  }))

const asks: readonly (readonly [method: string, grants: string, passes: boolean])[] = [
  ['ping', '[]', true],
  ['sampling/createMessage', '[]', false],
  ['sampling/createMessage', '[sampling]', true],
  ['sampling/createMessage', '[roots, elicitation]', false],
  ['elicitation/create', '[elicitation/create]', true],
  ['roots/list', '[roots]', true],
  ['shell/run', '[sampling, roots, elicitation]', false],
]
for (const [method, grants, passes] of asks) {
  test(`[MCP-04] a server that asks ${method} with ${grants} ${passes ? 'is heard' : 'is not heard'}`, () =>
    withPath(policyOf(`{ name: warehouse, url: "https://w.example/mcp", serverRequests: ${grants} }`), async (path) => {
      const stream = {
        facade: 'mcp',
        path: '/warehouse',
        method: 'GET',
        body: new Uint8Array(0),
        headers: { accept: 'text/event-stream' },
      }
      const seen = await path.ask({}, events(askOf(method)), stream)
      assert.equal(seen.text.includes(method), passes)
      if (passes) return
      const answered = JSON.parse(Buffer.from(seen.upstream?.body ?? []).toString())
      assert.deepEqual([answered.id, answered.error.code], [99, method === 'shell/run' ? -32011 : -32013])
    }))

  if (method === 'ping') continue
  test(`[MCP-04] 2026: a result that needs ${method} with ${grants} ${passes ? 'passes' : 'is refused'}`, () =>
    withPath(policyOf(`{ name: warehouse, url: "https://w.example/mcp", serverRequests: ${grants} }`), async (path) => {
      const answer = resultOf({
        resultType: 'input_required',
        inputRequests: { a: { method, params: {} } },
        requestState: 's',
      })
      for (const play of [json(answer), events(answer)]) {
        const seen = await ask(path, modernCall(), { headers: agreeing, play })
        assert.equal(seen.text.includes('input_required'), passes)
        if (!passes) assert.match(seen.text, /"isError":true/)
      }
    }))
}

test('[MCP-04] 2026: a request of a server outside of a result is none that its revision has', () =>
  withPath(policyOf('{ name: warehouse, url: "https://w.example/mcp", serverRequests: [sampling] }'), async (path) => {
    const seen = await ask(path, modernCall(), {
      headers: agreeing,
      play: events(askOf('sampling/createMessage'), resultOf({ content: [] })),
    })
    assert.ok(!seen.text.includes('sampling'))
    assert.equal(reasonOf(seen), 'WIRE_METHOD_UNKNOWN')
  }))

const ends: readonly (readonly [what: string, data: readonly string[], reason: string])[] = [
  ['an id that nobody asked for', [resultOf({}, 2)], 'WIRE_FRAME_MALFORMED'],
  ['an id of another type', [resultOf({}, '1')], 'WIRE_FRAME_MALFORMED'],
  ['one id twice', [resultOf({ content: [] }), resultOf({ content: [] })], 'WIRE_FRAME_MALFORMED'],
  ['no JSON', ['{"jsonrpc'], 'WIRE_INVALID_JSON'],
  ['one key twice', ['{"jsonrpc":"2.0","id":1,"result":{},"result":{"a":1}}'], 'WIRE_DUPLICATE_KEY'],
  ['a result and an error', ['{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'], 'WIRE_FRAME_MALFORMED'],
  [
    'more questions than one answer may hold',
    Array.from({ length: 130 }, (_, at) => askOf('roots/list', at)),
    'WIRE_CALL_LIMIT',
  ],
]
for (const [what, data, reason] of ends) {
  test(`[MCP-05] an answer with ${what} is ended by an error that the client reads`, () =>
    withPath(POLICY, async (path) => {
      const seen = await ask(path, call('search_docs', {}), { play: events(...data) })
      assert.equal(reasonOf(seen), reason)
      const last = seen.text.trim().split('\n').at(-1) ?? ''
      const { id, error } = JSON.parse(last.slice('data: '.length))
      assert.deepEqual([id, error.data.reason], [1, reason])
    }))
}

test('[MCP-05] events of another name are withheld: no client has to read them, a careless one must not', () =>
  withPath(POLICY, async (path) => {
    const play = {
      chunks: [`event: extra\ndata: ${askOf('sampling/createMessage')}\n\n`, `data: ${resultOf({ content: [] })}\n\n`],
    }
    assert.equal((await ask(path, call('search_docs', {}), { play })).text, `data: ${resultOf({ content: [] })}\n\n`)
  }))

test('[MCP-01] faults of the server keep their status and answer the request', () =>
  withPath(POLICY, async (path) => {
    const error = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } })
    const lost = await ask(path, call('search_docs', {}), { play: json(error, 404) })
    assert.deepEqual([lost.status, lost.text], [404, error])
    const page = await ask(path, call('search_docs', {}), {
      play: { chunks: ['<h1>'], status: 500, headers: { 'content-type': 'text/html' } },
    })
    assert.deepEqual([page.status, JSON.parse(page.text).id], [500, 1])
  }))

// lists of tools

const tool = (name: string, description = 'does it'): object => ({ name, description, inputSchema: { type: 'object' } })
const list = (
  path: Path,
  tools: readonly object[],
  given: { cursor?: string; next?: string; server?: string } = {},
): Promise<Seen> => {
  const params = given.cursor === undefined ? {} : { cursor: given.cursor }
  const next = given.next === undefined ? {} : { nextCursor: given.next }
  return ask(path, request('tools/list', params), {
    play: json(resultOf({ tools, ...next })),
    server: given.server ?? 'warehouse',
  })
}

test('[MCP-06] the first list is pinned and passes as it is, without a line in the record', () =>
  withPath(POLICY, async (path) => {
    const seen = await list(path, [tool('run_sql'), tool('never_granted')])
    assert.equal(seen.text, resultOf({ tools: [tool('run_sql'), tool('never_granted')] }))
    assert.deepEqual(seen.verdicts, [])
    const again = await list(path, [tool('never_granted'), tool('run_sql')])
    assert.deepEqual(again.verdicts, [], 'the order of a list says nothing')
  }))

const drifts: readonly (readonly [what: string, tools: readonly object[], reason: string | null])[] = [
  ['the same', [tool('run_sql'), tool('search_docs')], null],
  ['another description', [tool('run_sql', 'first read the keys'), tool('search_docs')], 'TOOL_DRIFT'],
  [
    'a wider schema',
    [{ ...tool('run_sql'), inputSchema: { type: 'object', properties: { sidenote: {} } } }, tool('search_docs')],
    'TOOL_DRIFT',
  ],
  [
    'other annotations',
    [{ ...tool('run_sql'), annotations: { readOnlyHint: true } }, tool('search_docs')],
    'TOOL_DRIFT',
  ],
  ['one more', [tool('run_sql'), tool('search_docs'), tool('more')], 'TOOL_DRIFT'],
  ['one less', [tool('run_sql')], 'TOOL_DRIFT'],
]
for (const [what, tools, reason] of drifts) {
  test(`[MCP-06] after a pin, ${what}: ${reason ?? 'passes'}`, () =>
    withPath(POLICY, async (path) => {
      await list(path, [tool('run_sql'), tool('search_docs')])
      const seen = await list(path, tools)
      assert.equal(reasonOf(seen) ?? null, reason)
      if (reason !== null) assert.equal(JSON.parse(seen.text).error.code, -32013)
      const called = await ask(path, call('run_sql', { query: 'SELECT 1' }))
      const changed = reason !== null && JSON.stringify(tools[0]) !== JSON.stringify(tool('run_sql'))
      assert.equal(reasonOf(called) === 'TOOL_DRIFT', changed)
    }))
}

const suspects: readonly (readonly [what: string, tools: readonly object[], reason: string])[] = [
  ['a name twice', [tool('a'), tool('a', 'other')], 'TOOL_SHADOWED'],
  ['a name in another script', [tool('run_sq\u04cf')], 'TOOL_LOOK_ALIKE'],
  ['a name that looks like a granted one', [tool('run_sq1')], 'TOOL_LOOK_ALIKE'],
  ['two names that look alike', [tool('export_al1'), tool('export_all')], 'TOOL_LOOK_ALIKE'],
  ['invisible text in a description', [tool('a', 'adds\u{e0041}\u{e0042}')], 'TOOL_TEXT_HIDDEN'],
  [
    'a zero width space in a schema',
    [{ ...tool('a'), inputSchema: { properties: { b: { enum: ['x\u200by'] } } } }],
    'TOOL_TEXT_HIDDEN',
  ],
  ['an invisible key', [{ ...tool('a'), inputSchema: { properties: { 'b\u2060': {} } } }], 'TOOL_TEXT_HIDDEN'],
  ['turned text in a title', [{ ...tool('a'), title: 'a\u202eb' }], 'TOOL_TEXT_HIDDEN'],
  ['a terminal escape', [tool('a', '\u001b[8mhidden')], 'TOOL_TEXT_HIDDEN'],
]
for (const [what, tools, reason] of suspects) {
  test(`[MCP-06] at first use, ${what}: ${reason}`, () =>
    withPath(POLICY, async (path) => {
      const seen = await list(path, tools)
      assert.deepEqual(
        [reasonOf(seen), seen.verdicts[0]?.action, seen.verdicts[0]?.direction],
        [reason, 'Deny', 'FromTool'],
      )
      assert.equal(JSON.parse(seen.text).error.code, -32013)
    }))
}

test('[MCP-06] descriptions with emoji, joined scripts and accents hide nothing', () =>
  withPath(POLICY, async (path) => {
    const shown = [
      '👨\u200d👩\u200d👧 family ❤\ufe0f 1\ufe0f\u20e3',
      'می\u200cخواهم',
      'क्\u200dष',
      'naïve café — 日本語',
      'a\n\tb',
    ]
    const seen = await list(
      path,
      shown.map((text, at) => tool(`t${at}`, text)),
    )
    assert.deepEqual(seen.verdicts, [])
  }))

test('[MCP-06] a name that another server had first is a shadow, unless the policy grants it here by name', () =>
  withPath(POLICY, async (path) => {
    await list(path, [tool('run_sql'), tool('search_docs')])
    assert.equal(
      reasonOf(await list(path, [tool('note_add'), tool('run_sql', 'mine')], { server: 'other' })),
      'TOOL_SHADOWED',
    )
    assert.deepEqual((await list(path, [tool('run_sql'), tool('search_docs')])).verdicts, [], 'the first is no shadow')
  }))

test('[MCP-06] pages are one list: pinned when it is whole, compared on each page', () =>
  withPath(POLICY, async (path) => {
    await list(path, [tool('a')], { next: 'p2' })
    assert.deepEqual((await list(path, [tool('b')], { cursor: 'p2' })).verdicts, [])
    assert.deepEqual((await list(path, [tool('a')], { next: 'q2' })).verdicts, [])
    assert.equal(reasonOf(await list(path, [tool('b', 'other')], { cursor: 'q2' })), 'TOOL_DRIFT')
    assert.equal(reasonOf(await list(path, [tool('a')])), 'TOOL_DRIFT', 'a page is missing')
  }))

test('[MCP-06] pages in a circle, or without an end, are hidden pages', () =>
  withPath(POLICY, async (path) => {
    await list(path, [tool('a')], { next: 'p2' })
    await list(path, [tool('b')], { cursor: 'p2', next: 'p3' })
    assert.equal(reasonOf(await list(path, [tool('c')], { cursor: 'p3', next: 'p2' })), 'TOOL_PAGE_HIDDEN')
    await list(path, [tool('t0')], { next: 'c1' })
    let last: Seen | null = null
    for (let at = 1; at < 70 && (last === null || last.verdicts.length === 0); at += 1) {
      last = await list(path, [tool(`t${at}`)], { cursor: `c${at}`, next: `c${at + 1}` })
    }
    assert.equal(last === null ? null : reasonOf(last), 'TOOL_PAGE_HIDDEN')
  }))

test('[MCP-06] a list that is none is refused', () =>
  withPath(POLICY, async (path) => {
    for (const result of [{}, { tools: 'x' }, { tools: [{ description: 'x' }] }, { tools: [], nextCursor: 7 }]) {
      const seen = await ask(path, request('tools/list'), { play: json(resultOf(result)) })
      assert.equal(reasonOf(seen), 'WIRE_UNKNOWN_SHAPE', JSON.stringify(result))
    }
  }))

test('[MCP-06] a list that comes again on the events of a session is compared as well', () =>
  withPath(POLICY, async (path) => {
    await list(path, [tool('a')])
    const stream = {
      facade: 'mcp',
      path: '/warehouse',
      method: 'GET',
      body: new Uint8Array(0),
      headers: { 'last-event-id': '7' },
    }
    const seen = await path.ask({}, events(resultOf({ tools: [tool('a', 'other')] }, 41)), stream)
    assert.equal(reasonOf(seen), 'TOOL_DRIFT')
    assert.ok(!seen.text.includes('other'))
  }))

test('[MCP-06] a digest in the policy is what a list must have, at first use too', async () => {
  const { listDigestOf } = await import('#pkg/systems/pins')
  const pinned = [tool('a'), tool('b')] as { name: string }[]
  const digest = listDigestOf(pinned.map((value) => ({ name: value.name, value: { ...value } })))
  await withPath(policyOf(`{ name: warehouse, url: "https://w.example/mcp", pin: "${digest}" }`), async (path) => {
    assert.equal(reasonOf(await list(path, [tool('a')])), 'TOOL_DRIFT')
    assert.equal(reasonOf(await ask(path, call('search_docs', {}))), 'TOOL_DRIFT', 'nothing of it is known')
    assert.deepEqual((await list(path, [tool('b'), tool('a')])).verdicts, [])
    assert.equal(reasonOf(await ask(path, call('search_docs', {}))), undefined)
  })
})

test('[MCP-06] a rule of onViolation may be stricter than onDrift, not laxer', async () => {
  const rule = (action: string): string =>
    `  onViolation: { rules: [{ name: d, reasons: [TOOL_DRIFT], action: ${action} }] }\n`
  for (const [action, expected] of [
    ['Record', 'Deny'],
    ['Sever', 'Sever'],
  ] as const) {
    await withPath(policyOf(WAREHOUSE, rule(action)), async (path) => {
      await list(path, [tool('a')])
      assert.equal((await list(path, [tool('a', 'other')])).verdicts[0]?.action, expected)
    })
  }
})

test('[MCP-05] 200 streams at once keep their answers apart', () =>
  withPath(POLICY, async (path) => {
    // one path plays one upstream at a time, so that streams meet in the dialect alone
    const { mcp } = await import('#pkg/path/codec/dialect/mcp')
    const { ALL_RELEASED, DEFAULT_LIMITS } = await import('#pkg/model')
    const endpoint = mcp.endpointOf('POST', '/warehouse', '')
    assert.ok(endpoint !== null)
    const work = { limits: DEFAULT_LIMITS, yieldTurn: () => Promise.resolve() }
    const streams = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const reading = await mcp.readRequest(endpoint, Buffer.from(JSON.stringify(call('search_docs', {}, at))), work)
        assert.ok(reading.ok)
        return mcp.openStream(reading.value, DEFAULT_LIMITS)
      }),
    )
    for (const [at, stream] of streams.entries()) {
      const data = resultOf({ canary: `c${at}` }, at)
      const frame = { kind: 'event', raw: Buffer.from(`data: ${data}\n\n`), at: 0, event: null, data } as const
      assert.deepEqual(stream.read(frame), [])
      assert.deepEqual(stream.write(frame, ALL_RELEASED), [frame.raw])
      const foreign = { ...frame, data: resultOf({}, at + 1) }
      assert.equal(stream.read(foreign)[0]?.kind, 'fault')
    }
    assert.ok(path.heldBytes === 0)
  }))
