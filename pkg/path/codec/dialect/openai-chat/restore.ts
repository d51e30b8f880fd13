import type { RefusedCalls, RequestView, RestoreRecord } from '#pkg/model'
import { elementSpans } from '#pkg/path/codec/wire/json'
import { asArray, asObject, type Json, refusalsIn } from '#pkg/path/codec/wire/shape'
import type { Original } from './call.ts'

type Restored = { readonly message: Json; readonly results: readonly Json[] }

/** Refused calls put back in one request: more than any conversation tells of, and few enough to be quick. */
const MAX_RESTORED = 128

type Find = RefusedCalls['byVerdict']

/**
 * Puts refused calls back into the assistant messages that carry their refusals, each followed by a result that
 * holds the refusal; each call once. All other bytes of the body stay as the client sent them. WIRE.md rule 11 (b).
 *
 * @returns the new body, or null when there is nothing to restore, or the body would grow beyond `maxBytes`.
 */
export function restore(view: RequestView, refused: RefusedCalls, maxBytes: number): Uint8Array | null {
  const messages = asArray(view.value?.['messages'])
  if (messages === null) return null
  const changes = new Map<number, Restored>()
  const used = new Set<string>()
  for (const [position, entry] of messages.entries()) {
    const message = asObject(entry)
    const restored = message?.['role'] === 'assistant' ? restoreMessage(message, refused.byVerdict, used) : null
    if (restored !== null) changes.set(position, restored)
  }
  if (changes.size === 0) return null
  const body = splice(new TextDecoder().decode(view.body), changes)
  return body === null || body.length > maxBytes ? null : body
}

function splice(text: string, changes: ReadonlyMap<number, Restored>): Uint8Array | null {
  const spans = elementSpans(text, ['messages'])
  if (spans === null) return null
  const pieces: string[] = []
  let from = 0
  for (const [position, span] of spans.entries()) {
    const change = changes.get(position)
    if (change === undefined) continue
    pieces.push(text.slice(from, span.start))
    pieces.push([change.message, ...change.results].map((message) => JSON.stringify(message)).join(','))
    from = span.end
  }
  pieces.push(text.slice(from))
  return new TextEncoder().encode(pieces.join(''))
}

function restoreMessage(message: Json, find: Find, used: Set<string>): Restored | null {
  const found = new Map<string, RestoreRecord>()
  const fresh: Find = (id) => (used.has(id) || used.size >= MAX_RESTORED ? null : find(id))
  for (const text of stringsOf(message)) {
    for (const record of refusalsIn(text, fresh)) {
      if (record.original === '') continue
      found.set(record.verdictId, record)
      used.add(record.verdictId)
    }
  }
  if (found.size === 0) return null
  const records = [...found.values()].map((record) => ({ record, original: JSON.parse(record.original) as Original })) // written by `original`
  records.sort((a, b) => a.original.position - b.original.position)
  return rebuild(message, records)
}

function rebuild(message: Json, records: readonly { record: RestoreRecord; original: Original }[]): Restored {
  const out: Record<string, unknown> = { ...message }
  const calls = [...(asArray(message['tool_calls']) ?? [])]
  const results: Json[] = []
  for (const { record, original } of records) {
    if (original.place === 'function') {
      if (out['function_call'] !== undefined && out['function_call'] !== null) continue
      out['function_call'] = { name: original.name, arguments: original.arguments }
      results.push({ role: 'function', name: original.name, content: record.text })
    } else {
      const id = original.id ?? `call_sp_${record.verdictId}`
      calls.splice(Math.min(original.position, calls.length), 0, elementOf(original, id))
      results.push({ role: 'tool', tool_call_id: id, content: record.text })
    }
    for (const member of ['content', 'refusal']) out[member] = without(out[member], record.text)
  }
  if (calls.length > 0) out['tool_calls'] = calls
  if (message['refusal'] === undefined) delete out['refusal']
  return { message: out, results }
}

function elementOf(original: Original, id: string): Json {
  const { name } = original
  return original.form === 'text'
    ? { ...original.extra, id, type: 'custom', custom: { name, input: original.arguments } }
    : { ...original.extra, id, type: 'function', function: { name, arguments: original.arguments } }
}

/** `content` or `refusal` without the refusal and the blank line before it; nothing left is null. */
function without(value: unknown, text: string): unknown {
  if (typeof value === 'string') {
    const at = value.indexOf(text)
    if (at === -1) return value
    const from = value.slice(0, at).endsWith('\n\n') ? at - 2 : at
    const rest = value.slice(0, from) + value.slice(at + text.length)
    const left = from === 0 && rest.startsWith('\n\n') ? rest.slice(2) : rest
    return left === '' ? null : left
  }
  const parts = asArray(value)
  if (parts === null) return value
  const left = parts
    .map((part) => {
      const object = asObject(part)
      if (object === null) return without(part, text)
      const member = typeof object['refusal'] === 'string' ? 'refusal' : 'text'
      const rest = without(object[member], text)
      return rest === null ? null : { ...object, [member]: rest }
    })
    .filter((part) => part !== null)
  return left.length === 0 ? null : left
}

function stringsOf(message: Json): readonly string[] {
  const out: string[] = []
  for (const member of ['content', 'refusal']) {
    const value = message[member]
    if (typeof value === 'string') out.push(value)
    for (const part of asArray(value) ?? []) {
      const object = asObject(part)
      for (const text of [part, object?.['text'], object?.['refusal']]) if (typeof text === 'string') out.push(text)
    }
  }
  return out
}
