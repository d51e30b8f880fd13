import { closeSync, fchmodSync, fstatSync, openSync, readFileSync } from 'node:fs'

/** Bits of those who are not the owner. */
const OTHERS = 0o077

/** A file that was read. */
export type PrivateText = {
  readonly text: string
  /** The mode (octal) that let others at it and was tightened to 600, or null. */
  readonly loosened: string | null
}

/** Takes away the bits that let others at an open file. Its mode before (octal) if there were any, else null. */
export function keepPrivate(fd: number): string | null {
  const mode = fstatSync(fd).mode & 0o777
  if ((mode & OTHERS) === 0) return null
  fchmodSync(fd, 0o600)
  return mode.toString(8)
}

/** A whole file as UTF-8, kept private; null when there is none. Throws what the system call throws. */
export function readPrivateText(path: string): PrivateText | null {
  const fd = openOrNull(path)
  if (fd === null) return null
  try {
    const loosened = keepPrivate(fd)
    return { text: readFileSync(fd, 'utf8'), loosened }
  } finally {
    closeSync(fd)
  }
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
