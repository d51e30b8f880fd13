import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Disk, systemDisk } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import { damaged, keepCaFile, keepCaFolder, readCaFile, writeCaFile } from './ca-file.ts'

/** Sealed keys: `DIR/keys/SLOT.sealed`, 0600. */
export type KeyStore = {
  readonly disk: Disk
  /** @throws SallyportError STATE_UNAVAILABLE */
  read(slot: string): Uint8Array
  write(slot: string, sealed: Uint8Array): void
  remove(slot: string): void
  /** Removes what a crash left behind: keys of no slot that is kept. */
  sweep(kept: ReadonlySet<string>): void
}

const KEYS = 'keys'
const SUFFIX = '.sealed'

/** Opens the store, and makes its folders (0700) where they are missing. */
export function newKeyStore(dir: string, { log, disk = systemDisk }: { readonly log: Log; disk?: Disk }): KeyStore {
  const folder = join(dir, KEYS)
  for (const each of [dir, folder]) keepCaFolder(each, log)
  const pathOf = (slot: string): string => join(folder, `${slot}${SUFFIX}`)
  for (const slot of sealedSlots(dir)) keepCaFile(pathOf(slot), log)
  const remove = (slot: string): void => rmSync(pathOf(slot), { force: true })
  return {
    disk,
    read: (slot) => {
      const sealed = readCaFile(pathOf(slot), log)
      if (sealed === null) throw damaged(pathOf(slot), 'the sealed key is gone')
      return sealed
    },
    write: (slot, sealed) => writeCaFile(pathOf(slot), sealed, disk, 'the sealed key of the CA'),
    remove,
    sweep: (kept) => {
      for (const slot of sealedSlots(dir)) if (!kept.has(slot)) remove(slot)
    },
  }
}

/** Slots whose sealed keys are in a folder of a CA; none when there is no such folder. */
export function sealedSlots(dir: string): readonly string[] {
  const folder = join(dir, KEYS)
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => (name.endsWith(SUFFIX) ? [name.slice(0, -SUFFIX.length)] : []))
}
