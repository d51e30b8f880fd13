import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { type Disk, replaceFile, systemDisk } from '#pkg/platform/files'

/** Sealed keys: `DIR/keys/SLOT.sealed`, 0600. */
export type KeyStore = {
  readonly disk: Disk
  read(slot: string): Uint8Array
  write(slot: string, sealed: Uint8Array): void
  remove(slot: string): void
  /** Removes what a crash left behind: keys of no slot that is kept. */
  sweep(kept: ReadonlySet<string>): void
}

const SUFFIX = '.sealed'

/** Opens the store, and makes its folders (0700) where they are missing. */
export function newKeyStore(dir: string, disk: Disk = systemDisk): KeyStore {
  const folder = join(dir, 'keys')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const pathOf = (slot: string): string => join(folder, `${slot}${SUFFIX}`)
  const remove = (slot: string): void => rmSync(pathOf(slot), { force: true })
  return {
    disk,
    read: (slot) => {
      try {
        return readFileSync(pathOf(slot))
      } catch (cause) {
        const path = pathOf(slot)
        const words = `${path}: the sealed key of the CA cannot be read; put back a copy of the folder`
        throw new SallyportError('STATE_UNAVAILABLE', words, { fields: { file: path }, cause })
      }
    },
    write: (slot, sealed) => replaceFile(pathOf(slot), sealed, disk),
    remove,
    sweep: (kept) => {
      for (const name of readdirSync(folder)) {
        const slot = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : null
        if (slot !== null && !kept.has(slot)) remove(slot)
      }
    },
  }
}
