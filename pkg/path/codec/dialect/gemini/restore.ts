import type { RefusedCalls, RequestView, RestoreRecord } from '#pkg/model'
import { elementSpans, type JsonSpan, valueSpan } from '#pkg/path/codec/wire/json'
import { asArray, asObject, type Json, refusalsIn } from '#pkg/path/codec/wire/shape'
import type { Original } from './call.ts'

/** A call and a result, in both spellings of JSON for protocol buffers. */
const CALL_KEYS = ['functionCall', 'function_call'] as const
const RESULT_KEYS = ['functionResponse', 'function_response'] as const

/** Refused calls put back in one request: more than any conversation tells of, and few enough to be quick. */
const MAX_RESTORED = 128

type Restored = { readonly record: RestoreRecord; readonly original: Original }
/** A result for the next content; `behind` counts the client's own results before it: results answer calls in order. */
type Result = { readonly behind: number; readonly text: string }
/** What a content becomes: other parts, by their place, and the results that the next content gets. */
type Change = { readonly parts: ReadonlyMap<number, string>; readonly results: readonly Result[] }
type Edit = { readonly at: number; readonly end: number; readonly text: string }

/**
 * Puts refused calls back in the place of the text parts that carry their refusals, each exactly as the provider wrote
 * it, and a result that holds the refusal at the beginning of the next content of the user; each call once. All other
 * bytes of the body stay as the client sent them. WIRE.md rule 11 (b).
 *
 * @returns the new body, or null when there is nothing to restore, or the body would grow beyond `maxBytes`.
 */
export function restore(view: RequestView, refused: RefusedCalls, maxBytes: number): Uint8Array | null {
  const contents = asArray(view.value?.['contents'])
  if (contents === null) return null
  const used = new Set<string>()
  const find = (id: string): RestoreRecord | null => {
    if (used.has(id) || used.size >= MAX_RESTORED) return null
    const record = refused.byVerdict(id)
    return record === null || record.original === '' ? null : record
  }
  const changes = new Map<number, Change>()
  for (const [place, entry] of contents.entries()) {
    const content = asObject(entry)
    const change = content?.['role'] === 'model' ? changeOf(content, find, used) : null
    if (change !== null) changes.set(place, change)
  }
  if (changes.size === 0) return null
  const text = new TextDecoder().decode(view.body)
  const edits = editsOf(text, contents, changes)
  const body = edits === null ? null : new TextEncoder().encode(spliced(text, edits))
  return body === null || body.length > maxBytes ? null : body
}

function changeOf(content: Json, find: (id: string) => RestoreRecord | null, used: Set<string>): Change | null {
  const parts = new Map<number, string>()
  const results: Result[] = []
  let behind = 0
  for (const [place, entry] of (asArray(content['parts']) ?? []).entries()) {
    const part = asObject(entry)
    if (part !== null && CALL_KEYS.some((key) => asObject(part[key]) !== null)) behind += 1
    const text = part?.['text']
    if (part === null || typeof text !== 'string') continue
    const found: Restored[] = []
    for (const record of refusalsIn(text, find)) {
      if (used.has(record.verdictId)) continue
      used.add(record.verdictId)
      found.push({ record, original: JSON.parse(record.original) as Original }) // written by `originalOf`
    }
    if (found.length === 0) continue
    parts.set(place, partsOf(part, text, found).join(','))
    results.push(...found.map((one) => ({ behind, text: resultOf(one) })))
  }
  return parts.size === 0 ? null : { parts, results }
}

/** The text before a refusal, the call, the text after it; the blank lines around a refusal were ours. */
function partsOf(part: Json, text: string, found: readonly Restored[]): readonly string[] {
  const out: string[] = []
  let from = 0
  const say = (stretch: string): void => {
    if (stretch !== '') out.push(JSON.stringify({ ...part, text: stretch }))
  }
  for (const { record, original } of found) {
    const at = text.indexOf(record.text, from)
    if (at === -1) continue
    const before = text.slice(from, at)
    say(before.endsWith('\n\n') ? before.slice(0, -2) : before)
    out.push(original.part)
    from = at + record.text.length
  }
  say(text.slice(from))
  return out
}

function resultOf({ record, original }: Restored): string {
  const { name, id } = original
  return JSON.stringify({
    functionResponse: { ...(id === null ? {} : { id }), name, response: { error: record.text } },
  })
}

/** What changes in the text of the body, in order. null = the body is not what its view says. */
function editsOf(text: string, contents: readonly unknown[], changes: ReadonlyMap<number, Change>): Edit[] | null {
  const spans = elementSpans(text, ['contents'])
  if (spans === null) return null
  const edits: Edit[] = []
  let results: Result[] = []
  for (const [place, span] of spans.entries()) {
    const content = asObject(contents[place])
    const whole = text.slice(span.start, span.end)
    if (results.length > 0 && content?.['role'] !== 'model') {
      edits.push(...resultEdits(whole, span, content, results))
      results = []
    }
    const change = changes.get(place)
    if (change === undefined) continue
    for (const [at, part] of (elementSpans(whole, ['parts']) ?? []).entries()) {
      const other = change.parts.get(at)
      if (other !== undefined) edits.push({ at: span.start + part.start, end: span.start + part.end, text: other })
    }
    results.push(...change.results)
  }
  const last = spans.at(-1)
  if (results.length > 0 && last !== undefined)
    edits.push({ at: last.end, end: last.end, text: `,${contentOf(results)}` })
  return edits
}

/** Each result stands behind those of the calls before it; a content without parts gets another before it. */
function resultEdits(whole: string, span: JsonSpan, content: Json | null, results: readonly Result[]): readonly Edit[] {
  const list = valueSpan(whole, ['parts'])
  const parts = asArray(content?.['parts'])
  const spans = elementSpans(whole, ['parts'])
  if (list === null || parts === null || spans === null) {
    return [{ at: span.start, end: span.start, text: `${contentOf(results)},` }]
  }
  const own = spans.filter((_, place) => RESULT_KEYS.some((key) => asObject(asObject(parts[place])?.[key]) !== null))
  const edits = new Map<number, string[]>()
  for (const { behind, text } of results) {
    const after = own[Math.min(behind, own.length) - 1]
    const at = span.start + (after?.end ?? list.start + 1)
    const before = edits.get(at) ?? []
    edits.set(at, [...before, text])
  }
  const first = span.start + list.start + 1
  return [...edits].map(([at, texts]) => {
    if (at !== first) return { at, end: at, text: `,${texts.join(',')}` }
    return { at, end: at, text: parts.length === 0 ? texts.join(',') : `${texts.join(',')},` }
  })
}

function contentOf(results: readonly Result[]): string {
  return `{"role":"user","parts":[${results.map(({ text }) => text).join(',')}]}`
}

function spliced(text: string, edits: readonly Edit[]): string {
  const pieces: string[] = []
  let from = 0
  for (const edit of edits) {
    pieces.push(text.slice(from, edit.at), edit.text)
    from = edit.end
  }
  pieces.push(text.slice(from))
  return pieces.join('')
}
