import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Disk, systemDisk, writeWhole } from './disk.ts'

/**
 * Puts these bytes in the place of the file, on the disk when it returns. After a throw the old file still stands; only
 * if the sync of the folder is what failed may it already be the new one.
 */
export function replaceFile(path: string, bytes: Uint8Array, disk: Disk = systemDisk): void {
  closeSync(replaceFileOpen(path, bytes, disk))
}

/** As {@link replaceFile}; gives back the new file, open for appending. Whoever gets it closes it. */
export function replaceFileOpen(path: string, bytes: Uint8Array, disk: Disk = systemDisk): number {
  const draft = `${path}.new`
  const fd = newFileOpen(draft, bytes, disk)
  try {
    renameSync(draft, path)
    syncFolder(dirname(path))
    return fd
  } catch (error) {
    closeSync(fd)
    rmSync(draft, { force: true })
    throw error
  }
}

/** Makes a file of these bytes, on the disk when it returns; one that stood there is removed first. Its name may be lost. */
export function writeNewFile(path: string, bytes: Uint8Array, disk: Disk = systemDisk): void {
  closeSync(newFileOpen(path, bytes, disk))
}

/** A name lasts once its folder is on the disk. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function newFileOpen(path: string, bytes: Uint8Array, disk: Disk): number {
  rmSync(path, { force: true }) // what a crash left
  const fd = openSync(path, 'ax', 0o600) // x: not through a link that somebody else put there
  try {
    writeWhole(disk, fd, bytes)
    disk.sync(fd)
    return fd
  } catch (error) {
    closeSync(fd)
    rmSync(path, { force: true }) // half a draft would fill a disk that is full already
    throw error
  }
}
