import type { History, HistoryCall, HistoryContent } from '#pkg/model'
import { asArray, asObject, asText, type Json, placedContent } from '#pkg/path/codec/wire/shape'
import { callIn } from './item.ts'
import { namesOf } from './names.ts'

/** A computer of any name, and every shell: what is only read here is not told apart further. */
const CONTEXT = { computer: 'computer', hostedShell: true } as const

/** Parts of messages that people and models write. */
const TEXTS = new Set(['input_text', 'output_text', 'text', 'refusal', 'summary_text', 'reasoning_text'])

/** The conversation that a request carries itself; what it only names by an id is not here. */
export function historyOf(value: Json, declared: readonly string[]): History {
  const history = { calls: [] as HistoryCall[], results: [] as HistoryContent[], documents: [] as HistoryContent[] }
  for (const [place, entry] of (asArray(value['input']) ?? []).entries()) {
    const item = asObject(entry)
    if (item !== null) readItem(item, `input[${place}]`, declared, history)
  }
  return history
}

type Growing = { readonly [key in keyof History]: History[key][number][] }

function readItem(item: Json, member: string, declared: readonly string[], into: Growing): void {
  const type = asText(item['type']) ?? 'message'
  if (type === 'message') return readMessage(item, member, into)
  if (type === 'reasoning' || type === 'item_reference') return
  const id = asText(item['call_id']) ?? asText(item['id'])
  if (type.endsWith('_output')) {
    into.results.push(placedContent(withoutIds(item), member, { id }))
    return
  }
  const face = callIn(item, CONTEXT)
  // what the provider ran itself brings its result with it; what nobody knows is content all the same
  if (face === null) into.results.push(placedContent(withoutIds(item), member, { id }))
  const name = face === null ? undefined : namesOf(face, declared)[0]
  if (face !== null && name !== undefined)
    into.calls.push({ id: face.callId, name, form: face.form, arguments: face.text })
}

function withoutIds({ id: _id, call_id: _call, type: _type, status: _status, ...rest }: Json): Json {
  return rest
}

function readMessage(item: Json, member: string, into: Growing): void {
  for (const [at, part] of (asArray(item['content']) ?? []).entries()) {
    const isText = typeof part === 'string' || TEXTS.has(asText(asObject(part)?.['type']) ?? '')
    if (!isText) into.documents.push(placedContent(part, `${member}.content[${at}]`))
  }
}
