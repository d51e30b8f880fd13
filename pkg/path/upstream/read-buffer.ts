import type { OnReadOpts, Socket } from 'node:net'

/** Node's own reader makes a buffer of 64 KiB for each read; a provider's connection is never read more than this at once. */
const READ_BYTES = 16 * 1024
/** Reads up to this size share a slab; what stays of a slab is at most its size. */
const SMALL_BYTES = 1024
const SLAB_BYTES = 8 * 1024

/**
 * Reads all connections of a process through one buffer, and hands on copies that are exactly as long as what was read.
 * A stream of tokens comes in small reads; a buffer per read, most of it empty, would be held for every answer whose
 * client is slow, and would be garbage that the collector does not feel.
 */
export function sharedReads(read: (bytes: number) => void): OnReadOpts {
  const copy = newCopier()
  return {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    // Node calls it as a method of the connection that has read, which is the only way to know which one that is
    callback(this: Socket, length: number, buffer: Uint8Array): boolean {
      read(length)
      return this.push(copy(buffer, length))
    },
  } as OnReadOpts // its type does not know of `this`
}

/** Copies that never share memory with Node's own pool, whose slabs are large and hold on to everyone's bytes. */
function newCopier(): (from: Uint8Array, length: number) => Buffer {
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  let used = 0
  return (from, length) => {
    let to: Buffer
    if (length > SMALL_BYTES) to = Buffer.allocUnsafeSlow(length)
    else {
      if (used + length > SLAB_BYTES) {
        slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
        used = 0
      }
      to = slab.subarray(used, used + length)
      used += length
    }
    to.set(length === from.length ? from : from.subarray(0, length))
    return to
  }
}
