import { fsyncSync, writeSync } from 'node:fs'

/** The two system calls that make a change last. Tests put a full disk here. */
export type Disk = {
  /** As `fs.writeSync`: may write less than all; the number of bytes written. */
  write(fd: number, bytes: Uint8Array): number
  /** As `fs.fsyncSync`. */
  sync(fd: number): void
}

/** The disk of this machine. */
export const systemDisk: Disk = { write: writeSync, sync: fsyncSync }

/** Writes all of it, however little the disk takes at a time. Throws what the disk throws, some bytes being written. */
export function writeWhole(disk: Pick<Disk, 'write'>, fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += disk.write(fd, bytes.subarray(at))
}
