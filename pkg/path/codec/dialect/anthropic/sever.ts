import type { Verdict } from '#pkg/model'

const encoder = new TextEncoder()

/** Anthropic's own error shape. `code` is our reason: the shape has no place for it but beside its type. */
const errorOf = (type: string, message: string, code: string): object => ({
  type: 'error',
  error: { type, message, code },
})

/** The body of a refusal before the first byte; `code` is the reason. DESIGN §6. */
export function refusal(verdict: Verdict): Uint8Array {
  return encoder.encode(JSON.stringify(errorOf('permission_error', verdict.message, verdict.reason ?? 'CHECK_FAILED')))
}

/** The body of a fault that is no refusal: 502, 503, 504. */
export function fault(code: string, message: string): Uint8Array {
  return encoder.encode(JSON.stringify(errorOf('api_error', message, code)))
}

/**
 * What ends an open stream after Abort or Sever: one `error` event and nothing after it. Without an `event` field the
 * SDKs would drop it. WIRE.md §2.
 */
export function sever(verdict: Verdict): Uint8Array {
  return eventOf(errorOf('permission_error', verdict.message, verdict.reason ?? 'CHECK_FAILED'))
}

/** What ends an open stream when the provider broke off or fell silent. */
export function breakOff(code: string, message: string): Uint8Array {
  return eventOf(errorOf('api_error', message, code))
}

function eventOf(error: object): Uint8Array {
  return encoder.encode(`event: error\ndata: ${JSON.stringify(error)}\n\n`)
}

/** A comment event: readable by every SSE client, seen by no program. */
export const PING: Uint8Array = encoder.encode(': sallyport holds\n\n')
