import type { Socket } from 'node:net'
import type { ServeDeps } from './exchange.ts'
import { tookPreface } from './h2-preface.ts'
import { newSessions } from './h2-sessions.ts'
import type { BodyBudget } from './request-body.ts'

/** HTTP/2 beside a server of HTTP/1.1. Without `deps.http2` it is not there. */
export type H2 = {
  /** A connection that is known to speak HTTP/2. */
  take(socket: Socket): void
  /** True if what the parser of HTTP/1.1 could not read began HTTP/2: the connection is taken over. */
  takesUnparsed(error: NodeJS.ErrnoException, socket: Socket): boolean
  look(everyMs: number, most: number): void
  close(drainMs: number): Promise<void>
}

/** What HTTP/2 shares with the server's own exchanges. */
export type H2Share = { readonly budget: BodyBudget; closing(): boolean; enter(): () => void }

/** Nothing is opened here: connections come from the server, or from who hands them over. */
export function newH2(at: ServeDeps, share: H2Share): H2 {
  const rules = at.deps.http2
  if (rules === undefined) return { take: (socket) => void socket.destroy(), takesUnparsed: () => false, ...NOTHING }
  const sessions = newSessions({ ...at, rules, ...share })
  return {
    ...sessions,
    takesUnparsed: (error, socket) => {
      if (share.closing() || !tookPreface(error, socket)) return false
      setImmediate(sessions.take, socket) // the parser that stopped is still on the stack
      return true
    },
  }
}

const NOTHING = { look: () => {}, close: () => Promise.resolve() }
