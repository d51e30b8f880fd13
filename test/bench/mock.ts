/**
 * The paced provider of the bench, in its own process. Raw sockets, prepared bytes: as little work per event as
 * possible, since it shares a core with the load. Prints its port, serves until it is killed.
 */
import { createServer, type Socket } from 'node:net'
import { STAMP_DIGITS, STAMP_MARK, streamEvents, WHOLE_ANSWER } from './workload.ts'

type Prepared = { readonly bytes: Buffer; readonly stampAt: number }

const stream: readonly Prepared[] = streamEvents().map((text) => {
  const bytes = chunk(text)
  return { bytes, stampAt: bytes.indexOf(STAMP_MARK) + STAMP_MARK.length }
})
const streamHead = head('text/event-stream; charset=utf-8', 'transfer-encoding: chunked')
const streamEnd = Buffer.concat([chunk('data: [DONE]\n\n'), Buffer.from('0\r\n\r\n')])
const whole = Buffer.concat([
  head('application/json', `content-length: ${Buffer.byteLength(WHOLE_ANSWER)}`),
  Buffer.from(WHOLE_ANSWER),
])

function chunk(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

function head(type: string, length: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${length}\r\nx-request-id: req_bench\r\n\r\n`)
}

/** Sends event after event, each stamped with the moment at which it is handed to the kernel. */
function playStream(socket: Socket, paceMs: number): void {
  socket.write(streamHead)
  const started = performance.now()
  let next = 0
  const step = () => {
    if (socket.destroyed) return
    const event = stream[next++]
    if (event === undefined) {
      socket.write(streamEnd)
      return
    }
    const bytes = Buffer.from(event.bytes) // the socket may still hold the last one
    bytes.write(String(process.hrtime.bigint()).padStart(STAMP_DIGITS, '0'), event.stampAt, 'latin1')
    socket.write(bytes)
    setTimeout(step, Math.max(0, started + next * paceMs - performance.now()))
  }
  step()
}

function answer(socket: Socket, body: string): void {
  if (!body.includes('"stream":true')) {
    socket.write(whole)
    return
  }
  playStream(socket, Number(/pace-([\d.]+)/.exec(body)?.[1] ?? 5))
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
      answer(socket, body)
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
