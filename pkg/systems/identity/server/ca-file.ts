import { chmodSync, closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { SallyportError } from '#pkg/model/errors'
import { type Disk, keepPrivate, makeFolder, replaceFile, whyNot } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'

/**
 * A folder of the CA, made with 0700 if it is not there. Bits that let others in are taken away, with a warning.
 * @throws SallyportError STATE_UNAVAILABLE
 */
export function keepCaFolder(path: string, log: Log): void {
  privately(path, () => {
    makeFolder(path)
    keepMode(path, 0o700, log)
  })
}

/** A file of the CA that is not read now. The same. */
export function keepCaFile(path: string, log: Log): void {
  privately(path, () => keepMode(path, 0o600, log))
}

function privately(path: string, run: () => void): void {
  try {
    run()
  } catch (cause) {
    const words = `${path}: it cannot be kept for its owner alone: ${whyNot(cause, path)}; it has to belong to the user that runs sallyport`
    throw new SallyportError('STATE_UNAVAILABLE', words, { fields: { file: path }, cause })
  }
}

function keepMode(path: string, to: number, log: Log): void {
  const mode = statSync(path).mode & 0o777
  if ((mode & 0o077) === 0) return
  chmodSync(path, to)
  log.warn('ca-mode-tightened', { file: path, from: mode.toString(8), to: to.toString(8) })
}

/**
 * A file of the CA; null when there is none. Bits that let others at it are taken away, with a warning.
 * @throws SallyportError STATE_UNAVAILABLE: it is there and cannot be read
 */
export function readCaFile(path: string, log: Log): Buffer | null {
  try {
    const fd = openSync(path, 'r')
    try {
      const loosened = keepPrivate(fd)
      if (loosened !== null) log.warn('ca-mode-tightened', { file: path, from: loosened, to: '600' })
      return readFileSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw damaged(path, `it cannot be read: ${whyNot(cause, path)}`, cause)
  }
}

/**
 * Puts a file of the CA in its place. `what`: how a fault calls it.
 * @throws SallyportError STATE_UNAVAILABLE: it could not be written, and the one before still stands
 */
export function writeCaFile(path: string, bytes: Uint8Array, disk: Disk, what: string): void {
  try {
    replaceFile(path, bytes, disk)
  } catch (cause) {
    const words = `${what}, ${path}, cannot be written, so nothing has changed: ${whyNot(cause, path)}`
    throw new SallyportError('STATE_UNAVAILABLE', words, { fields: { file: path }, cause })
  }
}

/** A file of the CA that is not as it was written. `place`: file, or file and line. */
export function damaged(place: string, what: string, cause?: unknown): SallyportError {
  const [file] = place.split(/:\d+$/)
  return new SallyportError(
    'STATE_UNAVAILABLE',
    `${place}: ${what}; put back a copy of the whole folder, or move the folder away so that a new CA is made`,
    { fields: { file: file ?? place }, ...(cause === undefined ? {} : { cause }) },
  )
}
