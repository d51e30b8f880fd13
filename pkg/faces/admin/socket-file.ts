import { chmodSync, lstatSync, mkdirSync, type Stats, unlinkSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { whyNot } from '#pkg/platform/files'
import { listening } from './listening.ts'

/** The shortest limit of the systems that we run on (macOS); Linux has 107. */
export const MAX_SOCKET_PATH_BYTES = 103
const PROBE_TIMEOUT_MS = 1_000

/** @throws SallyportError SETTINGS_INVALID for a path that is longer than the system takes for a socket. */
export function assertSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_SOCKET_PATH_BYTES)
    throw new SallyportError(
      'SETTINGS_INVALID',
      `the path of the admin socket has ${bytes} bytes, the limit is ${MAX_SOCKET_PATH_BYTES}: ${path}; choose a shorter --data`,
    )
}

/**
 * Makes sure that nobody listens on the path; a socket that a dead process left behind is removed.
 * @throws SallyportError SETTINGS_INVALID for a path that cannot be a socket, STATE_UNAVAILABLE when another process
 * answers there.
 */
export async function assertSocketFree(path: string): Promise<void> {
  assertSocketPath(path)
  const stat = lookAt(path)
  if (stat === undefined) return
  if (!stat.isSocket())
    throw new SallyportError(
      'SETTINGS_INVALID',
      `${path} is in the way: it is not a socket; move it or choose another --data`,
    )
  if (await isAnswered(path))
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      `another sallyport runs on this data folder (${path} answers); stop it or choose another --data`,
    )
  unlinkSync(path)
}

/** Listens on the path so that only the owner can connect, from the first moment on. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  await assertSocketFree(path)
  const umask = process.umask(0o177) // the file is made inside `listen`, synchronously
  try {
    server.listen(path)
  } finally {
    process.umask(umask)
  }
  await listening(server, `the admin socket ${path}`, 'choose another --data')
  chmodSync(path, 0o600)
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      `the admin socket ${path} cannot be looked at: ${whyNot(cause, path)}; or choose another --data`,
      { cause },
    )
  }
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
