import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'

/** What the HTTP client is built on, and how an exchange of it is given up. */
export type Cuts = {
  readonly connect: buildConnector.connector
  /** Runs what makes the HTTP client destroy a socket: it is reset, so that what the system still holds for it is dropped. */
  cut(abort: () => void): void
}

/**
 * Connections that are reset where an exchange is given up. The HTTP client only destroys its sockets, behind which the system
 * goes on to send what it holds. `options` are asked for with the first connection: trust is slow to build. A TLS socket has no reset of its own: it is destroyed, and its missing farewell is the sign.
 */
export function newCuts(options: () => buildConnector.BuildOptions): Cuts {
  let connect: buildConnector.connector | null = null
  let cutting = false
  const watch = (socket: Socket): void => {
    const destroy = socket.destroy
    socket.destroy = (error) => {
      socket.destroy = destroy
      return cutting ? socket.resetAndDestroy() : socket.destroy(error)
    }
  }
  return {
    connect: (asked, done) => {
      connect ??= buildConnector(options())
      connect(asked, (...[error, socket]) => {
        if (error !== null) return done(error, null)
        if (!(socket instanceof TLSSocket)) watch(socket)
        done(null, socket)
      })
    },
    cut: (abort) => {
      cutting = true
      try {
        abort()
      } finally {
        cutting = false
      }
    },
  }
}
