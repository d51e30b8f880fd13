import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { whyNot, writeNewFile } from '#pkg/platform/files'

/** Who holds a lock. `start` tells a process from a later one with the same number; empty where the system does not say. */
type Holder = { readonly pid: number; readonly start: string }

/** Gives the folder back. */
export type FolderLock = { release(): void }

/** A holder may vanish between two looks, and so may the next. */
const ATTEMPTS = 5

/**
 * Makes this process the only owner of `DIR`, by `DIR/lock`. A lock whose process is dead is taken over. It sees the
 * processes of this machine (in containers: of this pid namespace) alone.
 * @throws SallyportError STATE_UNAVAILABLE while another process, or another part of this one, owns the folder, and where the
 * lock cannot be written.
 */
export function lockFolder(dataDir: string): FolderLock {
  const path = join(dataDir, 'lock')
  try {
    return takeLock(dataDir, path)
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause
    throw new SallyportError('STATE_UNAVAILABLE', `the lock ${path} cannot be written: ${whyNot(cause, path)}`, {
      fields: { file: path },
      cause,
    })
  }
}

function takeLock(dataDir: string, path: string): FolderLock {
  const mine: Holder = { pid: process.pid, start: startOf(process.pid)?.start ?? '' }
  const draft = `${path}.${process.pid}.new`
  writeNewFile(draft, Buffer.from(`${JSON.stringify(mine)}\n`))
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (tryLink(draft, path)) return { release: () => releaseLock(path, mine) }
      const text = lockText(path)
      if (text === null) continue
      const holder = holderOf(path, text)
      if (isAlive(holder)) throw held(dataDir, path, holder)
      takeAway(path, text)
    }
  } finally {
    rmSync(draft, { force: true })
  }
  throw new SallyportError(
    'STATE_UNAVAILABLE',
    `${path} changes hands all the time: stop the processes that use ${dataDir}`,
  )
}

/** Linking a finished file: the lock appears whole, or not at all. */
function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Removes a dead lock, and puts it back should it have become a living one in between. */
function takeAway(path: string, expected: string): void {
  const aside = `${path}.${process.pid}.old`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  if (readOrNull(aside) !== expected) tryLink(aside, path)
  rmSync(aside, { force: true })
}

function releaseLock(path: string, mine: Holder): void {
  if (readOrNull(path) === `${JSON.stringify(mine)}\n`) rmSync(path, { force: true })
}

/** What stands in the lock; null when it went away. */
function lockText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      `the lock ${path} cannot be read: ${whyNot(cause, path)}; if no sallyport runs on this folder, it may be deleted`,
      { fields: { file: path }, cause },
    )
  }
}

function holderOf(path: string, text: string): Holder {
  const parts = /^\{"pid":(\d{1,10}),"start":"([^"\n]*)"\}\n$/.exec(text)
  if (parts === null)
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      `${path} is not a lock of Sallyport: make sure that none is running, then delete it`,
      {
        fields: { file: path },
      },
    )
  return { pid: Number(parts[1]), start: parts[2] ?? '' }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false // EPERM: alive, another user's
  }
  const now = startOf(holder.pid)
  if (now === null) return true
  return !now.dead && (holder.start === '' || now.start === holder.start)
}

/** When a process began, as Linux tells it; null where nobody does. */
function startOf(pid: number): { readonly start: string; readonly dead: boolean } | null {
  const stat = readOrNull(`/proc/${pid}/stat`)
  const boot = readOrNull('/proc/sys/kernel/random/boot_id')
  if (stat === null || boot === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const started = fields[19]
  if (started === undefined) return null
  return { start: `${boot.trim()}:${started}`, dead: fields[0] === 'Z' || fields[0] === 'X' }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
}

function held(dataDir: string, path: string, holder: Holder): SallyportError {
  return new SallyportError(
    'STATE_UNAVAILABLE',
    `process ${holder.pid} already uses the data folder ${dataDir} (${path}): stop it, or choose another folder with --data (should that process be something else, delete the lock)`,
    { fields: { file: path, pid: holder.pid } },
  )
}
