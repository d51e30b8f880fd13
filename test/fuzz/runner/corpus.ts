import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const seeds = fileURLToPath(new URL('../corpus/', import.meta.url))
const found = fileURLToPath(new URL('../../../out/fuzz/', import.meta.url))

/** Most inputs that one target keeps beyond its seeds. */
export const MAX_FOUND = 500

/** The seeds of a target (in the repository), in the order of their names. */
export function seedsOf(target: string): readonly Uint8Array[] {
  return filesIn(join(seeds, target))
}

/** What earlier runs on this machine found (out/fuzz/NAME). */
export function foundBefore(target: string): readonly Uint8Array[] {
  return filesIn(join(found, target)).slice(0, MAX_FOUND)
}

/** Keeps an input for later runs on this machine. */
export function keepFound(target: string, bytes: Uint8Array): void {
  write(join(found, target), digest(bytes), bytes)
}

/** Keeps an input that failed with the seeds, so that every later run begins with it. Returns its path. */
export function keepFailure(target: string, bytes: Uint8Array): string {
  return write(join(seeds, target), `failed-${digest(bytes)}`, bytes)
}

function filesIn(folder: string): readonly Uint8Array[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)))
}

function write(folder: string, name: string, bytes: Uint8Array): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12)
}
