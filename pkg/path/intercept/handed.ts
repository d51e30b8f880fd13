import type { Socket } from 'node:net'

/** Connections that somebody else accepted: Node's server does not count them among its own. */
export class HandedSockets {
  readonly #sockets = new Set<Socket>()
  #emptied = () => {}

  add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (this.#sockets.size === 0) this.#emptied()
    })
  }

  /** Resolves when the last one is closed; after `drainMs` they are cut. */
  async close(drainMs: number): Promise<void> {
    if (this.#sockets.size === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve
    })
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, drainMs)
    await empty
    clearTimeout(cut)
  }
}
