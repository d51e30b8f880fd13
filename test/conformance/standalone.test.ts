/** The real process, from outside: what DESIGN §8 and the README promise of `sallyctl up`. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { callDeltas, chunkOf, lf, streamOf, textDeltas } from '../fixtures/chat.ts'
import { type MockHandler, type MockUpstream, startMockUpstream } from '../fixtures/mock-upstream.ts'
import { DENY, NOBODY, REQUEST, SEVER } from '../fixtures/policies.ts'
import { type Running, type Setup, startSallyctl } from '../fixtures/sallyctl.ts'

const DROP = JSON.stringify({ query: 'DROP TABLE customers' })
const plain: MockHandler = (_request, reply) => reply.events([streamOf(textDeltas('hello there'), 'stop')])
const patient = ['--limit', 'checkTimeoutMs=5000']

type Bench = { readonly mock: MockUpstream; readonly running: Running }

async function withSallyctl(
  play: MockHandler,
  body: (bench: Bench) => Promise<void>,
  more: Partial<Setup> = {},
): Promise<void> {
  const mock = await startMockUpstream(play)
  const running = await startSallyctl({
    policies: { 'a.yaml': DENY },
    upstream: `${mock.url}/v1`,
    args: patient,
    ...more,
  })
  try {
    await body({ mock, running })
  } finally {
    await running.stop('SIGKILL')
    await mock.close()
  }
}

const agent = 'growth/marketing'
const ask = (
  running: Running,
  given: { token?: string; path?: string; body?: object; method?: string; signal?: AbortSignal } = {},
): Promise<Response> =>
  fetch(`${running.ready.facade}${given.path ?? '/openai/v1/chat/completions'}`, {
    method: given.method ?? 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${given.token ?? running.token(agent)}` },
    ...(given.method === 'GET' ? {} : { body: JSON.stringify(given.body ?? REQUEST) }),
    ...(given.signal === undefined ? {} : { signal: given.signal }),
  })

type Line = { id: string; agent: string | null; action: string; reasons: string[]; us: number }

async function verdictsOf(running: Running): Promise<Line[]> {
  const response = await fetch(`${running.ready.admin}/v1/verdicts`, {
    headers: { authorization: `Bearer ${running.ready.adminToken}` },
  })
  assert.equal(response.status, 200)
  const text = await response.text()
  return text.trim() === ''
    ? []
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
}

async function until(condition: () => boolean | Promise<boolean>, withinMs: number, what: string): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > end) assert.fail(`not within ${withinMs} ms: ${what}`)
    await sleep(20)
  }
}

test("[PROMISE-KEYS] the provider sees its key and never the agent's token; the agent sees its answer and never the key", () =>
  withSallyctl(plain, async ({ mock, running }) => {
    const token = running.token(agent)
    const response = await ask(running)
    const text = await response.text()
    const [seen] = mock.requests
    assert.equal(seen?.headers['authorization'], 'Bearer sk-provider-key')
    assert.ok(!seen?.rawHead.includes(token) && !seen?.body.includes(token))
    assert.ok(
      !text.includes('sk-provider-key') &&
        ![...response.headers.values()].some((value) => value.includes('sk-provider-key')),
    )
    assert.ok(!running.stderr().includes(token) && !running.stderr().includes('sk-provider-key'))
    assert.match(token, /^sp_vk_[A-Za-z0-9]{32,}$/)
  }))

test('[PROMISE-RECORD] an unknown token, endpoint or model: 403, one verdict line, no connection', () =>
  withSallyctl(plain, async ({ mock, running }) => {
    const rows: readonly [given: Parameters<typeof ask>[1], reason: string, by: string | null][] = [
      [{ token: 'sp_vk_0123456789abcdefghijklmnopqrstuv' }, 'IDENTITY_TOKEN_UNKNOWN', null],
      [{ token: 'nonsense' }, 'IDENTITY_TOKEN_UNKNOWN', null],
      [{ path: '/openai/v1/assistants' }, 'WIRE_ENDPOINT_UNKNOWN', agent],
      [{ path: '/openai/v1/chat/completions/../../files' }, 'WIRE_ENDPOINT_UNKNOWN', agent],
      [{ path: '/elsewhere' }, 'WIRE_ENDPOINT_UNKNOWN', agent],
      [{ path: '/openai/v1/files', method: 'GET' }, 'WIRE_ENDPOINT_UNKNOWN', agent],
      [{ body: { ...REQUEST, model: 'o9' } }, 'MODEL_NOT_GRANTED', agent],
    ]
    for (const [given, reason, by] of rows) {
      const before = (await verdictsOf(running)).length
      const response = await ask(running, given)
      assert.equal(response.status, 403, reason)
      assert.equal(response.headers.get('x-should-retry'), 'false')
      const { error } = (await response.json()) as { error: { code: string; message: string } }
      assert.equal(error.code, reason)
      assert.doesNotMatch(error.message, /codec/)
      if (given?.path === '/openai/v1/assistants')
        assert.match(error.message, /base URL of a client ends with \/openai\/v1\. /)
      if (given?.path === '/elsewhere') assert.match(error.message, /ends with one of \/openai\/v1, .*\/mcp\/NAME, /)
      const lines = (await verdictsOf(running)).slice(before)
      assert.deepEqual(
        lines.map((line) => [line.agent, line.reasons[0], line.id]),
        [[by, reason, response.headers.get('x-sallyport-verdict')]],
      )
    }
    assert.equal(mock.connections, 0)
  }))

test('[PROMISE-CLOSED] an agent that no policy selects is refused everything', () =>
  withSallyctl(
    plain,
    async ({ mock, running }) => {
      const response = await ask(running)
      assert.equal(response.status, 403)
      assert.match(await response.text(), /POLICY_NONE_SELECTS/)
      assert.equal(mock.connections, 0)
    },
    { policies: { 'a.yaml': NOBODY } },
  ))

test('[PROMISE-SEVER] a severed agent stays out across kill −9 and restart, until its file releases it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-data-'))
  const severing: MockHandler = (_request, reply) =>
    reply.events([streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls')])
  try {
    await withSallyctl(
      severing,
      async ({ running }) => {
        const text = await (await ask(running)).text()
        assert.match(text, /INTENT_SQL_DDL/)
        assert.equal((await ask(running)).status, 403)
      },
      { policies: { 'a.yaml': SEVER }, dataDir },
    )
    await withSallyctl(
      plain,
      async ({ running, mock }) => {
        const refused = await ask(running)
        assert.equal(refused.status, 403)
        assert.match(await refused.text(), /IDENTITY_AGENT_QUARANTINED/)
        assert.equal(mock.connections, 0)
        const agents = await fetch(`${running.ready.admin}/v1/agents`, {
          headers: { authorization: `Bearer ${running.ready.adminToken}` },
        })
        const listed = (await agents.json()) as
          | { state: string; epoch: number }[]
          | { agents: { state: string; epoch: number }[] }
        const [first] = Array.isArray(listed) ? listed : listed.agents
        assert.equal(first?.state, 'Quarantined')
        const released = SEVER.replace(
          'spec: { state: Active }',
          `spec: { state: Active, releaseThroughEpoch: ${first?.epoch} }`,
        )
        writeFileSync(join(running.policiesDir, 'a.yaml'), released)
        await until(async () => (await ask(running)).status === 200, 5_000, 'released')
      },
      { policies: { 'a.yaml': SEVER }, dataDir },
    )
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test('hot reload: a broken file keeps its last good version and is named by line; a deleted file is gone', () =>
  withSallyctl(plain, async ({ running }) => {
    const file = join(running.policiesDir, 'a.yaml')
    writeFileSync(file, DENY.replace('role: marketing', 'rolle: marketing'))
    await until(() => /a\.yaml:\d+:\d+/.test(running.stderr()), 5_000, 'the fault is named by line')
    assert.match(running.stderr(), /rolle/)
    assert.equal((await ask(running)).status, 200)
    writeFileSync(file, DENY.replace('gpt-5*', 'gpt-4*'))
    await until(async () => (await ask(running)).status === 403, 5_000, 'the new version holds')
    writeFileSync(join(running.policiesDir, 'b.yaml'), DENY.replaceAll('name: marketing', 'name: second'))
    unlinkSync(file)
    await until(
      async () => /IDENTITY_TOKEN_UNKNOWN/.test(await (await ask(running)).text()),
      5_000,
      'the agent is gone',
    )
  }))

test('a bad policy at the start: exit 65 and every fault with file, line and column', async () => {
  const bad = DENY.replace('role: marketing', 'rolle: marketing').replace('intents: [sql.read]', 'intents: [sql.reed]')
  await assert.rejects(
    startSallyctl({ policies: { 'a.yaml': bad, 'b.yaml': 'kind: [' }, upstream: 'http://127.0.0.1:9/v1' }),
    (error: Error) => {
      assert.match(error.message, /ended with 65/)
      assert.match(error.message, /a\.yaml:\d+:\d+: .*rolle/)
      assert.match(error.message, /b\.yaml:\d+:\d+: /)
      return true
    },
  )
})

const faults: readonly [name: string, play: MockHandler, status: number, code: string][] = [
  ['resets before an answer', (_r, reply) => reply.reset(), 502, 'UPSTREAM_FAILED'],
  ['speaks no HTTP', (_r, reply) => reply.raw('SSH-2.0-x\r\n').then(() => reply.end()), 502, 'UPSTREAM_FAILED'],
  ['redirects', (_r, reply) => reply.json(302, {}, { location: 'http://127.0.0.1:1/' }), 502, 'UPSTREAM_FAILED'],
  [
    'lies about the type',
    (_r, reply) => reply.json(200, {}, { 'content-type': 'text/html' }),
    403,
    'WIRE_CONTENT_TYPE',
  ],
  [
    'its own 429 stays a 429',
    (_r, reply) => reply.json(429, { error: { message: 'slow down', code: 'rate_limit_exceeded' } }),
    429,
    'rate_limit_exceeded',
  ],
  ['a 503 in HTML', (_r, reply) => reply.json(503, {}, { 'content-type': 'text/html' }), 503, 'UPSTREAM_FAILED'],
]

for (const [name, play, status, code] of faults)
  test(`[PROMISE-CLOSED] the provider ${name}`, () =>
    withSallyctl(play, async ({ running }) => {
      const response = await ask(running)
      assert.equal(response.status, status)
      assert.equal(((await response.json()) as { error: { code: string } }).error.code, code)
    }))

test('[PROMISE-CLOSED] the provider is down: 502 with the likely cause', () =>
  withSallyctl(plain, async ({ mock, running }) => {
    await mock.close()
    const response = await ask(running)
    assert.equal(response.status, 502)
    assert.match(await response.text(), /connection refused/)
  }))

test('[PROMISE-HOLD] the provider breaks off inside a call: a clear error, and nothing that was held', () =>
  withSallyctl(
    async (_request, reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      for (const delta of [...textDeltas('before'), ...callDeltas(0, 'search_docs', '{"query":"secret thing"}')])
        await reply.chunk(lf(chunkOf(delta)))
      await sleep(50)
      reply.reset()
    },
    async ({ running }) => {
      const text = await (await ask(running)).text()
      assert.match(text, /before/)
      assert.doesNotMatch(text, /search_docs|secret/)
      assert.match(text, /data: \{"error":\{"message":"sallyport: UPSTREAM_FAILED/)
    },
  ))

test('a client that vanishes: the provider is cancelled within a second', () => {
  let goneAt = 0
  return withSallyctl(
    async (_request, reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      void reply.closed.then(() => {
        goneAt = performance.now()
      })
      for (let count = 0; count < 2_000 && !reply.gone; count += 1) {
        await reply.chunk(lf(chunkOf({ content: 'x' })))
        await sleep(10)
      }
    },
    async ({ running }) => {
      const abort = new AbortController()
      const response = await ask(running, { signal: abort.signal })
      const reader = response.body?.getReader()
      await reader?.read()
      const left = performance.now()
      abort.abort()
      await until(() => goneAt > 0, 1_000, 'the provider is cancelled')
      assert.ok(goneAt - left < 1_000)
    },
  )
})

test('SIGTERM drains: the open stream ends whole, no new request is taken, exit 0', () =>
  withSallyctl(
    async (_request, reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      for (const event of streamOf(textDeltas('a stream that takes its time', 3), 'stop').split(/(?<=\n\n)/)) {
        await reply.chunk(event)
        await sleep(40)
      }
      await reply.finish()
    },
    async ({ running }) => {
      const response = await ask(running)
      const text = response.text()
      await sleep(60)
      const stopped = running.stop('SIGTERM')
      await sleep(60)
      await assert.rejects(ask(running))
      assert.ok((await text).endsWith('data: [DONE]\n\n'))
      assert.equal(await stopped, 0)
    },
  ))

function rssKib(running: Running): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${running.child.pid}/status`, 'utf8'))?.[1] ?? 0)
}

/** Opens 64 streams whose clients never read, and answers the largest RSS of the next seconds, KiB. */
async function stall(running: Running, seconds: number): Promise<number> {
  const { port } = new URL(running.ready.facade)
  const body = JSON.stringify(REQUEST)
  const head = `POST /openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${running.token(agent)}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
  const sockets = Array.from({ length: 64 }, () => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(head + body)
    socket.pause()
    return socket
  })
  let most = 0
  for (let look = 0; look < 2 * seconds; look += 1) {
    await sleep(500)
    most = Math.max(most, rssKib(running))
  }
  for (const socket of sockets) socket.destroy()
  return most
}

test(
  '[PROMISE-BOUNDED] 64 clients that stop reading during 10 MB answers: memory stays bounded, also the second time',
  { skip: process.platform === 'linux' ? false : 'reads /proc' },
  () =>
    withSallyctl(
      async (_request, reply) => {
        await reply.head(200, { 'content-type': 'text/event-stream' })
        const event = lf(chunkOf({ content: 'y'.repeat(2_000) }))
        for (let sent = 0; sent < 10_000_000 && !reply.gone; sent += event.length) await reply.chunk(event)
        await reply.finish()
      },
      async ({ running }) => {
        const before = rssKib(running)
        const first = await stall(running, 5)
        const second = await stall(running, 5)
        // the goal is 32 MiB, held on a quiet machine; on a busy one the collector comes later (docs/performance.md)
        for (const most of [first, second]) assert.ok(most - before <= 96 * 1024, `RSS grew by ${most - before} KiB`)
      },
    ),
)
