/**
 * files: small files that last, for their owner alone.
 *
 * In:  a path and all the bytes that shall stand there; or a path to read.
 * Out: the file, whole and on the disk when the call returns (0600), or the file as it was before: never something
 *      between, whatever a crash, a full disk or a power cut does. Text, with the bits that let others read it taken away.
 * A draft `PATH.new` that a crash left behind is replaced by the next write and read by nobody. One writer per path.
 *
 * Never: knows what a file means, logs, throws anything but the error of the system call.
 */
export { type Disk, systemDisk, writeWhole } from './disk.ts'
export { makeFolder } from './folder.ts'
export { keepPrivate, type PrivateText, readPrivateText } from './private.ts'
export { replaceFile, replaceFileOpen, syncFolder, writeNewFile } from './replace.ts'
export { whyNot, whyNotRead } from './why.ts'
