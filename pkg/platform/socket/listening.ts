import type { Server } from 'node:net'
import { SallyportError } from '#pkg/model/errors'

/**
 * Waits until a server listens. `remedy`: what to do where it cannot.
 * @throws SallyportError UNREACHABLE, naming the address, when it cannot.
 */
export async function untilListening(server: Server, place: string, remedy: string): Promise<void> {
  if (server.listening) return
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${cause.code ?? 'unknown error'})`
      reject(new SallyportError('UNREACHABLE', `${place} ${why}; ${remedy}`, { cause }))
    })
  })
}
