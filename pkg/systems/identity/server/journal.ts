import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CA_SLOT_STATES, type CaSlotState } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import type { Disk } from '#pkg/platform/files'
import type { Log } from '#pkg/platform/log'
import { damaged, readCaFile, writeCaFile } from './ca-file.ts'
import { KEY_FILE } from './key-manager.ts'
import { sealedSlots } from './key-store.ts'
import type { AuthorityKind, Slot, SlotMove, SlotPublic } from './slots.ts'

/** One entry: what happened to the slots of one authority, all at once. */
export type JournalEntry = {
  /** RFC 3339. */
  readonly time: string
  readonly authority: AuthorityKind
  readonly by: string | null
  readonly reason: string | null
  /** What is known of a slot, with the move that makes it. */
  readonly made: Omit<Slot, 'state' | 'authority' | 'id'> | null
  readonly moves: readonly [SlotMove, ...SlotMove[]]
}

/** What the entries of a journal come to. */
export type JournalState = {
  readonly entries: readonly JournalEntry[]
  readonly slots: ReadonlyMap<string, Slot>
  /**
   * Of the bundle: grows with each entry, and is no less than its time in seconds, so that it is beyond what a journal said
   * that was lost since. 0 = there is no entry.
   */
  readonly sequence: number
}

const HEADER = 'sallyport ca journal 2'
const FILE = 'journal.jsonl'

/** Entries that are kept: a rotation a day for 20 years. */
const MAX_ENTRIES = 32_768

/** What a journal is opened with. */
export type JournalDeps = { readonly disk: Disk; readonly log: Log }

/**
 * The journal of a CA: `DIR/journal.jsonl`, a header, a line for each entry, and the sum of all that. It is replaced whole, so
 * that a crash leaves it before or after an entry, and what anything else made of it is seen.
 */
export class Journal {
  readonly #path: string
  readonly #disk: Disk
  readonly trustDomain: string
  #state: JournalState
  #isWritten: boolean

  /**
   * @throws SallyportError STATE_UNAVAILABLE: it cannot be read, is not as it was written, is of another trust domain, or is
   * gone while the keys that it told of are there
   */
  constructor(dir: string, trustDomain: string, { disk, log }: JournalDeps) {
    this.#path = join(dir, FILE)
    this.#disk = disk
    this.trustDomain = trustDomain
    const entries = readEntries(this.#path, trustDomain, log)
    if (entries === null && (sealedSlots(dir).length > 0 || existsSync(join(dir, KEY_FILE))))
      throw damaged(this.#path, 'it is gone, and keys of its CA are there')
    this.#isWritten = entries !== null
    this.#state = replay(entries ?? [], this.#path)
  }

  get state(): JournalState {
    return this.#state
  }

  /** The journal stands before the first key is made: keys without a journal are those of one that was lost. */
  begin(): void {
    if (!this.#isWritten) this.#write(this.#state)
  }

  /** On the disk when it returns; throws what the disk throws, and then it did not happen. */
  append(entry: JournalEntry): JournalState {
    const next = replay([...this.#state.entries, entry], this.#path)
    this.#write(next)
    this.#state = next
    return next
  }

  #write({ entries }: JournalState): void {
    const lines = [{ format: HEADER, trustDomain: this.trustDomain }, ...entries].map((each) => JSON.stringify(each))
    const text = `${lines.join('\n')}\n`
    writeCaFile(this.#path, Buffer.from(`${text}${sumLine(text)}`), this.#disk, 'the journal of the CA')
    this.#isWritten = true
  }
}

const sumLine = (text: string | Uint8Array): string =>
  `${JSON.stringify({ sum: createHash('sha256').update(text).digest('base64url') })}\n`
const SUM_BYTES = sumLine('').length

function readEntries(path: string, trustDomain: string, log: Log): readonly JournalEntry[] | null {
  const bytes = readCaFile(path, log)
  if (bytes === null) return null
  const text = bytes.subarray(0, -SUM_BYTES)
  const [head = '', ...lines] = text.toString('utf8').split('\n')
  const header = parsed(head)
  if (!isRecord(header) || header['format'] !== HEADER) throw broken(path, 1, 'it is no journal of this version')
  if (bytes.subarray(-SUM_BYTES).toString('latin1') !== sumLine(text) || lines.pop() !== '')
    throw damaged(path, 'it is not as it was written')
  if (header['trustDomain'] !== trustDomain) throw foreign(path, String(header['trustDomain']), trustDomain)
  return lines.map((line, at) => {
    const entry = readEntry(parsed(line))
    if (entry === null) throw broken(path, at + 2, 'the line is no entry')
    return entry
  })
}

function replay(entries: readonly JournalEntry[], path: string): JournalState {
  if (entries.length > MAX_ENTRIES) throw broken(path, MAX_ENTRIES + 2, `it has more than ${MAX_ENTRIES} entries`)
  const slots = new Map<string, Slot>()
  let sequence = 0
  for (const [at, { time, authority, made, moves }] of entries.entries()) {
    sequence = Math.max(sequence + 1, Math.floor(Date.parse(time) / 1_000))
    for (const { slot: id, from, to } of moves) {
      const before = slots.get(id)
      const known = before ?? (made === null ? null : { ...made, id, authority })
      if (known === null || (before?.state ?? null) !== from || known.authority !== authority)
        throw broken(path, at + 2, 'the move does not follow from those before')
      slots.set(id, { ...known, state: to })
    }
  }
  return { entries, slots, sequence }
}

function readEntry(value: unknown): JournalEntry | null {
  if (!isRecord(value)) return null
  const { time, authority, by, reason, made, moves } = value
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time)) || (authority !== 'X509' && authority !== 'Jwt'))
    return null
  if (!isTextOrNull(by) || !isTextOrNull(reason) || !Array.isArray(moves)) return null
  const [first, ...rest] = moves.map(readMove)
  const known = made === null ? null : readMade(made, authority)
  if (first === undefined || first === null || known === undefined) return null
  const list: [SlotMove, ...SlotMove[]] = [first]
  for (const move of rest) {
    if (move === null) return null
    list.push(move)
  }
  return { time, authority, by, reason, made: known, moves: list }
}

function readMove(value: unknown): SlotMove | null {
  if (!isRecord(value)) return null
  const { slot, from, to } = value
  if (typeof slot !== 'string' || !isState(to) || !(from === null || isState(from))) return null
  return { slot, from, to }
}

function readMade(value: unknown, authority: AuthorityKind): JournalEntry['made'] | undefined {
  if (!isRecord(value)) return undefined
  const { madeMs, notAfterMs, key } = value
  if (typeof madeMs !== 'number' || typeof notAfterMs !== 'number' || !isPublicKey(key, authority)) return undefined
  return { madeMs, notAfterMs, key }
}

function isPublicKey(value: unknown, authority: AuthorityKind): value is SlotPublic {
  if (!isRecord(value) || value['kind'] !== authority) return false
  const parts = authority === 'X509' ? ['root', 'issuer'] : ['n', 'e']
  return parts.every((part) => typeof value[part] === 'string')
}

function isState(value: unknown): value is CaSlotState {
  return typeof value === 'string' && (CA_SLOT_STATES as readonly string[]).includes(value) // a wider list to look in
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The folder is sound: it is the name that does not fit. */
function foreign(path: string, held: string, asked: string): SallyportError {
  const what = `the CA in ${dirname(path)} is of another trust domain, "${held.slice(0, 255)}", not "${asked}"`
  return new SallyportError(
    'STATE_UNAVAILABLE',
    `${what}; give --trust-domain ${held.slice(0, 255)}, or another data folder with --data`,
    { fields: { file: path } },
  )
}

const broken = (path: string, line: number, what: string): SallyportError => damaged(`${path}:${line}`, what)
