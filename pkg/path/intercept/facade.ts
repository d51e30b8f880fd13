import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { SallyportError } from '#pkg/model/errors'
import { HttpClientLeg } from './client-leg.ts'
import { Connection, type Incoming, type Turn } from './connection.ts'
import { type ServeDeps, serve } from './exchange.ts'
import { type H2, newH2 } from './h2.ts'
import { HandedSockets } from './handed.ts'
import { type FacadeOptions, type Settings, settingsOf } from './options.ts'
import type { FacadeDeps } from './ports.ts'
import { type BodyBudget, RequestBody } from './request-body.ts'
import { newSplitter } from './routes.ts'
import { serveTunnels } from './tunnel.ts'
import { refuseUnparsed } from './unparsed.ts'

/** The explicit facade of a standalone process: agents set it as their SDK's base URL. */
export type Facade = {
  /**
   * Starts to accept. `url` has no path.
   * @throws SallyportError UNREACHABLE if the address cannot be taken.
   */
  listen(): Promise<{ readonly url: string; readonly port: number }>
  /**
   * Takes over a connection that somebody else accepted, such as a TLS socket, and what was negotiated on it (`h2` needs
   * the facade's HTTP/2). Whoever hands it over limits how many there are; its slow heads are cut while the facade listens.
   */
  accept(socket: Socket, protocol: 'http/1.1' | 'h2'): void
  /**
   * Stops accepting, closes idle connections at once and the others behind their answer; after `drainMs` cuts what is
   * left. Resolves when the last connection is closed and what was at work on it has settled (after a cut: or 1 s has
   * passed). Safe to call twice.
   */
  close(drainMs: number): Promise<void>
}

type State = {
  closing: boolean
  serving: number
  settled: (() => void) | null
  readonly connections: Map<Socket, Connection>
}

/** Handlers of clients that are gone have nothing to wait for; one that does not see it must not hold up the exit. */
const SETTLE_MS = 1_000

/** A facade on Node's HTTP server. Nothing is opened before `listen`. */
export function newFacade(deps: FacadeDeps, options: FacadeOptions): Facade {
  const settings = settingsOf(options)
  const state: State = { closing: false, serving: 0, settled: null, connections: new Map() }
  const server = newServer(settings)
  const at: ServeDeps = { deps, settings, split: newSplitter(settings.facades) }
  const budget = { maxBytes: settings.maxBodyBytesHeld, heldBytes: 0 }
  const http2 = newH2(at, { budget, closing: () => state.closing, enter: () => enter(state) })
  wire(server, newReception(at, { budget, http2 }, state), deps)
  const handed = new HandedSockets()
  watchStalls(server, deps, settings, state, http2)
  const tunnels = serveTunnels(server, at, {
    isBusy: (socket) => (state.connections.get(socket)?.turn ?? null) !== null,
    enter: () => enter(state),
  })
  return {
    listen: () => listen(server, settings),
    accept: (socket, protocol) => {
      if (state.closing) return void socket.destroy()
      if (protocol === 'h2') return http2.take(socket)
      handed.add(socket)
      server.emit('connection', socket)
    },
    close: async (drainMs) => {
      state.closing = true
      for (const connection of state.connections.values()) connection.closeUnused()
      const uncut = tunnels.cutAfter(drainMs)
      await Promise.all([close(server, drainMs), handed.close(drainMs), http2.close(drainMs)])
      uncut()
      await settled(state)
    },
  }
}

function newServer(settings: Settings): Server {
  const shortestMs = Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs)
  const server = createServer({
    noDelay: true,
    highWaterMark: 16 * 1024,
    keepAlive: true,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    connectionsCheckingInterval: Math.max(20, Math.min(1_000, Math.floor(shortestMs / 4))),
    maxHeaderSize: settings.maxHeaderBytes,
    insecureHTTPParser: false,
    requireHostHeader: false, // HTTP/1.0 has none, and where a request goes does not depend on it
  })
  server.maxConnections = settings.maxConnections
  server.maxHeadersCount = 0 // Node drops headers above a count silently; their size is the limit
  server.timeout = 0 // a model may think for minutes; the waits that matter have limits of their own
  return server
}

/** What happens to connections and requests as they come. */
type Reception = {
  connected(socket: Socket): void
  asked(incoming: Incoming): void
  unparsed(error: NodeJS.ErrnoException, socket: Socket): void
}

function newReception(at: ServeDeps, { budget, http2 }: { budget: BodyBudget; http2: H2 }, state: State): Reception {
  const { deps, settings } = at
  const { connections } = state
  const closing = () => state.closing
  const legSettings = { closing }
  const begin = (connection: Connection, { request, response, waits }: Incoming): Turn => {
    const leg = new HttpClientLeg(response, connection.socket, legSettings)
    const body = new RequestBody(request, settings.limits.requestBytes, budget)
    void serve(at, { request, response, waits, leg, body }, enter(state))
    return { leg, body }
  }
  const overflowed = () => deps.log?.warn('pipeline-overflow', { limit: settings.maxPipelined })
  const connectionDeps = { maxPipelined: settings.maxPipelined, begin, overflowed, closing }
  return {
    connected: (socket) => {
      connections.set(socket, new Connection(socket, connectionDeps))
      socket.once('close', () => connections.delete(socket))
    },
    asked: (incoming) => connections.get(incoming.request.socket)?.take(incoming),
    unparsed: (error, socket) => {
      const turn = connections.get(socket)?.turn ?? null
      if (turn !== null || !http2.takesUnparsed(error, socket)) onUnparsed(deps, error, socket, turn)
    },
  }
}

/** Counts one exchange in; what it returns counts it out. */
function enter(state: State): () => void {
  state.serving += 1
  return () => {
    state.serving -= 1
    if (state.serving === 0) state.settled?.()
  }
}

function onUnparsed(deps: FacadeDeps, error: NodeJS.ErrnoException, socket: Socket, turn: Turn | null): void {
  const code = error.code ?? 'UNKNOWN'
  if (turn?.body.broken) return // it is being refused; what comes behind is not read
  // in mid-body there is a request to refuse
  if (turn?.body.reading && code !== 'ECONNRESET' && code !== 'HPE_INVALID_EOF_STATE') {
    turn.body.fail(code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'timeout' : 'broken')
    return
  }
  if (code !== 'ECONNRESET' && code !== 'EPIPE') deps.log?.warn('request-unparsable', { code })
  // behind a request that is being answered nothing can be said in its stead
  if (turn === null) refuseUnparsed(socket, code)
  else socket.destroy()
}

function wire(server: Server, reception: Reception, deps: FacadeDeps): void {
  const ask = (request: IncomingMessage, response: ServerResponse) =>
    reception.asked({ request, response, waits: false })
  server.on('connection', (socket) => reception.connected(socket))
  server.on('request', ask)
  server.on('checkContinue', (request, response) => reception.asked({ request, response, waits: true }))
  server.on('checkExpectation', ask)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // the socket of a plain HTTP server is a net.Socket
    reception.unparsed(error, socket as Socket)
  })
  server.on('drop', () => deps.log?.warn('connection-dropped', { limit: server.maxConnections }))
}

function listen(server: Server, settings: Settings): Promise<{ readonly url: string; readonly port: number }> {
  const { host, port } = settings
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException) => reject(cannotListen(error, settings))
    server.once('error', refused)
    server.listen({ host, port }, () => {
      server.off('error', refused)
      // a server on a TCP port has an AddressInfo
      const bound = (server.address() as AddressInfo).port
      resolve({ url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, port: bound })
    })
  })
}

function cannotListen(error: NodeJS.ErrnoException, { host, port }: Settings): SallyportError {
  const why = error.code === 'EADDRINUSE' ? 'another process has it' : `the system says ${error.code ?? 'no'}`
  return new SallyportError('UNREACHABLE', `cannot listen on ${host}:${port}: ${why}; choose another with --port`, {
    fields: { host, port, cause: error.code ?? null },
  })
}

function close(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), drainMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
  })
}

/** Cuts, while the server listens, the clients that take nothing of their answers for too long. */
function watchStalls(server: Server, deps: FacadeDeps, settings: Settings, state: State, http2: H2): void {
  const { stallTimeoutMs, headersTimeoutMs } = settings
  const everyMs = Math.max(20, Math.min(10_000, Math.floor(Math.min(stallTimeoutMs, headersTimeoutMs) / 4)))
  const most = Math.ceil(stallTimeoutMs / everyMs)
  const look = () => {
    for (const connection of state.connections.values())
      if (connection.look(most)) deps.log?.warn('client-stalled', { limitMs: stallTimeoutMs })
    http2.look(everyMs, most)
  }
  server.once('listening', () => {
    const timer = setInterval(look, everyMs)
    server.once('close', () => clearInterval(timer))
  })
}

async function settled(state: State): Promise<void> {
  if (state.serving === 0) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, SETTLE_MS)
    state.settled = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}
