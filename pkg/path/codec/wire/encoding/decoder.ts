import type { Reason } from '#pkg/model'

/** A body that cannot be decoded: which reason, and what a person should know: `detail` follows "the request" or "the answer", and never holds payload. */
export type Fault = { readonly ok: false; readonly reason: Reason; readonly detail: string }

/** What came out of one step, in order; maybe nothing yet. */
export type Decoded = { readonly ok: true; readonly chunks: readonly Uint8Array[] } | Fault

/** Bounds of one body. */
export type DecoderLimits = {
  /** Growth allowed above 1 MiB of output, as `n`:1. Over = WIRE_ENCODING_BOMB. `Limits.decodedRatio`. */
  readonly ratio: number
  /** Bytes of output; null = as many as the ratio allows. */
  readonly maxBytes: number | null
  /** The reason for more than `maxBytes`. Default WIRE_ANSWER_TOO_LARGE. */
  readonly overReason?: Reason
}

/**
 * One body in the making. Each step is awaited before the next. A fault is final: it is the answer to every later
 * step, and what the same step had decoded before it is dropped. A promise only where there is a coding to take off.
 */
export interface Decoder {
  /** All that the bytes so far let out, without waiting for more. At most max(1 MiB, ratio × input so far) + 64 KiB. */
  push(chunk: Uint8Array): Decoded | Promise<Decoded>
  /** The rest, and the proof that the body is whole. */
  end(): Decoded | Promise<Decoded>
  /** Gives the coder's memory back; for a body that is left early. Safe to call twice, and after the end. */
  close(): void
}

const NOTHING: Decoded = { ok: true, chunks: [] }

/** The fault of a body above its cap. */
export function tooLarge(limits: DecoderLimits): Fault {
  return {
    ok: false,
    reason: limits.overReason ?? 'WIRE_ANSWER_TOO_LARGE',
    detail: `has a body of more than ${limits.maxBytes} bytes once decoded`,
  }
}

/** Identity: the chunk itself, at once. */
export class IdentityDecoder implements Decoder {
  readonly #limits: DecoderLimits
  #bytes = 0

  constructor(limits: DecoderLimits) {
    this.#limits = limits
  }

  push(chunk: Uint8Array): Decoded {
    const { maxBytes } = this.#limits
    this.#bytes += chunk.length
    if (maxBytes !== null && this.#bytes > maxBytes) return tooLarge(this.#limits)
    return { ok: true, chunks: [chunk] }
  }

  end(): Decoded {
    const { maxBytes } = this.#limits
    return maxBytes !== null && this.#bytes > maxBytes ? tooLarge(this.#limits) : NOTHING
  }

  close(): void {}
}
