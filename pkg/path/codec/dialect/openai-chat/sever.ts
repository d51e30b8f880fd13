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
 * What ends an open stream after Abort or Sever: one `data:` frame with an error and nothing after it; a clean end
 * alone is silent in a raw loop, and a frame without `choices` and without `error` throws in the helper. WIRE.md §2.
 */
export function sever(verdict: Verdict): Uint8Array {
  return encoder.encode(`data: ${JSON.stringify(errorOf(verdict.message, verdict.reason ?? 'CHECK_FAILED'))}\n\n`)
}

/** What ends an open stream when the provider broke off or fell silent. */
export function breakOff(code: string, message: string): Uint8Array {
  return encoder.encode(`data: ${JSON.stringify(errorOf(message, code))}\n\n`)
}

/** A comment event: readable by every SSE client, seen by no program. */
export const PING: Uint8Array = encoder.encode(': sallyport holds\n\n')
