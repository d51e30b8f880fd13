import assert from 'node:assert/strict'
import { ALL_RELEASED, DEFAULT_LIMITS, type Decided, type Message, type RequestView } from '#pkg/model'
import { anthropic } from '#pkg/path/codec/dialect/anthropic'
import { parseStrictBytes } from '#pkg/path/codec/wire/json'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import type { Target } from './runner/target.ts'

const limits = { ...DEFAULT_LIMITS, frameBytes: 4_096, argumentBytes: 2_048 }
const work = { limits, yieldTurn: () => Promise.resolve() }
const endpoint = anthropic.endpointOf('POST', '/v1/messages', '')
const REFUSED: Decided = {
  outcome: () => ({ kind: 'refused', text: 'sallyport: TOOL_NOT_GRANTED: no' }),
  text: () => undefined,
}
/** All text was replaced. */
const EDITED: Decided = { outcome: REFUSED.outcome, text: () => 'edited' }

/** Only large bodies are read in turns, and none here is large. */
function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('a small body was read in turns')
  return value
}

function viewOf(): RequestView {
  assert.ok(endpoint !== null)
  const body = Buffer.from(
    '{"model":"claude-x","stream":true,"thread":{"type":"create"},"messages":[{"role":"user","content":"x"}],"tools":[{"name":"run_sql"}]}',
  )
  const view = atOnce(anthropic.readRequest(endpoint, body, work))
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
  const stream = anthropic.openStream(view, limits)
  const out: Uint8Array[] = []
  const messages: Message[] = []
  const frames = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...splitter.push(bytes.subarray(at, at + size)))
  frames.push(...splitter.end())
  for (const frame of frames) {
    if (frame.kind === 'fault') break
    messages.push(...stream.read(frame))
    if (messages.some((message) => message.kind === 'fault' && message.scope === 'stream')) break
    out.push(...stream.write(frame, decided))
  }
  messages.push(...stream.end())
  for (const message of messages) {
    const original = message.kind === 'call-open' ? stream.original(message.call) : ''
    if (original !== '') JSON.parse((JSON.parse(original) as { block: string }).block) // as the dialect writes it
  }
  return { out: Buffer.concat(out), messages }
}

/** As a stream, as a whole answer and as a request: never a throw, no cut changes a thing, released means untouched. */
export const target: Target = {
  name: 'anthropic',
  words: [
    'event: content_block_start\n',
    'event: content_block_delta\n',
    'data: ',
    '\n\n',
    '"type":"message_start"',
    '"type":"content_block_start"',
    '"type":"content_block_delta"',
    '"type":"content_block_stop"',
    '"type":"tool_use"',
    '"type":"server_tool_use"',
    '"type":"input_json_delta"',
    '"type":"text_delta"',
    '"partial_json":"',
    '"index":0',
    '"index":1',
    '"name":"run_sql"',
    '"input":{}',
    '"id":"toolu_1"',
    '"stop_reason":"tool_use"',
    '[DONE]',
    'null',
  ],
  run(bytes) {
    const whole = through(bytes, bytes.length || 1, ALL_RELEASED)
    const cut = through(bytes, 3, ALL_RELEASED)
    assert.deepEqual(cut.messages, whole.messages)
    assert.deepEqual(cut.out, whole.out)
    const faulty = whole.messages.some((message) => message.kind === 'fault')
    if (!faulty) assert.ok(Buffer.from(bytes).indexOf(whole.out) === 0, 'released bytes are not the stream')
    for (const decided of [REFUSED, EDITED]) {
      const refused = through(bytes, bytes.length || 1, decided)
      assert.ok(!holdsCall(refused.out), 'a refused call left')
    }
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
  const { type } = value as { type?: unknown } // an object, checked in the line before
  if (type === 'tool_use') return true
  return Object.entries(value).some(([name, member]) => {
    return ['message', 'content', 'content_block', 'delta'].includes(name) || Array.isArray(value)
      ? callIn(member)
      : false
  })
}

function asWhole(bytes: Uint8Array): string {
  const answer = atOnce(anthropic.readAnswer(view, bytes, work))
  if (!answer.ok) return answer.reason
  const faulty = answer.value.messages.some((message) => message.kind === 'fault')
  if (!faulty) assert.deepEqual(Buffer.from(answer.value.write(ALL_RELEASED)), Buffer.from(bytes))
  for (const decided of [REFUSED, EDITED]) {
    const written = Buffer.from(answer.value.write(decided)).toString('utf8')
    const plain = answer.value.messages.every((message) => message.kind === 'text')
    if (!plain) assert.ok(!callIn(JSON.parse(written)), 'a refused call left in a whole answer')
  }
  return [...new Set(answer.value.messages.map((message) => message.kind))].join('-')
}

function asRequest(bytes: Uint8Array): string {
  if (endpoint === null) return 'none'
  const read = atOnce(anthropic.readRequest(endpoint, bytes, work))
  if (!read.ok) return read.reason
  const record = {
    verdictId: 'v_1',
    text: 'sallyport: X. Verdict v_1. Ask: sallyctl policy explain v_1',
    original: '{"block":"{\\"type\\":\\"tool_use\\"}","id":"toolu_1","toolset":null}',
    answerId: null,
  }
  const refused = {
    byVerdict: (id: string) => (id === 'v_1' ? record : null),
    inAnswer: (id: string) => (id === 'gone' ? ('lost' as const) : [record]),
  }
  const restored = anthropic.restore(read.value, refused, 1_000_000)
  if (restored !== null && restored !== 'lost')
    assert.ok(parseStrictBytes(restored, { depth: 256, bytes: 1_000_000 }).ok, 'restored no JSON')
  return `request ${read.value.stream} ${read.value.tools.length > 0} ${restored === null ? 'as it came' : 'restored'}`
}
