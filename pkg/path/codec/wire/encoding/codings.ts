import {
  type BrotliDecompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  type Gunzip,
  type Inflate,
  type ZstdDecompress,
} from 'node:zlib'

/** A coder of Node's zlib. `bytesWritten` counts the input that it has taken in. */
export type Coder = Gunzip | Inflate | BrotliDecompress | ZstdDecompress

/** The window that RFC 9659 allows for `zstd` on the wire: 8 MiB. The library's own bound is 128 MiB. */
const ZSTD_WINDOW_LOG_MAX = 23

/** Content codings → a new coder. `deflate` is RFC 1950 (zlib) as RFC 9110 §8.4.1.2 says; a raw one is corrupt. */
export const CODINGS: Readonly<Record<string, () => Coder>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } }),
}

/** True for a coding whose frames may follow each other, and whose coder stops behind the first one in a chunk. */
export function hasFrames(coding: string): boolean {
  return coding === 'zstd'
}
