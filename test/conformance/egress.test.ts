/** Plain HTTP to other hosts through the real process: what DESIGN §8 and docs/decisions/0018 promise. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type EgressBench, until, withEgress } from '../fixtures/egress.ts'

const ENTRIES = ({ origin, host }: { origin: number; host: number }): string =>
  [
    `{ name: api, hosts: [api.test], ports: [${origin}], methods: [GET, HEAD, POST, PUT], pathPrefixes: [/ok/, /also] }`,
    `{ name: raw, hosts: [raw.test], ports: [${host}], tls: Opaque }`,
    `{ name: here, hosts: [localhost], ports: [${origin}] }`,
    '{ name: nowhere, hosts: [no-such-host.invalid], ports: [80] }',
    `{ name: closed, hosts: [127.0.0.1], ports: [1] }`,
  ].join(', ')

const get = ({ basic }: EgressBench, url: string, more: readonly string[] = []): string =>
  [`GET ${url} HTTP/1.1`, `host: ${new URL(url).host}`, `proxy-authorization: ${basic}`, ...more, '', ''].join('\r\n')

test('[EGR-06] an answer of any type arrives byte for byte, with its own length, type, coding, cookies and status', () => {
  const bodies = new Map<string, Buffer>([
    ['text', Buffer.from('hello')],
    ['bytes', randomBytes(300_000)],
    ['gzip', gzipSync(Buffer.from('{"a":1}'))],
    ['empty', Buffer.alloc(0)],
  ])
  return withEgress(
    {
      egress: ENTRIES,
      origin: (request, response) => {
        const name = request.url?.split('/').at(-1) ?? ''
        const body = bodies.get(name) ?? Buffer.alloc(0)
        response.writeHead(name === 'bytes' ? 206 : 200, [
          ...['content-type', 'application/x-anything', 'set-cookie', 'a=1', 'set-cookie', 'b=2', 'etag', '"x"'],
          ...(name === 'gzip' ? ['content-encoding', 'gzip'] : []),
          ...(name === 'bytes' ? [] : ['content-length', String(body.length)]),
          ...['alt-svc', 'h3=":443"', 'x-sallyport-verdict', 'v_forged', 'keep-alive', 'timeout=1', 'x-own', 'kept'],
        ])
        response.end(body)
      },
    },
    async (bench) => {
      for (const [name, body] of bodies) {
        const raw = await bench.raw()
        raw.send(get(bench, `http://api.test:${bench.origin.port}/ok/${name}`))
        const answer = await raw.answer(10_000)
        assert.equal(answer.status, name === 'bytes' ? 206 : 200)
        assert.equal(digest(Buffer.from(answer.body, 'latin1')), digest(body), name)
        assert.match(
          answer.head,
          /content-type: application\/x-anything\r\nset-cookie: a=1\r\nset-cookie: b=2\r\netag: "x"/,
        )
        assert.match(answer.head, /x-own: kept/)
        assert.doesNotMatch(answer.head, /alt-svc|v_forged/)
        assert.equal(/content-encoding: gzip/.test(answer.head), name === 'gzip')
      }
      assert.deepEqual(await bench.verdicts(), [])
    },
  )
})

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('[EGR-06] a request arrives byte for byte, coded as it was sent, with its own credentials and without ours', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    const raw = await bench.raw()
    const body = gzipSync(randomBytes(200_000))
    raw.send(
      [
        `POST http://api.test:${bench.origin.port}/ok/up?q=%2e%2e&r=1 HTTP/1.1`,
        ...[
          `Host: api.test:${bench.origin.port}`,
          `Proxy-Authorization: ${bench.basic}`,
          'Proxy-Connection: keep-alive',
        ],
        ...['Authorization: Bearer of-the-host', 'Cookie: c=1', 'Content-Encoding: gzip', 'Content-Type: a/b'],
        ...['Connection: keep-alive, x-hop', 'X-Hop: 1', 'TE: trailers', 'Via: 1.1 x', 'X-Forwarded-For: 1.2.3.4'],
        ...['X-HTTP-Method-Override: DELETE', 'X-Original-URL: /admin', 'X-Sallyport-Labels: x', 'X-Own: kept'],
        ...[`X-Leak: ${bench.token}`, 'Transfer-Encoding: chunked', '', ''],
      ].join('\r\n'),
    )
    for (const part of [body.subarray(0, 100_000), body.subarray(100_000)])
      for (const piece of [`${part.length.toString(16)}\r\n`, part, '\r\n']) raw.send(piece)
    raw.send('0\r\n\r\n')
    assert.equal((await raw.answer()).status, 200)
    const [seen] = bench.origin.seen
    assert.equal(digest(seen?.body ?? Buffer.alloc(0)), digest(body))
    assert.equal(seen?.url, '/ok/up?q=%2e%2e&r=1')
    const headers = new Map(pairs(seen.rawHeaders))
    assert.deepEqual([...headers.keys()].sort(), [
      'authorization',
      'connection',
      'content-encoding',
      'content-length',
      'content-type',
      'cookie',
      'host',
      'x-own',
    ])
    assert.equal(headers.get('host'), `api.test:${bench.origin.port}`)
    assert.equal(headers.get('authorization'), 'Bearer of-the-host')
  }))

function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ''] as const] : []))
}

test('[EGR-06] HEAD, 204, 304 and a redirect are handed on as they are', () =>
  withEgress(
    {
      egress: ENTRIES,
      origin: (request, response) => {
        const status = Number(request.url?.split('/').at(-1))
        response.writeHead(status, status === 302 ? { location: 'http://169.254.169.254/' } : { etag: '"x"' })
        response.end()
      },
    },
    async (bench) => {
      for (const status of [204, 304, 302]) {
        const raw = await bench.raw()
        raw.send(get(bench, `http://api.test:${bench.origin.port}/ok/${status}`))
        await raw.until('\r\n\r\n')
        assert.ok(raw.seen().startsWith(`HTTP/1.1 ${status} `), raw.seen())
        if (status === 302) assert.match(raw.seen(), /location: http:\/\/169\.254\.169\.254\//)
      }
      const raw = await bench.raw()
      raw.send(get(bench, `http://api.test:${bench.origin.port}/ok/200`).replace('GET', 'HEAD'))
      await raw.until('\r\n\r\n')
      assert.match(raw.seen(), /^HTTP\/1\.1 200 /)
      assert.equal(bench.origin.seen.length, 4)
    },
  ))

test('[EGR-06] an answer streams: its first bytes come while the rest is still being made', () => {
  let go = (): void => {}
  const later = new Promise<void>((resolve) => {
    go = resolve
  })
  return withEgress(
    {
      egress: ENTRIES,
      origin: (_request, response) => {
        response.write('first ')
        void later.then(() => response.end('second'))
      },
    },
    async (bench) => {
      const raw = await bench.raw()
      raw.send(get(bench, `http://api.test:${bench.origin.port}/ok/`))
      await raw.until('first ')
      go()
      assert.equal((await raw.answer()).body, 'first second')
    },
  )
})

test('[EGR-06] an answer that breaks off is broken off, and never looks complete', () =>
  withEgress(
    {
      egress: ENTRIES,
      origin: (_request, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('half')
        setTimeout(() => response.socket?.resetAndDestroy(), 30)
      },
    },
    async (bench) => {
      const raw = await bench.raw()
      raw.send(get(bench, `http://api.test:${bench.origin.port}/ok/`))
      assert.notEqual(await raw.ended, '')
      assert.match(raw.seen(), /content-length: 100\r\n/)
      assert.ok(raw.seen().endsWith('half'))
    },
  ))

test('[EGR-06] a body above the limit is refused before anything is sent', () =>
  withEgress({ egress: ENTRIES, setup: { args: ['--limit', 'requestBytes=1KiB'] } }, async (bench) => {
    const raw = await bench.raw()
    const url = `http://api.test:${bench.origin.port}/ok/`
    raw.send(get(bench, url, ['content-length: 2048']).replace('GET', 'POST') + 'x'.repeat(2_048))
    const answer = await raw.answer()
    assert.equal(answer.status, 403)
    assert.match(answer.body, /WIRE_BODY_TOO_LARGE/)
    assert.equal(bench.origin.connections(), 0)
  }))

type Refused = readonly [what: string, request: (bench: EgressBench) => string, reason: string]
const at = (path: string, more?: readonly string[]) => (bench: EgressBench) =>
  get(bench, `http://api.test:${bench.origin.port}${path}`, more)
const line =
  (text: string, host = '') =>
  (bench: EgressBench) =>
    [
      text.replace('PORT', String(bench.origin.port)),
      ...(host === '' ? [] : [`host: ${host}`]),
      `proxy-authorization: ${bench.basic}`,
      '',
      '',
    ].join('\r\n')
const refused: readonly Refused[] = [
  ['another path', at('/no'), 'EGRESS_NOT_GRANTED'],
  ['a path that only begins like a granted one', at('/also-not'), 'EGRESS_NOT_GRANTED'],
  ['another method', (bench) => at('/ok/')(bench).replace('GET', 'DELETE'), 'EGRESS_NOT_GRANTED'],
  ['another host', line('GET http://evil.test/ok/ HTTP/1.1'), 'EGRESS_NOT_GRANTED'],
  ['the metadata service', line('GET http://169.254.169.254/latest/ HTTP/1.1'), 'EGRESS_NOT_GRANTED'],
  ['another port', line('GET http://api.test:1/ok/ HTTP/1.1'), 'EGRESS_NOT_GRANTED'],
  [
    'an opaque host in absolute form',
    (bench) => get(bench, `http://raw.test:${bench.host.port}/`),
    'EGRESS_NOT_GRANTED',
  ],
  ['https in absolute form', line('GET https://api.test:PORT/ok/ HTTP/1.1'), 'EGRESS_NOT_INSPECTABLE'],
  ['CONNECT to a host for inspection', line('CONNECT api.test:PORT HTTP/1.1'), 'EGRESS_NOT_INSPECTABLE'],
  ['CONNECT to another host', line('CONNECT evil.test:443 HTTP/1.1'), 'EGRESS_NOT_GRANTED'],
  ['CONNECT without a port', line('CONNECT raw.test HTTP/1.1'), 'EGRESS_ADDRESS_INVALID'],
  ['CONNECT to a short address', line('CONNECT 127.1:443 HTTP/1.1'), 'EGRESS_ADDRESS_INVALID'],
  ['CONNECT with a body', line('CONNECT raw.test:443 HTTP/1.1\r\ncontent-length: 3'), 'WIRE_HEADER_INVALID'],
  ['CONNECT with another host header', line('CONNECT raw.test:443 HTTP/1.1', 'api.test:443'), 'EGRESS_ADDRESS_INVALID'],
  ['a name of this machine', (bench) => get(bench, `http://localhost:${bench.origin.port}/`), 'EGRESS_ADDRESS_REFUSED'],
  ['another host header', line('GET http://api.test:PORT/ok/ HTTP/1.1', 'evil.test'), 'EGRESS_ADDRESS_INVALID'],
  [
    'another port in the host header',
    line('GET http://api.test:PORT/ok/ HTTP/1.1', 'api.test:1'),
    'EGRESS_ADDRESS_INVALID',
  ],
  ['a host as a number', line('GET http://2130706433:PORT/ok/ HTTP/1.1'), 'EGRESS_ADDRESS_INVALID'],
  ['a user before the host', line('GET http://u:p@api.test:PORT/ok/ HTTP/1.1'), 'EGRESS_ADDRESS_INVALID'],
  ['an escape in the host', line('GET http://api%2etest:PORT/ok/ HTTP/1.1'), 'EGRESS_ADDRESS_INVALID'],
  ['another scheme', line('GET ftp://api.test/ok/ HTTP/1.1'), 'EGRESS_ADDRESS_INVALID'],
  ['a path that climbs', line('GET http://api.test:PORT/ok/../no HTTP/1.1'), 'EGRESS_PATH_INVALID'],
  ['an escaped path that climbs', line('GET http://api.test:PORT/ok/%2e%2e/no HTTP/1.1'), 'EGRESS_PATH_INVALID'],
  ['an escaped slash', line('GET http://api.test:PORT/ok%2f..%2fno HTTP/1.1'), 'EGRESS_PATH_INVALID'],
  ['a path escaped twice', line('GET http://api.test:PORT/ok/%252e%252e/no HTTP/1.1'), 'EGRESS_PATH_INVALID'],
  ['a parameter behind dots', line('GET http://api.test:PORT/ok/..;/no HTTP/1.1'), 'EGRESS_PATH_INVALID'],
  ['an upgrade', at('/ok/', ['connection: upgrade', 'upgrade: websocket']), 'UPGRADE_NOT_GRANTED'],
  ['an upgrade to h2c', at('/ok/', ['connection: upgrade, http2-settings', 'upgrade: h2c']), 'UPGRADE_NOT_GRANTED'],
  ['a token in the query', (bench) => at(`/ok/?k=${bench.token}`)(bench), 'WIRE_HEADER_INVALID'],
  [
    'a token in the body',
    (bench) => at('/ok/', [`content-length: ${bench.token.length}`])(bench).replace('GET', 'POST') + bench.token,
    'WIRE_REQUEST_MALFORMED',
  ],
]

test('[EGR-07] [PROMISE-EGRESS] what is not granted: its reason, one verdict line before the answer, no connection, no DNS', async (t) =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    for (const [what, request, reason] of refused) {
      const before = (await bench.verdicts()).length
      const raw = await bench.raw()
      raw.send(request(bench))
      const answer = await raw.answer()
      const lines = (await bench.verdicts()).slice(before)
      const { error } = JSON.parse(answer.body) as { error: { code: string; message: string } }
      assert.deepEqual([answer.status, error.code], [403, reason], what)
      assert.ok(error.message.startsWith(`sallyport: ${reason}: the request `), error.message)
      assert.match(answer.head, /x-should-retry: false/, what)
      assert.deepEqual(
        lines.map((each) => [each.agent, each.dialect, each.direction, each.action, each.reasons]),
        [['growth/marketing', 'http', 'ToHost', 'Deny', [reason]]],
        what,
      )
      assert.ok(answer.head.includes(`x-sallyport-verdict: ${lines[0]?.id.toLowerCase()}`), what)
    }
    assert.deepEqual([bench.origin.connections(), bench.host.sockets.length], [0, 0])
    t.diagnostic(`${refused.length} refusals`)
  }))

test('[EGR-07] a host that does not resolve, or does not answer, is a fault and no refusal', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    for (const [url, status, code] of [
      ['http://no-such-host.invalid/', 502, 'UPSTREAM_FAILED'],
      ['http://127.0.0.1:1/', 502, 'UPSTREAM_FAILED'],
    ] as const) {
      const raw = await bench.raw()
      raw.send(get(bench, url))
      const answer = await raw.answer(10_000)
      assert.deepEqual([answer.status, answer.body.includes(code)], [status, true], answer.body)
    }
    assert.deepEqual(await bench.verdicts(), [])
  }))

test('[EGR-09] the token: as user or password of Basic, or as Bearer; asked for by 407 only where nothing came', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    const { token } = bench
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
    const other = 'sp_vk_0123456789abcdefghijklmnopqrstuv'
    const rows: readonly (readonly [given: string | null, status: number])[] = [
      [basic(`agent:${token}`), 200],
      [basic(`${token}:`), 200],
      [basic(token), 200],
      [basic(`${token}:${token}`), 200],
      [`basic ${basic(`x:${token}`).slice(6)}`, 200],
      [`Bearer ${token}`, 200],
      [null, 407],
      ['', 403],
      [basic(`${token}:${other}`), 403],
      [basic(`x:${other}`), 403],
      [basic(`x:${token}x`), 403],
      ['Basic ???', 403],
      [`Digest ${token}`, 403],
      [`Bearer ${other}`, 403],
    ]
    for (const [given, status] of rows)
      for (const head of [
        `GET http://api.test:${bench.origin.port}/ok/ HTTP/1.1`,
        `CONNECT raw.test:${bench.host.port} HTTP/1.1`,
      ]) {
        const raw = await bench.raw()
        raw.send([head, ...(given === null ? [] : [`proxy-authorization: ${given}`]), '', ''].join('\r\n'))
        await raw.until('\r\n\r\n')
        const seen = raw.seen()
        assert.ok(seen.startsWith(`HTTP/1.1 ${status} `), `${given}: ${seen}`)
        assert.equal(/proxy-authenticate: Basic/i.test(seen), status === 407)
        raw.close()
      }
    // where the SDKs put it, it is for the host, and not for us
    const raw = await bench.raw()
    raw.send(`GET http://api.test:${bench.origin.port}/ok/ HTTP/1.1\r\nauthorization: Bearer ${token}\r\n\r\n`)
    assert.equal((await raw.answer()).status, 407)
    const sent = await bench.raw()
    sent.send(at('/ok/', [`authorization: ${basic(`x:${token}`)}`, `x-api-key: ${token}`])(bench))
    assert.equal((await sent.answer()).status, 200)
    const text = bench.origin.seen.map(({ rawHeaders }) => rawHeaders.join('\n')).join('\n')
    assert.ok(!text.includes(token) && !text.includes(basic(`x:${token}`)) && !/proxy/i.test(text))
    assert.ok(!bench.running.stderr().includes(token))
  }))

for (const [what, at] of [
  ['before its head', 0],
  ['in mid-body', 1],
] as const)
  test(`[EGR-11] a policy that no longer grants it cuts a plain exchange ${what}`, () =>
    withEgress(
      {
        egress: ENTRIES,
        origin: (_request, response) => {
          if (at === 1) response.write('first')
        },
      },
      async (bench) => {
        const raw = await bench.raw()
        raw.send(get(bench, `http://api.test:${bench.origin.port}/ok/`))
        if (at === 1) await raw.until('first')
        await until(() => bench.origin.seen.length === 1, 'the origin is asked')
        bench.grant('')
        if (at === 0) {
          const answer = await raw.answer(10_000)
          assert.deepEqual([answer.status, answer.body.includes('IDENTITY_EPOCH_STALE')], [403, true])
        } else await raw.ended
        assert.deepEqual(
          (await bench.verdicts()).map(({ reasons }) => reasons),
          [['IDENTITY_EPOCH_STALE']],
        )
      },
    ))
