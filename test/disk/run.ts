/** `make test-disk`: the real process on a disk that is full. Exit 69 where no small disk can be mounted. */
import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'

const TESTS = join(import.meta.dirname, '*.test.ts')
/** The mounts are in a space of their own: whatever ends this, none stays behind. */
const OWN_MOUNTS = ['--mount', '--propagation', 'private', '--']

function whyNotHere(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it mounts small disks: run it on Linux as root'
  try {
    const words = ['sh', '-c', 'd=$(mktemp -d) && mount -t tmpfs -o size=64k tmpfs "$d" && umount "$d" && rmdir "$d"']
    execFileSync('unshare', [...OWN_MOUNTS, ...words], { stdio: 'pipe' })
    return null
  } catch (error) {
    return `it mounts small disks, and this system does not let it: ${error instanceof Error ? error.message.trim() : ''}`
  }
}

const fault = whyNotHere()
if (fault === null) {
  const words = [...OWN_MOUNTS, process.execPath, '--test', '--test-timeout=120000', TESTS]
  const child = spawn('unshare', words, { stdio: 'inherit' })
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
} else {
  console.error(`test-disk: ${fault}`)
  process.exitCode = 69
}
