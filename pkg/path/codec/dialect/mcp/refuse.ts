import type { Voice } from '#pkg/model'
import { errorOf, faultOf, type Id, marksOf } from '#pkg/path/codec/wire/jsonrpc'

export { errorOf }

const encoder = new TextEncoder()

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
  const faults = (code: string, message: string): readonly unknown[] => all.map((id) => faultOf(id, code, message))
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
