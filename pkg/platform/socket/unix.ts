import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { SallyportError } from '#pkg/model/errors'

/** The shortest limit of the systems that we run on (macOS); Linux has 107. */
const MAX_PATH_BYTES = 103
const PROBE_TIMEOUT_MS = 1_000

/**
 * Listens on a Unix socket that only its owner can open, from the first moment on. A socket that a dead process left behind is
 * replaced. `name`: what a fault calls it.
 * @throws SallyportError SETTINGS_INVALID for a path that cannot be a socket, STATE_UNAVAILABLE when another process answers there,
 * UNREACHABLE when the system refuses.
 */
export async function listenOnUnixSocket(server: Server, path: string, name: string): Promise<void> {
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_PATH_BYTES)
    throw new SallyportError(
      'SETTINGS_INVALID',
      `the path of ${name} has ${bytes} bytes, the limit is ${MAX_PATH_BYTES}: ${path}; choose a shorter one`,
    )
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    await removeStale(path, name)
    const umask = process.umask(0o177) // the file is made inside `listen`, synchronously
    try {
      server.listen(path)
    } finally {
      process.umask(umask)
    }
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve)
      server.once('error', reject)
    })
    chmodSync(path, 0o600)
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause
    const why = cause instanceof Error ? cause.message : 'unknown'
    throw new SallyportError('UNREACHABLE', `${name} ${path} cannot be opened: ${why}`, { cause })
  }
}

async function removeStale(path: string, name: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isSocket())
    throw new SallyportError('SETTINGS_INVALID', `${path} is in the way of ${name}: it is not a socket; move it`)
  if (await isAnswered(path))
    throw new SallyportError('STATE_UNAVAILABLE', `another process answers at ${path}; stop it, or choose another path`)
  unlinkSync(path)
}

/** Does somebody answer there? A busy listener counts. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const settle = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(PROBE_TIMEOUT_MS, () => settle(true))
    socket.once('connect', () => settle(true))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    )
  })
}
