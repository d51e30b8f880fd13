import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Ask, type ByteLeg, type ClientTunnel, type Headers, HOST_FACADE } from '#pkg/model'
import { newByteLeg } from '#pkg/platform/socket'
import { flat, HttpClientLeg } from './client-leg.ts'
import type { ServeDeps } from './exchange.ts'
import type { Fault, RejectedAsk } from './ports.ts'

/** A request for a connection of its own, as Node's server lets go of it. */
export type TunnelRequest = {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** What came behind the head. */
  readonly head: Uint8Array
}

/** What the facade around tells of itself. */
export type TunnelRoom = {
  /** Is an exchange open on this connection? Behind it nothing can be opened. */
  isBusy(socket: Socket): boolean
  /** Counts something at work in; what it returns counts it out. */
  enter(): () => void
}

/** Serves what Node's server lets go of: CONNECT, and every upgrade. */
export function serveTunnels(
  server: Server,
  at: ServeDeps,
  room: TunnelRoom,
): { cutAfter(drainMs: number): () => void } {
  const sockets = new Set<Socket>()
  const take = async (asked: TunnelRequest): Promise<void> => {
    const { socket } = asked
    socket.on('error', () => socket.destroy())
    if (room.isBusy(socket)) return void socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const leave = room.enter()
    try {
      await serve(at, asked)
    } catch (error) {
      at.deps.log?.error('tunnel-failed', { error })
      socket.destroy()
    } finally {
      leave()
    }
  }
  // the socket of a plain HTTP server is a net.Socket
  const asked = (request: IncomingMessage, socket: unknown, head: Uint8Array) =>
    void take({ request, socket: socket as Socket, head })
  server.on('connect', asked)
  server.on('upgrade', asked)
  return {
    cutAfter: (drainMs) => {
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, drainMs)
      return () => clearTimeout(timer)
    },
  }
}

async function serve(at: ServeDeps, asked: TunnelRequest): Promise<void> {
  const client = new SocketTunnel(asked)
  const read = readAsk(at, asked.request)
  if (read.fault !== null)
    return void (await at.deps.reject(read.known, read.fault.reason, read.fault.detail, client.leg))
  await at.deps.tunnel(read.ask, client)
}

type Read = { readonly fault: null; readonly ask: Ask } | { readonly fault: Fault; readonly known: RejectedAsk }

const NO_BYTES = new Uint8Array(0)

function readAsk(at: ServeDeps, request: IncomingMessage): Read {
  const { rules } = at.deps
  const method = request.method ?? ''
  const url = request.url ?? ''
  const proxied = rules.isProxied(method, url)
  const known: RejectedAsk = { facade: proxied ? HOST_FACADE : at.split(url).facade, method, path: '', token: null }
  const listed = rules.readHeaders(request.rawHeaders)
  if (!listed.ok) return { fault: listed, known }
  const { headers } = listed
  if (proxied) return readProxied(at, request, { ...known, token: rules.proxyTokenOf(headers) }, headers)
  const target = rules.requestTarget(method, url)
  const token = rules.tokenOf(headers, target.ok ? target.query : '')
  if (!target.ok) return { fault: target, known: { ...known, token } }
  const asked: RejectedAsk = { ...at.split(target.path), method, token }
  const fault = faultOfUpgrade(request, headers)
  if (fault !== null) return { fault, known: asked }
  return { fault: null, ask: { ...asked, query: target.query, headers, body: NO_BYTES } }
}

function readProxied(at: ServeDeps, request: IncomingMessage, known: RejectedAsk, headers: Headers): Read {
  const { rules } = at.deps
  if (known.method !== 'CONNECT')
    return {
      fault: upgradeFault('asks another host for an upgrade; open a connection to it by CONNECT instead'),
      known,
    }
  const target = rules.proxyTarget(known.method, request.url ?? '', headers)
  if (!target.ok) return { fault: target, known }
  const framing = rules.requestFraming(headers, request.httpVersion)
  if (!framing.ok) return { fault: framing, known }
  if (framing.length !== 0)
    return { fault: { ok: false, reason: 'WIRE_HEADER_INVALID', detail: 'is a CONNECT with a body' }, known }
  return { fault: null, ask: { ...known, query: '', headers, body: NO_BYTES, target: target.target } }
}

/** RFC 6455 §4.2.1: what a request for a WebSocket has, and nothing else is. */
function faultOfUpgrade(request: IncomingMessage, headers: Headers): Fault | null {
  const { upgrade } = headers
  if (typeof upgrade !== 'string' || upgrade.toLowerCase() !== 'websocket')
    return upgradeFault('asks for an upgrade to something else than a WebSocket')
  const bodiless = headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'
  const fits = request.method === 'GET' && request.httpVersion === '1.1' && headers['sec-websocket-version'] === '13'
  if (fits && bodiless && typeof headers['sec-websocket-key'] === 'string') return null
  return upgradeFault('asks for a WebSocket in a way that RFC 6455 does not have')
}

const upgradeFault = (detail: string): Fault => ({ ok: false, reason: 'UPGRADE_NOT_GRANTED', detail })

/** The client's side of one tunnel, until it is open. */
class SocketTunnel implements ClientTunnel {
  /** By which it is refused. */
  readonly leg: HttpClientLeg
  readonly #response: ServerResponse
  readonly #asked: TunnelRequest
  #open = false

  constructor(asked: TunnelRequest) {
    this.#asked = asked
    this.#response = responseOn(asked.request, asked.socket)
    this.leg = new HttpClientLeg(this.#response, asked.socket, { closing: () => true })
    asked.socket.once('close', () => {
      if (!this.#open) this.leg.vanish()
    })
  }

  get gone(): boolean {
    return this.leg.gone
  }

  onGone(listener: () => void): void {
    this.leg.onGone(listener)
  }

  reply(status: number, headers: Headers, body: Uint8Array): void {
    if (!this.#open) this.leg.reply(status, headers, body)
  }

  open(status: number, headers: Headers): ByteLeg | null {
    const { socket, head } = this.#asked
    if (this.#open || this.leg.over || socket.destroyed) return null
    this.#open = true
    this.#response.detachSocket(socket)
    if (head.length > 0) socket.unshift(head)
    socket.write(headText(status, headers), 'latin1')
    return newByteLeg(socket)
  }
}

const PHRASES: Readonly<Record<number, string>> = { 101: 'Switching Protocols', 200: 'Connection Established' }

function headText(status: number, headers: Headers): string {
  const pairs = flat(headers)
  const lines = pairs.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${pairs[at + 1] ?? ''}`] : []))
  return [`HTTP/1.1 ${status} ${PHRASES[status] ?? ''}`, ...lines, '', ''].join('\r\n')
}

/** Node's server lets go of such a socket; a refusal on it is answered like any other, and closes it. */
function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => {
    response.detachSocket(socket)
    socket.destroySoon()
  })
  return response
}
