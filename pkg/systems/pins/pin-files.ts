import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { makeFolder, readPrivateText, replaceFile, whyNot } from '#pkg/platform/files'
import type { Pin, PinnedServer, PinnedTool } from './contract.ts'
import { canonical, digestOf } from './digest.ts'

/** Descriptors that are kept to tell differences by place; a larger one is pinned by its digest alone. */
const MAX_KEPT_BYTES = 64 * 1024

/** The pins of a data folder, one file for each server. Throws SallyportError STATE_UNAVAILABLE. */
export class PinFiles {
  readonly #dir: string
  #since = 0

  constructor(dataDir: string) {
    this.#dir = join(dataDir, 'pins')
  }

  /** The pin as it was last written; null = none. */
  read(server: PinnedServer): Pin | null {
    const path = this.#pathOf(server)
    try {
      const read = readPrivateText(path)
      const pin = read === null ? null : parse(read.text)
      if (pin !== null) this.#since = Math.max(this.#since, pin.since)
      return pin
    } catch (cause) {
      throw unavailable(path, 'cannot be read; put back a copy, or delete it so that the server is pinned anew', cause)
    }
  }

  /** Makes a pin last. */
  write(server: PinnedServer, pin: Pin): void {
    const path = this.#pathOf(server)
    const tools = Object.fromEntries([...pin.tools].map(([name, tool]) => [`=${name}`, keptOf(tool)]))
    const file = { version: 1, server, since: pin.since, digest: pin.digest, drifted: [...pin.drifted], tools }
    try {
      makeFolder(this.#dir)
      replaceFile(path, Buffer.from(`${JSON.stringify(file, null, 1)}\n`))
    } catch (cause) {
      throw unavailable(path, `cannot be written: ${whyNot(cause, path)}`, cause)
    }
  }

  /** A number above that of every pin so far. */
  nextSince(): number {
    if (this.#since === 0) for (const server of this.#others()) this.read(server)
    this.#since += 1
    return this.#since
  }

  #others(): readonly PinnedServer[] {
    try {
      return readdirSync(this.#dir)
        .map((file) => /^([^~]+)~([^~]+)\.json$/.exec(file))
        .filter((match) => match !== null)
        .map((match) => ({ namespace: match[1] ?? '', name: match[2] ?? '' }))
    } catch {
      return []
    }
  }

  #pathOf({ namespace, name }: PinnedServer): string {
    const plain = (text: string): string => encodeURIComponent(text).replaceAll('~', '%7E')
    return join(this.#dir, `${plain(namespace)}~${plain(name)}.json`)
  }
}

function keptOf({ digest, value }: PinnedTool): PinnedTool {
  return { digest, value: value === null || canonical(value).length > MAX_KEPT_BYTES ? null : value }
}

type Json = Readonly<Record<string, unknown>>

const objectOf = (value: unknown): Json => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object')
  return value as Json // checked in the line above
}

function parse(text: string): Pin {
  const file = objectOf(JSON.parse(text))
  const { version, since, digest, drifted } = file
  if (version !== 1 || typeof since !== 'number' || typeof digest !== 'string' || !Array.isArray(drifted))
    throw new Error('not a pin of this version')
  const tools = new Map<string, PinnedTool>()
  for (const [key, member] of Object.entries(objectOf(file['tools']))) {
    const tool = objectOf(member)
    const kept = typeof tool['digest'] === 'string' ? tool['digest'] : ''
    if (!key.startsWith('=') || !/^sha256:[0-9a-f]{64}$/.test(kept)) throw new Error('a tool without its digest')
    const value = tool['value'] ?? null
    if (value !== null && digestOf(value) !== kept) throw new Error('a tool that is not what its digest says')
    tools.set(key.slice(1), { digest: kept, value })
  }
  return { since, digest, drifted: new Set(drifted.map(String)), tools }
}

function unavailable(path: string, what: string, cause: unknown): SallyportError {
  return new SallyportError('STATE_UNAVAILABLE', `the pin ${path} ${what}`, { fields: { file: path }, cause })
}
