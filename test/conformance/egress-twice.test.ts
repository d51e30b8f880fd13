/** What a host may take a request to do besides its first line, and what it may take a header for. docs/reference/egress.md */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EgressBench, until, withEgress } from '../fixtures/egress.ts'

const ENTRIES = ({ origin }: { origin: number }): string =>
  [
    `{ name: dav, hosts: [api.test], ports: [${origin}], methods: [GET, COPY, MOVE, POST, PUT], pathPrefixes: [/ok/] }`,
    `{ name: other, hosts: [raw.test], ports: [${origin}], methods: [GET, PUT], pathPrefixes: [/] }`,
  ].join(', ')

type Row = readonly [what: string, method: string, path: string, headers: readonly string[], reason: string | null]

const here = ({ origin }: EgressBench, path: string): string => `http://api.test:${origin.port}${path}`
const rows = (bench: EgressBench): readonly Row[] => [
  ['a copy within the grant', 'COPY', '/ok/a', [`destination: ${here(bench, '/ok/b')}`], null],
  ['a move within the grant, by its path', 'MOVE', '/ok/a', ['Destination: /ok/b'], null],
  ['a copy without a destination', 'COPY', '/ok/a', [], null],
  ['a copy out of the prefix', 'COPY', '/ok/a', [`destination: ${here(bench, '/admin')}`], 'EGRESS_NOT_GRANTED'],
  ['a move out of the prefix', 'MOVE', '/ok/a', ['destination: /admin'], 'EGRESS_NOT_GRANTED'],
  ['dots in a destination', 'MOVE', '/ok/a', ['destination: /ok/../admin'], 'EGRESS_PATH_INVALID'],
  ['an escape in a destination', 'MOVE', '/ok/a', ['destination: /ok/%2e%2e/admin'], 'EGRESS_PATH_INVALID'],
  ['a destination elsewhere', 'COPY', '/ok/a', ['destination: http://evil.example/ok/b'], 'EGRESS_ADDRESS_INVALID'],
  [
    'a destination at a granted host',
    'COPY',
    '/ok/a',
    [`destination: http://raw.test:${bench.origin.port}/ok/`],
    'EGRESS_ADDRESS_INVALID',
  ],
  ['a destination at another port', 'COPY', '/ok/a', ['destination: http://api.test:1/ok/b'], 'EGRESS_ADDRESS_INVALID'],
  [
    'a destination with a user',
    'COPY',
    '/ok/a',
    [`destination: http://x@api.test:${bench.origin.port}/ok/b`],
    'EGRESS_ADDRESS_INVALID',
  ],
  ['a destination without a scheme', 'COPY', '/ok/a', ['destination: //evil.example/ok/b'], 'EGRESS_PATH_INVALID'],
  ['a destination in words', 'COPY', '/ok/a', ['destination: ok/b'], 'EGRESS_ADDRESS_INVALID'],
  ['two destinations', 'COPY', '/ok/a', ['destination: /ok/b', 'destination: /ok/c'], 'EGRESS_PATH_INVALID'],
  ['a destination of a GET', 'GET', '/ok/a', ['destination: /admin'], 'EGRESS_NOT_GRANTED'],
  ['a granted method in the query', 'POST', '/ok/a?_method=put&x=1', [], null],
  ['another method in the query', 'POST', '/ok/a?x=1&_method=DELETE', [], 'EGRESS_NOT_GRANTED'],
  ['another method in the query, escaped', 'POST', '/ok/a?%5Fmethod=d%65lete', [], 'EGRESS_NOT_GRANTED'],
  ['two methods in the query', 'POST', '/ok/a?_method=PUT&_method=DELETE', [], 'EGRESS_NOT_GRANTED'],
  ['a method override in the query', 'POST', '/ok/a?X-HTTP-Method-Override=PATCH', [], 'EGRESS_NOT_GRANTED'],
]

test('[EGR-15] where a request writes besides, and the method that its query names, have to be granted, too', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    for (const [what, method, path, headers, reason] of rows(bench)) {
      const before = bench.origin.seen.length
      const raw = await bench.raw()
      const head = [`${method} ${here(bench, path)} HTTP/1.1`, `proxy-authorization: ${bench.basic}`, ...headers]
      raw.send([...head, '', ''].join('\r\n'))
      const answer = await raw.answer()
      assert.equal(answer.status, reason === null ? 200 : 403, `${what}: ${answer.body}`)
      if (reason !== null) assert.ok(answer.body.includes(`"${reason}"`), `${what}: ${answer.body}`)
      assert.equal(bench.origin.seen.length - before, reason === null ? 1 : 0, what)
      raw.close()
    }
  }))

test('[EGR-15] no header gets to a host, or back, under a name that its reader takes for one that stays here', () =>
  withEgress(
    {
      egress: ENTRIES,
      origin: (_request, response) => {
        response.writeHead(200, ['x_sallyport_verdict', 'v_forged', 'X.Sallyport.Labels', 'x', 'x_own', 'kept'])
        response.end('ok')
      },
    },
    async (bench) => {
      const raw = await bench.raw()
      raw.send(
        [
          ...[`POST ${here(bench, '/ok/a')} HTTP/1.1`, `proxy-authorization: ${bench.basic}`, 'x_own: kept'],
          ...[
            'content_length: 99',
            'Transfer_Encoding: chunked',
            'x_http_method_override: DELETE',
            'X_Original_URL: /admin',
          ],
          ...[
            'x_sallyport_caller: spiffe://a/ns/b/agent/c',
            'X_Forwarded_For: 1.2.3.4',
            'Authorization_: x',
            'x-host: evil',
          ],
          ...['authorization: Bearer mine', 'Authorization: Bearer mine-too', 'content-length: 2', '', 'hi'],
        ].join('\r\n'),
      )
      const answer = await raw.answer()
      assert.equal(answer.status, 200)
      assert.doesNotMatch(answer.head, /sallyport.(?:verdict|labels)/i)
      assert.match(answer.head, /x_own: kept/)
      const names = (bench.origin.seen[0]?.rawHeaders ?? [])
        .filter((_, at) => at % 2 === 0)
        .map((name) => name.toLowerCase())
      assert.deepEqual(names.sort(), [
        'authorization',
        'authorization',
        'authorization_',
        'connection',
        'content-length',
        'host',
        'x_own',
      ])
    },
  ))

test('[EGR-13] another name for this machine does not lead past the facade of a tool server', () =>
  withEgress({ egress: () => '', setup: { args: ['--egress-address', 'localhost=127.0.0.1'] } }, async (bench) => {
    const { port } = bench.origin
    const ask = async (host: string): Promise<string> => {
      const raw = await bench.raw()
      raw.send(`GET http://${host}:${port}/mcp HTTP/1.1\r\nproxy-authorization: ${bench.basic}\r\n\r\n`)
      return (await raw.answer()).body
    }
    const loaded = (count: number) => () => bench.running.stderr().split('policies-loaded').length > count
    const entry = `{ name: a, hosts: [localhost, 127.0.0.1], ports: [${port}] }`
    bench.grant(entry)
    await until(loaded(1), 'the entry holds')
    for (const host of ['localhost', '127.0.0.1']) assert.equal(await ask(host), 'hello')
    for (const [at, name] of ['127.0.0.1', 'localhost'].entries()) {
      bench.grant(entry, `  mcp: { servers: [{ name: w, url: "http://${name}:${port}/mcp" }] }\n`)
      await until(loaded(2 + at), 'the tool server holds')
      for (const host of ['localhost', '127.0.0.1']) assert.match(await ask(host), /EGRESS_OWNED/, host)
    }
    assert.equal(bench.origin.seen.length, 2)
  }))
