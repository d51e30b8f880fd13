/**
 * The tolerant assembler: everything that *any* client could rebuild from the bytes of an answer. It reads every framing,
 * joins deltas by index, by id, by position and in order, takes the first and the last of repeated members, and looks
 * for calls in members that the dialect does not define.
 */

/** Everything that some client could see in an answer. */
export type Rebuilt = {
  /** Names and argument texts of calls, by every way of joining. */
  readonly calls: readonly { readonly name: string; readonly args: string }[]
  /** All text of all channels, joined. */
  readonly text: string
}

/** Members whose text a person or a program may read. */
const TEXT_MEMBERS = new Set([
  'content',
  'refusal',
  'reasoning',
  'reasoning_content',
  'text',
  'thinking',
  'transcript',
  'message',
])

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** All events of a text, in any line ending; with data joined by LF and by nothing. */
function dataOf(text: string): readonly string[] {
  const out: string[] = []
  for (const block of text.replace(/^\uFEFF/, '').split(/\r\n\r\n|\n\n|\r\r|\r\n\r|\n\r\n/)) {
    const data = block
      .split(/\r\n|\r|\n/)
      .filter((line) => /^\s*data\s*:/i.test(line))
      .map((line) => line.replace(/^\s*data\s*: ?/i, ''))
    if (data.length > 0) out.push(data.join('\n'))
    if (data.length > 1) out.push(data.join(''), ...data)
  }
  return out
}

export function valuesOf(text: string): readonly unknown[] {
  const trimmed = text.trim()
  const whole = trimmed.startsWith('{') ? [trimmed] : []
  const values: unknown[] = []
  for (const data of [...whole, ...dataOf(text)]) {
    try {
      values.push(JSON.parse(data))
    } catch {
      // nobody can read it
    }
  }
  return values
}

/** Rebuilds the calls and the text of an answer. */
export function rebuild(text: string): Rebuilt {
  const joins = new Map<string, { names: string[]; args: string[] }>()
  const texts: string[] = []
  const join = (key: string, name: unknown, args: unknown): void => {
    const known = joins.get(key) ?? { names: [], args: [] }
    joins.set(key, known)
    if (typeof name === 'string' && name !== '') known.names.push(name)
    if (typeof args === 'string') known.args.push(args)
    else if (args !== undefined && args !== null) known.args.push(JSON.stringify(args))
  }
  const element = (choice: string, value: unknown, position: number): void => {
    if (!isObject(value)) return
    for (const member of ['function', 'custom', 'function_call']) {
      const inner = isObject(value[member]) ? value[member] : member === 'function' ? value : null
      if (inner === null || !isObject(inner)) continue
      const args = inner['arguments'] ?? inner['input'] ?? inner['args'] ?? inner['parameters']
      for (const key of [`index ${value['index']}`, `id ${value['id']}`, `place ${position}`, 'all']) {
        join(`${choice} ${key}`, inner['name'], args)
      }
    }
  }
  const walk = (value: unknown, choice: string): void => {
    if (Array.isArray(value)) {
      for (const item of value) walk(item, choice)
      return
    }
    if (!isObject(value)) return
    const here = typeof value['index'] === 'number' && 'finish_reason' in value ? String(value['index']) : choice
    for (const [key, member] of Object.entries(value)) {
      const word = key.toLowerCase().replace(/[^a-z]/g, '')
      if ((word === 'toolcalls' || word === 'toolcall' || word === 'functioncalls') && Array.isArray(member)) {
        for (const [position, item] of member.entries()) element(here, item, position)
      } else if (word === 'functioncall' && isObject(member)) {
        element(here, { function: member }, 0)
      } else if (
        isObject(member) &&
        typeof member['name'] === 'string' &&
        ('arguments' in member || 'input' in member)
      ) {
        element(here, member, 0)
      }
      if (typeof member === 'string' && TEXT_MEMBERS.has(key.toLowerCase())) texts.push(member)
      if (typeof member !== 'string') walk(member, here)
    }
  }
  for (const value of valuesOf(text)) walk(value, '0')
  const calls: { name: string; args: string }[] = []
  for (const { names, args } of joins.values()) {
    const readings = new Set([names.join(''), names[0] ?? '', names.at(-1) ?? ''])
    for (const name of readings) calls.push({ name, args: args.join('') })
    for (const one of args) calls.push({ name: names[0] ?? '', args: one })
  }
  return { calls, text: texts.join('') }
}
