import type { RefusedCalls, RequestView, RestoreRecord } from '#pkg/model'
import { elementSpans, valueSpan } from '#pkg/path/codec/wire/json'
import { asArray, asObject, asText, type Json, refusalsIn } from '#pkg/path/codec/wire/shape'
import { REFUSAL_ID } from './refuse.ts'
import { answeredBy, resultsOf } from './results.ts'
import type { Original } from './slot.ts'

/** Refused calls put back in one request: more than any conversation tells of, and few enough to be quick. */
const MAX_RESTORED = 128

/** What becomes of the items of the input, by their place. */
type Changes = {
  /** Items in the place of one; none = it goes. */
  readonly instead: Map<number, readonly Json[]>
  readonly after: Map<number, Json[]>
  /** Before all of them. */
  front: readonly Json[]
}

/** A refused call and the refusal as its result. */
type Pair = { readonly item: Json; readonly index: number; readonly results: readonly Json[]; readonly text: string }

/**
 * Puts refused calls back: where the client sends its items itself, in the place of the messages that carry their
 * refusals; where it names an answer (or a conversation) that the provider keeps, by their results alone, which the
 * provider waits for. All other bytes of the body stay as the client sent them. WIRE.md rule 11.
 *
 * @returns the new body; null when there is nothing to restore, or the body would grow beyond `maxBytes`; `lost` when
 * what the request goes on from is forgotten.
 */
export function restore(view: RequestView, refused: RefusedCalls, maxBytes: number): Uint8Array | null | 'lost' {
  const { value } = view
  if (value === null) return null
  const changes: Changes = { instead: new Map(), after: new Map(), front: [] }
  const items = (asArray(value['input']) ?? []).map(asObject)
  if (!changeItems(items, refused, changes)) return 'lost'
  const conversation = conversationOf(value)
  for (const id of [asText(value['previous_response_id']), conversation]) {
    const results = id === null ? [] : pendingResults(id, items, refused)
    if (results === null) return 'lost'
    // an answer may be gone on from in several ways, a conversation in one
    if (id !== null && id === conversation && view.endpoint.name === 'responses') refused.answering?.(id)
    if (results.length > 0) changes.front = [...changes.front, ...results]
  }
  if (changes.instead.size === 0 && changes.front.length === 0) return null
  const text = rewrite(new TextDecoder().decode(view.body), value, changes)
  const body = text === null ? null : new TextEncoder().encode(text)
  return body === null || body.length > maxBytes ? null : body
}

/** The conversation that a request goes on with. */
function conversationOf(value: Json): string | null {
  return asText(value['conversation']) ?? asText(asObject(value['conversation'])?.['id'])
}

function pairOf(record: RestoreRecord): Pair | null {
  if (record.original === '') return null
  const { item, index } = JSON.parse(record.original) as Original // written by `original`
  const results = item === null ? null : resultsOf(item, record.text)
  return item === null || results === null ? null : { item, index: index ?? 0, results, text: record.text }
}

/** Results that the provider waits for; null = they are forgotten. */
function pendingResults(id: string, items: readonly (Json | null)[], refused: RefusedCalls): readonly Json[] | null {
  const records = refused.inAnswer(id)
  if (records === 'lost' || records.some(({ original }) => original === '')) return null
  const answered = new Set(items.map((item) => (item === null ? null : answeredBy(item))))
  const results: Json[] = []
  for (const record of records) {
    const pair = pairOf(record)
    const call = pair?.results[0] === undefined ? null : answeredBy(pair.results[0])
    if (pair === null || call === null || answered.has(call)) continue
    answered.add(call)
    results.push(...pair.results)
  }
  return results
}

/** Notes what becomes of each item. False = a reference to a refusal that is forgotten. */
function changeItems(items: readonly (Json | null)[], refused: RefusedCalls, changes: Changes): boolean {
  const used = new Set<string>()
  const find = (id: string): RestoreRecord | null =>
    used.has(id) || used.size >= MAX_RESTORED ? null : refused.byVerdict(id)
  const turns = turnsOf(items)
  const forgotten = new Set<number>()
  for (const [position, item] of items.entries()) {
    if (item === null) continue
    const id = asText(item['id']) ?? ''
    const ours = id.startsWith(REFUSAL_ID)
    const turn = turns[position] ?? position
    if (item['type'] === 'item_reference') {
      if (!ours) continue
      const record = refused.byVerdict(id.slice(REFUSAL_ID.length))
      const pair = record === null ? null : pairOf(record)
      if (pair === null) return false
      change({ position, turn }, [pair], null, changes)
    } else if (item['role'] === 'assistant') {
      const pairs = pairsIn(item, find, used)
      if (pairs.length > 0) change({ position, turn }, pairs, without(item, pairs, ours), changes)
      else if (ours && used.has(id.slice(REFUSAL_ID.length))) changes.instead.set(position, [withoutId(item)])
      else if (ours) forgotten.add(turn)
    }
  }
  if (forgotten.size > 0) forget(items, turns, forgotten, changes)
  return true
}

function pairsIn(item: Json, find: (id: string) => RestoreRecord | null, used: Set<string>): readonly Pair[] {
  const pairs: Pair[] = []
  for (const text of textsIn(item['content'])) {
    for (const record of refusalsIn(text, find)) {
      const pair = pairOf(record)
      if (pair === null) continue
      used.add(record.verdictId)
      pairs.push(pair)
    }
  }
  return pairs.sort((a, b) => a.index - b.index)
}

/** Calls in the place of an item; their results behind the last item of that turn, as if the client had run them. */
function change(
  { position, turn }: { readonly position: number; readonly turn: number },
  pairs: readonly Pair[],
  rest: Json | null,
  { instead, after }: Changes,
): void {
  const calls = pairs.map(({ item }) => item)
  instead.set(position, rest === null ? calls : [rest, ...calls])
  const results = after.get(turn) ?? []
  results.push(...pairs.flatMap((pair) => pair.results))
  after.set(turn, results)
}

/**
 * A refusal whose call is forgotten stays as text. The provider knows no answer of that shape: what it thought in that
 * turn, and the ids of the turn, go.
 */
function forget(
  items: readonly (Json | null)[],
  turns: readonly number[],
  forgotten: ReadonlySet<number>,
  { instead }: Changes,
): void {
  for (const [position, item] of items.entries()) {
    if (item === null || !forgotten.has(turns[position] ?? position)) continue
    const type = item['type']
    const thought = type === 'item_reference' && (asText(item['id']) ?? '').startsWith('rs_')
    if (type === 'reasoning' || thought) instead.set(position, [])
    else {
      const before = instead.get(position) ?? [item]
      const after = before.map(nameless)
      if (after.some((each, at) => each !== before[at])) instead.set(position, after)
    }
  }
}

/** Items that the provider takes without an id lose it. */
function nameless(item: Json): Json {
  return item['id'] !== undefined && NAMELESS.has(String(item['type'] ?? 'message')) ? withoutId(item) : item
}

/** Items that the provider takes without an id. */
const NAMELESS = new Set(['message', 'function_call', 'custom_tool_call'])

function withoutId({ id: _, ...item }: Json): Json {
  return item
}

/** For each item the place of the last one that was made in the same answer; its own for what no model made. */
function turnsOf(items: readonly (Json | null)[]): readonly number[] {
  const turns: number[] = new Array<number>(items.length)
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const goesOn = isMade(items[at]) && isMade(items[at + 1])
    turns[at] = goesOn ? (turns[at + 1] ?? at) : at
  }
  return turns
}

/** True for what only a model makes. */
function isMade(item: Json | null | undefined): boolean {
  if (item === null || item === undefined) return false
  const type = asText(item['type'])
  if (type === null || type === 'message') return item['role'] === 'assistant'
  return (
    type === 'reasoning' ||
    type === 'item_reference' ||
    type === 'program' ||
    /_(?:call|request|list_tools)$/.test(type)
  )
}

function textsIn(content: unknown): readonly string[] {
  if (typeof content === 'string') return [content]
  return (asArray(content) ?? []).flatMap((part) => {
    const object = asObject(part)
    return [part, object?.['text'], object?.['refusal']].filter((text) => typeof text === 'string')
  })
}

/** The message without the refusals that it carried; null = nothing is left. */
function without(item: Json, pairs: readonly Pair[], ours: boolean): Json | null {
  const content = item['content']
  const kept = ours ? withoutId(item) : item
  if (typeof content === 'string') {
    const left = cut(content, pairs)
    return left === '' ? null : { ...kept, content: left }
  }
  const parts = (asArray(content) ?? []).flatMap((part) => {
    const object = asObject(part)
    const member = typeof object?.['refusal'] === 'string' ? 'refusal' : 'text'
    const text = object?.[member]
    if (object === null || typeof text !== 'string') return typeof part === 'string' ? [cut(part, pairs)] : [part]
    const left = cut(text, pairs)
    return left === '' ? [] : [{ ...object, [member]: left }]
  })
  return parts.every((part) => part === '') ? null : { ...kept, content: parts }
}

/** The text without the refusals and the blank line before each. */
function cut(text: string, pairs: readonly Pair[]): string {
  let out = text
  for (const { text: refusal } of pairs) {
    const at = out.indexOf(refusal)
    if (at === -1) continue
    const from = out.slice(0, at).endsWith('\n\n') ? at - 2 : at
    const rest = out.slice(at + refusal.length)
    out = out.slice(0, from) + (from === 0 && rest.startsWith('\n\n') ? rest.slice(2) : rest)
  }
  return out
}

/** The body with its input changed. */
function rewrite(text: string, value: Json, changes: Changes): string | null {
  const front = changes.front.map((item) => JSON.stringify(item))
  const { input } = value
  if (asArray(input) !== null) return rewriteList(text, front, changes)
  const own = typeof input === 'string' ? [JSON.stringify({ type: 'message', role: 'user', content: input })] : []
  const list = `[${[...front, ...own].join(',')}]`
  const span = valueSpan(text, ['input'])
  if (span !== null) return text.slice(0, span.start) + list + text.slice(span.end)
  const open = text.indexOf('{') + 1
  return `${text.slice(0, open)}"input":${list},${text.slice(open)}`
}

function rewriteList(text: string, front: readonly string[], changes: Changes): string | null {
  const spans = elementSpans(text, ['input'])
  const list = valueSpan(text, ['input'])
  if (spans === null || list === null) return null
  const elements: string[] = [...front]
  const gaps: string[] = front.map(() => ',')
  for (const [position, span] of spans.entries()) {
    const made = changes.instead.get(position)?.map((item) => JSON.stringify(item)) ?? [
      text.slice(span.start, span.end),
    ]
    const after = (changes.after.get(position) ?? []).map((item) => JSON.stringify(item))
    const all = [...made, ...after]
    if (all.length === 0) continue
    const next = spans[position + 1]
    elements.push(...all)
    gaps.push(...all.slice(1).map(() => ','), next === undefined ? '' : text.slice(span.end, next.start))
  }
  const head = text.slice(0, spans[0]?.start ?? list.start + 1)
  const tail = text.slice(spans.at(-1)?.end ?? list.end - 1)
  const body = elements.map((element, at) => element + (at === elements.length - 1 ? '' : (gaps[at] ?? ','))).join('')
  return head + body + tail
}
