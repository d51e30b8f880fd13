import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** How a connection of HTTP/2 begins that was not negotiated before. RFC 9113 §3.3, §3.4. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** The parser of HTTP/1.1 read the preface to its last byte. */
const READ = 'HPE_PAUSED_H2_UPGRADE'

/** An error of Node's server, with what it was reading. */
type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer; readonly bytesParsed?: number }

/**
 * Tells HTTP/2 with prior knowledge from what is not HTTP at all: Node's parser of HTTP/1.1 knows the preface and stops
 * behind it, so nobody has to look at the first bytes of each connection, and HTTP/1.1 pays nothing. True for a
 * connection whose first 24 bytes it was; then Node's server has let go of it, and it reads as if nothing had been read.
 */
export function tookPreface(error: ParserError, socket: Socket): boolean {
  const { rawPacket, bytesParsed } = error
  if (error.code !== READ || rawPacket === undefined || bytesParsed === undefined) return false
  if (socket instanceof TLSSocket || socket.destroyed) return false // over TLS it is negotiated
  const rest = rawPacket.subarray(bytesParsed)
  // what came before it, an empty line or a whole request, makes it no preface
  if (socket.bytesRead - rest.length !== PREFACE.length) return false
  if (bytesParsed === PREFACE.length && !rawPacket.subarray(0, bytesParsed).equals(PREFACE)) return false
  letGo(socket)
  socket.pause() // a session reads what is buffered by itself
  socket.unshift(Buffer.concat([PREFACE, rest]))
  return true
}

/** To Node's server, and to whoever else follows it, the connection is closed: they give back what they have of it. */
function letGo(socket: Socket): void {
  socket.on('data', () => {}) // from here on Node's parser no longer reads past the socket
  const told = socket.listeners('close')
  for (const event of socket.eventNames())
    for (const listener of socket.rawListeners(event)) removeFrom(socket, event, listener)
  for (const listener of told) listener.call(socket)
}

/** One by one: a stream that loses all at once goes on as if someone listened to its data. */
function removeFrom(socket: Socket, event: string | symbol, listener: unknown): void {
  socket.removeListener(event, listener as (...args: unknown[]) => void) // rawListeners gives what was put in
}
