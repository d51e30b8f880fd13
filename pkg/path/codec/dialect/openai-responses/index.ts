/**
 * dialect/openai-responses: the Responses API of OpenAI and of those who speak it.
 *
 * In:  request bodies, events of a streamed answer (also one that is fetched later, or again), whole answers.
 * Out: what is in them as Messages, and bytes that every client of the API reads: a message in the place of a refused
 *      call, snapshots that tell what was released, an error that ends a stream, restored conversations.
 * Never: a policy, a verdict of its own, a socket. A call is judged under every reading that its deltas, its item and
 *      the snapshots of the answer give it; what the provider ran itself is evidence and passes. WIRE.md §1, §2.
 */
import type { Dialect } from '#pkg/model'
import { readAnswer } from './answer.ts'
import { endpointOf } from './endpoints.ts'
import { readRequest } from './request.ts'
import { openStream } from './response.ts'
import { restore } from './restore.ts'
import { breakOff, fault, PING, refusal, sever } from './sever.ts'

/** The dialect. */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  provider: 'OpenAI',
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
