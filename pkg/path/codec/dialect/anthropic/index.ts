/**
 * dialect/anthropic: the Messages API of Anthropic and of those who speak it.
 *
 * In:  request bodies, events of a streamed answer, whole answers.
 * Out: what is in them as Messages, and bytes that every Messages client reads: a block of text in the place of a
 *      refused call, an error event that ends a stream, restored conversations.
 * Never: a policy, a verdict of its own, a socket. What it does not define is a fault or passes only if no client
 *      could rebuild a call from it. What the provider ran itself passes as evidence. WIRE.md §1, §2.
 */
import type { Dialect } from '#pkg/model'
import { readAnswer } from './answer.ts'
import { endpointOf, readRequest } from './request.ts'
import { openStream } from './response.ts'
import { restore } from './restore.ts'
import { breakOff, fault, PING, refusal, sever } from './sever.ts'

/** The dialect. */
export const anthropic: Dialect = {
  name: 'anthropic',
  provider: 'Anthropic',
  endpointOf,
  readRequest,
  openStream,
  readAnswer,
  refusal,
  fault,
  sever,
  breakOff,
  ping: PING,
  restore,
}
