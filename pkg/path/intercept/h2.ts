import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { ServeDeps } from './exchange.ts'
import { newSessions } from './h2-sessions.ts'
import { newSniffer } from './h2-sniff.ts'
import type { BodyBudget } from './request-body.ts'

/** HTTP/2 beside a server of HTTP/1.1. Without `deps.http2` it is not there: every connection is the server's. */
export type H2 = {
  /** A connection that is known to speak HTTP/2. */
  take(socket: Socket): void
  /** A connection that is known to speak HTTP/1.1. */
  http1(socket: Socket): void
  look(everyMs: number, most: number): void
  close(drainMs: number): Promise<void>
}

/** What HTTP/2 shares with the server's own exchanges. */
export type H2Share = { readonly budget: BodyBudget; enter(): () => void }

/** Puts a look at the first bytes of each connection in front of what the server does with it. */
export function newH2(server: Server, at: ServeDeps, share: H2Share): H2 {
  const own = server.listeners('connection')
  const http1 = (socket: Socket) => {
    for (const listener of own) listener.call(server, socket)
  }
  const rules = at.deps.http2
  if (rules === undefined) {
    const take = (socket: Socket) => void socket.destroy()
    return { take, http1, look: () => {}, close: () => Promise.resolve() }
  }
  const sessions = newSessions({ ...at, rules, ...share })
  const sniffer = newSniffer({ http1, http2: sessions.take }, at.settings.headersTimeoutMs)
  server.removeAllListeners('connection')
  server.on('connection', sniffer.take)
  return {
    take: sessions.take,
    http1,
    look: sessions.look,
    close: (drainMs) => {
      sniffer.close()
      return sessions.close(drainMs)
    },
  }
}
