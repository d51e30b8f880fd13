import type { Voice } from '#pkg/model'
import { verdictIdsIn } from '#pkg/path/codec/wire/shape'
import type { Id } from './rpc.ts'

const encoder = new TextEncoder()

/** The JSON-RPC codes of refusals. */
export const CODES = {
  /** By the policy, the agent's state, or a limit. */
  refused: -32010,
  /** No revision has the method. */
  method: -32011,
  /** Headers, body or framing. */
  malformed: -32012,
  /** A list of tools, or what a server asks of the agent. */
  server: -32013,
} as const

type Code = (typeof CODES)[keyof typeof CODES]

/** The code that a reason is told by. */
export function codeOf(reason: string): Code {
  if (reason === 'WIRE_METHOD_UNKNOWN') return CODES.method
  if (reason.startsWith('WIRE_')) return CODES.malformed
  return /^(?:TOOL_(?:DRIFT|SHADOWED|LOOK_ALIKE|PAGE_HIDDEN|TEXT_HIDDEN)|SERVER_REQUEST_NOT_GRANTED)$/.test(reason)
    ? CODES.server
    : CODES.refused
}

/** What stands in a refusal: its reason and the verdict that it rests on. */
type Marks = { readonly reason: string; readonly verdict: string | null }

function marksOf(text: string): Marks {
  const reason = /^sallyport: ([A-Z0-9_]+):/.exec(text)?.[1] ?? 'CHECK_FAILED'
  return { reason, verdict: verdictIdsIn(text).at(-1) ?? null }
}

/** A refusal as an error of the protocol. */
export function errorOf(id: Id | null, text: string): unknown {
  const { reason, verdict } = marksOf(text)
  return { jsonrpc: '2.0', id, error: { code: codeOf(reason), message: text, data: { reason, verdict } } }
}

/** A refusal as the result of a tool, which a model reads and can act on. */
export function toolResultOf(id: Id, text: string, stateless: boolean): unknown {
  const { reason, verdict } = marksOf(text)
  const result = {
    ...(stateless ? { resultType: 'complete' } : {}),
    content: [{ type: 'text', text }],
    isError: true,
    _meta: { 'dev.sallyport/reason': reason, 'dev.sallyport/verdict': verdict },
  }
  return { jsonrpc: '2.0', id, result }
}

const bytesOf = (messages: readonly unknown[]): Uint8Array =>
  encoder.encode(JSON.stringify(messages.length === 1 ? messages[0] : messages))

const eventOf = (message: unknown): string => `event: message\ndata: ${JSON.stringify(message)}\n\n`

/** How refusals and faults answer the requests of one body. Where there is none, a stream ends by a comment alone. */
export function voiceOf(ids: readonly Id[]): Voice {
  const all: readonly (Id | null)[] = ids.length === 0 ? [null] : ids
  const faults = (code: string, message: string): readonly unknown[] =>
    all.map((id) => ({ jsonrpc: '2.0', id, error: { code: -32603, message, data: { reason: code } } }))
  const streamed = (messages: readonly unknown[], word: string): Uint8Array =>
    encoder.encode(ids.length === 0 ? `: sallyport: ${word}\n\n` : messages.map(eventOf).join(''))
  return {
    refusal: (verdict) => bytesOf(all.map((id) => errorOf(id, verdict.message))),
    fault: (code, message) => bytesOf(faults(code, message)),
    sever: (verdict) =>
      streamed(
        all.map((id) => errorOf(id, verdict.message)),
        verdict.reason ?? 'CHECK_FAILED',
      ),
    breakOff: (code, message) => streamed(faults(code, message), code),
  }
}
