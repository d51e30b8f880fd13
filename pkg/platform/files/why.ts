import { lstatSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** What the system says of files, and what to do about it. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use it: repair its rights, or run as its owner',
  EPERM: 'this user may not use it: repair its rights, or run as its owner',
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the quota of this user is used up: make room',
  EROFS: 'the file system is read-only: mount it for writing',
  EISDIR: 'a folder stands where a file belongs: move it away',
  ENOENT: 'it is not there: make it',
  ELOOP: 'its links lead in a circle: correct them',
  ENAMETOOLONG: 'the path is too long: choose a shorter one',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  EIO: 'the disk reports a fault: check it',
}

/**
 * Why the system refused what was to be done with this path, and what to do about it, for a person: `the disk is full:
 * make room`. A code that is not known gives the system's own words.
 */
export function whyNot(error: unknown, path: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    const file = notAFolder(path)
    if (file !== null) return `${file} is a file where a folder belongs: move it away`
  }
  if (code === 'ENOENT' && isDangling(path)) return 'the link leads nowhere: correct or delete it'
  return WORDS[code] ?? (error instanceof Error ? error.message : String(error))
}

/** As {@link whyNot}, for a file that was to be read: whoever named it will not want to make it. */
export function whyNotRead(error: unknown, path: string): string {
  const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  return isAbsent && !isDangling(path) ? 'it is not there' : whyNot(error, path)
}

/** The nearest part of the path that is there and no folder, or null. */
function notAFolder(path: string): string | null {
  for (let at = path; ; at = dirname(at)) {
    try {
      return statSync(at).isDirectory() ? null : at
    } catch {
      if (dirname(at) === at) return null
    }
  }
}

function isDangling(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch {
    return false
  }
}
