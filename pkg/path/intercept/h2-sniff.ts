import type { Socket } from 'node:net'

/** How a connection of HTTP/2 begins that was not negotiated before. RFC 9113 §3.3, §3.4. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Who takes a connection over, its bytes still in it. */
export type Takers = { http1(socket: Socket): void; http2(socket: Socket): void }

/** Connections of which nobody knows yet what they speak. */
export type Sniffer = {
  take(socket: Socket): void
  /** Closes those that have not said enough. */
  close(): void
}

/**
 * Tells HTTP/2 with prior knowledge from HTTP/1.1 by the first bytes, on one port. A connection is given to HTTP/1.1 at
 * the first byte that is not of the preface: for a request that is not `PRI` that is its first read. The bytes go back
 * into the socket, in front of all that follow.
 * @param waitMs for the first bytes; what has not decided by then is HTTP/1.1's, which knows how to refuse it.
 */
export function newSniffer(takers: Takers, waitMs: number): Sniffer {
  const undecided = new Map<Socket, () => void>()
  return {
    take: (socket) => {
      let seen: Buffer | null = null
      const leave = () => {
        clearTimeout(timer)
        undecided.delete(socket)
        socket.off('data', look)
        socket.off('error', gone)
        socket.off('close', gone)
        socket.off('end', ended)
      }
      const give = (taker: (socket: Socket) => void) => {
        leave()
        if (taker === takers.http2) socket.pause() // it reads what is buffered by itself, a turn later
        if (seen !== null) socket.unshift(seen)
        taker(socket)
      }
      const look = (bytes: Buffer) => {
        seen = seen === null ? bytes : Buffer.concat([seen, bytes])
        const length = Math.min(seen.length, PREFACE.length)
        if (seen.compare(PREFACE, 0, length, 0, length) !== 0) give(takers.http1)
        else if (length === PREFACE.length) give(takers.http2)
      }
      const gone = () => leave()
      const ended = () => {
        leave()
        socket.destroy()
      }
      const timer = setTimeout(() => give(takers.http1), waitMs)
      undecided.set(socket, ended)
      socket.on('data', look)
      socket.on('error', gone)
      socket.on('close', gone)
      socket.on('end', ended)
    },
    close: () => {
      for (const ended of undecided.values()) ended()
    },
  }
}
