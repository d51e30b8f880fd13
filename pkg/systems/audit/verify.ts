import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditHead, EarlierFile } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { whyNot } from '#pkg/platform/files'
import { auditFilesIn } from './audit-folder.ts'
import { digestOf, linkOf, MAX_LINE_BYTES, NO_LINE } from './chain.ts'
import { fingerprintOf, HEAD_FILE, isSigned, PUBLIC_KEY_FILE, readHead, textIn } from './head.ts'
import { auditFilesOf } from './read-events.ts'

/** What may be wrong with a log. */
export const AUDIT_FAULTS = {
  UNREADABLE: 'a line is no event of this log',
  EDITED: 'a line is not as it was written',
  DELETED: 'lines are gone',
  REORDERED: 'a line stands where it was not written',
  TRUNCATED: 'the end of the log is gone',
  STREAM: 'a line belongs to another log',
  HEAD_MISSING: 'there is no signed head',
  HEAD_INVALID: 'the head is not signed by the audit key',
  KEY_CHANGED: 'the log was begun with another audit key',
  CHANGED_BEFORE: 'the log was already changed when a process opened it',
  EARLIER_CHANGED: 'a file of verdicts that an older version wrote is not as it was',
} as const

/** A key of {@link AUDIT_FAULTS}. */
export type AuditFaultCode = keyof typeof AUDIT_FAULTS

/** One thing that is wrong, by place. `line` counts from 1; null = the file as a whole. */
export type AuditFault = {
  readonly code: AuditFaultCode
  readonly file: string
  readonly line: number | null
  readonly message: string
}

/** What was found. `ok` = no fault. */
export type AuditVerification = {
  readonly ok: boolean
  readonly stream: string | null
  /** SHA-256 of the public key, base64url. */
  readonly key: string
  readonly files: number
  readonly events: number
  /** RFC 3339, of the first and the last event; null = there is none. */
  readonly from: string | null
  readonly to: string | null
  /** How far the signed head reaches; null = there is none that is valid. */
  readonly head: { readonly seq: number; readonly time: string } | null
  /** Events behind the head: chained, not signed yet. A process signs each second, and when it ends. */
  readonly unsigned: number
  /** Bytes of a last line that has no end. A crash leaves such; no id of it was given out, unless the log is TRUNCATED, too. */
  readonly torn: number
  /** Files of an older version that are pinned by this log. */
  readonly earlier: number
  /** The first {@link MAX_AUDIT_FAULTS}. */
  readonly faults: readonly AuditFault[]
  /** All of them. */
  readonly faultCount: number
}

/** Faults that are told one by one. */
export const MAX_AUDIT_FAULTS = 20

const LINE_FEED = 0x0a
/** In the place of a line that is too long to be an event. */
const TOO_LONG = Buffer.alloc(0)
const READ_BYTES = 64 * 1024
/** Two looks at a log that is being written may see it between two steps of a rotation. */
const LOOKS = 3

/**
 * Reads the whole log of a data folder, and says whether it is as it was written. It only reads, and needs no process.
 * `publicKey`: PEM of the audit key as it was kept elsewhere; default `DIR/audit.pub`, with which somebody who can write the
 * whole folder could have replaced everything.
 * @throws SallyportError ADMIN_NOT_FOUND: no log is there; RESOURCE_INVALID: the key is none; STATE_UNAVAILABLE: unreadable.
 */
export async function verifyAudit(
  dataDir: string,
  { publicKey }: { readonly publicKey?: string } = {},
): Promise<AuditVerification> {
  if (!existsSync(dataDir)) throw nothingIn(dataDir)
  try {
    for (let look = 1; ; look += 1) {
      const before = auditFilesIn(dataDir).own.length
      const found = await new Walk(dataDir, publicKey ?? null).verify()
      if (found.ok || look === LOOKS || auditFilesIn(dataDir).own.length === before) return found
    }
  } catch (cause) {
    throw cause instanceof SallyportError ? cause : unreadable(dataDir, cause)
  }
}

/**
 * That a data folder holds a log, or verdicts of an older version.
 * @throws SallyportError ADMIN_NOT_FOUND: there is none; STATE_UNAVAILABLE: the folder cannot be read.
 */
export function assertAuditLog(dataDir: string): void {
  if (!existsSync(dataDir)) throw nothingIn(dataDir)
  try {
    if (auditFilesOf(dataDir).length > 0) return
  } catch (cause) {
    throw unreadable(dataDir, cause)
  }
  throw nothingIn(dataDir)
}

type Place = { readonly file: string; readonly line: number }

class Walk {
  readonly #dir: string
  readonly #key: KeyObject
  readonly #head: AuditHead | null
  readonly #faults: AuditFault[] = []
  #faultCount = 0
  #seq = 0
  #prev = NO_LINE
  #events = 0
  #torn = 0
  #stream: string | null = null
  #from: string | null = null
  #to: string | null = null
  #earlier: readonly EarlierFile[] = []
  /** The line before, which the next one holds the digest of. */
  #before: Place | null = null

  constructor(dir: string, publicKey: string | null) {
    this.#dir = dir
    const pem = publicKey ?? textIn(join(dir, PUBLIC_KEY_FILE))
    if (pem === null) throw nothingIn(dir)
    this.#key = readKey(pem)
    this.#head = this.#readHead()
  }

  async verify(): Promise<AuditVerification> {
    const { own } = auditFilesIn(this.#dir)
    for (const [at, name] of own.entries()) await this.#walk(name, at === own.length - 1)
    const last = own.at(-1) ?? HEAD_FILE
    if (this.#head !== null && this.#head.seq > this.#seq)
      this.#fault('TRUNCATED', last, null, `ends at event ${this.#seq}, and the head was signed at ${this.#head.seq}`)
    if (this.#head !== null && this.#stream !== null && this.#head.stream !== this.#stream)
      this.#fault('STREAM', HEAD_FILE, null, 'is of another log')
    for (const file of this.#earlier) await this.#checkEarlier(file)
    return {
      ok: this.#faultCount === 0,
      stream: this.#stream,
      key: fingerprintOf(this.#key),
      files: own.length,
      events: this.#events,
      from: this.#from,
      to: this.#to,
      head: this.#head === null ? null : { seq: this.#head.seq, time: this.#head.time },
      unsigned: Math.max(0, this.#seq - (this.#head?.seq ?? 0)),
      torn: this.#torn,
      earlier: this.#earlier.length,
      faults: this.#faults,
      faultCount: this.#faultCount,
    }
  }

  #readHead(): AuditHead | null {
    const text = textIn(join(this.#dir, HEAD_FILE))
    if (text === null) {
      this.#fault('HEAD_MISSING', HEAD_FILE, null, 'is not there, so nobody can say where the log ended')
      return null
    }
    const head = readHead(text)
    if (head !== null && isSigned(head, this.#key)) return head
    this.#fault('HEAD_INVALID', HEAD_FILE, null, 'is not signed by this key')
    return null
  }

  async #walk(name: string, isGrowing: boolean): Promise<void> {
    let line = 0
    const bytes: AsyncIterable<Buffer> = createReadStream(join(this.#dir, name), { highWaterMark: READ_BYTES })
    let rest: Buffer[] = []
    let restBytes = 0
    for await (const chunk of bytes) {
      let start = 0
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
        const piece = chunk.subarray(start, at)
        line += 1
        const isLong = restBytes + piece.length > MAX_LINE_BYTES
        this.#line(name, line, isLong ? TOO_LONG : rest.length === 0 ? piece : Buffer.concat([...rest, piece]))
        rest = []
        restBytes = 0
        start = at + 1
      }
      restBytes += chunk.length - start
      if (restBytes > MAX_LINE_BYTES) rest = []
      else if (start < chunk.length) rest.push(chunk.subarray(start))
    }
    if (restBytes === 0) return
    if (isGrowing) this.#torn = restBytes
    else this.#fault('UNREADABLE', name, line + 1, 'has no end')
  }

  #line(file: string, line: number, bytes: Buffer): void {
    const expected = { seq: this.#seq + 1, prev: this.#prev }
    const value = parsed(bytes)
    const link = linkOf(value)
    const digest = digestOf(bytes)
    const before = this.#before
    this.#before = { file, line }
    this.#events += 1
    this.#prev = digest
    if (link === null) {
      this.#seq = expected.seq
      return this.#fault('UNREADABLE', file, line, 'is no event')
    }
    this.#seq = link.seq
    if (link.seq > expected.seq)
      this.#fault('DELETED', file, line, `is event ${link.seq}: ${link.seq - expected.seq} before it are gone`)
    else if (link.seq < expected.seq)
      this.#fault('REORDERED', file, line, `is event ${link.seq}, where ${expected.seq} was written`)
    else if (link.prev !== expected.prev) this.#edited(before, { file, line })
    if (this.#head?.seq === link.seq && this.#head.hash !== digest)
      this.#fault('EDITED', file, line, `is not event ${link.seq} as the head was signed`)
    this.#about(file, line, Object.fromEntries(Object.entries(value ?? {})))
  }

  /** Each line holds the digest of the one before: when they do not fit, it is that one which is not as it was. */
  #edited(before: Place | null, next: Place): void {
    const { file, line } = before ?? next
    const what = before === null ? 'begins with a "prev", which the first line has none of' : 'is not as it was written'
    const shown = before === null ? '' : `: ${next.file}:${next.line}, which holds its digest, does not follow from it`
    this.#fault('EDITED', file, line, what + shown)
  }

  #about(
    file: string,
    line: number,
    { kind, time, stream, key, found, earlier }: Readonly<Record<string, unknown>>,
  ): void {
    if (typeof time === 'string') {
      this.#from ??= time
      this.#to = time
    }
    if (kind !== 'open') {
      if (this.#events === 1) this.#fault('DELETED', file, line, 'is the first, and does not open the log')
      return
    }
    if (typeof stream === 'string') {
      if (this.#stream !== null && this.#stream !== stream) this.#fault('STREAM', file, line, 'opens another log')
      this.#stream ??= stream
    }
    if (key !== fingerprintOf(this.#key)) this.#fault('KEY_CHANGED', file, line, 'names another audit key')
    if (found === 'Changed' || found === 'HeadLost')
      this.#fault(
        'CHANGED_BEFORE',
        file,
        line,
        `was written by a process that found the log not as it was left (${found})`,
      )
    if (Array.isArray(earlier) && this.#events === 1) this.#earlier = earlier.filter(isEarlierFile)
  }

  async #checkEarlier({ file, bytes, sha256 }: EarlierFile): Promise<void> {
    const path = join(this.#dir, file)
    if (!existsSync(path)) return this.#fault('EARLIER_CHANGED', file, null, 'is gone')
    const digest = createHash('sha256')
    let size = 0
    const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: READ_BYTES })
    for await (const chunk of stream) {
      digest.update(chunk)
      size += chunk.length
    }
    if (size !== bytes || digest.digest('hex') !== sha256)
      this.#fault('EARLIER_CHANGED', file, null, `has ${size} bytes, where ${bytes} of another digest were pinned`)
  }

  #fault(code: AuditFaultCode, file: string, line: number | null, what: string): void {
    this.#faultCount += 1
    const at = line === null ? file : `${file}:${line}`
    if (this.#faults.length < MAX_AUDIT_FAULTS) this.#faults.push({ code, file, line, message: `${at} ${what}` })
  }
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line))
  } catch {
    return null
  }
}

function isEarlierFile(value: unknown): value is EarlierFile {
  if (typeof value !== 'object' || value === null) return false
  const { file, bytes, sha256 } = Object.fromEntries(Object.entries(value))
  return (
    typeof file === 'string' &&
    /^verdicts[-\d]*\.jsonl$/.test(file) &&
    typeof bytes === 'number' &&
    typeof sha256 === 'string'
  )
}

function readKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw new SallyportError('RESOURCE_INVALID', 'the audit key is no public key in PEM', { cause })
  }
  throw new SallyportError('RESOURCE_INVALID', 'the audit key is of another kind than Ed25519')
}

function unreadable(dir: string, cause: unknown): SallyportError {
  const why = whyNot(cause, dir)
  return new SallyportError('STATE_UNAVAILABLE', `the audit log in ${dir} cannot be read: ${why}`, { cause })
}

function nothingIn(dir: string): SallyportError {
  return new SallyportError('ADMIN_NOT_FOUND', `no audit log is in ${dir}; is it the data folder (--data)?`)
}
