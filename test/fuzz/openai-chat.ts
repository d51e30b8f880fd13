import assert from 'node:assert/strict'
import { ALL_RELEASED, DEFAULT_LIMITS, type Decided, type Message, type RequestView } from '#pkg/model'
import { openaiChat } from '#pkg/path/codec/dialect/openai-chat'
import { parseStrictBytes } from '#pkg/path/codec/wire/json'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import type { Target } from './runner/target.ts'

const limits = { ...DEFAULT_LIMITS, frameBytes: 4_096, argumentBytes: 2_048 }
const work = { limits, yieldTurn: () => Promise.resolve() }
const endpoint = openaiChat.endpointOf('POST', '/chat/completions', '')
const REFUSED: Decided = {
  outcome: () => ({ kind: 'refused', text: 'sallyport: TOOL_NOT_GRANTED: no' }),
  text: () => undefined,
}

/** Only large bodies are read in turns, and none here is large. */
function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('a small body was read in turns')
  return value
}

function viewOf(): RequestView {
  assert.ok(endpoint !== null)
  const body = Buffer.from(
    '{"model":"gpt-5","stream":true,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"run_sql"}}]}',
  )
  const view = atOnce(openaiChat.readRequest(endpoint, body, work))
  assert.ok(view.ok)
  return view.value
}
const view = viewOf()

/** One answer through the dialect. The bytes that leave, and the messages. */
function through(
  bytes: Uint8Array,
  size: number,
  decided: Decided,
): { readonly out: Buffer; readonly messages: readonly Message[] } {
  const splitter = newSseSplitter(limits)
  const stream = openaiChat.openStream(view, limits)
  const out: Uint8Array[] = []
  const messages: Message[] = []
  const frames = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...splitter.push(bytes.subarray(at, at + size)))
  frames.push(...splitter.end())
  for (const frame of frames) {
    if (frame.kind === 'fault') break
    messages.push(...stream.read(frame))
    out.push(...stream.write(frame, decided))
  }
  messages.push(...stream.end())
  return { out: Buffer.concat(out), messages }
}

/** As a stream, as a whole answer and as a request: never a throw, no cut changes a thing, released means untouched. */
export const target: Target = {
  name: 'openai-chat',
  words: [
    'data: ',
    '\n\n',
    '"tool_calls":[',
    '"function_call":',
    '"delta":',
    '"index":0',
    '"index":1',
    '"finish_reason":"tool_calls"',
    '"arguments":"',
    '"choices":[',
    '"custom":',
    '"name":"run_sql"',
    '"id":"call_1"',
    '[DONE]',
    '"message":',
    '"refusal":',
    'null',
    '{}',
    '"type":"function"',
  ],
  run(bytes) {
    const whole = through(bytes, bytes.length || 1, ALL_RELEASED)
    const cut = through(bytes, 3, ALL_RELEASED)
    assert.deepEqual(cut.messages, whole.messages)
    assert.deepEqual(cut.out, whole.out)
    const faulty = whole.messages.some((message) => message.kind === 'fault')
    if (!faulty) assert.ok(Buffer.from(bytes).indexOf(whole.out) === 0, 'released bytes are not the stream')
    const refused = through(bytes, bytes.length || 1, REFUSED)
    if (!faulty) assert.ok(!holdsCall(refused.out), 'a refused call left')
    const kinds = new Set(whole.messages.map((message) => (message.kind === 'fault' ? message.reason : message.kind)))
    return [...[...kinds].sort(), asWhole(bytes), asRequest(bytes)].join(' ')
  },
}

/** Could a client rebuild a call from these bytes? Read as leniently as clients do: any event whose data is JSON. */
function holdsCall(out: Buffer): boolean {
  const splitter = newSseSplitter({ frameBytes: 1_000_000 })
  return [...splitter.push(out), ...splitter.end()].some((frame) => {
    if (frame.kind !== 'event') return false
    try {
      return callIn(JSON.parse(frame.data))
    } catch {
      return false
    }
  })
}

function callIn(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, member]) => {
    if (name === 'tool_calls') return Array.isArray(member) && member.length > 0
    if (name === 'function_call') return typeof member === 'object' && member !== null
    return ['choices', 'delta', 'message'].includes(name) || Array.isArray(value) ? callIn(member) : false
  })
}

function asWhole(bytes: Uint8Array): string {
  const answer = atOnce(openaiChat.readAnswer(view, bytes, work))
  if (!answer.ok) return answer.reason
  const faulty = answer.value.messages.some((message) => message.kind === 'fault')
  if (!faulty) assert.deepEqual(Buffer.from(answer.value.write(ALL_RELEASED)), Buffer.from(bytes))
  answer.value.write(REFUSED)
  return [...new Set(answer.value.messages.map((message) => message.kind))].join('-')
}

function asRequest(bytes: Uint8Array): string {
  if (endpoint === null) return 'none'
  const read = atOnce(openaiChat.readRequest(endpoint, bytes, work))
  if (!read.ok) return read.reason
  const record = { verdictId: 'v_1', text: '', original: '', answerId: null }
  const refused = { byVerdict: (verdictId: string) => ({ ...record, verdictId }), inAnswer: () => [] }
  const restored = openaiChat.restore(read.value, refused, 1_000_000)
  if (restored !== null && restored !== 'lost')
    assert.ok(parseStrictBytes(restored, { depth: 256, bytes: 1_000_000 }).ok, 'restored no JSON')
  return `request ${read.value.stream} ${read.value.tools.length > 0} ${read.value.history.calls.length > 0}`
}
