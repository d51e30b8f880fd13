/**
 * dialect/gemini: the generateContent API of Gemini, streamed as events or as one JSON array, and not streamed.
 *
 * In:  request bodies, chunks of a streamed answer, whole answers.
 * Out: what is in them as Messages, and bytes that every Gemini client reads: a refusal as a text part in the place
 *      of a call, an error that ends a stream, restored conversations.
 * Members are read by both of their names, `functionCall` and `function_call`, as lenient readers of protobuf JSON do.
 * Never: a policy, a verdict of its own, a socket. What it does not define is a fault or passes only if no client
 *      could rebuild a call from it. WIRE.md §1, §2.
 */
import type { Dialect } from '#pkg/model'
import { readAnswer } from './answer.ts'
import { endpointOf } from './endpoints.ts'
import { readRequest } from './request.ts'
import { openStream } from './response.ts'
import { restore } from './restore.ts'
import { breakOff, fault, PING, refusal, sever } from './sever.ts'

/** The dialect. */
export const gemini: Dialect = {
  name: 'gemini',
  provider: 'Gemini',
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
