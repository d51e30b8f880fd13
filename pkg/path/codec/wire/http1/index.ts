/**
 * wire/http1: the rules of HTTP/1.1 messages: target, headers, framing, content type, credentials, what passes on.
 *
 * In:  what a parser of `intercept` or `upstream` read: method, raw target, raw headers, status.
 * Out: normalised values, or a Fault with its reason; header sets that may go upstream or to the client.
 * A message that two readers could take in two ways is refused, never repaired: where a request goes, where it ends,
 * whose it is and what its bytes mean is decided once, here. RFC 9110, RFC 9112.
 *
 * Never: sockets, clocks, state, a throw, a header's value in a message.
 */
export { type AnswerKind, answerKind } from './answer-kind.ts'
export { requestContentType } from './content-type.ts'
export { type Fault, fault } from './fault.ts'
export { answerHeaders, hostAnswerHeaders, hostRequestHeaders, upstreamRequestHeaders } from './forward.ts'
export { type RequestFraming, requestFraming } from './framing.ts'
export { contentEncodingOf, type ReadHeaders, readHeaders, valuesOf } from './headers.ts'
export { isProxied, type ProxyTarget, proxyTarget, proxyTokenOf } from './proxy.ts'
export { type RequestTarget, requestTarget } from './target.ts'
export { holdsToken, tokenOf } from './token.ts'
