import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { newByteLeg } from '#pkg/platform/socket'
import { relayBytes, type TunnelWatch } from './index.ts'

type Pair = { readonly near: Socket; readonly far: Socket }

/** Two connected pairs with the relay between them: bytes go from `client.far` to `host.far` and back. */
async function withRelay(
  watch: Partial<TunnelWatch>,
  body: (given: { client: Socket; host: Socket; end: Promise<'ended' | 'broken'> }) => Promise<void>,
): Promise<void> {
  const waiting: ((socket: Socket) => void)[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => waiting.shift()?.(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const pair = async (): Promise<Pair> => {
    const near = new Promise<Socket>((resolve) => waiting.push(resolve))
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    far.on('error', () => {})
    return { near: await near, far }
  }
  const [client, host] = [await pair(), await pair()]
  const sides = { client: newByteLeg(client.near), host: newByteLeg(host.near) }
  const end = relayBytes(sides, { passes: () => true, ...watch })
  try {
    await body({ client: client.far, host: host.far, end })
  } finally {
    for (const socket of [client.far, host.far, client.near, host.near]) socket.destroy()
    await end
    await new Promise((resolve) => server.close(resolve))
  }
}

async function read(socket: Socket): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve()).resume()
  })

test('[EGR-10] bytes go both ways, and a side that has said all may still listen', () =>
  withRelay({}, async ({ client, host, end }) => {
    client.end('question')
    const asked = await read(host)
    host.write('answer to ')
    host.end(asked)
    assert.equal(await read(client), 'answer to question')
    assert.equal(await end, 'ended')
  }))

test('[EGR-10] the host may end first, and the client goes on', () =>
  withRelay({}, async ({ client, host, end }) => {
    host.end('banner')
    assert.equal(await read(client), 'banner')
    client.write('more')
    client.end('!')
    assert.equal(await read(host), 'more!')
    assert.equal(await end, 'ended')
  }))

for (const side of ['client', 'host'] as const)
  test(`[EGR-10] a reset of the ${side} resets the other side`, () =>
    withRelay({}, async (given) => {
      const other = side === 'client' ? given.host : given.client
      given[side].write('x')
      await new Promise((resolve) => other.once('readable', resolve))
      given[side].resetAndDestroy()
      await closed(other)
      assert.equal(await given.end, 'broken')
    }))

test('[EGR-10] a client that ended and went away does not keep its host', () =>
  withRelay({}, async ({ client, host, end }) => {
    client.end('x')
    assert.equal(await read(host), 'x')
    client.destroy()
    const sends = setInterval(() => host.write('y'.repeat(1_000)), 5)
    await closed(host)
    clearInterval(sends)
    assert.equal(await end, 'broken')
  }))

test('[EGR-10] a reader that stops stops the sender, and gets all when it goes on', () =>
  withRelay({}, async ({ client, host, end }) => {
    const all = Buffer.alloc(64 * 1024 * 1024, 'z')
    client.pause()
    host.end(all)
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.ok(host.writableLength > 16 * 1024 * 1024, `${host.writableLength} bytes still wait at the sender`)
    let got = 0
    client.on('data', (chunk: Uint8Array) => {
      got += chunk.length
    })
    client.resume()
    await new Promise((resolve) => client.once('end', resolve))
    assert.equal(got, all.length)
    client.end()
    assert.equal(await end, 'ended')
  }))

test('[EGR-11] a chunk that may not pass resets both sides, and does not arrive', () =>
  withRelay({ passes: (direction) => direction === 'out' }, async ({ client, host, end }) => {
    let got = ''
    client.on('data', (chunk: Uint8Array) => {
      got += Buffer.from(chunk).toString()
    })
    client.write('x')
    await new Promise((resolve) => host.once('readable', resolve))
    host.write('secret')
    await Promise.all([closed(client), closed(host)])
    assert.equal(got, '')
    assert.equal(await end, 'broken')
  }))
