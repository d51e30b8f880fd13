import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Drops a connection at once, and what waits in it. A TLS socket has no reset of its own: its missing farewell is the sign. */
export function cutSocket(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}
