/** HTTP clients of others, with the proxy set as their documentation says. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { request as requestHttp } from 'node:http'
import { createServer } from 'node:https'
import { test } from 'node:test'
import { ProxyAgent, fetch as undiciFetch } from 'undici'
import { type EgressBench, withEgress } from '../fixtures/egress.ts'
import { loopbackCert as cert, loopbackKey as key } from '../fixtures/loopback-tls.ts'

const ENTRIES = ({ origin }: { origin: number }): string =>
  `{ name: api, hosts: [api.test], ports: [${origin}], methods: [GET, POST], pathPrefixes: [/ok] }`

const proxyUrl = ({ running, token }: EgressBench): string =>
  running.ready.facade.replace('http://', `http://agent:${token}@`)

test('[EGR-14] undici and fetch with a ProxyAgent: granted paths answer, others say why', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    const dispatcher = new ProxyAgent({ uri: proxyUrl(bench), proxyTunnel: false })
    try {
      const url = `http://api.test:${bench.origin.port}`
      const good = await undiciFetch(`${url}/ok/x`, { method: 'POST', body: 'hi', dispatcher })
      assert.deepEqual([good.status, await good.text()], [200, 'hello'])
      assert.equal(bench.origin.seen[0]?.body.toString(), 'hi')
      const bad = await undiciFetch(`${url}/no`, { dispatcher })
      const { error } = (await bad.json()) as { error: { code: string } }
      assert.deepEqual([bad.status, error.code], [403, 'EGRESS_NOT_GRANTED'])
    } finally {
      await dispatcher.destroy()
    }
  }))

test('[EGR-14] undici through a tunnel: TLS from end to end, with a host whose entry is opaque', async () => {
  const server = createServer({ cert, key }, (_request, response) => response.end('secret'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    await withEgress(
      { egress: () => `{ name: tls, hosts: [localhost], ports: [${port}], tls: Opaque }`, setup: LOCAL },
      async (bench) => {
        const dispatcher = new ProxyAgent({ uri: proxyUrl(bench), requestTls: { ca: cert } })
        try {
          const answer = await undiciFetch(`https://localhost:${port}/any`, { dispatcher })
          assert.deepEqual([answer.status, await answer.text()], [200, 'secret'])
          await assert.rejects(undiciFetch(`https://api.test:${port}/`, { dispatcher }))
          assert.deepEqual(
            (await bench.verdicts()).map(({ reasons }) => reasons),
            [['EGRESS_NOT_GRANTED']],
          )
        } finally {
          await dispatcher.destroy()
        }
      },
    )
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const LOCAL = { args: ['--egress-address', 'localhost=127.0.0.1'] }

test('[EGR-14] node:http with an absolute path', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    const { host, port } = { host: `api.test:${bench.origin.port}`, port: bench.port }
    const headers = { host, 'proxy-authorization': bench.basic }
    const answer = await new Promise<string>((resolve, reject) => {
      const asked = requestHttp({ port, host: '127.0.0.1', path: `http://${host}/ok`, headers }, (response) => {
        let text = String(response.statusCode)
        response.on('data', (chunk: Uint8Array) => {
          text += ` ${Buffer.from(chunk).toString()}`
        })
        response.on('end', () => resolve(text))
      })
      asked.on('error', reject)
      asked.end()
    })
    assert.equal(answer, '200 hello')
  }))

type Curl = { readonly code: number | string; readonly text: string }

function curl(bench: EgressBench, ...args: readonly string[]): Promise<Curl | null> {
  return new Promise((resolve) => {
    execFile('curl', ['-s', '-m', '10', '-w', ' %{http_code} %{http_connect}', ...args], { env: {} }, (error, text) => {
      if (error?.code === 'ENOENT') resolve(null)
      else resolve({ code: error?.code ?? 0, text })
    })
    assert.ok(bench.port > 0)
  })
}

test('[EGR-14] curl with a proxy, with a tunnel, and when it waits to be asked for credentials', (t) =>
  withEgress(
    { egress: (ports) => `${ENTRIES(ports)}, { name: t, hosts: [raw.test], ports: [${ports.origin}], tls: Opaque }` },
    async (bench) => {
      const proxy = ['-x', proxyUrl(bench)]
      const first = await curl(bench, ...proxy, `http://api.test:${bench.origin.port}/ok`)
      if (first === null) return t.skip('curl is not installed here')
      assert.deepEqual(first, { code: 0, text: 'hello 200 000' })
      const rows: readonly (readonly [args: readonly string[], text: RegExp])[] = [
        [[...proxy, '--proxy-anyauth', `http://api.test:${bench.origin.port}/ok`], /^hello 200/],
        [[...proxy, `http://api.test:${bench.origin.port}/no`], /EGRESS_NOT_GRANTED.* 403 000$/],
        [[...proxy, '-p', `http://raw.test:${bench.origin.port}/any`], /^hello 200 200$/],
        [[...proxy, '-p', `http://api.test:${bench.origin.port}/ok`], / 000 403$/],
        [
          ['-x', bench.running.ready.facade, `http://api.test:${bench.origin.port}/ok`],
          /IDENTITY_TOKEN_UNKNOWN.* 407 000$/,
        ],
      ]
      for (const [args, text] of rows) assert.match((await curl(bench, ...args))?.text ?? '', text, args.join(' '))
    },
  ))
