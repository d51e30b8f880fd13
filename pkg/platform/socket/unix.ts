import { chmodSync, lstatSync, type Stats, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { makeFolder, whyNot } from '#pkg/platform/files'
import { untilListening } from './listening.ts'

/** The shortest limit of the systems that we run on (macOS); Linux has 107. */
export const MAX_SOCKET_PATH_BYTES = 103
const PROBE_TIMEOUT_MS = 1_000

/** What a fault says of a Unix socket. */
export type SocketUse = {
  /** `the admin socket` */
  readonly name: string
  /** With which option another path is chosen: `--data`. */
  readonly option: string
  /** Who it is that answers at the path already. Default: another process. */
  readonly taken?: string
}

/** @throws SallyportError SETTINGS_INVALID for a path that is longer than the system takes for a socket. */
export function assertSocketPath(path: string, { name, option }: SocketUse): void {
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_SOCKET_PATH_BYTES)
    throw new SallyportError(
      'SETTINGS_INVALID',
      `the path of ${name} has ${bytes} bytes, the limit is ${MAX_SOCKET_PATH_BYTES}: ${path}; choose a shorter ${option}`,
    )
}

/**
 * Makes sure that nobody listens on the path; a socket that a dead process left behind is removed.
 * @throws SallyportError SETTINGS_INVALID for a path that cannot be a socket, STATE_UNAVAILABLE when another process
 * answers there or the system does not let us look.
 */
export async function assertSocketFree(path: string, use: SocketUse): Promise<void> {
  assertSocketPath(path, use)
  const stat = lookAt(path, use)
  if (stat === undefined) return
  const { name, option, taken } = use
  if (!stat.isSocket())
    throw new SallyportError(
      'SETTINGS_INVALID',
      `${path} is in the way of ${name}: it is not a socket; move it or choose another ${option}`,
    )
  if (await isAnswered(path)) {
    const who = taken === undefined ? `another process answers at ${path}` : `${taken} (${path} answers)`
    throw new SallyportError('STATE_UNAVAILABLE', `${who}; stop it or choose another ${option}`)
  }
  unlinkSync(path)
}

/**
 * Listens on a Unix socket that only its owner can open, from the first moment on. A socket that a dead process left behind is
 * replaced.
 * @throws SallyportError as assertSocketFree; UNREACHABLE when the system refuses.
 */
export async function listenOnUnixSocket(server: Server, path: string, use: SocketUse): Promise<void> {
  makeFolderOf(path, use)
  await assertSocketFree(path, use)
  const umask = process.umask(0o177) // the file is made inside `listen`, synchronously
  try {
    server.listen(path)
  } finally {
    process.umask(umask)
  }
  await untilListening(server, `${use.name} ${path}`, `choose another ${use.option}`)
  chmodSync(path, 0o600)
}

function makeFolderOf(path: string, { name, option }: SocketUse): void {
  try {
    makeFolder(dirname(path))
  } catch (cause) {
    const why = whyNot(cause, dirname(path))
    throw new SallyportError('UNREACHABLE', `${name} ${path} cannot be opened: ${why}; or choose another ${option}`, {
      cause,
    })
  }
}

function lookAt(path: string, { name, option }: SocketUse): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      `${name} ${path} cannot be looked at: ${whyNot(cause, path)}; or choose another ${option}`,
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
