import assert from 'node:assert/strict'
import { DEFAULT_LIMITS, type Decided, type Limits, type Message, type RequestView } from '#pkg/model'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import { openaiResponses } from './index.ts'

export const LIMITS: Limits = { ...DEFAULT_LIMITS, frameBytes: 64 * 1024 }
export const WORK = { limits: LIMITS, yieldTurn: () => Promise.resolve() }

/** Only large bodies are read in turns, and none in these tests is large. */
export function atOnce<T>(value: T | Promise<T>): T {
  assert.ok(!(value instanceof Promise))
  return value
}

/** The view of a request to create a response. */
export function viewOf(request: object, query = ''): RequestView {
  const endpoint = openaiResponses.endpointOf('POST', '/responses', query)
  assert.ok(endpoint !== null)
  const read = atOnce(openaiResponses.readRequest(endpoint, Buffer.from(JSON.stringify(request)), WORK))
  assert.ok(read.ok)
  return read.value
}

export const REQUEST = { model: 'gpt-5', stream: true, input: 'x', tools: [{ type: 'function', name: 'run_sql' }] }

/** Refuses the calls whose key, or whose name, is asked to be. */
export function refusing(messages: readonly Message[], names: readonly string[]): Decided {
  const refused = new Set<string>()
  for (const message of messages) {
    if (message.kind === 'call-open' && names.includes(message.name)) refused.add(message.call)
    if (message.kind === 'fault' && message.call !== null) refused.add(message.call)
  }
  return {
    outcome: (call) =>
      refused.has(call) ? { kind: 'refused', text: `no. Verdict v_${refused.size}` } : { kind: 'released' },
    text: () => undefined,
  }
}

/** One answer through the dialect alone: all frames are read, then all are written. */
export function through(
  bytes: Uint8Array,
  cuts: readonly number[],
  decide: (messages: readonly Message[]) => Decided,
  view = viewOf(REQUEST),
): { readonly out: string; readonly messages: readonly Message[] } {
  const splitter = newSseSplitter(LIMITS)
  const stream = openaiResponses.openStream(view, LIMITS)
  const frames = []
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    frames.push(...splitter.push(bytes.subarray(at, cut)))
    at = cut
  }
  frames.push(...splitter.end())
  const messages = frames.flatMap((frame) => [...stream.read(frame)])
  messages.push(...stream.end())
  const decided = decide(messages)
  const out = frames.flatMap((frame) => [...stream.write(frame, decided)])
  return { out: Buffer.concat(out).toString(), messages }
}
