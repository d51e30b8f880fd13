import type { Headers } from '#pkg/model'
import { type Fault, fault } from './fault.ts'
import { valuesOf } from './headers.ts'

/** `type/subtype`, then at most one parameter, which is `charset=utf-8`; more has more than one reading. */
const PLAIN = /^([a-z0-9.+-]+\/[a-z0-9.+-]+)(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?[ \t]*;?[ \t]*$/

/** The media type that a message names without doubt, in lower case; null = none, two, or one with other parameters. */
export function mediaTypeOf(headers: Headers): string | null {
  const values = valuesOf(headers, 'content-type')
  const value = values[0]
  if (value === undefined || values.length !== 1) return null
  return PLAIN.exec(value.toLowerCase())?.[1] ?? null
}

/**
 * A request body is JSON in UTF-8, and says so.
 * @returns WIRE_CONTENT_TYPE for a content-type that is missing, repeated, another, or in another charset.
 */
export function requestContentType(headers: Headers, types = JSON_TYPES): { readonly ok: true } | Fault {
  const type = mediaTypeOf(headers)
  if (type !== null && types.includes(type)) return { ok: true }
  return fault('WIRE_CONTENT_TYPE', `has no content-type, or another than ${types.join(', ')} in UTF-8`)
}

/** Media types of JSON, where a dialect has no others. */
export const JSON_TYPES: readonly string[] = ['application/json']
