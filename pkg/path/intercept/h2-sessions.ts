import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { type ServeDeps, serve } from './exchange.ts'
import { Http2ClientLeg } from './h2-client-leg.ts'
import { Session } from './h2-session.ts'
import type { Settings } from './options.ts'
import type { FacadeDeps, Http2Rules } from './ports.ts'
import { type BodyBudget, RequestBody } from './request-body.ts'
import type { Split } from './routes.ts'

/** What the sessions take from their facade. */
export type SessionsDeps = {
  readonly deps: FacadeDeps
  readonly rules: Http2Rules
  readonly settings: Settings
  readonly budget: BodyBudget
  split(path: string): Split
  /** Counts one exchange in; what it returns counts it out. */
  enter(): () => void
}

/** Every connection that speaks HTTP/2. */
export type Sessions = {
  /** From here on the socket, whose first bytes are the preface, belongs to HTTP/2. */
  take(socket: Socket): void
  /** Called every `everyMs`. `most`: looks without progress after which a client counts as stalled. */
  look(everyMs: number, most: number): void
  /** Takes no further stream, lets the open ones end, and cuts them after `drainMs`. */
  close(drainMs: number): Promise<void>
}

/** HTTP/2 for a facade: each stream is an exchange, served as one of HTTP/1.1 is. */
export function newSessions(at: SessionsDeps): Sessions {
  const { settings } = at
  const sessions = new Set<Session>()
  const legs = new Set<Http2ClientLeg>()
  const rules = { ...at.deps.rules, ...at.rules, isProxied: () => false } // other hosts are asked for over HTTP/1.1
  const served: ServeDeps = { deps: { ...at.deps, rules }, settings, split: at.split }
  let emptied = () => {}

  const begin = (stream: ServerHttp2Stream, raw: readonly string[]): boolean => {
    if (raw.reduce((sum, text) => sum + text.length, 16 * raw.length) > settings.maxHeaderBytes) {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM) // the client had not yet heard of the limit
      return true
    }
    if (legs.size >= settings.maxStreams) {
      at.deps.log?.warn('stream-refused', { limit: settings.maxStreams })
      return false
    }
    beginStream(at, served, stream, raw, legs)
    return true
  }
  const refused = (why: string, code: string) => at.deps.log?.warn(why, { code })

  return {
    take: (socket) => {
      if (socket.destroyed) return
      const session = new Session(socket, { begin, refused }, settings)
      sessions.add(session)
      session.onClosed(() => {
        sessions.delete(session)
        if (sessions.size === 0) emptied()
      })
    },
    look: (everyMs, most) => {
      for (const session of sessions) session.look(everyMs)
      for (const leg of legs)
        if (leg.look(most)) at.deps.log?.warn('client-stalled', { limitMs: settings.stallTimeoutMs })
    },
    close: async (drainMs) => {
      if (sessions.size === 0) return
      const empty = new Promise<void>((resolve) => {
        emptied = resolve
      })
      for (const session of sessions) session.drain()
      const cut = setTimeout(() => {
        for (const session of sessions) session.cut()
      }, drainMs)
      await empty
      clearTimeout(cut)
    },
  }
}

function beginStream(
  at: SessionsDeps,
  served: ServeDeps,
  stream: ServerHttp2Stream,
  raw: readonly string[],
  legs: Set<Http2ClientLeg>,
): void {
  const { settings, rules } = at
  const { method, url } = rules.requestLine(raw)
  const leg = new Http2ClientLeg(stream, method)
  const body = new RequestBody(stream, settings.limits.requestBytes, at.budget)
  legs.add(leg)
  const left = at.enter()
  const late = setTimeout(() => body.fail('timeout'), settings.requestTimeoutMs)
  const vanish = () => {
    leg.vanish()
    body.vanish()
  }
  stream.once('aborted', vanish)
  stream.once('close', () => {
    clearTimeout(late)
    legs.delete(leg)
    vanish()
  })
  stream.once('end', () => {
    clearTimeout(late)
    // Node ends the stream of a client that reset it, as if its body had been whole
    if (stream.closed) body.vanish()
  })
  const request = {
    method,
    url,
    rawHeaders: raw,
    httpVersion: '2.0',
    get complete() {
      return stream.readableEnded
    },
  }
  const response = { writeContinue: () => writeContinue(stream) }
  void serve(served, { request, response, waits: waitsForLeave(raw), leg, body }, left)
}

function waitsForLeave(raw: readonly string[]): boolean {
  for (let at = 0; at + 1 < raw.length; at += 2)
    if (raw[at] === 'expect') return raw[at + 1]?.toLowerCase() === '100-continue'
  return false
}

function writeContinue(stream: ServerHttp2Stream): void {
  if (!stream.closed && !stream.destroyed) stream.additionalHeaders({ ':status': 100 })
}
