/**
 * Every cap of the path (WIRE.md §4), each an option with its default here. Bytes are UTF-8 bytes.
 * Over a cap means: refuse at that byte, while streaming.
 */
export type Limits = {
  /** Arguments of one tool call. */
  readonly argumentBytes: number
  /** One SQL text. */
  readonly sqlBytes: number
  /** SQL up to this size is read where the call waits, not in the worker; 0 = none is. */
  readonly sqlInlineBytes: number
  /** Nesting of any JSON. */
  readonly jsonDepth: number
  /** Bytes held back for one stream. */
  readonly heldBytesPerStream: number
  /** Bytes held back in this process. */
  readonly heldBytesPerProcess: number
  /** An answer that does not stream, decoded. */
  readonly answerBytes: number
  /** A request body, as sent and decoded. */
  readonly requestBytes: number
  /** One event of a stream. What is beyond `heldBytesPerStream` must be long strings that are no text, as pictures are, and counts for `heldBytesPerProcess`. */
  readonly frameBytes: number
  /** Tool calls in one answer, all choices together. */
  readonly callsPerAnswer: number
  /** How far after a call tag a tool name or `{` may come before the tag is plain text; white space does not count, up to `argumentBytes`. */
  readonly textCallWindowBytes: number
  /** Bytes looked at in one turn before the event loop gets its chance. */
  readonly turnBytes: number
  /** Refused calls remembered for one agent, oldest out. */
  readonly restoreBytesPerAgent: number
  /** Released calls remembered for one agent, by their digests, for 24 h; the longest unused goes first. */
  readonly releasedCallsPerAgent: number
  /** Growth that a compressed body may show above 1 MiB. */
  readonly decodedRatio: number
  /** Time of one check in the worker. */
  readonly checkTimeoutMs: number
  /** Heap of the worker after which it is recycled. */
  readonly workerHeapBytes: number
  /** How long a request waits for the first SVID of its agent, or for the fresh one of a released agent. */
  readonly identityWaitMs: number
  /** A comment of our own is sent after this long in which frames are held. */
  readonly holdPingMs: number
  /** Without a byte in either direction an opaque connection ends. */
  readonly tunnelIdleMs: number
  /** Opaque connections that one agent may have open. */
  readonly tunnelsPerAgent: number
}

const KIB = 1024
const MIB = 1024 * KIB

/** The defaults; `docs/reference/limits.md` is made from them. */
export const DEFAULT_LIMITS: Limits = {
  argumentBytes: 256 * KIB,
  sqlBytes: 16 * KIB,
  sqlInlineBytes: KIB,
  jsonDepth: 64,
  heldBytesPerStream: MIB,
  heldBytesPerProcess: 16 * MIB,
  answerBytes: 8 * MIB,
  requestBytes: 16 * MIB,
  frameBytes: 16 * MIB,
  callsPerAnswer: 128,
  textCallWindowBytes: 256,
  turnBytes: 64 * KIB,
  restoreBytesPerAgent: MIB,
  releasedCallsPerAgent: 4096,
  decodedRatio: 200,
  checkTimeoutMs: 50,
  workerHeapBytes: 64 * MIB,
  identityWaitMs: 5_000,
  holdPingMs: 10_000,
  tunnelIdleMs: 300_000,
  tunnelsPerAgent: 128,
}
