import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { decodeWhole } from '#pkg/path/codec/wire/encoding'
import * as rules from '#pkg/path/codec/wire/http1'
import * as http2 from '#pkg/path/codec/wire/http2'
import { type Facade, newFacade } from '#pkg/path/intercept'
import { PREFACE, settingsFrame } from '../fixtures/h2-frames.ts'
import type { Target } from './runner/target.ts'

/** What one input may leave behind in this process. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
const MAX_INPUT_BYTES = 64 * 1024

type Seen = { readonly paths: string[]; readonly bodies: number[]; readonly logged: string[]; broken: boolean }

const FOR_A_CONNECTION: ReadonlySet<string> = new Set(['connection', 'transfer-encoding', 'upgrade', 'keep-alive'])

/** A facade of its own for each input, so that nothing keeps the process alive between them. */
function newTarget(seen: Seen): Facade {
  const note = (event: string) => void seen.logged.push(event)
  return newFacade(
    {
      rules,
      http2,
      decode: decodeWhole,
      handle: (ask, client) => {
        seen.paths.push(ask.path)
        seen.bodies.push(ask.body.length)
        seen.broken ||= Object.keys(ask.headers).some((name) => /^:|[A-Z]/.test(name) || FOR_A_CONNECTION.has(name))
        client.reply(200, {}, Buffer.from('{}'))
      },
      tunnel: () => Promise.reject(new Error('no connection of HTTP/2 may open a tunnel')),
      reject: (_ask, reason, _detail, client) => {
        seen.logged.push(reason)
        client.reply(403, {}, Buffer.from(reason))
      },
      log: { debug: note, info: note, warn: note, error: note },
    },
    { facades: [{ name: 'openai', base: '/o' }], port: 0, maxControlFrames: 50, maxStreamResets: 50 },
  )
}

/** Frames of HTTP/2 behind a greeting: never a crash, a request only from a stream that is whole, and memory that stays. */
export const target: Target = {
  name: 'h2-frames',
  words: [
    '\x00\x00\x00\x00\x01\x00\x00\x00\x01',
    '\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\xff\xff\xff',
    '\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08',
    '\x00\x00\x05\x02\x00\x00\x00\x00\x01\x00\x00\x00\x01\x10',
    '\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678',
    '\x00\x00\x00\x09\x04\x00\x00\x00\x01',
    '\x00\x05:path\x04/o/x',
    '\x00\x09:protocol\x09websocket',
    '\x00\x0econtent-length\x015',
    '\x82\x86\x84\x41\x01x',
  ],
  run: async (bytes) => {
    const seen: Seen = { paths: [], bodies: [], logged: [], broken: false }
    const input = bytes.subarray(0, MAX_INPUT_BYTES)
    const facade = newTarget(seen)
    const answer = await exchange((await facade.listen()).port, input)
    await facade.close(0)
    assert.ok(!seen.broken, 'a header that is none of a request')
    assert.ok(!seen.logged.includes('exchange-failed'), 'an exchange failed in itself')
    assert.ok(
      seen.bodies.every((length) => length <= input.length),
      'a body that nobody sent',
    )
    assert.ok(process.memoryUsage().arrayBuffers < MAX_HELD_BYTES, 'buffers are held')
    return [seen.paths.length, seen.logged.join(','), answer].join(' ')
  },
}

/** Sends it, says good-bye, and waits until the other side has closed. Returns the types of the frames that came. */
async function exchange(port: number, input: Uint8Array): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let got: Buffer = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    if (got.length < MAX_INPUT_BYTES) got = Buffer.concat([got, bytes])
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.write(Buffer.concat([PREFACE, settingsFrame(), input]))
  const quiet = setTimeout(() => socket.end(), 3)
  const stuck = setTimeout(() => socket.destroy(), 2_000)
  await closed
  clearTimeout(quiet)
  clearTimeout(stuck)
  const types = new Set<number>()
  for (let at = 0; at + 9 <= got.length; at += 9 + got.readUIntBE(at, 3)) types.add(got[at + 3] ?? 0)
  return [...types].sort().join('')
}
