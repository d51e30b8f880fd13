/**
 * dialect/plain-http: HTTP to any other host, whose bodies pass as they are, both ways.
 *
 * In:  the target, method and headers of a proxied request, and its body.
 * Out: what of it is judged; the answers in which a refusal or a fault is told to a client that expects no dialect.
 * Bodies have a size and a direction, and no meaning here: an answer that is cut is broken off, never ended with words of ours.
 *
 * Never: reads a body, holds calls, restores, a policy, a socket.
 */
export { plainHttp } from './request.ts'
