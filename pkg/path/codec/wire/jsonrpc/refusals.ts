import { verdictIdsIn } from '../shape/refusals.ts'
import type { Id } from './rpc.ts'

/** The JSON-RPC codes of refusals. */
export const CODES = {
  /** By the policy, the agent's state, or a limit. */
  refused: -32010,
  /** No revision has the method. */
  method: -32011,
  /** Headers, body or framing. */
  malformed: -32012,
  /** What the other side says of itself, or asks of the agent. */
  server: -32013,
} as const

type Code = (typeof CODES)[keyof typeof CODES]

/** The code that a reason is told by. */
export function codeOf(reason: string): Code {
  if (reason === 'WIRE_METHOD_UNKNOWN') return CODES.method
  if (reason.startsWith('WIRE_')) return CODES.malformed
  return /^(?:TOOL_(?:DRIFT|SHADOWED|LOOK_ALIKE|PAGE_HIDDEN|TEXT_HIDDEN)|SERVER_REQUEST_NOT_GRANTED|PEER_CARD_\w+)$/.test(
    reason,
  )
    ? CODES.server
    : CODES.refused
}

/** What stands in a refusal: its reason and the verdict that it rests on. */
export type Marks = { readonly reason: string; readonly verdict: string | null }

/** Reads them out of the text of a refusal. */
export function marksOf(text: string): Marks {
  const reason = /^sallyport: ([A-Z0-9_]+):/.exec(text)?.[1] ?? 'CHECK_FAILED'
  return { reason, verdict: verdictIdsIn(text).at(-1) ?? null }
}

/** A refusal as an error of the protocol. */
export function errorOf(id: Id | null, text: string): unknown {
  const { reason, verdict } = marksOf(text)
  return { jsonrpc: '2.0', id, error: { code: codeOf(reason), message: text, data: { reason, verdict } } }
}

/** A fault that is no refusal, as an error of the protocol. */
export function faultOf(id: Id | null, code: string, message: string): unknown {
  return { jsonrpc: '2.0', id, error: { code: -32603, message, data: { reason: code } } }
}
