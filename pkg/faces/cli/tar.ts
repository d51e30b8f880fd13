import { gzipSync } from 'node:zlib'

/** One file of an archive. `name` is at most 100 bytes of ASCII. */
export type TarFile = { readonly name: string; readonly bytes: Uint8Array }

const BLOCK = 512

/** The files as a ustar archive, compressed; 0600, without an owner. `seconds` since 1970 is the time of all of them. */
export function tarGz(files: readonly TarFile[], seconds: number): Uint8Array {
  const blocks = files.flatMap(({ name, bytes }) => [header(name, bytes.length, seconds), padded(bytes)])
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]))
}

function header(name: string, size: number, seconds: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0, 100, 'latin1')
  const numbers: readonly (readonly [value: number, at: number, digits: number])[] = [
    [0o600, 100, 7],
    [0, 108, 7],
    [0, 116, 7],
    [size, 124, 11],
    [Math.floor(seconds), 136, 11],
  ]
  for (const [value, at, digits] of numbers) block.write(value.toString(8).padStart(digits, '0'), at, digits, 'latin1')
  block.write('        0', 148, 9, 'latin1') // the sum counts its own place as spaces; type 0: a plain file
  block.write('ustar\u000000', 257, 8, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 8, 'latin1')
  return block
}

function padded(bytes: Uint8Array): Buffer {
  const block = Buffer.alloc(Math.ceil(bytes.length / BLOCK) * BLOCK)
  block.set(bytes)
  return block
}
