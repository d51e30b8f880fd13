/**
 * wire/http2: the rules of HTTP/2 requests, in the words of HTTP/1.1: one request, one reading, whatever carried it.
 *
 * In:  the header block of a stream as a parser of `intercept` read it: names and values, pseudo-headers among them.
 * Out: the headers, target and framing that the same request would have in HTTP/1.1, or a Fault with its reason.
 * What the parser already refuses (RFC 9113 §8.1.1) is refused here again: no rule rests on a library's option.
 *
 * Never: sockets, frames, clocks, state, a throw, a header's value in a message.
 */
export { contentEncodingOf, tokenOf } from '#pkg/path/codec/wire/http1'
export { readHeaders, requestFraming, requestLine, requestTarget } from './request.ts'
