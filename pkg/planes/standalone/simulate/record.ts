import type { IncomingMessage, ServerResponse } from 'node:http'

/** What arrived, and how far its answer got. */
export type SeenRequest = {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Value of the Authorization header, or the key of another provider's header as a bearer, or null. */
  readonly authorization: string | null
  /** The parsed body, or null: none, not JSON, or larger than 1 MiB. */
  readonly body: unknown
  readonly status: number
  /** The conversation turn that answered it, or null. */
  readonly rule: string | null
  /** Tokens written so far, and tokens of the whole answer. */
  readonly tokensSent: number
  readonly tokensPlanned: number
  /** `cancelled`: the client went away before the end. */
  readonly outcome: 'open' | 'complete' | 'cancelled'
}

/** A {@link SeenRequest} in the making. */
export type Entry = { -readonly [Key in keyof SeenRequest]: SeenRequest[Key] }

/** What a simulator remembers of all its requests. */
export type RequestRecord = {
  /** Oldest first. */
  readonly entries: Entry[]
  tokens: number
  cancelled: number
}

/** Bodies above this are answered but not remembered, bytes. */
export const MAX_REMEMBERED_BODY_BYTES = 1024 * 1024

/** Opens the entry of a request and follows its response to the end; drops the oldest entry above `maxRequests`. */
export function remember(
  record: RequestRecord,
  request: IncomingMessage,
  response: ServerResponse,
  maxRequests: number,
): Entry {
  const entry: Entry = {
    method: request.method ?? '',
    path: request.url ?? '',
    authorization: request.headers.authorization ?? keyOf(request),
    body: null,
    status: 0,
    rule: null,
    tokensSent: 0,
    tokensPlanned: 0,
    outcome: 'open',
  }
  record.entries.push(entry)
  if (record.entries.length > maxRequests) record.entries.shift()
  response.once('close', () => {
    entry.outcome = response.writableFinished ? 'complete' : 'cancelled'
    if (entry.outcome === 'cancelled' && entry.tokensPlanned > 0) record.cancelled++
  })
  return entry
}

/** The other APIs have headers of their own for their keys. */
function keyOf(request: IncomingMessage): string | null {
  const key = request.headers['x-api-key'] ?? request.headers['x-goog-api-key']
  return typeof key === 'string' ? `Bearer ${key}` : null
}

/** Counts tokens as written. */
export function countTokens(record: RequestRecord, entry: Entry, tokens: number): void {
  entry.tokensSent += tokens
  record.tokens += tokens
}
