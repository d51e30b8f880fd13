import type { DecoderLimits, Fault } from './decoder.ts'
import { newDecoder } from './new-decoder.ts'

/** Bounds of a body that is whole in memory: `maxBytes` holds for it as sent and as decoded. */
export type WholeLimits = Required<Pick<DecoderLimits, 'ratio'>> & { readonly maxBytes: number }

type Whole = { readonly ok: true; readonly body: Uint8Array } | Fault

/**
 * A request body as the client means it. Identity is the same bytes, at once and without a copy.
 * @returns WIRE_BODY_TOO_LARGE above `maxBytes`; WIRE_ENCODING_UNSUPPORTED, _CORRUPT, _BOMB as {@link newDecoder}.
 */
export function decodeWhole(
  bytes: Uint8Array,
  contentEncoding: string | null,
  limits: WholeLimits,
): Whole | Promise<Whole> {
  if (bytes.length > limits.maxBytes)
    return { ok: false, reason: 'WIRE_BODY_TOO_LARGE', detail: `has a body of more than ${limits.maxBytes} bytes` }
  if (contentEncoding === null) return { ok: true, body: bytes }
  return decodeCoded(bytes, contentEncoding, limits)
}

async function decodeCoded(bytes: Uint8Array, contentEncoding: string, limits: WholeLimits): Promise<Whole> {
  const opened = newDecoder(contentEncoding, { ...limits, overReason: 'WIRE_BODY_TOO_LARGE' })
  if (!opened.ok) return opened
  const pushed = await opened.decoder.push(bytes)
  if (!pushed.ok) return pushed
  const ended = await opened.decoder.end()
  if (!ended.ok) return ended
  const chunks = [...pushed.chunks, ...ended.chunks]
  const only = chunks[0]
  return { ok: true, body: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks) }
}
