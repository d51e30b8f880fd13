import type { StreamPlace, Verdict } from '#pkg/model'
import { ERROR_CODES } from '#pkg/model/errors'
import { closeWith } from '#pkg/path/codec/wire/json-array'

const encoder = new TextEncoder()

/** Names of google.rpc.Code by the HTTP status that stands beside them. */
const STATUS: Readonly<Record<number, string>> = {
  403: 'PERMISSION_DENIED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/** Google's own error shape; the reason stands where its clients look for one. The code has to be a number. */
function errorOf(code: number, reason: string, message: string): string {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'sallyport' }]
  return JSON.stringify({ error: { code, message, status: STATUS[code] ?? 'INTERNAL', details } })
}

const refusalOf = (verdict: Verdict): string => errorOf(403, verdict.reason ?? 'CHECK_FAILED', verdict.message)

const HTTP: Readonly<Record<string, { readonly http: number }>> = ERROR_CODES

const faultOf = (code: string, message: string): string => errorOf(HTTP[code]?.http ?? 500, code, message)

/** The body of a refusal before the first byte. DESIGN §6. */
export function refusal(verdict: Verdict): Uint8Array {
  return encoder.encode(refusalOf(verdict))
}

/** The body of a fault that is no refusal: 502, 503, 504. */
export function fault(code: string, message: string): Uint8Array {
  return encoder.encode(faultOf(code, message))
}

/**
 * What ends an open stream after Abort or Sever: one line `data:` with an error whose code is a number, behind a blank
 * line (the SDK swallows another code, and an event with other lines); in an array one more element and its end.
 * WIRE.md §2.
 */
export function sever(verdict: Verdict, place: StreamPlace): Uint8Array {
  return lastFrame(refusalOf(verdict), place)
}

/** What ends an open stream when the provider broke off or fell silent. */
export function breakOff(code: string, message: string, place: StreamPlace): Uint8Array {
  return lastFrame(faultOf(code, message), place)
}

function lastFrame(error: string, place: StreamPlace): Uint8Array {
  return place.framing === 'json-array' ? closeWith(place.written, error) : encoder.encode(`\ndata: ${error}\n\n`)
}

/** A comment event of its own: readable by every client, seen by no program. Not for arrays. */
export const PING: Uint8Array = encoder.encode(': sallyport holds\n\n')
