import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { SallyportError } from '#pkg/model/errors'
import type { Clock } from '#pkg/platform/clock'
import type { Log } from '#pkg/platform/log'
import type { OpenMetrics } from '#pkg/platform/metrics'
import { listenOnUnixSocket, type SocketUse, untilListening } from '#pkg/platform/socket'
import { admit, type Entry } from './access.ts'
import { type ErrorBody, errorBody, sendError } from './answers.ts'
import type { Call, RouteDeps } from './call.ts'
import { isOpenToBrowsers } from './dashboard.ts'
import { SELF_PATH } from './identity.ts'
import { newTexts } from './lines.ts'
import { meterAdmin, statusLabel } from './metrics.ts'
import type { AdminSource } from './ports.ts'
import { partsOf, SERVED } from './routes.ts'
import { newSessions } from './sessions.ts'
import { newTally } from './tally.ts'

/** `random(n)` answers n bytes that nobody can guess. */
export type AdminDeps = {
  readonly source: AdminSource
  readonly clock: Clock
  readonly log: Log
  readonly random: (bytes: number) => Uint8Array
  /** Served as `/metrics`, and written to. Default: nothing is counted. */
  readonly metrics?: OpenMetrics
}

/** Everything but the first three has a default. */
export type AdminOptions = {
  /** On 127.0.0.1; 0 picks a free one. */
  readonly port: number
  /** Made with mode 0600; a socket left behind by a dead process is replaced. */
  readonly socketPath: string
  /** What `/v1/version` says. */
  readonly version: string
  /** Open connections of each listener. Default 64; one more is closed at once. */
  readonly maxConnections?: number
  /** Body of a request. Default 1 MiB. */
  readonly maxBodyBytes?: number
  /** Streams that are followed at a time. Default 16; one more is OVERLOADED. */
  readonly maxFollowers?: number
  /** Bytes that may wait for one follower. Default 1 MiB. */
  readonly followQueueBytes?: number
  /** Between two signs of life in a stream of events. Default 15,000. */
  readonly keepaliveMs?: number
  /** To send a whole request. Default 10,000. */
  readonly requestTimeoutMs?: number
  /** How long `close` lets answers that have begun go on. Default 2,000. */
  readonly closeTimeoutMs?: number
  /** The folder of the made dashboard. Default: where the build puts it. */
  readonly dashboardDir?: string
}

/** The API, listening. `token` opens the TCP side; it is new at every start. */
export type Admin = { readonly url: string; readonly token: string; close(): Promise<void> }

type Settings = Required<Omit<AdminOptions, 'dashboardDir'>> & Pick<AdminOptions, 'dashboardDir'>

const DEFAULTS = {
  maxConnections: 64,
  maxBodyBytes: 1024 * 1024,
  maxFollowers: 16,
  followQueueBytes: 1024 * 1024,
  keepaliveMs: 15_000,
  requestTimeoutMs: 10_000,
  closeTimeoutMs: 2_000,
}

/** The socket of a data folder, in faults: whoever answers there runs on that folder. */
export const ADMIN_SOCKET: SocketUse = {
  name: 'the admin socket',
  option: '--data',
  taken: 'another sallyport runs on this data folder',
}

const TOKEN_BYTES = 32
const PROOF_HEADER = 'x-sallyport-proof'

/**
 * Opens both listeners.
 * @throws SallyportError UNREACHABLE (port), STATE_UNAVAILABLE (another process on this socket), SETTINGS_INVALID (path).
 */
export async function startAdmin(deps: AdminDeps, options: AdminOptions): Promise<Admin> {
  const settings: Settings = { ...DEFAULTS, ...options }
  const token = `sp_adm_${Buffer.from(deps.random(TOKEN_BYTES)).toString('base64url')}`
  const ending = new AbortController()
  const sessions = newSessions(deps)
  const port = (): number => portOf(tcp)
  const routes: RouteDeps = {
    source: deps.source,
    clock: deps.clock,
    version: settings.version,
    metrics: deps.metrics ?? null,
    texts: newTexts(),
    tally: newTally(deps.source, deps.clock),
    limits: settings,
    ending: ending.signal,
    followers: new Set(),
    dashboard: {
      sessions,
      url: () => `http://127.0.0.1:${port()}`,
      ...(settings.dashboardDir === undefined ? {} : { dir: settings.dashboardDir }),
    },
  }
  if (deps.metrics !== undefined) meterAdmin(deps.metrics, routes)
  const local = newServer(deps, settings, routes, () => ({ kind: 'socket' }))
  const tcp = newServer(deps, settings, routes, () => ({ kind: 'tcp', port: port(), token, isSession: sessions.opens }))
  const close = async (): Promise<void> => {
    ending.abort()
    routes.tally.stop()
    await Promise.all([closeServer(local, settings.closeTimeoutMs), closeServer(tcp, settings.closeTimeoutMs)])
  }
  try {
    await listenOnUnixSocket(local, settings.socketPath, ADMIN_SOCKET)
    tcp.listen({ host: '127.0.0.1', port: settings.port, exclusive: true })
    await untilListening(tcp, `the admin port 127.0.0.1:${settings.port}`, 'choose another with --admin-port')
  } catch (error) {
    await close()
    throw error
  }
  return { url: `http://127.0.0.1:${port()}`, token, close }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port // listens on TCP, so the address is never a path or null
}

function newServer(deps: AdminDeps, settings: Settings, routes: RouteDeps, entry: () => Entry): Server {
  const server = createServer(
    { requestTimeout: settings.requestTimeoutMs, headersTimeout: settings.requestTimeoutMs, keepAliveTimeout: 5_000 },
    (request, response) => void answer(deps, routes, entry(), { request, response }),
  )
  server.maxConnections = settings.maxConnections
  server.on('clientError', (_error, socket) => refuseBytes(socket as Socket)) // an HTTP server's sockets are net sockets
  return server
}

type Pair = { readonly request: IncomingMessage; readonly response: ServerResponse }

/** Answers one request; never rejects. */
async function answer(deps: AdminDeps, routes: RouteDeps, entry: Entry, pair: Pair): Promise<void> {
  const { request, response } = pair
  response.on('error', () => {}) // the reader is gone; `writeText` sees it
  response.once('close', () => count(deps, pair))
  response.once('finish', () => {
    if (!request.complete) request.destroy() // a body that nobody wants is not read
  })
  try {
    await dispatch(routes, { trusted: entry.kind === 'socket', by: admit(request, entry, isOpen(request)) }, pair)
  } catch (error) {
    refuse(deps, response, error)
  }
}

function count({ metrics }: AdminDeps, { request, response }: Pair): void {
  const [path = ''] = splitOnce(request.url ?? '')
  const route = SERVED.find((each) => partsOf(each, path) !== null)?.path ?? 'none'
  metrics?.count('sallyport_admin_requests_total', {
    route,
    status: response.headersSent ? statusLabel(response.statusCode) : 'other',
  })
}

/** An agent's own route is opened by a proof, which the route itself verifies; the page holds no data. */
function isOpen({ url = '', headers }: IncomingMessage): boolean {
  const [path = ''] = splitOnce(url)
  return (path === SELF_PATH && headers[PROOF_HEADER] !== undefined) || isOpenToBrowsers(path)
}

async function dispatch(
  routes: RouteDeps,
  who: Pick<Call, 'trusted' | 'by'>,
  { request, response }: Pair,
): Promise<void> {
  const [path = '', query = ''] = splitOnce(request.url ?? '')
  const methods: string[] = []
  for (const route of SERVED) {
    const parts = partsOf(route, path)
    if (parts === null) continue
    methods.push(route.method)
    if (route.method !== request.method) continue
    return await route.answer({ deps: routes, request, response, query, parts, ...who })
  }
  if (methods.length === 0) throw new SallyportError('ADMIN_NOT_FOUND', 'the admin API has no such path')
  const allow = methods.join(', ')
  sendError(response, errorBody('ADMIN_METHOD', `this path answers ${allow}`), { allow })
}

function splitOnce(url: string): readonly string[] {
  const at = url.indexOf('?')
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)]
}

function refuse(deps: AdminDeps, response: ServerResponse, error: unknown): void {
  const known = error instanceof SallyportError
  if (!known || error.code === 'INTERNAL') deps.log.error('admin-request-failed', { error })
  if (response.headersSent)
    response.destroy() // a broken answer must not look whole
  else if (!known) sendError(response, errorBody('INTERNAL', 'the request failed in itself; the log says why'))
  else sendError(response, bodyOf(error), challengeOf(error))
}

function bodyOf({ code, message, fields }: SallyportError): ErrorBody {
  const { nearest } = fields
  return errorBody(code, message, typeof nearest === 'string' ? nearest : undefined)
}

function challengeOf(error: SallyportError): Record<string, string> {
  return error.code === 'ADMIN_UNAUTHORIZED' ? { 'www-authenticate': 'Bearer' } : {}
}

/** What is no HTTP gets one line and the door. */
function refuseBytes(socket: Socket): void {
  if (!socket.writable) return void socket.destroy()
  socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
}

async function closeServer(server: Server, timeoutMs: number): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const late = setTimeout(() => server.closeAllConnections(), timeoutMs)
  await closed
  clearTimeout(late)
}
