import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditHead } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { readPrivateText, replaceFile, whyNot } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'

/** The newest signed head. */
export const HEAD_FILE = 'audit.head'
/** Ed25519, PKCS#8 in PEM, 0600. */
export const KEY_FILE = 'audit.key'
/** Its public half, for whoever verifies elsewhere. */
export const PUBLIC_KEY_FILE = 'audit.pub'

/** Heads are signed at most this often while lines come in. */
const HEAD_EVERY_MS = 1_000

/** SHA-256 of a public key (SPKI), base64url. */
export function fingerprintOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
}

/** Is the head signed by that key? */
export function isSigned({ signature, ...head }: AuditHead, key: KeyObject): boolean {
  return verify(null, textOf(head), key, Buffer.from(signature, 'base64url'))
}

function textOf({ stream, seq, hash, time }: Omit<AuditHead, 'signature'>): Buffer {
  return Buffer.from(`sallyport audit head 1\n${stream}\n${seq}\n${hash}\n${time}\n`)
}

/** The head of a text, or null when it is none. */
export function readHead(text: string): AuditHead | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { stream, seq, hash, time, signature } = Object.fromEntries(Object.entries(value))
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) return null
  if (typeof stream !== 'string' || typeof hash !== 'string') return null
  return typeof time === 'string' && typeof signature === 'string' ? { stream, seq, hash, time, signature } : null
}

/** How far the log goes; what a head says before it is signed. */
export type Reach = { readonly stream: string; readonly seq: number; readonly hash: string }

/** The audit key of a data folder, and the head that it signs. */
export class HeadFile {
  readonly #dir: string
  readonly #log: Log
  readonly #nowMs: () => number
  readonly #key: KeyObject
  /** Of the public key. */
  readonly fingerprint: string
  /** What stood there when it was opened, signed by this key; null = none. */
  readonly found: AuditHead | null
  #next: Reach | null = null
  #timer: NodeJS.Timeout | null = null
  #writing = false
  #writtenMs = Number.NEGATIVE_INFINITY
  #closed = false

  /** @throws SallyportError STATE_UNAVAILABLE: the key is gone or broken while there is a head that it signed. */
  constructor(dir: string, deps: { readonly log: Log; readonly nowMs: () => number }) {
    this.#dir = dir
    this.#log = deps.log
    this.#nowMs = deps.nowMs
    const [headPath, publicPath] = [join(dir, HEAD_FILE), join(dir, PUBLIC_KEY_FILE)]
    const head = naming(headPath, () => textIn(headPath))
    this.#key = openKey(dir, head !== null)
    const publicKey = createPublicKey(this.#key)
    this.fingerprint = fingerprintOf(publicKey)
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    naming(publicPath, () => {
      if (textIn(publicPath) !== pem) replaceFile(publicPath, Buffer.from(pem))
    })
    const read = head === null ? null : readHead(head)
    this.found = read !== null && isSigned(read, publicKey) ? read : null
    if (head !== null && this.found === null) deps.log.error('audit-head-invalid', { file: headPath })
  }

  /** Signs and writes it soon, off the main thread: what is told here is on the disk already. */
  reached(reach: Reach): void {
    this.#next = reach
    if (this.#timer !== null || this.#writing || this.#closed) return
    const waitMs = Math.max(0, this.#writtenMs + HEAD_EVERY_MS - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = null
      void this.#write()
    }, waitMs)
    this.#timer.unref()
  }

  /** Signs and writes it at once, as the last one. @throws SallyportError STATE_UNAVAILABLE */
  close(reach: Reach): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#next = null
    this.writeNow(reach)
  }

  /** Signs and writes it at once. @throws SallyportError STATE_UNAVAILABLE */
  writeNow(reach: Reach): void {
    const path = join(this.#dir, HEAD_FILE)
    naming(path, () => replaceFile(path, this.#signed(reach)))
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    const reach = this.#next
    if (reach === null) return
    this.#next = null
    this.#writing = true
    this.#writtenMs = performance.now()
    const draft = join(this.#dir, `${HEAD_FILE}.next`)
    try {
      const file = await openFile(draft, 'w', 0o600)
      try {
        await file.writeFile(this.#signed(reach))
        await file.sync()
      } finally {
        await file.close()
      }
      if (this.#closed) rmSync(draft, { force: true })
      else renameSync(draft, join(this.#dir, HEAD_FILE))
    } catch (error) {
      this.#log.warn('audit-head-unwritten', { error })
    }
    this.#writing = false
    if (this.#next !== null) this.reached(this.#next)
  }

  #signed(reach: Reach): Buffer {
    const head = { ...reach, time: new Date(this.#nowMs()).toISOString() }
    const signature = sign(null, textOf(head), this.#key).toString('base64url')
    return Buffer.from(`${JSON.stringify({ ...head, signature } satisfies AuditHead)}\n`)
  }
}

function openKey(dir: string, isNeeded: boolean): KeyObject {
  const path = join(dir, KEY_FILE)
  const read = naming(path, () => readPrivateText(path))
  const lost = (what: string, cause?: unknown): SallyportError =>
    new SallyportError(
      'STATE_UNAVAILABLE',
      `${path}: ${what}; put it back, or move audit* and verdicts* out of the folder to begin a new record`,
      { fields: { file: path }, cause },
    )
  if (read === null) {
    if (isNeeded) throw lost('the key that signed audit.head is gone')
    const { privateKey } = generateKeyPairSync('ed25519')
    naming(path, () => replaceFile(path, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))))
    return privateKey
  }
  try {
    const key = createPrivateKey(read.text)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw lost('it does not hold a key', cause)
  }
  throw lost('it holds a key of another kind than Ed25519')
}

/** Tells a fault of the system with the file that it is about. */
function naming<T>(path: string, use: () => T): T {
  try {
    return use()
  } catch (cause) {
    throw new SallyportError('STATE_UNAVAILABLE', `${path} cannot be used: ${whyNot(cause, path)}`, {
      fields: { file: path },
      cause,
    })
  }
}

/** The text of a small file; null = it is not there. */
export function textIn(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
