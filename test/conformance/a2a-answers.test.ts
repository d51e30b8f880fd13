/** What a peer answers, through the whole path, by what stands on the wire. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Ask } from '#pkg/model'
import {
  ask,
  event,
  type Given,
  json,
  PEER_POLICY,
  part,
  reasonOf,
  resultOf,
  rpc,
  sse,
  withPath,
} from '../fixtures/a2a-path.ts'
import { closeChecks } from '../fixtures/path.ts'

after(closeChecks)

const message = (more: object = {}): object => ({
  messageId: 'm1',
  role: 'ROLE_USER',
  parts: [{ text: 'hi' }],
  ...more,
})
const send = (more: object = {}, id: unknown = 1): object => rpc('SendMessage', { message: message(more) }, id)

const task = (more: object = {}): object => ({
  id: 't1',
  contextId: 'c1',
  status: { state: 'TASK_STATE_WORKING' },
  ...more,
})
const stream = (more: object = {}): Given => ({ body: rpc('SendStreamingMessage', { message: message() }), ...more })

const answers: readonly (readonly [what: string, answer: string, reason: string | null])[] = [
  ['a result for another id', resultOf({ task: task() }, 2), 'WIRE_FRAME_MALFORMED'],
  ['a result for its id as a text', resultOf({ task: task() }, '1'), 'WIRE_FRAME_MALFORMED'],
  ['a request of the peer', JSON.stringify(rpc('SendMessage', {})), 'WIRE_FRAME_MALFORMED'],
  ['several answers', `[${resultOf({ task: task() })}]`, 'WIRE_FRAME_MALFORMED'],
  ['a key twice', '{"jsonrpc":"2.0","id":1,"result":{},"result":{}}', 'WIRE_DUPLICATE_KEY'],
  ['a task and a message', resultOf({ task: task(), message: { parts: [] } }), 'WIRE_UNKNOWN_SHAPE'],
  ['a task twice, but for case', resultOf({ task: task(), Task: task() }), 'WIRE_UNKNOWN_SHAPE'],
  ['a kind that nobody knows', resultOf({ kind: 'tool-call', name: 'x' }), 'WIRE_UNKNOWN_SHAPE'],
  ['nothing', resultOf({}), 'WIRE_UNKNOWN_SHAPE'],
  ['a message in the name of the user', resultOf({ message: { role: 'ROLE_USER', parts: [] } }), 'WIRE_UNKNOWN_SHAPE'],
  ['an error', JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'x' } }), null],
  ['an error without an id', JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'x' } }), null],
  ['a task of 0.3', resultOf({ kind: 'task', ...task() }), null],
]
for (const [what, answer, reason] of answers) {
  test(`[PEER-04] whole, ${what}: ${reason ?? 'passes'}`, () =>
    withPath(PEER_POLICY, async (path) => {
      const seen = await ask(path, { body: send(), answer })
      if (reason === null) return assert.equal(seen.text, answer)
      assert.equal(reasonOf(seen), reason)
      assert.equal(JSON.parse(seen.text).error.data.reason, reason)
    }))
  test(`[PEER-04] as an event, ${what}: ${reason ?? 'passes'}`, () =>
    withPath(PEER_POLICY, async (path) => {
      const seen = await ask(path, stream({ play: sse(answer) }))
      if (reason === null) return assert.equal(seen.text, `data: ${answer}\n\n`)
      assert.equal(reasonOf(seen), reason)
      assert.match(seen.text, new RegExp(reason))
      assert.ok(!seen.text.includes(answer))
    }))
}

const STREAM = [
  { task: task() },
  {
    artifactUpdate: {
      taskId: 't1',
      contextId: 'c1',
      artifact: { artifactId: 'a', parts: [{ text: 'one' }] },
      append: false,
    },
  },
  {
    artifactUpdate: {
      taskId: 't1',
      contextId: 'c1',
      artifact: { artifactId: 'a', parts: [{ url: 'https://peer.example/f' }] },
      append: true,
      lastChunk: true,
    },
  },
  { statusUpdate: { taskId: 't1', contextId: 'c1', status: { state: 'TASK_STATE_COMPLETED' } } },
].map((result) => resultOf(result))

test('[PEER-01] a stream that nobody touched is the same bytes, in every framing and cut', () =>
  withPath(PEER_POLICY, async (path) => {
    const framings = [event('\n'), event('\r\n'), event('\r'), event('\n', 'event: message'), event('\n', ': hi')]
    const bytes = fc.tuple(fc.constantFrom(...framings), fc.integer({ min: 1, max: 64 }))
    await fc.assert(
      fc.asyncProperty(bytes, async ([frame, size]) => {
        const whole = Buffer.from(STREAM.map(frame).join(''))
        const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
          whole.subarray(at * size, at * size + size),
        )
        const seen = await ask(path, stream({ play: { chunks } }))
        assert.equal(seen.text.replaceAll(': hi', ''), whole.toString().replaceAll(': hi', ''))
        assert.deepEqual(
          seen.verdicts.map(({ action }) => action),
          ['Allow'],
        )
      }),
      { numRuns: 60 },
    )
  }))

test('[PEER-03] wherever a refused event stands and however it is cut: the same bytes, and nothing behind it', () =>
  withPath(PEER_POLICY, async (path) => {
    const evil = part('https://evil.example/?d=1')
    const places = fc.record({ at: fc.nat({ max: STREAM.length }), size: fc.integer({ min: 1, max: 200 }) })
    await fc.assert(
      fc.asyncProperty(places, async ({ at, size }) => {
        const frames = [...STREAM.slice(0, at), evil, ...STREAM.slice(at)].map(event('\n'))
        const whole = Buffer.from(frames.join(''))
        const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
          whole.subarray(n * size, n * size + size),
        )
        const seen = await ask(path, stream({ play: { chunks } }))
        const before = frames.slice(0, at).join('')
        assert.ok(seen.text.startsWith(before))
        const [rest, ...more] = seen.text
          .slice(before.length)
          .split('\n\n')
          .filter((one) => one !== '')
        assert.deepEqual(more, [])
        const { result, error } = JSON.parse((rest ?? '').slice('data: '.length))
        const told = result?.statusUpdate.status.message.parts[0].text ?? error?.message
        assert.match(told, /^sallyport: PEER_URL_NOT_GRANTED: /)
        assert.equal(seen.how, 'end')
      }),
      { numRuns: 60 },
    )
  }))

test('[PEER-01] a stream has no limit of events, and holds none of them back', () =>
  withPath(PEER_POLICY, async (path) => {
    const play = sse(STREAM[0] ?? '', ...Array.from({ length: 1_000 }, () => STREAM[1] ?? ''))
    const seen = await ask(path, stream({ play }))
    assert.equal(seen.text, play.chunks.join(''))
    assert.deepEqual([seen.how, path.heldBytes, seen.verdicts.length], ['end', 0, 1])
  }))

test('[PEER-03] a task that was rejected is over: the peer is asked for no more of it', () =>
  withPath(PEER_POLICY, async (path) => {
    const play = sse(
      STREAM[0] ?? '',
      part('https://evil.example'),
      ...Array.from({ length: 50 }, () => STREAM[1] ?? ''),
    )
    const seen = await ask(path, stream({ play }))
    assert.deepEqual([seen.how, seen.pulled], ['end', 2])
  }))

test('[PEER-03] Sever ends a stream with a task that is rejected, cancels the peer, and the agent is refused from then on', () =>
  withPath(
    `${PEER_POLICY}\n  onViolation: { rules: [{ name: r, reasons: [PEER_URL_NOT_GRANTED], action: Sever }] }`,
    async (path) => {
      const seen = await ask(path, stream({ play: sse(STREAM[0] ?? '', part('https://evil.example'), ...STREAM) }))
      const events = seen.text.split('\n\n').filter((one) => one !== '')
      assert.equal(events.length, 2)
      assert.match(events[1] ?? '', /TASK_STATE_REJECTED.*PEER_URL_NOT_GRANTED/)
      assert.deepEqual([seen.upstreamCancelled, path.standing.state], [true, 'Quarantined'])
      assert.equal(reasonOf(await ask(path, { body: send() })), 'IDENTITY_AGENT_QUARANTINED')
    },
  ))

test('[PEER-03] in Audit mode everything passes, and what would be refused is on record', () =>
  withPath(PEER_POLICY.replace('role: marketing', 'role: marketing\n  mode: Audit'), async (path) => {
    const play = sse(...STREAM, part('https://evil.example'))
    const seen = await ask(path, stream({ play }))
    assert.equal(seen.text, play.chunks.join(''))
    assert.deepEqual(
      seen.verdicts.map(({ action, enforced }) => [action, enforced]),
      [
        ['Allow', true],
        ['Deny', false],
      ],
    )
  }))

test('[PEER-05] a list of tasks holds those of the agent alone; a list of them is bytes as they came', () =>
  withPath(PEER_POLICY, async (path) => {
    const list = (...ids: string[]): string =>
      resultOf({ tasks: ids.map((id) => task({ id })), totalSize: ids.length, nextPageToken: '' })
    const asked: Given = { body: rpc('ListTasks', {}) }
    assert.deepEqual(JSON.parse((await ask(path, { ...asked, answer: list('t1', 't2') })).text).result.tasks, [])
    await ask(path, { body: send(), answer: resultOf({ task: task() }) })
    const seen = await ask(path, { ...asked, answer: list('t1', 't2') })
    const { result } = JSON.parse(seen.text)
    assert.deepEqual([result.tasks.map(({ id }: { id: string }) => id), result.totalSize], [['t1'], 1])
    assert.equal((await ask(path, { ...asked, answer: list('t1') })).text, list('t1'))
    assert.deepEqual(seen.verdicts, [])
  }))

// before anything is said

const doors: readonly (readonly [what: string, path: string, shape: (body: Record<string, unknown>) => unknown])[] = [
  ['JSON-RPC', '', (body) => (body['error'] as { data: { reason: string } }).data.reason],
  ['HTTP of 1.0', '/message:send', (body) => (body['error'] as { details: { reason: string }[] }).details[1]?.reason],
  ['HTTP of 0.3', '/v1/message:send', (body) => (body['data'] as { reason: string }).reason],
]
for (const [what, below, shape] of doors) {
  test(`[PEER-02] ${what}: an unknown token, another peer and a held agent are refused in its own shape, with 403`, () =>
    withPath(PEER_POLICY, async (path) => {
      const body =
        below === '' ? send() : { message: message(below.startsWith('/v1') ? { parts: undefined, content: [] } : {}) }
      const told = async (given: Partial<Ask>): Promise<unknown> => {
        const seen = await path.ask({}, json(''), {
          facade: 'a2a',
          path: `/research${below}`,
          body: Buffer.from(JSON.stringify(body)),
          ...given,
        })
        assert.deepEqual([seen.status, seen.headers['x-should-retry'], seen.upstream], [403, 'false', null])
        return shape(JSON.parse(seen.text))
      }
      assert.equal(await told({ token: 'sp_vk_none' }), 'IDENTITY_TOKEN_UNKNOWN')
      assert.equal(await told({ path: `/other${below}` }), 'PEER_NOT_GRANTED')
      path.move('Quarantined')
      assert.equal(await told({}), 'IDENTITY_AGENT_QUARANTINED')
    }))
}

const CARD = {
  name: 'Research',
  supportedInterfaces: [{ url: 'https://peer.example/a2a', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  skills: [],
}
const hosts: readonly (readonly [host: string, address: string])[] = [
  ['127.0.0.1:16080', 'http://127.0.0.1:16080/a2a/research'],
  ['sallyport.svc', 'http://sallyport.svc/a2a/research'],
  ['[::1]:16080', 'http://[::1]:16080/a2a/research'],
  ['evil.example/x?', 'http://127.0.0.1/a2a/research'],
  ['u@evil.example', 'http://127.0.0.1/a2a/research'],
  ['', 'http://127.0.0.1/a2a/research'],
]
for (const [host, address] of hosts) {
  test(`[PEER-06] a client that came by the host ${JSON.stringify(host)} is led to ${address}`, () =>
    withPath(PEER_POLICY, async (path) => {
      const seen = await ask(path, {
        path: '/.well-known/agent-card.json',
        method: 'GET',
        body: null,
        headers: { host },
        answer: JSON.stringify(CARD),
      })
      assert.equal(JSON.parse(seen.text).supportedInterfaces[0].url, address)
      assert.deepEqual(
        [seen.upstream?.address, seen.upstream?.path, seen.upstream?.body],
        ['https://peer.example', '/.well-known/agent-card.json', null],
      )
    }))
}

test('[PEER-06] a card that is not at the root of the host is asked for below the address', () =>
  withPath(PEER_POLICY, async (path) => {
    const asked = { path: '/.well-known/agent-card.json', method: 'GET', body: null }
    const seen = await ask(path, { ...asked, play: json('{}', 404) })
    assert.deepEqual(
      [seen.status, seen.upstream?.address, seen.upstream?.path],
      [404, 'https://peer.example/a2a', '/.well-known/agent-card.json'],
    )
  }))
