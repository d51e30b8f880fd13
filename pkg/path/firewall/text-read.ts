import type { ArgumentForm, Reason } from '#pkg/model'
import type { NewJsonFollower } from './ports.ts'
import { isWellKnown, type TextTag } from './text-tags.ts'

/** One call out of a text. `end` is the offset behind its part of the text. */
export type WrittenCall = {
  readonly name: string
  readonly form: ArgumentForm
  readonly text: string
  readonly end: number
}

/** The calls of one text, or why they cannot be read in one way only. */
export type WrittenCalls =
  | { readonly ok: true; readonly calls: readonly WrittenCall[] }
  | { readonly ok: false; readonly reason: Reason }

/** What reading needs. */
export type ReadParts = {
  readonly newJson: NewJsonFollower
  readonly limits: { readonly depth: number; readonly bytes: number }
}

const UNKNOWN = { ok: false, reason: 'WIRE_UNKNOWN_SHAPE' } as const satisfies WrittenCalls

/** Reads a whole call text, from the first unit of its opening (which ends at `opened`) to its end. */
export function readCalls(parts: ReadParts, raw: string, tag: TextTag, opened: number): WrittenCalls {
  if (tag.kind === 'fence') return readFence(raw, tag.name, tag.mark, tag.run, opened)
  // `call:name{key:<escape>text<escape>}` looks like JSON to some readers only
  if (tag.kind === 'element' && /^start_/i.test(tag.name)) return UNKNOWN
  const body = tag.kind === 'element' ? elementBody(raw, opened) : { from: opened, to: raw.length, name: null }
  if (body === null) return UNKNOWN
  const single = tag.kind === 'element' && ['invoke', 'function', 'functionname'].includes(tag.name.toLowerCase())
  const found = single ? readElements(parts, raw, 0, raw.length) : readBody(parts, raw, body)
  const unread = found.ok ? found.calls.length === 0 : found.reason === UNKNOWN.reason
  if (unread && tag.kind === 'element' && tag.declared && !triesCall(tag.name, raw.slice(body.from, body.to))) {
    return { ok: true, calls: [{ name: tag.name, form: 'text', text: raw.slice(body.from, body.to), end: raw.length }] }
  }
  if (!found.ok) return found
  const last = found.calls.at(-1)
  return last === undefined ? UNKNOWN : { ok: true, calls: [...found.calls.slice(0, -1), { ...last, end: raw.length }] }
}

/** Could a lenient client take it for a call of the usual shapes, though it cannot be read here? */
function triesCall(word: string, inner: string): boolean {
  return isWellKnown(word) || /^\s*(?:[{<]|\[\s*[{["'])/.test(inner)
}

function readFence(raw: string, name: string, mark: string, run: number, opened: number): WrittenCalls {
  const line = raw.indexOf('\n', opened)
  const closing = raw.search(new RegExp(`[${mark}]{3,}$`))
  if (line === -1 || closing <= line) return UNKNOWN
  const before = raw.slice(line + 1, closing)
  // A closing that stands inside a line, or is shorter, ends the fence for some readers only.
  if (!/(?:^|\n) {0,3}$/.test(before) || raw.length - closing < run) return UNKNOWN
  return { ok: true, calls: [{ name, form: 'text', text: before.replace(/(?:^|\n) {0,3}$/, ''), end: raw.length }] }
}

type Body = { readonly from: number; readonly to: number; readonly name: string | null }

const OPENED = /[>＞﹥]/g

/** What stands between the tags of an element, and the name that its opening tag gives. */
function elementBody(raw: string, opened: number): Body | null {
  OPENED.lastIndex = opened
  const from = OPENED.exec(raw) === null ? 0 : OPENED.lastIndex
  const to = Math.max(raw.lastIndexOf('<'), raw.lastIndexOf('＜'), raw.lastIndexOf('﹤'))
  if (from === 0 || to < from) return null
  const attributes = raw.slice(opened, from - 1)
  if (/[{}<]/.test(attributes)) return null
  const named = /^\s*name\s*=\s*["']?([^"'\s]+)["']?\s*$/i.exec(attributes)
  return { from, to, name: named?.[1] ?? null }
}

function readBody(parts: ReadParts, raw: string, body: Body): WrittenCalls {
  const text = raw.slice(body.from, body.to)
  if (/^\s*<(?!\s*[|｜])/.test(text) || INNER.test(text)) return readElements(parts, raw, body.from, body.to)
  return readSequence(parts, raw, body)
}

/** `[name] JSON` again and again, with `;` `,` white space, tokens and fences of JSON between. */
function readSequence(parts: ReadParts, raw: string, body: Body): WrittenCalls {
  const calls: WrittenCall[] = []
  let names: readonly string[] = body.name === null ? [] : [body.name]
  for (let at = body.from; at < body.to; ) {
    SKIP.lastIndex = at
    at = SKIP.exec(raw) === null ? at : SKIP.lastIndex
    if (at >= body.to) break
    const unit = raw.charAt(at)
    if (unit === '{' || unit === '[') {
      const end = valueEnd(raw, at, body.to)
      const found = end === null ? UNKNOWN : readValue(parts, raw, { from: at, to: end, name: nameOf(names) })
      if (!found.ok || end === null) return found.ok ? UNKNOWN : found
      calls.push(...found.calls)
      names = []
      at = end
    } else {
      WORD.lastIndex = at
      const word = WORD.exec(raw)?.[0]
      if (word === undefined || at + word.length > body.to) return UNKNOWN
      if (names.length >= 2) return UNKNOWN
      names = [...names, word]
      at += word.length
    }
  }
  return names.length > 0 ? UNKNOWN : { ok: true, calls }
}

const SKIP = /(?:[\s;,]+|<[|｜][^|｜>]{0,64}[|｜]>|```(?:json)?|\[ARGS\])*/y
const WORD = /[^\s{}[\]<>;,"'`()]+/y

/** The tool's name among the words before its arguments: `name`, `function name` (DeepSeek), `functions.name:0` (Kimi). */
function nameOf(words: readonly string[]): string | null | undefined {
  if (words.length === 0) return null
  const word = words.length === 1 ? words[0] : words[0] === 'function' ? words[1] : undefined
  return word?.replace(/^functions\./, '').replace(/:\d+$/, '')
}

/** Behind the JSON value that begins at `at`, by its brackets alone. */
function valueEnd(raw: string, at: number, to: number): number | null {
  let depth = 0
  let inString = false
  for (let i = at; i < to; i += 1) {
    const unit = raw.charAt(i)
    if (inString) {
      if (unit === '\\') i += 1
      else if (unit === '"') inString = false
    } else if (unit === '"') inString = true
    else if (unit === '{' || unit === '[') depth += 1
    else if (unit === '}' || unit === ']') {
      depth -= 1
      if (depth === 0) return i + 1
    }
  }
  return null
}

type Value = { readonly from: number; readonly to: number; readonly name: string | null | undefined }

/** One JSON value: the arguments of a named call, a call, or a list of calls. */
function readValue(parts: ReadParts, raw: string, value: Value): WrittenCalls {
  const text = raw.slice(value.from, value.to)
  if (value.name === undefined) return UNKNOWN
  if (text.startsWith('[') && value.name === null) return readList(parts, raw, value)
  const follower = parts.newJson(parts.limits, {}, 'arguments')
  const fault = follower.push(text) ?? follower.end()
  if (fault !== null) return { ok: false, reason: fault.reason }
  if (value.name !== null) return { ok: true, calls: [{ name: value.name, form: 'json', text, end: value.to }] }
  const parsed: unknown = JSON.parse(text)
  const call = isRecord(parsed) ? callOf(parsed) : null
  return call === null ? UNKNOWN : { ok: true, calls: [{ ...call, form: 'json', end: value.to }] }
}

function readList(parts: ReadParts, raw: string, value: Value): WrittenCalls {
  const calls: WrittenCall[] = []
  let comma = true
  for (let at = value.from + 1; at < value.to - 1; ) {
    const unit = raw.charAt(at)
    if (unit === ',' && !comma) comma = true
    else if (unit === '{' && comma) {
      const end = valueEnd(raw, at, value.to - 1)
      const found = end === null ? UNKNOWN : readValue(parts, raw, { from: at, to: end, name: null })
      if (!found.ok || end === null) return found.ok ? UNKNOWN : found
      calls.push(...found.calls)
      comma = false
      at = end - 1
    } else if (!/\s/.test(unit)) return UNKNOWN
    at += 1
  }
  return { ok: true, calls }
}

const NAMES = ['name', 'tool', 'tool_name', 'function_name', 'recipient_name', 'action']
const ARGUMENTS = ['arguments', 'parameters', 'input', 'args', 'params', 'tool_input', 'action_input']

/** `{"name", "arguments"}` and its like, if there is one way only to read it. */
function callOf(value: Readonly<Record<string, unknown>>): { readonly name: string; readonly text: string } | null {
  const inner = value['function']
  const names = NAMES.filter((key) => typeof value[key] === 'string')
  if (isRecord(inner)) return names.length === 0 ? callOf(inner) : null
  if (typeof inner === 'string') names.push('function')
  const given = ARGUMENTS.filter((key) => Object.hasOwn(value, key))
  const name = value[names[0] ?? '']
  if (names.length !== 1 || given.length > 1 || typeof name !== 'string') return null
  const args = given[0] === undefined ? {} : value[given[0]]
  return { name, text: typeof args === 'string' ? args : (JSON.stringify(args) ?? '') }
}

/** `<invoke name="x"><parameter name="y">…`, `<function=x><parameter=y>…`, one or more, with nothing but space between. */
function readElements(parts: ReadParts, raw: string, from: number, to: number): WrittenCalls {
  const calls: WrittenCall[] = []
  for (let at = from; at < to; ) {
    ELEMENT.lastIndex = at
    const open = ELEMENT.exec(raw)
    if (open === null) return raw.slice(at, to).trim() === '' ? { ok: true, calls } : UNKNOWN
    const [whole, space = '', element = '', name = ''] = open
    const body = at + whole.length
    const close = new RegExp(`</\\s*(${SPACE})${element.toLowerCase()}\\s*>`, 'gi')
    close.lastIndex = body
    const closed = close.exec(raw)
    if (closed === null || closed.index + closed[0].length > to) return UNKNOWN
    if (closed[1]?.toLowerCase() !== space.toLowerCase()) return UNKNOWN
    const found = readParameters(parts, raw.slice(body, closed.index))
    if (found === null) return UNKNOWN
    at = closed.index + closed[0].length
    calls.push({ name, form: 'json', text: found, end: at })
  }
  return { ok: true, calls }
}

/** A namespace: `ns:`, or `｜DSML｜` of DeepSeek. */
const SPACE = '(?:[a-z_]{1,16}:|[|｜][a-z_]{1,16}[|｜])?'
const INNER = new RegExp(`^\\s*<${SPACE}(?:invoke|function)[\\s=]`, 'i')
const NAMED = `(?:\\s*=\\s*|\\s+name\\s*=\\s*)["']?([^"'\\s<>=]+)["']?`
const ELEMENT = new RegExp(`\\s*<(${SPACE})(invoke|function)${NAMED}\\s*>`, 'iy')
const PARAMETER = new RegExp(`\\s*<(${SPACE})parameter${NAMED}(?:\\s+string="(true|false)")?\\s*>`, 'iy')
const PARAMETER_END = new RegExp(`</\\s*(${SPACE})parameter\\s*>`, 'gi')
/** Whether an entity is decoded, and where nested tags end, differs from client to client. */
const DOUBTFUL = new RegExp(`&(?:#|[a-z]{2,6};)|<${SPACE}parameter`, 'i')

/** The arguments of one element as JSON, or null when some client could read them in another way. */
function readParameters(parts: ReadParts, body: string): string | null {
  if (/^\s*[{]/.test(body)) {
    const follower = parts.newJson(parts.limits, {}, 'arguments')
    return (follower.push(body) ?? follower.end()) === null ? body.trim() : null
  }
  const values = new Map<string, unknown>()
  for (let at = 0; body.slice(at).trim() !== ''; ) {
    PARAMETER.lastIndex = at
    const open = PARAMETER.exec(body)
    const [whole = '', space = '', name, string] = open ?? []
    if (open === null || name === undefined || values.has(name) || name === '__proto__') return null
    PARAMETER_END.lastIndex = at + whole.length
    const close = PARAMETER_END.exec(body)
    if (close?.[1]?.toLowerCase() !== space.toLowerCase()) return null
    const text = body.slice(at + whole.length, close.index)
    if (DOUBTFUL.test(text)) return null
    // only DeepSeek says which values are strings
    if (string !== undefined && !/[|｜]/.test(space)) return null
    values.set(name, string === 'true' ? text : parameterValue(text.replace(/^\n|\n$/g, '')))
    at = close.index + close[0].length
  }
  return JSON.stringify(Object.fromEntries(values))
}

/** Clients turn what reads as a number, a truth value or a structure into one. */
function parameterValue(text: string): unknown {
  if (!/^\s*(?:-?\d|true|false|null|[[{])/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
