import type { Verdict } from '#pkg/model'

const encoder = new TextEncoder()

/** A refusal, in the shape that most readers of JSON errors know: code = reason, message = the contract of DESIGN §6. */
export function refusal(verdict: Verdict): Uint8Array {
  return fault(verdict.reason ?? 'CHECK_FAILED', verdict.message)
}

/** A fault that is no refusal, in the same shape. */
export function fault(code: string, message: string): Uint8Array {
  return encoder.encode(JSON.stringify({ error: { message, type: 'sallyport', code } }))
}
