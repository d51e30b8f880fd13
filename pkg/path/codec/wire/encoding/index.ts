/**
 * wire/encoding: takes the content coding off a body: identity, gzip, deflate, br, zstd; whole or as it streams.
 *
 * In:  bytes as they came, and what `content-encoding` says.
 * Out: the bytes as they are meant, as early as the coding lets them out; or a Fault with its reason.
 * One coding only: stacked, unknown and dictionary codings are refused. Members and frames may follow each other as
 * their RFCs allow (1952, 8878); anything else behind the end, and an end that is missing, is corrupt. Growth is bounded
 * by a ratio and a cap, memory by the windows: 32 KiB (gzip, deflate), 16 MiB (br), 8 MiB (zstd, RFC 9659).
 *
 * Never: a throw for what the bytes hold, a copy or a promise for identity, a bet on which coding it really is.
 */
export type { Decoded, Decoder, DecoderLimits, Fault } from './decoder.ts'
export { newDecoder, type OpenedDecoder } from './new-decoder.ts'
export { decodeWhole, type WholeLimits } from './whole.ts'
