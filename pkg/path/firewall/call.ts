import { type ArgumentForm, type Finding, findingOf, type Limits } from '#pkg/model'
import { type ArgumentText, ArgumentTexts } from './argument-texts.ts'
import { earlySqlFinding } from './check-intent.ts'
import type { FirewallDeps, JsonFollower, SqlFollower } from './ports.ts'
import type { CompiledGrant, Rules } from './rules.ts'

/** Keys under which a tool that declares `sql.*` takes SQL. POLICY.md "Intents". */
const SQL_KEYS = ['query', 'sql', 'statement']

/** True for a key under which SQL stands, however it is written. */
export function isSqlKey(key: string | null): boolean {
  return key !== null && SQL_KEYS.includes(key.toLowerCase())
}

/** What a call needs to be followed. */
export type CallParts = {
  readonly deps: FirewallDeps
  readonly limits: Limits
  readonly rules: Rules
  readonly entries: readonly CompiledGrant[]
  readonly name: string
  /** The server that carries it out; empty for a call that a model proposes. */
  readonly server: string
  readonly form: ArgumentForm
}

/** A whole call that the wire check let through. */
export type WholeCall = {
  readonly args: Readonly<Record<string, unknown>>
  readonly texts: readonly ArgumentText[]
  /** UTF-8 bytes of the arguments as written: where findings about the whole stand. */
  readonly bytes: number
}

/** Follows the arguments of one call: the wire check while they arrive, and SQL whose class is fixed early. */
export class FollowedCall {
  readonly parts: CallParts
  readonly #texts = new ArgumentTexts()
  readonly #json: JsonFollower | null
  readonly #pieces: string[] = []
  readonly #sqlEarly: boolean
  #bytes = 0
  /** Half a pair at the end of the last piece, which is counted with its other half. */
  #half = ''
  #follower: SqlFollower | null = null
  #sqlUnits = 0
  #sqlBytes = 0
  #early: Finding | null = null
  #earlySaid = false

  constructor(parts: CallParts) {
    this.parts = parts
    this.#sqlEarly = parts.entries.length > 0 && parts.entries.every((entry) => entry.declaresSql)
    const { stringStart, stringPiece, stringEnd } = this.#texts.listener
    const own = { depth: parts.limits.jsonDepth, bytes: parts.limits.argumentBytes }
    this.#json =
      parts.form === 'text'
        ? null
        : parts.deps.newJson(
            own,
            {
              stringStart: (path) => {
                stringStart(path)
                this.#startSql(isSqlKey(this.#texts.key))
              },
              stringPiece: (text, at, end) => {
                stringPiece(text, at, end)
                this.#followSql(text, at, end)
              },
              stringEnd,
            },
            'arguments',
          )
    if (this.#json === null) this.#startSql(true)
  }

  /** More arguments; the earliest finding, if there is one. */
  delta(text: string): readonly Finding[] {
    this.#pieces.push(text)
    const start = this.#bytes
    this.#count(text)
    if (this.#json === null) this.#followSql(text, start, this.#bytes)
    const fault = this.#json === null ? null : this.#json.push(text)
    const wire = fault === null ? this.#tooLarge() : findingOf(fault.reason, fault.at, fault.detail)
    const early = this.#earlySaid ? null : this.#early
    this.#earlySaid ||= early !== null
    return first(wire, early)
  }

  /** The whole call, or the finding of the wire check that it does not pass. */
  whole():
    | { readonly ok: true; readonly call: WholeCall }
    | { readonly ok: false; readonly findings: readonly Finding[] } {
    const text = this.#pieces.join('')
    const refuse = (finding: Finding) => ({ ok: false, findings: [finding] }) as const
    if (this.#json === null) {
      if (!text.isWellFormed())
        return refuse(findingOf('WIRE_INVALID_UTF8', this.#bytes, 'holds half a surrogate pair'))
      const texts = [{ key: 'input', text, nested: false }]
      return { ok: true, call: { args: { input: text }, texts, bytes: this.#bytes } }
    }
    const fault = this.#json.end()
    if (fault !== null) return refuse(findingOf(fault.reason, fault.at, fault.detail))
    const args: unknown = JSON.parse(text)
    if (!isRecord(args))
      return refuse(findingOf('WIRE_ARGUMENT_SHAPE', this.#bytes, 'has arguments that are not a JSON object'))
    return { ok: true, call: { args, texts: this.#texts.texts, bytes: this.#bytes } }
  }

  #count(piece: string): void {
    const text = this.#half + piece
    const last = text.charCodeAt(text.length - 1)
    this.#half = last >= 0xd800 && last <= 0xdbff ? text.slice(-1) : ''
    this.#bytes += Buffer.byteLength(this.#half === '' ? text : text.slice(0, -1))
  }

  #tooLarge(): Finding | null {
    const { argumentBytes } = this.parts.limits
    if (this.#bytes <= argumentBytes) return null
    return findingOf('WIRE_ARGUMENT_TOO_LARGE', argumentBytes, `has arguments of more than ${argumentBytes} bytes`)
  }

  #startSql(named: boolean): void {
    this.#follower = this.#sqlEarly && named ? this.parts.deps.sql.follow() : null
    this.#sqlUnits = 0
    this.#sqlBytes = 0
  }

  /** `text` is a piece of SQL that stands in the source from byte `at` to `end`. */
  #followSql(text: string, at: number, end: number): void {
    if (this.#follower === null || this.#early !== null) return
    const bytes = Buffer.byteLength(text)
    const raw = bytes === end - at
    const room = this.parts.limits.sqlBytes - this.#sqlBytes
    const large = bytes > room ? this.#sqlTooLarge(raw ? at + room : end) : null
    this.#early = first(this.#classOf(text, at, raw ? null : end), large)[0] ?? null
    this.#sqlUnits += text.length
    this.#sqlBytes += bytes
  }

  /** Where a class is seen is where its word ended, so it does not depend on how the text was cut. */
  #classOf(text: string, at: number, whole: number | null): Finding | null {
    const { rules, entries } = this.parts
    const follower = this.#follower
    for (let seen = follower?.push(text) ?? null; seen !== null; seen = follower?.push('') ?? null) {
      const into = Math.min(Math.max(seen.at - this.#sqlUnits, 0), text.length)
      const byte = whole ?? at + Buffer.byteLength(text.slice(0, into))
      const finding = earlySqlFinding(rules, entries, seen, byte)
      if (finding !== null) return finding
    }
    return null
  }

  #sqlTooLarge(at: number): Finding | null {
    const source = this.parts.entries[0]?.grant.source
    const rule = source === undefined ? null : { policy: source.policy, path: `${source.path}.intents` }
    return findingOf('INTENT_SQL_TOO_LARGE', at, `has SQL of more than ${this.parts.limits.sqlBytes} bytes`, rule)
  }
}

/** The earlier of two findings; the first wins a tie. */
function first(left: Finding | null, right: Finding | null): readonly Finding[] {
  if (left === null || right === null) return left === null ? (right === null ? [] : [right]) : [left]
  return [right.at < left.at ? right : left]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
