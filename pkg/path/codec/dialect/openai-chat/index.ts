/**
 * dialect/openai-chat: the Chat Completions API of OpenAI and of those who speak it.
 *
 * In:  request bodies, chunks of a streamed answer, whole answers.
 * Out: what is in them as Messages, and bytes that every Chat Completions client reads: refusals in the place of
 *      calls, an error that ends a stream, restored conversations.
 * Never: a policy, a verdict of its own, a socket. What it does not define is a fault or passes only if no client
 *      could rebuild a call from it. WIRE.md §1, §2.
 */
import type { Dialect } from '#pkg/model'
import { readAnswer } from './answer.ts'
import { endpointOf, readRequest } from './request.ts'
import { openStream } from './response.ts'
import { restore } from './restore.ts'
import { breakOff, fault, PING, refusal, sever } from './sever.ts'

export { ELSEWHERE, elsewhereIn } from './shape.ts'

/** The dialect. */
export const openaiChat: Dialect = {
  name: 'openai-chat',
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
