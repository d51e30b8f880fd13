import { createCipheriv, createDecipheriv } from 'node:crypto'
import { join } from 'node:path'
import { type Disk, systemDisk } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import type { RandomBytes } from '#pkg/platform/random'
import { damaged, readCaFile, writeCaFile } from './ca-file.ts'
import { sealedSlots } from './key-store.ts'

/** Seals keys for a store that others may read. In a cluster the vault's; here a key in a file. */
export interface KeyManager {
  /** `name` is bound to the result: it opens under the same name only. */
  seal(name: string, bytes: Uint8Array): Promise<Uint8Array>
  /** @throws SallyportError STATE_UNAVAILABLE when it was not sealed here under that name */
  open(name: string, sealed: Uint8Array): Promise<Uint8Array>
}

/** The sealing key, in the folder of the CA. */
export const KEY_FILE = 'seal.key'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 1

/** What a key manager on files is made of. */
export type FileKeyManagerDeps = { readonly random: RandomBytes; readonly log: Log; readonly disk?: Disk }

/**
 * AES-256-GCM under a key in `DIR/seal.key` (0600), made at first use, and never beside keys that another one sealed. A
 * sealed key is version (1), nonce (12), tag (16), ciphertext.
 */
export function newFileKeyManager({ random, log, disk = systemDisk }: FileKeyManagerDeps, dir: string): KeyManager {
  const path = join(dir, KEY_FILE)
  let key: Uint8Array | null = null
  return {
    seal: async (name, bytes) => {
      key ??= readKey(path, log)
      if (key === null && sealedSlots(dir).length > 0)
        throw damaged(path, 'it is gone, and keys that it sealed are there')
      key ??= makeKey(path, random, disk)
      const nonce = random(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
      const text = Buffer.concat([cipher.update(bytes), cipher.final()])
      return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), text])
    },
    open: async (name, sealed) => {
      key ??= readKey(path, log)
      if (key === null) throw damaged(path, 'it is gone, so the keys of the CA cannot be opened')
      const head = 1 + NONCE_BYTES + TAG_BYTES
      if (sealed.length <= head || sealed[0] !== VERSION) throw damaged(path, 'a sealed key is not of this version')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES))
        decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(1 + NONCE_BYTES, head))
        return Buffer.concat([decipher.update(sealed.subarray(head)), decipher.final()])
      } catch (cause) {
        throw damaged(path, `it does not open the key of ${name}`, cause)
      }
    },
  }
}

/** In its one form: whatever else stands there is not what was written. */
function readKey(path: string, log: Log): Uint8Array | null {
  const text = readCaFile(path, log)?.toString('latin1') ?? null
  if (text === null) return null
  const key = Buffer.from(text, 'base64')
  if (key.length !== KEY_BYTES || textOf(key) !== text)
    throw damaged(path, `it does not hold ${KEY_BYTES} bytes in base64 and a line end`)
  return key
}

const textOf = (key: Buffer): string => `${key.toString('base64')}\n`

function makeKey(path: string, random: RandomBytes, disk: Disk): Uint8Array {
  const key = Buffer.from(random(KEY_BYTES))
  writeCaFile(path, Buffer.from(textOf(key)), disk, 'the key that seals those of the CA')
  return key
}
