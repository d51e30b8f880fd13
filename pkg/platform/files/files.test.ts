import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fsyncSync, writeSync } from 'node:fs'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type Disk,
  makeFolder,
  readPrivateText,
  replaceFile,
  replaceFileOpen,
  systemDisk,
  whyNot,
  whyNotRead,
  writeNewFile,
} from './index.ts'

const OLD = Buffer.from('old\n')
const NEW = Buffer.from(`new ${'x'.repeat(100)}\n`)

async function inFolder(body: (folder: string, path: string) => Promise<void> | void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-files-'))
  try {
    await body(folder, join(folder, 'small'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const codeOf = (body: () => unknown): string | null => {
  try {
    body()
    return null
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

/** A disk that is full after `room` bytes and takes `step` at a time; `sync` says whether a sync works. */
const smallDisk = (room: number, step: number, sync: boolean): Disk => ({
  write: (fd, bytes) => {
    if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    const written = writeSync(fd, bytes.subarray(0, Math.min(step, room)))
    room -= written
    return written
  },
  sync: (fd) => {
    if (!sync) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    fsyncSync(fd)
  },
})

test('[FILE-01] a file is written and replaced whole, for its owner alone, and nothing else stands in the folder', () =>
  inFolder(async (folder, path) => {
    for (const bytes of [OLD, NEW, Buffer.alloc(0), Buffer.alloc(100_000, 7)]) {
      replaceFile(path, bytes)
      assert.deepEqual(await readFile(path), bytes)
      assert.equal((await stat(path)).mode & 0o777, 0o600)
      await chmod(path, 0o644) // looser bits of the old file do not pass to the new one
    }
    assert.deepEqual(await readdir(folder), ['small'])
  }))

const disks: readonly (readonly [name: string, disk: Disk, code: string | null])[] = [
  ['a disk that takes one byte at a time', smallDisk(Number.POSITIVE_INFINITY, 1, true), null],
  ['a disk that is full', smallDisk(0, 9, true), 'ENOSPC'],
  ['a disk that is full after one byte', smallDisk(1, 9, true), 'ENOSPC'],
  ['a disk that is full one byte before the end', smallDisk(NEW.length - 1, 9, true), 'ENOSPC'],
  ['a disk that is just large enough', smallDisk(NEW.length, 9, true), null],
  ['a sync that fails', smallDisk(Number.POSITIVE_INFINITY, 9, false), 'EIO'],
]
for (const [name, disk, code] of disks)
  test(`[FILE-02] ${name}: the new file or the old one, and no draft takes room`, () =>
    inFolder(async (folder, path) => {
      replaceFile(path, OLD)
      assert.equal(
        codeOf(() => replaceFile(path, NEW, disk)),
        code,
      )
      assert.deepEqual(await readFile(path), code === null ? NEW : OLD)
      assert.deepEqual(await readdir(folder), ['small'])
      replaceFile(path, NEW)
      assert.deepEqual(await readFile(path), NEW)
    }))

test('[FILE-02] every byte is synced before the name changes', () =>
  inFolder(async (_, path) => {
    replaceFile(path, OLD)
    const seen: string[] = []
    const look = (): string => readPrivateText(path)?.text ?? ''
    replaceFile(path, NEW, {
      write: (fd, bytes) => systemDisk.write(fd, bytes),
      sync: (fd) => {
        seen.push(look())
        fsyncSync(fd)
        seen.push(look())
      },
    })
    assert.deepEqual(seen, ['old\n', 'old\n'])
    assert.equal(look(), NEW.toString())
  }))

test('[FILE-02] a draft that a crash left is replaced, also one that others may write, and a link is not followed', () =>
  inFolder(async (folder, path) => {
    await writeFile(`${path}.new`, 'half', { mode: 0o666 })
    replaceFile(path, OLD)
    assert.deepEqual(await readFile(path), OLD)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    await writeFile(join(folder, 'victim'), 'untouched')
    await symlink(join(folder, 'victim'), `${path}.new`)
    replaceFile(path, NEW)
    assert.equal(await readFile(join(folder, 'victim'), 'utf8'), 'untouched')
    assert.ok((await lstat(path)).isFile())
    assert.deepEqual((await readdir(folder)).sort(), ['small', 'victim'])
  }))

test('[FILE-02] what stands in the way is told, and the old file stays', () =>
  inFolder(async (folder, path) => {
    replaceFile(path, OLD)
    await mkdir(`${path}.new`)
    assert.notEqual(
      codeOf(() => replaceFile(path, NEW)),
      null,
    )
    assert.deepEqual(await readFile(path), OLD)
    await mkdir(join(folder, 'taken', 'inner'), { recursive: true })
    assert.notEqual(
      codeOf(() => replaceFile(join(folder, 'taken'), NEW)),
      null,
    )
    assert.deepEqual((await readdir(folder)).sort(), ['small', 'small.new', 'taken'], 'no draft of the second')
    assert.equal(
      codeOf(() => replaceFile(join(folder, 'no', 'such'), NEW)),
      'ENOENT',
    )
  }))

/** Replaces a file by whole files of one letter each, for ever; the first line says that it began. */
const CHILD = `
const { replaceFile } = await import(process.argv[1])
for (let at = 0; ; at += 1) {
  replaceFile(process.argv[2], Buffer.alloc(50_000, 97 + (at % 26)))
  if (at === 0) process.stdout.write('begun\\n')
}
`
test('[FILE-02] after kill -9 at any moment the file is one of those that were written, whole', () =>
  inFolder(async (_, path) => {
    for (const afterMs of [0, 3, 7, 13]) {
      const face = new URL('./index.ts', import.meta.url).href
      const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, face, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      child.kill('SIGKILL')
      await once(child, 'exit')
      const bytes = await readFile(path)
      assert.equal(bytes.length, 50_000)
      assert.ok(bytes.every((byte) => byte === bytes[0]))
      replaceFile(path, OLD) // whatever draft it left
    }
  }))

test('[FILE-01] a replaced file can be gone on with, by appending', () =>
  inFolder(async (_, path) => {
    const fd = replaceFileOpen(path, OLD)
    writeSync(fd, 'more\n')
    closeSync(fd)
    assert.equal(await readFile(path, 'utf8'), 'old\nmore\n')
  }))

test('[FILE-01] a new file takes the place of whatever stood there, and a full disk leaves none', () =>
  inFolder(async (folder, path) => {
    await writeFile(path, 'left by a crash', { mode: 0o644 })
    writeNewFile(path, NEW)
    assert.deepEqual(await readFile(path), NEW)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal(
      codeOf(() => writeNewFile(path, OLD, smallDisk(1, 1, true))),
      'ENOSPC',
    )
    assert.deepEqual(await readdir(folder), [])
  }))

test('[FILE-03] reading takes away the bits that let others at a file and says so once; no file is null', () =>
  inFolder(async (folder, path) => {
    assert.equal(readPrivateText(path), null)
    for (const [mode, loosened] of [
      [0o644, '644'],
      [0o660, '660'],
      [0o601, '601'],
      [0o600, null],
      [0o400, null],
    ] as const) {
      await writeFile(path, 'text')
      await chmod(path, mode)
      assert.deepEqual(readPrivateText(path), { text: 'text', loosened })
      assert.deepEqual(readPrivateText(path), { text: 'text', loosened: null })
      assert.equal((await stat(path)).mode & 0o077, 0)
      await rm(path)
    }
    assert.notEqual(
      codeOf(() => readPrivateText(folder)),
      null,
      'a folder is not a file',
    )
  }))

test('why a path cannot be used is told in plain words, with the part of it that is to blame', () =>
  inFolder(async (folder, path) => {
    await writeFile(path, '')
    await symlink(join(folder, 'nowhere'), join(folder, 'link'))
    const why = async (at: string, body: () => Promise<unknown>): Promise<string> => {
      const error: unknown = await body().then(
        () => null,
        (thrown: unknown) => thrown,
      )
      return whyNot(error, at)
    }
    const under = join(path, 'a/b')
    assert.equal(await why(under, () => readFile(under)), `${path} is a file where a folder belongs: move it away`)
    assert.equal(await why(path, () => mkdir(path)), `${path} is a file where a folder belongs: move it away`)
    assert.equal(await why(folder, () => readFile(folder)), 'a folder stands where a file belongs: move it away')
    const [gone, link] = [join(folder, 'gone'), join(folder, 'link')]
    assert.equal(await why(gone, () => readFile(gone)), 'it is not there: make it')
    const read = await readFile(gone).catch((thrown: unknown) => thrown)
    assert.equal(whyNotRead(read, gone), 'it is not there')
    const dangling = await readFile(link).catch((thrown: unknown) => thrown)
    assert.equal(whyNotRead(dangling, link), 'the link leads nowhere: correct or delete it')
    assert.equal(await why(link, () => readFile(link)), 'the link leads nowhere: correct or delete it')
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    assert.equal(whyNot(full, path), 'the disk is full: make room')
    assert.equal(whyNot(Object.assign(new Error('EODD: odd'), { code: 'EODD' }), path), 'EODD: odd')
    assert.equal(whyNot('odd', path), 'odd')
  }))

test('[FILE-01] a folder is made with those above it, for its owner; what is in the way is the error of the system, at once', () =>
  inFolder(async (folder) => {
    const deep = join(folder, 'a/b/c')
    makeFolder(deep)
    makeFolder(deep)
    assert.equal((await stat(deep)).mode & 0o777, 0o700)
    await writeFile(join(folder, 'file'), '')
    assert.match(String(codeOf(() => makeFolder(join(folder, 'file')))), /EEXIST/)
    assert.match(String(codeOf(() => makeFolder(join(folder, 'file/below')))), /ENOTDIR/)
    if (process.platform === 'linux') assert.match(String(codeOf(() => makeFolder('/proc/none/of/it'))), /ENOENT/)
  }))
