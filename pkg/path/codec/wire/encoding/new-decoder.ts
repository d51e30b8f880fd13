import { CodedDecoder, coderOf } from './coded-decoder.ts'
import { type Decoder, type DecoderLimits, type Fault, IdentityDecoder } from './decoder.ts'

/** A decoder, or why there is none. */
export type OpenedDecoder = { readonly ok: true; readonly decoder: Decoder } | Fault

const SUPPORTED = 'identity, gzip, deflate, br and zstd are understood, one at a time'

/**
 * A decoder for a body of that `content-encoding` (in any case; null or empty = identity).
 * @returns WIRE_ENCODING_UNSUPPORTED for a coding that is unknown, stacked, or needs a dictionary (dcb, dcz).
 */
export function newDecoder(contentEncoding: string | null, limits: DecoderLimits): OpenedDecoder {
  const coding = (contentEncoding ?? '').trim().toLowerCase()
  if (coding === '' || coding === 'identity') return { ok: true, decoder: new IdentityDecoder(limits) }
  const newCoder = coderOf(coding)
  if (newCoder !== null) return { ok: true, decoder: new CodedDecoder(coding, newCoder, limits) }
  const what = coding.includes(',') ? 'more than one content coding' : 'a content coding that is not known'
  return { ok: false, reason: 'WIRE_ENCODING_UNSUPPORTED', detail: `has ${what}: ${SUPPORTED}` }
}
