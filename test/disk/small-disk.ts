/** A disk of a few pages (tmpfs), that a test fills and makes room on. Needs Linux, root, and the right to mount. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type SmallDisk = {
  readonly path: string
  /** Takes all that is left but `leftBytes`, which are whole pages. */
  fill(leftBytes?: number): void
  /** The same, a little at a time. */
  fillSlowly(): Promise<void>
  /** Gives back what {@link SmallDisk.fill} took. */
  makeRoom(): void
  close(): void
}

const PAGE = Buffer.alloc(4_096, 'x')
const STEP_PAGES = 16
const STEP_MS = 20

/** Mounts it. Throws what `mount` says. */
export function openSmallDisk(bytes = 1024 * 1024): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', path], { stdio: 'pipe' })
  const filler = join(path, 'filler')
  const spare = join(path, 'spare')
  const take = (file: string, pages: number): boolean => {
    const fd = openSync(file, 'a')
    try {
      for (let page = 0; page < pages; page += 1) if (writeSync(fd, PAGE) < PAGE.length) return false
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false
      throw error
    } finally {
      closeSync(fd)
    }
  }
  return {
    path,
    fill: (leftBytes = 0) => {
      take(spare, leftBytes / PAGE.length)
      while (take(filler, STEP_PAGES)) {}
      rmSync(spare, { force: true })
    },
    fillSlowly: async () => {
      while (take(filler, STEP_PAGES)) await sleep(STEP_MS)
    },
    makeRoom: () => rmSync(filler, { force: true }),
    close: () => {
      execFileSync('umount', ['--lazy', path], { stdio: 'pipe' })
      rmdirSync(path)
    },
  }
}
