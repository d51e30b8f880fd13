import type { Headers } from '#pkg/model'
import { JSON_TYPES, mediaTypeOf } from './content-type.ts'
import { type Fault, fault } from './fault.ts'
import { contentEncodingOf, valuesOf } from './headers.ts'

/** What an answer's body is, and the coding it comes in (for `wire/encoding`; null = as it is). */
export type AnswerKind =
  | { readonly ok: true; readonly kind: 'stream' | 'json' | 'empty'; readonly encoding: string | null }
  | Fault

/**
 * How a provider's answer must be read. Only what every client would read in the same way has a kind.
 * @returns WIRE_FRAMING for a status that sends the client elsewhere or gives it a part (1xx, 3xx, 206);
 * WIRE_CONTENT_TYPE for a body that is neither one event stream nor one JSON text in UTF-8.
 */
export function answerKind(status: number, headers: Headers, jsonTypes = JSON_TYPES): AnswerKind {
  if (status === 204 || status === 205) return { ok: true, kind: 'empty', encoding: null }
  if (status === 206 || status < 200 || (status >= 300 && status < 400) || status > 599)
    return fault('WIRE_FRAMING', `has status ${status}, which would send the client elsewhere or give it a part`)
  const types = valuesOf(headers, 'content-type')
  // accepted, and nothing to say: what a body without a type would hold nobody could read
  if (status === 202 && types.length === 0) return { ok: true, kind: 'empty', encoding: null }
  if (types.length === 0 && headers['content-length'] === '0') return { ok: true, kind: 'empty', encoding: null }
  const encoding = contentEncodingOf(headers)
  const type = mediaTypeOf(headers)
  if (type === 'text/event-stream') return { ok: true, kind: 'stream', encoding }
  if (type !== null && jsonTypes.includes(type)) return { ok: true, kind: 'json', encoding }
  return fault(
    'WIRE_CONTENT_TYPE',
    types.length === 0 ? 'names no content-type' : 'is neither text/event-stream nor application/json in UTF-8',
  )
}
