/**
 * socket: a connected socket as one side of an opaque connection.
 *
 * In:  a socket of TCP or TLS that is connected, and may be open in one direction only.
 * Out: a ByteLeg: bytes as they come, pulled, so that a reader that stops stops the sender; half-close; reset.
 * Holds no more than the socket's own buffer in each direction.
 *
 * Never: reads what the bytes mean, dials, listens, times out.
 */
export { newByteLeg } from './byte-leg.ts'
