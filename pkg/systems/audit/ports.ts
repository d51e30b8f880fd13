import { fsync, fsyncSync, writeSync } from 'node:fs'

/** The system calls of an append. Tests put a full disk here. */
export type AuditDisk = {
  /** As `fs.writeSync`: may write less than all; the number of bytes written. */
  write(fd: number, bytes: Uint8Array): number
  /** As `fs.fsync`: off the main thread, one answer. */
  sync(fd: number, done: (error: Error | null) => void): void
  /** As `fs.fsyncSync`, for a file that is left: at rotation and at the end. */
  syncNow(fd: number): void
}

/** The disk of this machine. */
export const systemDisk: AuditDisk = { write: writeSync, sync: fsync, syncNow: fsyncSync }
