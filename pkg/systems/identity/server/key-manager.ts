import { createCipheriv, createDecipheriv } from 'node:crypto'
import { join } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { type Disk, readPrivateText, replaceFile, systemDisk, whyNot } from '#pkg/platform/files'
import type { RandomBytes } from '#pkg/platform/random'

/** Seals keys for a store that others may read. In a cluster the vault's; here a key in a file. */
export interface KeyManager {
  /** `name` is bound to the result: it opens under the same name only. */
  seal(name: string, bytes: Uint8Array): Promise<Uint8Array>
  /** @throws SallyportError STATE_UNAVAILABLE when it was not sealed here under that name */
  open(name: string, sealed: Uint8Array): Promise<Uint8Array>
}

const KEY_FILE = 'seal.key'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 1

/**
 * AES-256-GCM under a key in `DIR/seal.key` (0600), made at first use. A sealed key is version (1), nonce (12), tag (16),
 * ciphertext.
 */
export function newFileKeyManager(
  { random, disk = systemDisk }: { readonly random: RandomBytes; readonly disk?: Disk },
  dir: string,
): KeyManager {
  const path = join(dir, KEY_FILE)
  let key: Uint8Array | null = null
  return {
    seal: async (name, bytes) => {
      key ??= readKey(path) ?? makeKey(path, random, disk)
      const nonce = random(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
      const text = Buffer.concat([cipher.update(bytes), cipher.final()])
      return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), text])
    },
    open: async (name, sealed) => {
      key ??= readKey(path)
      if (key === null) throw unreadable(path, 'it is gone, so the keys of the CA cannot be opened')
      const head = 1 + NONCE_BYTES + TAG_BYTES
      if (sealed.length <= head || sealed[0] !== VERSION) throw unreadable(path, 'a sealed key is not of this version')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES))
        decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(1 + NONCE_BYTES, head))
        return Buffer.concat([decipher.update(sealed.subarray(head)), decipher.final()])
      } catch (cause) {
        throw unreadable(path, `it does not open the key of ${name}`, cause)
      }
    },
  }
}

function readKey(path: string): Uint8Array | null {
  const read = readPrivately(path)
  if (read === null) return null
  const key = Buffer.from(read.text.trim(), 'base64')
  if (key.length !== KEY_BYTES) throw unreadable(path, `it does not hold ${KEY_BYTES} bytes in base64`)
  return key
}

function readPrivately(path: string): ReturnType<typeof readPrivateText> {
  try {
    return readPrivateText(path)
  } catch (cause) {
    throw unreadable(path, `it cannot be read: ${whyNot(cause, path)}`, cause)
  }
}

function makeKey(path: string, random: RandomBytes, disk: Disk): Uint8Array {
  const key = Buffer.from(random(KEY_BYTES))
  try {
    replaceFile(path, Buffer.from(`${key.toString('base64')}\n`), disk)
  } catch (cause) {
    throw new SallyportError('STATE_UNAVAILABLE', `${path} cannot be written: ${whyNot(cause, path)}`, {
      fields: { file: path },
      cause,
    })
  }
  return key
}

function unreadable(path: string, what: string, cause?: unknown): SallyportError {
  return new SallyportError(
    'STATE_UNAVAILABLE',
    `the key that seals those of the CA, ${path}: ${what}; or put back a copy of the folder`,
    {
      fields: { file: path },
      cause,
    },
  )
}
