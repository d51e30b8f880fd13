import { readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { whyNot } from '#pkg/platform/files'
import type { SourceFile } from '#pkg/platform/resources'

/** Files that may hold resources. Names with a leading dot are not read: editors and mounts leave such behind. */
const RESOURCE_FILE = /^[^.].*\.(?:ya?ml|json)$/

/** A change is read this long after it was noticed: editors write a file in several steps. */
const SETTLE_MS = 50

/** Changes that the system does not tell of (network folders, swapped links) are found by looking this often. */
const LOOK_MS = 2_000

/**
 * Reads every resource file of a folder, by name; folders in it are not read.
 * @throws SallyportError RESOURCE_INVALID when the folder, or a file in it, cannot be read.
 */
export function readFolder(dir: string): readonly SourceFile[] {
  let path = dir
  try {
    const names = readdirSync(dir)
      .filter((name) => RESOURCE_FILE.test(name))
      .sort()
    const files: SourceFile[] = []
    for (const name of names) {
      path = join(dir, name)
      if (statSync(path).isFile()) files.push({ path, text: readFileSync(path, 'utf8') })
    }
    return files
  } catch (cause) {
    const why = whyNot(cause, path)
    const words =
      path === dir
        ? `the folder of policies ${dir} cannot be read: ${insteadOf(dir) ?? `${why}; or give another with --policies`}`
        : `the policy file ${path} cannot be read: ${why}`
    throw new SallyportError('RESOURCE_INVALID', words, { cause })
  }
}

/** A policy file was given where its folder was asked for. */
function insteadOf(path: string): string | null {
  try {
    if (!RESOURCE_FILE.test(basename(path)) || !statSync(path).isFile()) return null
    return `it is a file; give its folder: --policies ${dirname(path)}`
  } catch {
    return null // it is not there
  }
}

/** What the files look like from outside; equal texts mean that nothing has to be read again. */
function fingerprintOf(dir: string): string {
  try {
    const names = readdirSync(dir)
      .filter((name) => RESOURCE_FILE.test(name))
      .sort()
    return names
      .map((name) => {
        const { mtimeMs, size, ino } = statSync(join(dir, name))
        return `${name}:${mtimeMs}:${size}:${ino}`
      })
      .join('\n')
  } catch {
    return '' // a file that vanished between two looks; the next look tells
  }
}

/** Calls `changed` after the folder's files have changed. Answers how to stop. */
export function watchFolder(dir: string, changed: () => void): () => void {
  let seen = fingerprintOf(dir)
  let settling: NodeJS.Timeout | null = null
  const look = (): void => {
    settling = null
    const now = fingerprintOf(dir)
    if (now === seen) return
    seen = now
    changed()
  }
  const notice = (): void => {
    settling ??= setTimeout(look, SETTLE_MS).unref()
  }
  const poll = setInterval(notice, LOOK_MS).unref()
  let close = (): void => {}
  try {
    const watcher = watch(dir, { persistent: false }, notice)
    watcher.on('error', () => {}) // the poll goes on
    close = () => watcher.close()
  } catch {
    // no notification here: the poll alone
  }
  return () => {
    close()
    clearInterval(poll)
    if (settling !== null) clearTimeout(settling)
  }
}
