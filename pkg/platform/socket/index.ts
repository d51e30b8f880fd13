/**
 * socket: a connected socket as one side of an opaque connection, and a Unix socket for its owner alone.
 *
 * In:  a socket of TCP or TLS that is connected, and may be open in one direction only; a path to listen on.
 * Out: a ByteLeg: bytes as they come, pulled, so that a reader that stops stops the sender; half-close; reset. A listener at
 *      that path (0600).
 * Holds no more than the socket's own buffer in each direction.
 *
 * Never: reads what the bytes mean, dials, times out.
 */
export { newByteLeg } from './byte-leg.ts'
export { listenOnUnixSocket } from './unix.ts'
