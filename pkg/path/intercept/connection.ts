import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpClientLeg } from './client-leg.ts'
import { cutSocket } from './cut-socket.ts'
import type { RequestBody } from './request-body.ts'

/** One request as Node's server hands it over. */
export type Incoming = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly waits: boolean }

/** The exchange that has the connection. */
export type Turn = { readonly leg: HttpClientLeg; readonly body: RequestBody }

/** What a connection asks of its facade. */
export type ConnectionDeps = {
  readonly maxPipelined: number
  /** Starts an exchange. */
  begin(connection: Connection, incoming: Incoming): Turn
  /** More requests came than may wait. */
  overflowed(): void
  /** True when the connection must not start another exchange. */
  closing(): boolean
}

/** One client connection: it has one exchange at a time; requests that were sent ahead wait, unread, for their turn. */
export class Connection {
  readonly socket: Socket
  readonly #deps: ConnectionDeps
  #turn: Turn | null = null
  #waiting: Incoming[] = []
  /** True once no further exchange may start here. */
  #over = false

  constructor(socket: Socket, deps: ConnectionDeps) {
    this.socket = socket
    this.#deps = deps
    // Node's server ends its own side here too: an answer could not be sent any more, so a half-close is a farewell.
    socket.once('end', () => this.#leave())
    socket.once('close', () => this.#leave())
  }

  /** The exchange that is being read or answered. */
  get turn(): Turn | null {
    return this.#turn
  }

  /** Starts the exchange, or lets it wait for its turn. */
  take(incoming: Incoming): void {
    if (this.#over) return
    if (this.#turn === null) this.#begin(incoming)
    else if (this.#waiting.length < this.#deps.maxPipelined) this.#waiting.push(incoming)
    else {
      this.#deps.overflowed()
      this.#cut(this.#turn)
    }
  }

  /** Cuts the connection if its client has taken nothing for that many looks in a row. */
  look(most: number): boolean {
    const turn = this.#turn
    if (turn === null || turn.leg.look() < most) return false
    this.#cut(turn)
    return true
  }

  /** Closes the connection if its client has not sent a byte: Node's server takes only used connections for idle. */
  closeUnused(): void {
    if (this.#turn === null && this.socket.bytesRead === 0) this.socket.destroy()
  }

  #cut(turn: Turn): void {
    turn.leg.vanish()
    turn.body.vanish()
    cutSocket(this.socket)
  }

  #begin(incoming: Incoming): void {
    const { response } = incoming
    response.on('close', () => {
      this.#turn?.leg.vanish() // void if all of the answer has left
      this.#next(response.shouldKeepAlive)
    })
    this.#turn = this.#deps.begin(this, incoming)
  }

  /** `again`: the answer did not say that it was the connection's last. What was sent behind such a one is no request. */
  #next(again: boolean): void {
    this.#turn = null
    const next = this.#waiting.shift()
    if (!again || this.#deps.closing()) {
      this.#over = true
      this.#waiting = []
      this.socket.destroySoon()
    } else if (next !== undefined && !this.socket.destroyed) this.#begin(next)
  }

  /** The client is gone: nobody waits any more. An answer that is already complete may still drain into the socket. */
  #leave(): void {
    this.#waiting = []
    const turn = this.#turn
    if (turn === null || (turn.leg.over && !this.socket.destroyed)) return
    turn.leg.vanish()
    turn.body.vanish()
    this.socket.destroy()
  }
}
