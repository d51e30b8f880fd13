import type { Socket } from 'node:net'
import type { ByteLeg } from '#pkg/model'

/** A socket as a ByteLeg. It owns the socket from now on; an error of it is told to whoever reads, and to nobody else. */
export function newByteLeg(socket: Socket): ByteLeg {
  socket.setNoDelay(true)
  socket.on('error', () => {}) // the reader is told
  return {
    chunks: socket.iterator({ destroyOnReturn: false }),
    write: (bytes) => {
      if (!socket.writable) throw new Error('the other end is gone')
      return socket.write(bytes) ? undefined : untilDrained(socket)
    },
    end: () => {
      if (socket.writable) socket.end()
    },
    reset: () => {
      if (socket.destroyed) return
      if ('encrypted' in socket) socket.destroy()
      else socket.resetAndDestroy()
    },
    closed: new Promise((resolve) => {
      if (socket.closed) resolve()
      else socket.once('close', () => resolve())
    }),
  }
}

function untilDrained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}
