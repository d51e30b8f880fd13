/** Opaque connections and upgrades through the real process. */
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EgressBench, policyOf, until, withEgress } from '../fixtures/egress.ts'
import type { RawClient } from '../fixtures/raw-client.ts'

const ENTRIES = ({ origin, host }: { origin: number; host: number }): string =>
  [
    `{ name: raw, hosts: [raw.test, "127.0.0.1"], ports: [${host}], tls: Opaque }`,
    `{ name: api, hosts: [api.test], ports: [${origin}] }`,
  ].join(', ')

const connectHead = ({ basic, host }: EgressBench, name = 'raw.test'): string =>
  `CONNECT ${name}:${host.port} HTTP/1.1\r\nhost: ${name}:${host.port}\r\nproxy-authorization: ${basic}\r\n\r\n`

async function opened(bench: EgressBench): Promise<RawClient> {
  const raw = await bench.raw()
  raw.send(connectHead(bench))
  await raw.until('\r\n\r\n')
  assert.match(raw.seen(), /^HTTP\/1\.1 200 /)
  return raw
}

const logged = (bench: EgressBench, event: string): readonly Record<string, unknown>[] =>
  bench.running
    .stderr()
    .split('\n')
    .filter((line) => line.includes(`"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('[EGR-10] bytes pass both ways, also those that came with the CONNECT, and are counted', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    const raw = await bench.raw()
    raw.send(`${connectHead(bench)}early`)
    await raw.until('early')
    raw.send('\x16\x03\x01 late')
    await raw.until('late')
    assert.equal(raw.seen().split('\r\n\r\n')[1], 'early\x16\x03\x01 late')
    raw.socket.end()
    await raw.ended
    await until(() => logged(bench, 'tunnel-closed').length === 1, 'the log line of the end')
    const [{ host, bytesOut, bytesBack, how } = {}] = logged(bench, 'tunnel-closed')
    assert.deepEqual(
      { host, bytesOut, bytesBack, how },
      { host: 'raw.test', bytesOut: 13, bytesBack: 13, how: 'ended' },
    )
    assert.deepEqual(await bench.verdicts(), [])
  }))

test('[EGR-10] an address that the policy names is dialled as it is', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    const raw = await bench.raw()
    raw.send(`${connectHead(bench, '127.0.0.1')}x`)
    await raw.until('\r\n\r\nx')
  }))

test('[EGR-10] half-close: a client that has said all still gets the answer', () =>
  withEgress({ egress: ENTRIES, host: answerAtEnd }, async (bench) => {
    const raw = await opened(bench)
    raw.send('question')
    raw.socket.end()
    await raw.until('answer to question')
    assert.equal(await raw.ended, 'end')
  }))

function answerAtEnd(socket: Socket): void {
  let text = ''
  socket.on('data', (chunk: Uint8Array) => {
    text += Buffer.from(chunk).toString()
  })
  socket.on('end', () => socket.end(`answer to ${text}`))
}

test('[EGR-10] a reader that stops stops its host, and costs this process no memory', () => {
  let written = 0
  const flood = (socket: Socket): void => {
    const block = Buffer.alloc(256 * 1024, 'z')
    const more = (): void => {
      while (written < 256 * 1024 * 1024) {
        written += block.length
        if (!socket.write(block)) return void socket.once('drain', more)
      }
    }
    more()
  }
  return withEgress({ egress: ENTRIES, host: flood }, async (bench) => {
    const raw = await opened(bench)
    raw.socket.pause()
    let before = -1
    await until(async () => {
      const stands = written === before
      before = written
      await sleep(200)
      return stands
    }, 'the host stands still')
    assert.ok(written < 64 * 1024 * 1024, `${written} bytes went into the tunnel`)
  })
})

test('[EGR-10] 64 clients at once do not mix', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    await Promise.all(
      Array.from({ length: 64 }, async (_, n) => {
        const raw = await opened(bench)
        const words = Array.from({ length: 20 }, (_each, turn) => `<${n}:${turn}:${'x'.repeat(500)}>`)
        for (const word of words) raw.send(word)
        await raw.until(words.at(-1) ?? '')
        assert.equal(raw.seen().split('\r\n\r\n')[1], words.join(''))
        raw.close()
      }),
    )
  }))

test('[EGR-10] one agent has no more tunnels than the limit, and gets one again when one is over', () =>
  withEgress({ egress: ENTRIES, setup: { args: ['--limit', 'tunnelsPerAgent=2'] } }, async (bench) => {
    const first = await opened(bench)
    await opened(bench)
    const third = await bench.raw()
    third.send(connectHead(bench))
    const answer = await third.answer()
    assert.deepEqual([answer.status, answer.body.includes('OVERLOADED')], [503, true])
    first.socket.end()
    await until(() => logged(bench, 'tunnel-closed').length === 1, 'the first is over')
    await opened(bench)
  }))

test('[EGR-10] a tunnel in which nothing moves ends', () =>
  withEgress({ egress: ENTRIES, setup: { args: ['--limit', 'tunnelIdleMs=100ms'] } }, async (bench) => {
    const raw = await opened(bench)
    await raw.ended
    await until(() => logged(bench, 'tunnel-closed').length === 1, 'the log line of the end')
    assert.equal(logged(bench, 'tunnel-closed')[0]?.['how'], 'idle')
  }))

test('[EGR-11] a kill cuts every tunnel of the agent, and what comes then is refused', () =>
  withEgress(
    {
      egress: ENTRIES,
      more: '  onViolation: { rules: [{ name: x, reasons: [EGRESS_NOT_GRANTED], action: Sever }] }\n',
    },
    async (bench) => {
      const tunnels = [await opened(bench), await opened(bench)]
      const evil = await bench.raw()
      evil.send(`GET http://evil.test/ HTTP/1.1\r\nproxy-authorization: ${bench.basic}\r\n\r\n`)
      assert.equal((await evil.answer()).status, 403)
      for (const tunnel of tunnels) await tunnel.ended
      await until(() => bench.host.sockets.every((socket) => socket.destroyed), 'the host sides are cut')
      const again = await bench.raw()
      again.send(connectHead(bench))
      assert.match((await again.answer()).body, /IDENTITY_AGENT_QUARANTINED/)
      const reasons = (await bench.verdicts()).flatMap((line) => line.reasons)
      assert.deepEqual(reasons.filter((reason) => reason === 'IDENTITY_EPOCH_STALE').length, 2)
      assert.equal(bench.host.sockets.length, 2)
    },
  ))

test('[EGR-11] a policy that takes the grant away cuts an idle tunnel; one that keeps it does not', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    const raw = await opened(bench)
    const ports = { origin: bench.origin.port, host: bench.host.port }
    bench.grant(`${ENTRIES(ports)}, { name: more, hosts: [more.test] }`)
    await until(() => logged(bench, 'policies-loaded').length === 1, 'the new policy holds')
    raw.send('still')
    await raw.until('still')
    bench.grant(ENTRIES(ports).replace('Opaque', 'Inspect'))
    await raw.ended
    assert.deepEqual(
      (await bench.verdicts()).map(({ reasons, direction }) => [direction, reasons]),
      [['FromHost', ['IDENTITY_EPOCH_STALE']]],
    )
  }))

test('[EGR-11] the end of the process waits for a tunnel that ends in time', () =>
  withEgress({ egress: ENTRIES, host: answerAtEnd }, async (bench) => {
    const raw = await opened(bench)
    raw.send('question')
    bench.running.child.kill('SIGTERM')
    await until(() => logged(bench, 'draining').length === 1, 'the process drains')
    raw.socket.end()
    await raw.until('answer to question')
    await until(() => bench.running.child.exitCode !== null, 'the process ends')
    assert.equal(bench.running.child.exitCode, 0)
  }))

test('[EGR-11] the end of the process cuts a tunnel after the drain', () =>
  withEgress({ egress: ENTRIES }, async (bench) => {
    const raw = await opened(bench)
    bench.running.child.kill('SIGTERM')
    await raw.ended
    await until(() => bench.running.child.exitCode !== null, 'the process ends', 20_000)
    assert.equal(bench.running.child.exitCode, 0)
  }))

test('[EGR-11] a CONNECT behind an open exchange is not served, and hurts nobody', () =>
  withEgress({ egress: ENTRIES, origin: () => {} }, async (bench) => {
    const raw = await bench.raw()
    const head = `GET http://api.test:${bench.origin.port}/ HTTP/1.1\r\nproxy-authorization: ${bench.basic}\r\n\r\n`
    raw.send(head + connectHead(bench))
    await raw.ended
    assert.equal(raw.seen(), '')
    await opened(bench)
  }))

/** A provider that opens WebSockets: it notes what it is asked with, and echoes. */
async function withProvider(
  answer: (head: string) => string,
  body: (given: { url: string; heads: readonly string[]; connections: () => number }) => Promise<void>,
): Promise<void> {
  const heads: string[] = []
  let connections = 0
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    connections += 1
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', (chunk: Uint8Array) => {
      const head = Buffer.from(chunk).toString('latin1')
      heads.push(head)
      socket.write(answer(head))
      socket.pipe(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    await body({ url: `http://127.0.0.1:${port}/v1`, heads, connections: () => connections })
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}

const SWITCH = (): string =>
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: abc=\r\nSet-Cookie: a=b\r\n\r\n'
const OPEN =
  '  llm: { providers: [{ name: openai, type: OpenAI, models: ["gpt-5*"], opaque: [{ method: GET, path: /realtime, upgrade: websocket }] }] }\n'

const bothAt = (url: string) => ({ upstream: url, args: ['--upstream', `openai-compatible=${url}`] })

const socketHead = (token: string, target = '/openai/v1/realtime?model=gpt-5', more: readonly string[] = []): string =>
  [
    `GET ${target} HTTP/1.1`,
    ...['host: 127.0.0.1', 'connection: Upgrade', 'upgrade: websocket', `authorization: Bearer ${token}`],
    ...['sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==', ...more, '', ''],
  ].join('\r\n')

test('[EGR-12] an opened upgrade is relayed with the key of the provider and without the token', () =>
  withProvider(SWITCH, ({ url, heads }) =>
    withEgress({ egress: () => '', more: OPEN, setup: { upstream: url } }, async (bench) => {
      const raw = await bench.raw()
      raw.send(socketHead(bench.token))
      await raw.until('\r\n\r\n')
      const head = raw.seen().toLowerCase()
      assert.match(head, /^http\/1\.1 101 /)
      assert.match(head, /\r\nconnection: upgrade\r\nupgrade: websocket\r\n/)
      assert.match(head, /sec-websocket-accept: abc=/)
      assert.doesNotMatch(head, /set-cookie/)
      raw.send('\x81\x05hello')
      await raw.until('hello')
      const asked = heads[0] ?? ''
      assert.match(asked, /^GET \/v1\/realtime\?model=gpt-5 HTTP\/1\.1\r\n/)
      assert.match(asked, /authorization: Bearer sk-provider-key\r\n/i)
      assert.match(asked, /sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n/i)
      assert.ok(!asked.includes(bench.token))
      bench.grant('')
      await raw.ended
    }),
  ))

test('[EGR-12] a provider that does not upgrade is a fault, and its answer opens nothing', () =>
  withProvider(
    () => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno',
    ({ url }) =>
      withEgress({ egress: () => '', more: OPEN, setup: { upstream: url } }, async (bench) => {
        const raw = await bench.raw()
        raw.send(socketHead(bench.token))
        const answer = await raw.answer()
        assert.deepEqual([answer.status, answer.body.includes('UPSTREAM_FAILED')], [502, true])
      }),
  ))

test('[EGR-12] every other upgrade is refused with its reason, before the provider is asked', () =>
  withProvider(SWITCH, ({ url, connections }) =>
    withEgress({ egress: () => '', more: OPEN, setup: bothAt(url) }, async (bench) => {
      const { token } = bench
      const rows: readonly (readonly [head: string, reason: string])[] = [
        [socketHead(token, '/openai/v1/responses'), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token, '/openai/v1/realtime/x'), 'UPGRADE_NOT_GRANTED'],
        // an entry of one type opens nothing at the facade of another
        [socketHead(token, '/openai-compatible/v1/realtime'), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token, '/openai/v1/realtime?model=o9'), 'MODEL_NOT_GRANTED'],
        [socketHead(token, '/openai/v1/realtime?Model=o9'), 'MODEL_NOT_GRANTED'],
        [socketHead(token, '/openai/v1/realtime?model=gpt-5&m%6Fdel=o9'), 'WIRE_REQUEST_MALFORMED'],
        [socketHead(token, '/openai/v1/chat/completions'), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token, '/anthropic/realtime'), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token, '/mcp/warehouse'), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token, '/elsewhere'), 'WIRE_ENDPOINT_UNKNOWN'],
        [socketHead(token, '/openai/v1/../realtime'), 'WIRE_ENDPOINT_UNKNOWN'],
        [socketHead(token).replace('GET', 'POST'), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token).replace('upgrade: websocket', 'upgrade: h2c'), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token).replace('upgrade: websocket', 'upgrade: websocket, h2c'), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token, undefined, ['content-length: 5']), 'UPGRADE_NOT_GRANTED'],
        [socketHead(token).replace('sec-websocket-key', 'x-key'), 'UPGRADE_NOT_GRANTED'],
        [socketHead('sp_vk_0123456789abcdefghijklmnopqrstuv'), 'IDENTITY_TOKEN_UNKNOWN'],
        [socketHead(token, `/openai/v1/realtime?x=${token}`), 'WIRE_HEADER_INVALID'],
      ]
      for (const [head, reason] of rows) {
        const raw = await bench.raw()
        raw.send(head)
        const answer = await raw.answer()
        assert.deepEqual([answer.status, answer.body.includes(`"${reason}"`)], [403, true], `${reason}: ${answer.body}`)
      }
      assert.deepEqual(
        (await bench.verdicts()).map(({ reasons }) => reasons[0]),
        rows.map(([, reason]) => reason),
      )
      assert.equal(connections(), 0)
    }),
  ))

test('[EGR-13] the host of a provider or tool server is not reached as plain egress, nor by CONNECT', () =>
  withEgress(
    {
      egress: ({ origin, host }) =>
        `{ name: a, hosts: [api.test], ports: [${origin}] }, { name: b, hosts: [raw.test], ports: [${host}], tls: Opaque }`,
      setup: { args: [] },
    },
    async (bench) => {
      const owned = `  mcp: { servers: [{ name: w, url: "http://api.test:${bench.origin.port}/mcp" }, { name: x, url: "http://raw.test:${bench.host.port}/" }] }\n`
      const { origin, host } = { origin: bench.origin.port, host: bench.host.port }
      const entries = `{ name: a, hosts: [api.test], ports: [${origin}] }, { name: b, hosts: [raw.test], ports: [${host}], tls: Opaque }`
      assert.ok(policyOf(entries, owned).includes('mcp:'))
      bench.grant(entries, owned)
      await until(() => logged(bench, 'policies-loaded').length === 1, 'the new policy holds')
      const raw = await bench.raw()
      raw.send(`GET http://api.test:${origin}/mcp HTTP/1.1\r\nproxy-authorization: ${bench.basic}\r\n\r\n`)
      assert.match((await raw.answer()).body, /EGRESS_OWNED/)
      assert.equal(bench.origin.connections(), 0)
      const tunnel = await bench.raw()
      tunnel.send(connectHead(bench))
      const refused = await tunnel.answer()
      assert.deepEqual([refused.status, refused.body.includes('EGRESS_OWNED')], [403, true])
      assert.equal(bench.host.sockets.length, 0)
      assert.match(bench.running.stderr(), /policy-warning[^\n]*raw\.test[^\n]*EGRESS_OWNED/)
      // a tool server elsewhere leaves it as it was
      bench.grant(entries, owned.replace('raw.test', 'other.test'))
      await until(() => logged(bench, 'policies-loaded').length === 2, 'the third policy holds')
      await opened(bench)
    },
  ))
