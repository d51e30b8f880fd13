import type { RefusedCalls, RequestView, RestoreRecord } from '#pkg/model'
import { elementSpans, valueSpan } from '#pkg/path/codec/wire/json'
import { asArray, asObject, asText, type Json, refusalsIn, verdictIdsIn } from '#pkg/path/codec/wire/shape'
import type { Original } from './block.ts'

/** Refused calls put back in one request: more than any conversation tells of, and few enough to be quick. */
const MAX_RESTORED = 128

/** A refused call, with what the provider wrote. */
type Refused = { readonly record: RestoreRecord; readonly original: Original }

/** What is put in the place of text from `start` to `end` of the body. */
type Change = { readonly start: number; readonly end: number; readonly text: string }

type Body = {
  readonly text: string
  readonly messages: readonly Json[]
  readonly spans: readonly { readonly start: number; readonly end: number }[]
}

/**
 * Puts refused calls back into the assistant messages that carry their refusals, block for block, and a result with
 * the refusal first into the user message that follows; each call once. Where the provider keeps the conversation
 * itself, only the results are added. All other bytes stay as the client sent them. WIRE.md rule 11.
 *
 * A refusal whose call is forgotten stays as text, and the thinking of its turn goes: it no longer fits.
 *
 * @returns the new body; null when there is nothing to restore, or the body would grow beyond `maxBytes`; `lost`
 *   when the provider goes on from an answer with refused calls that are forgotten.
 */
export function restore(view: RequestView, refused: RefusedCalls, maxBytes: number): Uint8Array | null | 'lost' {
  const messages = (asArray(view.value?.['messages']) ?? []).map((entry) => asObject(entry) ?? {})
  const kept = keptCalls(view, refused)
  if (kept === 'lost') return 'lost'
  if (kept.length === 0 && !messages.some(mentions)) return null
  const text = new TextDecoder().decode(view.body)
  const spans = elementSpans(text, ['messages'])
  if (spans === null || spans.length !== messages.length) return null
  const changes = changesOf({ text, messages, spans }, kept, refused)
  if (changes.length === 0) return null
  const body = new TextEncoder().encode(spliced(text, changes))
  return body.length > maxBytes ? null : body
}

/** Refused calls of the answer that the provider goes on from. */
function keptCalls(view: RequestView, refused: RefusedCalls): readonly Refused[] | 'lost' {
  const thread = asObject(view.value?.['thread'])
  const id = asText(thread?.['previous_message_id'])
  if (id === null) return []
  const records = refused.inAnswer(id)
  if (records === 'lost') return 'lost'
  const calls = records.map(refusedOf)
  return calls.includes(null) ? 'lost' : calls.filter((call) => call !== null)
}

function refusedOf(record: RestoreRecord): Refused | null {
  return record.original === '' ? null : { record, original: JSON.parse(record.original) as Original } // written by `original`
}

/** Could this message carry a refusal? */
function mentions(message: Json): boolean {
  if (message['role'] !== 'assistant') return false
  if (typeof message['content'] === 'string') return verdictIdsIn(message['content']).length > 0
  return (asArray(message['content']) ?? []).some((block) => verdictIdsIn(shownText(asObject(block) ?? {})).length > 0)
}

/** The text of a block that a refusal of ours could stand in. */
function shownText(block: Json): string {
  return asText(block[block['type'] === 'thinking' ? 'thinking' : 'text']) ?? ''
}

function changesOf(body: Body, kept: readonly Refused[], refused: RefusedCalls): readonly Change[] {
  const used = new Set(kept.map(({ record }) => record.verdictId))
  const find: RefusedCalls['byVerdict'] = (id) => {
    const record = used.has(id) || used.size >= MAX_RESTORED ? null : refused.byVerdict(id)
    return record === null || record.original === '' ? null : record
  }
  const changes: Change[] = []
  let due: readonly Refused[] = kept
  for (const [position, message] of body.messages.entries()) {
    if (due.length > 0) changes.push(resultsAt(body, position, due))
    due = []
    if (!mentions(message)) continue
    const restored = restoreMessage(body, position, find, used)
    changes.push(...restored.changes)
    due = restored.calls
  }
  const last = body.spans.at(-1)
  if (due.length > 0 && last !== undefined) {
    changes.push({ start: last.end, end: last.end, text: `,${userMessage(due)}` })
  }
  return changes
}

type Restored = { readonly changes: readonly Change[]; readonly calls: readonly Refused[] }

function restoreMessage(body: Body, position: number, find: RefusedCalls['byVerdict'], used: Set<string>): Restored {
  const message = body.messages[position] ?? {}
  const span = body.spans[position] ?? { start: 0, end: 0 }
  const own = body.text.slice(span.start, span.end)
  const calls: Refused[] = []
  const note = (record: RestoreRecord): Original | null => {
    const call = refusedOf(record)
    if (call === null) return null
    used.add(record.verdictId)
    calls.push(call)
    return call.original
  }
  if (typeof message['content'] === 'string') {
    const place = valueSpan(own, ['content'])
    const text = piecesOf(message['content'], {}, find, note)
    if (place === null || text === null) return { changes: [], calls }
    return { changes: [moved(place, span.start, `[${text}]`)], calls }
  }
  const changes = blockChanges(asArray(message['content']) ?? [], own, find, note)
  return { changes: changes.map((change) => moved(change, span.start, change.text)), calls }
}

function moved(place: { readonly start: number; readonly end: number }, by: number, text: string): Change {
  return { start: place.start + by, end: place.end + by, text }
}

type Noted = (record: RestoreRecord) => Original | null

function blockChanges(
  blocks: readonly unknown[],
  own: string,
  find: RefusedCalls['byVerdict'],
  note: Noted,
): readonly Change[] {
  const spans = elementSpans(own, ['content']) ?? []
  const texts = new Map<number, string | null>()
  let isLost = false
  for (const [position, entry] of blocks.entries()) {
    const block = asObject(entry) ?? {}
    const text = shownText(block)
    if (verdictIdsIn(text).length === 0) continue
    if (block['type'] === 'thinking') texts.set(position, null)
    else if (block['type'] === 'text') {
      const pieces = piecesOf(text, block, find, note)
      if (pieces !== null) texts.set(position, pieces)
      else isLost ||= isRefusalAlone(text)
    }
  }
  if (isLost) {
    for (const [position, entry] of blocks.entries()) if (isThinking(asObject(entry))) texts.set(position, null)
  }
  return withoutHoles(spans, texts)
}

const isThinking = (block: Json | null): boolean =>
  block?.['type'] === 'thinking' || block?.['type'] === 'redacted_thinking'

/** A block that is a refusal and nothing else stood for a call. */
function isRefusalAlone(text: string): boolean {
  const trimmed = text.trim()
  return trimmed.startsWith('sallyport: ') && verdictIdsIn(trimmed).some((id) => trimmed.endsWith(id))
}

/** Changes of elements of a list; null takes an element out, with its comma. A list is not emptied. */
function withoutHoles(
  spans: readonly { readonly start: number; readonly end: number }[],
  texts: ReadonlyMap<number, string | null>,
): readonly Change[] {
  const left = spans.filter((_, position) => texts.get(position) !== null)
  if (left.length === 0) return []
  const changes: Change[] = []
  let kept = 0
  for (const [position, span] of spans.entries()) {
    const text = texts.get(position)
    if (text === null) {
      const next = spans[position + 1]
      const before = spans[position - 1]
      // with the comma behind it while nothing has been kept before it, else with the comma before it
      if (kept === 0) changes.push({ start: span.start, end: next?.start ?? span.end, text: '' })
      else changes.push({ start: before?.end ?? span.start, end: span.end, text: '' })
      continue
    }
    kept += 1
    if (text !== undefined) changes.push({ ...span, text })
  }
  return changes
}

/** A text with refusals in it, as blocks: what stands between them stays text. null = there is none to put back. */
function piecesOf(text: string, block: Json, find: RefusedCalls['byVerdict'], note: Noted): string | null {
  const { cache_control: mark, ...rest } = block
  const out: string[] = []
  let from = 0
  let found = false
  const keep = (piece: string): void => {
    if (piece.trim() !== '') out.push(JSON.stringify({ ...rest, type: 'text', text: piece }))
  }
  for (const record of refusalsIn(text, find)) {
    const at = text.indexOf(record.text, from)
    const original = at === -1 ? null : note(record)
    if (original === null) continue
    found = true
    const before = text.slice(from, at)
    keep(before.endsWith('\n\n') ? before.slice(0, -2) : before)
    out.push(original.block)
    from = at + record.text.length
  }
  if (!found) return null
  keep(text.slice(from))
  const last = out.pop() ?? ''
  // the client's cache mark stands behind all of it
  return [...out, mark === undefined ? last : `${last.slice(0, -1)},"cache_control":${JSON.stringify(mark)}}`].join(',')
}

function resultOf({ record, original }: Refused): string {
  const toolset = original.toolset === null ? {} : { toolset_name: original.toolset }
  const result = { type: 'tool_result', tool_use_id: original.id, ...toolset, is_error: true, content: record.text }
  return JSON.stringify(result)
}

function userMessage(due: readonly Refused[]): string {
  return `{"role":"user","content":[${due.map(resultOf).join(',')}]}`
}

/** The results first in the user message at `position`, or in one of their own before it. */
function resultsAt(body: Body, position: number, due: readonly Refused[]): Change {
  const message = body.messages[position] ?? {}
  const span = body.spans[position] ?? { start: 0, end: 0 }
  const own = body.text.slice(span.start, span.end)
  const place = message['role'] === 'user' ? valueSpan(own, ['content']) : null
  if (place === null) return { start: span.start, end: span.start, text: `${userMessage(due)},` }
  const results = due.map(resultOf).join(',')
  const content = message['content']
  if (typeof content === 'string') {
    const rest = content === '' ? '' : `,${JSON.stringify({ type: 'text', text: content })}`
    return moved(place, span.start, `[${results}${rest}]`)
  }
  const list = asArray(content)
  if (list === null) return { start: span.start, end: span.start, text: `${userMessage(due)},` }
  const at = place.start + 1
  return moved({ start: at, end: at }, span.start, list.length === 0 ? results : `${results},`)
}

function spliced(text: string, changes: readonly Change[]): string {
  const ordered = [...changes].sort((a, b) => a.start - b.start)
  const out: string[] = []
  let from = 0
  for (const change of ordered) {
    if (change.start < from) continue
    out.push(text.slice(from, change.start), change.text)
    from = change.end
  }
  out.push(text.slice(from))
  return out.join('')
}
