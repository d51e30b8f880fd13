import type { Verdict } from '#pkg/model'

const encoder = new TextEncoder()

type ErrorBody = {
  readonly message: string
  readonly type: 'sallyport'
  readonly param: null
  readonly code: string
}

const errorOf = (message: string, code: string): { readonly error: ErrorBody } => ({
  error: { message, type: 'sallyport', param: null, code },
})

/** The body of a refusal before the first byte, in OpenAI's own error shape; `code` is the reason. DESIGN §6. */
export function refusal(verdict: Verdict): Uint8Array {
  return encoder.encode(JSON.stringify(errorOf(verdict.message, verdict.reason ?? 'CHECK_FAILED')))
}

/** The body of a fault that is no refusal: 502, 503, 504. */
export function fault(code: string, message: string): Uint8Array {
  return encoder.encode(JSON.stringify(errorOf(message, code)))
}

/**
 * What ends an open stream after Abort or Sever: an `error` event and nothing after it. It has the members of the
 * specification for clients that read it as an event, and a nested `error` for SDKs, which throw that; a failed
 * response alone never throws. WIRE.md §2.
 */
export function sever(verdict: Verdict): Uint8Array {
  return errorEvent(verdict.message, verdict.reason ?? 'CHECK_FAILED')
}

/** What ends an open stream when the provider broke off or fell silent. */
export function breakOff(code: string, message: string): Uint8Array {
  return errorEvent(message, code)
}

function errorEvent(message: string, code: string): Uint8Array {
  const event = { type: 'error', sequence_number: 0, code, message, param: null, ...errorOf(message, code) }
  return encoder.encode(`event: error\ndata: ${JSON.stringify(event)}\n\n`)
}

/** A comment event: readable by every SSE client, seen by no program. */
export const PING: Uint8Array = encoder.encode(': sallyport holds\n\n')
