import type { History, HistoryCall, HistoryContent } from '#pkg/model'
import { asArray, asObject, asText, type Json, placedContent } from '#pkg/path/codec/wire/shape'
import { bothNames, member as memberOf } from './names.ts'

const CALLS = ['functionCall', 'function_call'] as const
const RESULTS = ['functionResponse', 'function_response'] as const

/** Members of a part that are its text, or are read by themselves; all else came from somewhere. */
const OWN = new Set([...bothNames('text', 'thought', 'thoughtSignature', 'functionCall', 'functionResponse')])

/** Calls, results and documents of the conversation so far, under both spellings. */
export function historyOf(value: Json): History {
  const calls: HistoryCall[] = []
  const results: HistoryContent[] = []
  const documents: HistoryContent[] = []
  const history = { calls, results, documents }
  for (const [place, entry] of (asArray(value['contents']) ?? []).entries()) {
    readParts(asObject(entry), `contents[${place}]`, history)
  }
  readParts(asObject(memberOf(value, 'systemInstruction')), 'systemInstruction', history)
  return history
}

type Growing = { readonly [key in keyof History]: History[key][number][] }

function readParts(content: Json | null, member: string, into: Growing): void {
  for (const [at, item] of (asArray(content?.['parts']) ?? []).entries()) {
    const part = asObject(item) ?? {}
    const here = `${member}.parts[${at}]`
    for (const key of CALLS) pushCall(asObject(part[key]), into.calls)
    for (const key of RESULTS) {
      const result = asObject(part[key])
      const names = ['response', 'parts']
      if (result !== null)
        into.results.push(placedContent(result, `${here}.${key}`, { id: asText(result['id']), names }))
    }
    const names = Object.keys(part).filter((key) => !OWN.has(key))
    if (names.length > 0) into.documents.push(placedContent(part, here, { names }))
  }
}

function pushCall(call: Json | null, calls: HistoryCall[]): void {
  const name = asText(call?.['name'])
  if (call !== null && name !== null)
    calls.push({ id: asText(call['id']), name, form: 'json', arguments: call['args'] ?? {} })
}
