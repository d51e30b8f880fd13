/**
 * The paced provider of the bench, in its own process. Raw sockets, prepared bytes: as little work per event as
 * possible, since it shares a core with the load. Prints its port, serves until it is killed.
 */
import { createServer, type Socket } from 'node:net'
import { DIALECTS, MCP } from './dialects.ts'
import { STAMP_DIGITS, STAMP_MARK, salted, saltPlaces } from './workload.ts'

/** `stampAt` < 0: the event has no room for a stamp. */
type Prepared = { readonly bytes: Buffer; readonly stampAt: number; readonly salts: readonly number[] }
type Stream = { readonly events: readonly Prepared[]; readonly end: Buffer }

const streams = new Map<string, Stream>()
const wholes = new Map<string, Buffer>()
for (const { paths, events, end, whole } of Object.values(DIALECTS)) {
  streams.set(paths.stream, {
    events: events.map(prepared),
    end: Buffer.concat([end === '' ? Buffer.alloc(0) : chunk(end), Buffer.from('0\r\n\r\n')]),
  })
  wholes.set(paths.whole, wholeOf(whole))
}
wholes.set(MCP.path, wholeOf(MCP.answer))
const streamHead = head('text/event-stream; charset=utf-8', 'transfer-encoding: chunked')

function prepared(text: string): Prepared {
  const bytes = chunk(text)
  const mark = bytes.indexOf(STAMP_MARK)
  return { bytes, stampAt: mark < 0 ? -1 : mark + STAMP_MARK.length, salts: saltPlaces(bytes) }
}

function wholeOf(text: string): Buffer {
  return Buffer.concat([head('application/json', `content-length: ${Buffer.byteLength(text)}`), Buffer.from(text)])
}

function chunk(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

function head(type: string, length: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${length}\r\nx-request-id: req_bench\r\n\r\n`)
}

/** Sends event after event, each stamped with the moment at which it is handed to the kernel. */
function playStream(socket: Socket, { events, end }: Stream, paceMs: number): void {
  socket.write(streamHead)
  const started = performance.now()
  const salt = process.hrtime.bigint()
  let next = 0
  const step = () => {
    if (socket.destroyed) return
    const event = events[next++]
    if (event === undefined) {
      socket.write(end)
      return
    }
    const bytes = salted(Buffer.from(event.bytes), event.salts, salt) // the socket may still hold the last one
    if (event.stampAt >= 0)
      bytes.write(String(process.hrtime.bigint()).padStart(STAMP_DIGITS, '0'), event.stampAt, 'latin1')
    socket.write(bytes)
    setTimeout(step, Math.max(0, started + next * paceMs - performance.now()))
  }
  step()
}

function answer(socket: Socket, path: string, body: string): void {
  const stream = streams.get(path)
  const whole = wholes.get(path)
  if (stream !== undefined && (whole === undefined || body.includes('"stream":true')))
    playStream(socket, stream, Number(/pace-([\d.]+)/.exec(body)?.[1] ?? 5))
  else if (whole !== undefined) socket.write(whole)
  else socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')
}

function onConnection(socket: Socket): void {
  socket.setNoDelay(true)
  socket.on('error', () => {}) // clients end as they like
  let buffered = ''
  socket.on('data', (data) => {
    buffered += data.toString('latin1')
    for (;;) {
      const headEnd = buffered.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const requestHead = buffered.slice(0, headEnd)
      const length = /\r\ncontent-length: *(\d+)/i.exec(requestHead)?.[1]
      const chunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(requestHead)
      const end = chunked ? endOfChunks(buffered, headEnd + 4) : headEnd + 4 + Number(length ?? 0)
      if (end < 0 || buffered.length < end) return
      const body = buffered.slice(headEnd + 4, end)
      buffered = buffered.slice(end)
      answer(socket, requestHead.split(' ', 2)[1] ?? '', body)
    }
  })
}

/** The mock trusts its clients: the first empty chunk ends the body. */
function endOfChunks(text: string, from: number): number {
  const last = text.indexOf('0\r\n\r\n', from)
  return last < 0 ? -1 : last + 5
}

const server = createServer(onConnection)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' && address !== null ? address.port : '')
})
process.once('disconnect', () => process.exit(0))
