import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { KeyManager } from './key-manager.ts'
import type { KeyStore } from './key-store.ts'

/** Signing keys that were opened, by slot: each once, unless it failed. */
export class OpenKeys {
  readonly #keys: KeyManager
  readonly #store: KeyStore
  readonly #opened = new Map<string, Promise<KeyObject>>()

  constructor(keys: KeyManager, store: KeyStore) {
    this.#keys = keys
    this.#store = store
  }

  /** @throws SallyportError STATE_UNAVAILABLE */
  of(slot: string): Promise<KeyObject> {
    const known = this.#opened.get(slot)
    if (known !== undefined) return known
    const opening = this.#open(slot)
    this.#opened.set(slot, opening)
    opening.catch(() => this.#opened.delete(slot))
    return opening
  }

  /** The key is gone, here and on the disk. */
  forget(slot: string): void {
    this.#opened.delete(slot)
    this.#store.remove(slot)
  }

  async #open(slot: string): Promise<KeyObject> {
    const bytes = await this.#keys.open(slot, this.#store.read(slot))
    return createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' })
  }
}
