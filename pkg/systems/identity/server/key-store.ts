import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { type Disk, replaceFile, systemDisk, whyNot } from '#pkg/platform/files'

/** Sealed keys: `DIR/keys/SLOT.sealed`, 0600. */
export type KeyStore = {
  readonly disk: Disk
  /** @throws SallyportError STATE_UNAVAILABLE, as {@link KeyStore.write} */
  read(slot: string): Uint8Array
  write(slot: string, sealed: Uint8Array): void
  remove(slot: string): void
  /** Removes what a crash left behind: keys of no slot that is kept. */
  sweep(kept: ReadonlySet<string>): void
}

const SUFFIX = '.sealed'

/**
 * Opens the store, and makes its folders (0700) where they are missing.
 * @throws SallyportError STATE_UNAVAILABLE when they cannot be made.
 */
export function newKeyStore(dir: string, disk: Disk = systemDisk): KeyStore {
  const folder = join(dir, 'keys')
  makeFolder(folder)
  const pathOf = (slot: string): string => join(folder, `${slot}${SUFFIX}`)
  const remove = (slot: string): void => rmSync(pathOf(slot), { force: true })
  return {
    disk,
    read: (slot) => {
      try {
        return readFileSync(pathOf(slot))
      } catch (cause) {
        const path = pathOf(slot)
        const words = `${path}: the sealed key of the CA cannot be read: ${whyNot(cause, path)}; or put back a copy of the folder`
        throw new SallyportError('STATE_UNAVAILABLE', words, { fields: { file: path }, cause })
      }
    },
    write: (slot, sealed) => {
      try {
        replaceFile(pathOf(slot), sealed, disk)
      } catch (cause) {
        const path = pathOf(slot)
        const words = `the sealed key of the CA, ${path}, cannot be written: ${whyNot(cause, path)}`
        throw new SallyportError('STATE_UNAVAILABLE', words, { fields: { file: path }, cause })
      }
    },
    remove,
    sweep: (kept) => {
      for (const name of readdirSync(folder)) {
        const slot = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : null
        if (slot !== null && !kept.has(slot)) remove(slot)
      }
    },
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new SallyportError('STATE_UNAVAILABLE', `${folder} cannot be made: ${whyNot(cause, folder)}`, {
      fields: { folder },
      cause,
    })
  }
}
