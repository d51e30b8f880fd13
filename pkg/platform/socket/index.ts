/**
 * socket: a connected socket as one side of an opaque connection, a Unix socket for its owner alone, and the wait until a server
 * listens.
 *
 * In:  a socket of TCP or TLS that is connected, and may be open in one direction only; a server and a path to listen on, with
 *      the words in which a fault names them.
 * Out: a ByteLeg: bytes as they come, pulled, so that a reader that stops stops the sender; half-close; reset. A listener at
 *      that path (0600).
 *      A fault tells the address, what is wrong with it, and which option chooses another.
 * Holds no more than the socket's own buffer in each direction.
 *
 * Never: reads what the bytes mean, dials, times out.
 */
export { newByteLeg } from './byte-leg.ts'
export { untilListening } from './listening.ts'
export {
  assertSocketFree,
  assertSocketPath,
  listenOnUnixSocket,
  MAX_SOCKET_PATH_BYTES,
  type SocketUse,
} from './unix.ts'
