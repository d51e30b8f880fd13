import { Buffer, isUtf8 } from 'node:buffer'
import type { Frame, Reason } from '#pkg/model'

/** What is known of the lines of a frame before it is read: blank lines and a comment alone are not counted. */
export type Block = {
  lines: number
  /** Where the first line ends, from the first byte of the frame. */
  firstEnd: number
}

/** A frame without lines so far. */
export function newBlock(): Block {
  return { lines: 0, firstEnd: 0 }
}

const DATA = Buffer.from('data:')
const BOM = '\ufeff'

/** Characters at which some line reader (Python's `str.splitlines`) ends a line, and NUL. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
const OTHER_LINE_ENDS = /[\0\v\f\x1c-\x1e\x85\u2028\u2029]/

/** What a careless reader would take off a field name before it compares. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
const BEFORE_NAME = /^[\s\x00-\x1f\x7f\p{Cf}]+/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
const BEHIND_NAME = /^[\s\x00-\x1f\x7f\p{Cf}]$/u

/** A large event with more lines is not read: each line costs, and one turn reads them all. */
const LARGE_BYTES = 1024 * 1024
const MAX_LINES = 1024

/** Reads a frame whose bytes are all here (one that begins with a line end is a blank line); a reason where clients could read it differently. */
export function readBlock(raw: Uint8Array, at: number, block: Block): Frame | Reason {
  if (raw[0] === 0x0a || raw[0] === 0x0d) return { kind: 'comment', raw, at }
  if (raw.length > LARGE_BYTES && block.lines > MAX_LINES) return 'WIRE_FRAME_TOO_LARGE'
  if (!isUtf8(raw)) return 'WIRE_FRAMING'
  if (block.lines === 1 && startsWithData(raw)) {
    const from = raw[DATA.length] === 0x20 ? DATA.length + 1 : DATA.length
    return { kind: 'event', raw, at, event: null, data: textOf(raw, from, block.firstEnd) }
  }
  return readLines(raw, at)
}

function startsWithData(raw: Uint8Array): boolean {
  for (let i = 0; i < DATA.length; i++) if (raw[i] !== DATA[i]) return false
  return true
}

function textOf(raw: Uint8Array, from: number, to: number): string {
  return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8', from, to)
}

/** Reads any number of lines. Several `event` fields: the last counts, as in every client. */
function readLines(raw: Uint8Array, at: number): Frame | Reason {
  const text = textOf(raw, 0, raw.length)
  let event = ''
  const data: string[] = []
  const lines = linesOf(at === 0 && text.startsWith(BOM) ? text.slice(1) : text)
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') data.push(value)
    else if (isRisky(line, name)) return 'WIRE_FRAMING'
    else if (name === 'event') event = value
  }
  if (data.length > 1 && hidesEvent(data)) return 'WIRE_FRAMING'
  if (data.length === 0 && event === '') return { kind: 'comment', raw, at }
  return { kind: 'event', raw, at, event: event === '' ? null : event, data: data.join('\n') }
}

/** The lines of a frame, each without its CR, LF or CRLF. A line may be large: only the line ends are looked for. */
function linesOf(text: string): readonly string[] {
  const lines: string[] = []
  let from = 0
  let cr = text.indexOf('\r')
  let lf = text.indexOf('\n')
  while (cr !== -1 || lf !== -1) {
    const at = lf === -1 || (cr !== -1 && cr < lf) ? cr : lf
    lines.push(text.slice(from, at))
    from = at === cr && lf === at + 1 ? at + 2 : at + 1
    if (cr !== -1 && cr < from) cr = text.indexOf('\r', from)
    if (lf !== -1 && lf < from) lf = text.indexOf('\n', from)
  }
  lines.push(text.slice(from))
  return lines
}

/**
 * True when one of several data lines is an event by itself. Readers that take each line alone would see it, while
 * the lines together may be a JSON text in which it is nothing but a value.
 */
function hidesEvent(data: readonly string[]): boolean {
  const filled = data.map((line) => line.trim()).filter((line) => line !== '')
  return filled.length > 1 && filled.some((line) => line === '[DONE]' || isObject(line))
}

function isObject(line: string): boolean {
  if (!line.startsWith('{') || !line.endsWith('}')) return false
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

const FIELDS: ReadonlySet<string> = new Set(['event', 'id', 'retry'])

/**
 * True for a line that is no data and that some client could take for data: another line hides in it behind a
 * separator that only some clients know, its name is that of a field but for case or what surrounds it, or it looks
 * like a line of JSON.
 */
function isRisky(line: string, name: string): boolean {
  if (OTHER_LINE_ENDS.test(line)) return true
  if (name === '' || FIELDS.has(name)) return false
  const bare = bareName(name).toLowerCase()
  return bare.startsWith('data') || FIELDS.has(bare) || /^[[{"]/.test(bare) || bare === ''
}

/** From the end character by character: an expression that is not held to the start would try at each of them. */
function bareName(name: string): string {
  const bare = name.replace(BEFORE_NAME, '')
  let end = bare.length
  for (let size = 1; end > 0; end -= size) {
    const unit = bare.charCodeAt(end - 1)
    size = unit >= 0xdc00 && unit <= 0xdfff ? 2 : 1
    if (!BEHIND_NAME.test(bare.slice(Math.max(0, end - size), end))) break
  }
  return bare.slice(0, Math.max(0, end))
}
