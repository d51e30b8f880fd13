/** One `up` or `down` at a time on the machine. The lock is an abstract socket: it is gone with its holder, also after kill −9. */

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { NAME } from './where.ts'

const SOCKET = `\0${NAME}`
const ANSWER_MS = 2_000

/** Takes the lock until the process ends. Returns null, or who holds it, as `up, process 4711`. */
export async function takeLock(verb: string): Promise<string | null> {
  const server = createServer((socket) => socket.on('error', () => {}).end(`${verb}, process ${process.pid}`))
  server.unref().listen(SOCKET)
  try {
    await once(server, 'listening')
    return null
  } catch {
    const socket = connect(SOCKET).setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')))
    return await text(socket).catch(() => 'another process')
  }
}
