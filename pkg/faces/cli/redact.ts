import { isReason, type VerdictRecord } from '#pkg/model'

/** Names as numbers: the same name is the same number within one report, and nothing tells which it was. */
export type Pseudonyms = (kind: 'agent' | 'tool' | 'policy', name: string | null) => string | null

/** Begins with none. */
export function newPseudonyms(): Pseudonyms {
  const known = new Map<string, string>()
  const counts = new Map<string, number>()
  return (kind, name) => {
    if (name === null) return null
    const key = `${kind} ${name}`
    const found = known.get(key)
    if (found !== undefined) return found
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    known.set(key, `${kind}-${count}`)
    return `${kind}-${count}`
  }
}

/** What of a text may be told: a word of a closed set that we wrote ourselves. */
const WORD = /^[A-Za-z][A-Za-z0-9-]{0,31}$/
const RULE = /^[A-Za-z.]{1,40}(?:\[\d{1,5}\])?(?:\.[A-Za-z.]{1,40}(?:\[\d{1,5}\])?)?$/
const ID = /^v_[A-Za-z0-9]{6,32}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/

/** A record without names and texts: each member is of a known shape, or it is left out. */
export function bareRecord(record: VerdictRecord, pseudonyms: Pseudonyms): Readonly<Record<string, unknown>> {
  const { id, time, dialect, direction, action, enforced, reasons, check, rule, us, generation, epoch } = record
  const word = (text: unknown): string | null => (typeof text === 'string' && WORD.test(text) ? text : null)
  const count = (value: unknown): number | null => (typeof value === 'number' ? value : null)
  return {
    id: ID.test(id) ? id : null,
    time: TIME.test(time) ? time : null,
    agent: pseudonyms('agent', record.agent),
    tool: pseudonyms('tool', record.tool),
    policy: pseudonyms('policy', record.policy),
    dialect: word(dialect),
    direction: word(direction),
    action: word(action),
    enforced: enforced === true,
    reasons: reasons.filter((reason) => isReason(String(reason))),
    check: word(check),
    rule: typeof rule === 'string' && RULE.test(rule) ? rule : null,
    us: count(us),
    generation: count(generation),
    epoch: count(epoch),
  }
}

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error']
const EVENT = /^[a-z][a-z0-9-]{0,47}$/
const NUMBER_FIELD = /^[A-Za-z]{1,32}$/
const CODE_FIELDS: readonly string[] = ['code', 'reason', 'signal']
const CODE = /^[A-Z][A-Z0-9_]{1,47}$/

/** A line of our log without its texts: level, time, event, numbers and codes. null = no line of ours. */
export function bareLogLine(line: string): Readonly<Record<string, unknown>> | null {
  const value = parsed(line)
  if (value === null) return null
  const { level, time, event } = value
  if (!LEVELS.includes(String(level)) || !EVENT.test(String(event))) return null
  const fields = Object.entries(value).filter(([name, field]) => {
    if (name === 'level' || name === 'time' || name === 'event') return false
    if (typeof field === 'number' || typeof field === 'boolean') return NUMBER_FIELD.test(name)
    return CODE_FIELDS.includes(name) && typeof field === 'string' && CODE.test(field)
  })
  return { level, time: TIME.test(String(time)) ? time : null, event, ...Object.fromEntries(fields) }
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}
