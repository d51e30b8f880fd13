/** A2A through the whole path, by what stands on the wire. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ask, error03, type Given, PEER_POLICY, reasonOf, resultOf, rpc, withPath } from '../fixtures/a2a-path.ts'
import { closeChecks } from '../fixtures/path.ts'

after(closeChecks)

const message = (more: object = {}): object => ({
  messageId: 'm1',
  role: 'ROLE_USER',
  parts: [{ text: 'hi' }],
  ...more,
})
const old = (more: object = {}): object => ({
  kind: 'message',
  messageId: 'm1',
  role: 'user',
  parts: [{ kind: 'text', text: 'hi' }],
  ...more,
})
const send = (more: object = {}, id: unknown = 1): object => rpc('SendMessage', { message: message(more) }, id)
const send03 = (more: object = {}): object => rpc('message/send', { message: old(more) })

// what goes out

const passing: readonly (readonly [what: string, given: Given])[] = [
  ['a message of 1.0', { body: send() }],
  ['a message of 0.3', { body: send03(), answer: resultOf({ kind: 'message', role: 'agent', parts: [] }) }],
  ['a version in the header', { body: send(), headers: { 'a2a-version': '1.0' } }],
  ['a patch version in the header', { body: send(), headers: { 'a2a-version': '1.0.1' } }],
  [
    'spellings with underscores',
    {
      body: rpc('SendMessage', {
        message: { message_id: 'm', role: 1, parts: [{ text: 'x', media_type: 'text/plain' }] },
      }),
    },
  ],
  [
    'every part',
    {
      body: send({
        parts: [
          { text: 'a' },
          { data: { url: 'https://evil.example' } },
          { raw: 'aGk=', filename: 'a' },
          { url: 'https://peer.example/f' },
        ],
      }),
    },
  ],
  [
    'a file of 0.3 with bytes',
    {
      body: send03({ parts: [{ kind: 'file', file: { bytes: 'aGk=', mimeType: 'text/plain' } }] }),
      answer: resultOf({ kind: 'message', role: 'agent', parts: [] }),
    },
  ],
  ['a granted skill', { body: send({ metadata: { skillId: 'summarize' } }) }],
  ['a skill by a glob', { body: send({ metadata: { skills: ['read_one', 'read_two'] } }) }],
  [
    'a notification at the peer',
    {
      body: rpc('SendMessage', {
        message: message(),
        configuration: { taskPushNotificationConfig: { url: 'https://peer.example:443/hook' } },
      }),
    },
  ],
  [
    'HTTP with another media type',
    {
      path: '/message:send',
      body: { message: message() },
      headers: { 'content-type': 'application/a2a+json' },
      answer: JSON.stringify({ message: { role: 'ROLE_AGENT', parts: [] } }),
    },
  ],
  [
    'HTTP of a tenant',
    { path: '/acme/message:send', body: { message: message() }, answer: JSON.stringify({ message: { parts: [] } }) },
  ],
  [
    'HTTP of 0.3',
    {
      path: '/v1/message:send',
      body: { message: { role: 'ROLE_USER', content: [{ text: 'x' }] } },
      answer: JSON.stringify({ msg: { content: [] } }),
    },
  ],
]
for (const [what, given] of passing) {
  test(`[PEER-01] ${what} goes on as it came, and so does its answer`, () =>
    withPath(PEER_POLICY, async (path) => {
      const seen = await ask(path, given)
      assert.equal(reasonOf(seen), undefined)
      assert.equal(Buffer.from(seen.upstream?.body ?? []).toString(), JSON.stringify(given.body))
      assert.deepEqual([seen.upstream?.address, seen.upstream?.path], ['https://peer.example/a2a', given.path ?? ''])
      assert.equal(seen.text, given.answer ?? resultOf({ message: { role: 'ROLE_AGENT', parts: [] } }))
      assert.deepEqual(
        seen.verdicts.map(({ action, direction, dialect }) => [action, direction, dialect]),
        [['Allow', 'ToPeer', 'a2a']],
      )
    }))
}

const refusing: readonly (readonly [what: string, given: Given, reason: string])[] = [
  ['a skill that is not granted', { body: send({ metadata: { skill: 'delete' } }) }, 'PEER_SKILL_NOT_GRANTED'],
  [
    'a skill in the metadata of the request',
    { body: rpc('SendMessage', { message: message(), metadata: { skill_id: 'delete' } }) },
    'PEER_SKILL_NOT_GRANTED',
  ],
  [
    'a skill in the metadata of a part',
    { body: send({ parts: [{ text: 'x', metadata: { Skills: [{ id: 'delete' }] } }] }) },
    'PEER_SKILL_NOT_GRANTED',
  ],
  ['a skill that nobody can read', { body: send({ metadata: { skill: 7 } }) }, 'PEER_SKILL_NOT_GRANTED'],
  ['a file elsewhere', { body: send({ parts: [{ url: 'https://evil.example/x' }] }) }, 'PEER_URL_NOT_GRANTED'],
  [
    'a file of 0.3 elsewhere',
    { body: send03({ parts: [{ kind: 'file', file: { uri: 'https://evil.example/x' } }] }) },
    'PEER_URL_NOT_GRANTED',
  ],
  [
    'a notification elsewhere',
    {
      body: rpc('SendMessage', {
        message: message(),
        configuration: { taskPushNotificationConfig: { url: 'https://evil.example' } },
      }),
    },
    'PEER_URL_NOT_GRANTED',
  ],
  [
    'a notification of 0.3 elsewhere',
    {
      body: rpc('message/send', {
        message: old(),
        configuration: { pushNotificationConfig: { url: 'http://10.0.0.1/' } },
      }),
    },
    'PEER_URL_NOT_GRANTED',
  ],
  [
    'a notification of HTTP 0.3 elsewhere',
    {
      path: '/v1/message:send',
      body: {
        request: { role: 'ROLE_USER', content: [] },
        configuration: { push_notification: { url: 'http://10.0.0.1/' } },
      },
    },
    'PEER_URL_NOT_GRANTED',
  ],
  ['a method that no version has', { body: rpc('message/delete', {}) }, 'WIRE_METHOD_UNKNOWN'],
  ['a method with another case', { body: rpc('sendMessage', {}) }, 'WIRE_METHOD_UNKNOWN'],
  ['a method of gRPC', { body: rpc('lf.a2a.v1.A2AService/SendMessage', {}) }, 'WIRE_METHOD_UNKNOWN'],
]
for (const [what, given, reason] of refusing) {
  test(`[PEER-02] ${what} never leaves: ${reason}`, () =>
    withPath(PEER_POLICY, async (path) => {
      const seen = await ask(path, given)
      assert.deepEqual([reasonOf(seen), seen.upstream, seen.verdicts.length], [reason, null, 1])
      const body = JSON.parse(seen.text)
      const told = body.error ?? body
      assert.ok(told.message.startsWith(`sallyport: ${reason}: `))
      if (given.path === undefined) {
        assert.deepEqual([seen.status, body.id, told.data.reason], [200, 1, reason])
        assert.equal(told.data.verdict, seen.headers['x-sallyport-verdict'])
      } else assert.deepEqual([seen.status, told.code], [403, error03(reason)])
    }))
}

test('[PEER-02] a refusal of the HTTP binding of 1.0 is an error with its reason in its details', () =>
  withPath(PEER_POLICY, async (path) => {
    const seen = await ask(path, {
      path: '/message:send',
      body: { message: message({ parts: [{ url: 'ftp://x.example' }] }) },
    })
    const { error } = JSON.parse(seen.text)
    assert.deepEqual([seen.status, error.code, error.status], [403, 403, 'PERMISSION_DENIED'])
    assert.deepEqual(
      [error.details[1].reason, error.details[1].metadata.verdict],
      ['PEER_URL_NOT_GRANTED', seen.headers['x-sallyport-verdict']],
    )
  }))

const urls: readonly (readonly [url: string, granted: boolean])[] = [
  ['https://peer.example/x', true],
  ['HTTPS://PEER.example/x', true],
  ['https://peer.example:443/x?q=1', true],
  ['https://peer.example:8443/x', false],
  ['http://peer.example/x', false],
  ['https://peer.example.evil.example/', false],
  ['https://peer.example./x', false],
  ['https://u@peer.example/x', false],
  ['https://peer.example@evil.example/x', false],
  ['https://evil.example\\@peer.example/x', false],
  ['https://peer.example%2eevil.example/', false],
  ['https://p\u0435er.example/', false],
  ['https://peer.example\t/x', false],
  ['https:peer.example/x', false],
  ['//peer.example/x', false],
  ['data:text/plain,hi', false],
  ['file:///etc/passwd', false],
  ['gopher://peer.example/', false],
  ['http://127.0.0.1/', false],
  ['http://2130706433/', false],
  ['http://0x7f.1/', false],
  ['http://017700000001/', false],
  ['http://[::1]/', false],
  ['http://[::ffff:169.254.169.254]/', false],
  ['http://localhost/', false],
  ['http://metadata.google.internal/', false],
  ['', false],
]
for (const [url, granted] of urls) {
  test(`[PEER-05] the address ${JSON.stringify(url)} of a file ${granted ? 'passes' : 'is refused'}, either way`, () =>
    withPath(PEER_POLICY, async (path) => {
      const seen = await ask(path, { body: send({ parts: [{ url }] }) })
      assert.equal(reasonOf(seen), granted ? undefined : 'PEER_URL_NOT_GRANTED')
      const back = await ask(path, { body: send(), answer: resultOf({ message: { parts: [{ url }] } }) })
      assert.equal(back.text.includes('PEER_URL_NOT_GRANTED'), !granted)
    }))
}

// two readings

const twofold: readonly (readonly [what: string, given: Given, reason: string])[] = [
  ['a batch', { body: [send()] }, 'WIRE_REQUEST_MALFORMED'],
  ['no id', { body: { jsonrpc: '2.0', method: 'SendMessage', params: {} } }, 'WIRE_REQUEST_MALFORMED'],
  ['an id that is null', { body: rpc('SendMessage', {}, null) }, 'WIRE_REQUEST_MALFORMED'],
  ['an answer', { body: { jsonrpc: '2.0', id: 1, result: {} } }, 'WIRE_REQUEST_MALFORMED'],
  ['no message', { body: rpc('SendMessage', {}) }, 'WIRE_REQUEST_MALFORMED'],
  ['a key twice', { body: null, raw: '{"jsonrpc":"2.0","id":1,"id":2,"method":"GetTask"}' }, 'WIRE_DUPLICATE_KEY'],
  [
    'a message twice, but for case',
    { body: rpc('SendMessage', { message: message(), Message: message() }) },
    'WIRE_REQUEST_MALFORMED',
  ],
  [
    'a message under two names',
    { body: rpc('message/send', { message: old(), request: old() }) },
    'WIRE_REQUEST_MALFORMED',
  ],
  ['a task in two spellings', { body: send({ taskId: 'a', task_id: 'b' }) }, 'WIRE_REQUEST_MALFORMED'],
  [
    'a part with two contents',
    { body: send({ parts: [{ text: 'x', url: 'https://peer.example' }] }) },
    'WIRE_REQUEST_MALFORMED',
  ],
  ['a part without a content', { body: send({ parts: [{}] }) }, 'WIRE_REQUEST_MALFORMED'],
  [
    'a part of another kind than its content',
    { body: send03({ parts: [{ kind: 'text', file: { uri: 'https://peer.example' } }] }) },
    'WIRE_REQUEST_MALFORMED',
  ],
  [
    'a file with an address and bytes',
    {
      body: send03({
        parts: [
          { kind: 'file', file: { uri: 'https://peer.example', bytes: '' } },
          { kind: 'file', file: { uri: 'https://peer.example', bytes: 'aa' } },
        ],
      }),
    },
    'WIRE_REQUEST_MALFORMED',
  ],
  ['the role of the other side', { body: send({ role: 'ROLE_AGENT' }) }, 'WIRE_REQUEST_MALFORMED'],
  ['parts and content', { body: send({ content: [{ text: 'y' }] }) }, 'WIRE_REQUEST_MALFORMED'],
  ['no task', { body: rpc('GetTask', {}) }, 'WIRE_REQUEST_MALFORMED'],
  ['another version than its method', { body: send(), headers: { 'a2a-version': '0.3' } }, 'WIRE_HEADER_DISAGREES'],
  [
    'another version than its path',
    { path: '/v1/message:send', body: { message: message() }, headers: { 'a2a-version': '1.0' } },
    'WIRE_HEADER_DISAGREES',
  ],
  ['a version that nobody knows', { body: send(), headers: { 'a2a-version': '2.0' } }, 'WIRE_HEADER_DISAGREES'],
  ['two versions', { body: send(), headers: { 'a2a-version': ['0.3', '1.0'] } }, 'WIRE_HEADER_DISAGREES'],
  [
    'another tenant than its path',
    { path: '/acme/message:send', body: { tenant: 'other', message: message() } },
    'WIRE_HEADER_DISAGREES',
  ],
  [
    'another task than its path',
    { path: '/tasks/a/pushNotificationConfigs', body: { taskId: 'b', url: 'https://peer.example' } },
    'WIRE_REQUEST_MALFORMED',
  ],
  [
    'a setting without an address',
    { body: rpc('CreateTaskPushNotificationConfig', { taskId: 'a' }) },
    'WIRE_REQUEST_MALFORMED',
  ],
  ['a body on a GET', { path: '/tasks', method: 'GET', body: {} }, 'WIRE_REQUEST_MALFORMED'],
  ['a path of gRPC', { path: '/lf.a2a.v1.A2AService/SendMessage', body: {} }, 'WIRE_ENDPOINT_UNKNOWN'],
  ['a path that no version has', { path: '/message:delete', body: {} }, 'WIRE_ENDPOINT_UNKNOWN'],
  [
    'a query that no version has',
    { path: '/tasks', method: 'GET', query: '?all=1', body: null },
    'WIRE_ENDPOINT_UNKNOWN',
  ],
  [
    'a query twice',
    { path: '/tasks/a', method: 'GET', query: '?historyLength=1&historyLength=2', body: null },
    'WIRE_ENDPOINT_UNKNOWN',
  ],
  ['another media type', { body: send(), headers: { 'content-type': 'application/grpc' } }, 'WIRE_CONTENT_TYPE'],
]
test('[PEER-04] a request without a message is refused in a sentence', () =>
  withPath(PEER_POLICY, async (path) => {
    const { text } = await ask(path, { body: rpc('SendMessage', {}) })
    assert.match(text, /the request has no message[.;]/)
  }))

for (const [what, given, reason] of twofold) {
  test(`[PEER-04] a request with ${what} is refused`, () =>
    withPath(PEER_POLICY, async (path) => {
      const seen = await ask(path, given)
      assert.deepEqual([seen.status, reasonOf(seen), seen.upstream], [403, reason, null])
      assert.ok(JSON.parse(seen.text))
    }))
}
