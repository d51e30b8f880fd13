import assert from 'node:assert/strict'
import { ALL_RELEASED, DEFAULT_LIMITS, type Decided, type Message, type RequestView } from '#pkg/model'
import { mcp } from '#pkg/path/codec/dialect/mcp'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import type { Target } from './runner/target.ts'

const limits = { ...DEFAULT_LIMITS, frameBytes: 4_096, callsPerAnswer: 16 }
const work = { limits, yieldTurn: () => Promise.resolve() }
const endpoint = mcp.endpointOf('POST', '/warehouse', '')
const REFUSED: Decided = {
  outcome: () => ({ kind: 'refused', text: 'sallyport: TOOL_DRIFT: no' }),
  text: () => undefined,
}

/** Only large bodies are read in turns, and none here is large. */
function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('a small body was read in turns')
  return value
}

function viewOf(method: string): RequestView {
  assert.ok(endpoint !== null)
  const view = atOnce(mcp.readRequest(endpoint, Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"${method}"}`), work))
  assert.ok(view.ok)
  return view.value
}
const view = viewOf('tools/list')

type Through = { readonly out: Buffer; readonly messages: readonly Message[] }

/** One answer through the dialect. The bytes that leave, and the messages. */
function through(bytes: Uint8Array, size: number, decided: Decided): Through {
  const splitter = newSseSplitter(limits)
  const stream = mcp.openStream(view, limits)
  const out: Uint8Array[] = []
  const messages: Message[] = []
  const frames = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...splitter.push(bytes.subarray(at, at + size)))
  frames.push(...splitter.end())
  for (const frame of frames) {
    if (frame.kind === 'fault') break
    const read = stream.read(frame)
    messages.push(...read)
    if (read.some((message) => message.kind === 'fault' && message.scope === 'stream')) break
    out.push(...stream.write(frame, decided))
  }
  return { out: Buffer.concat(out), messages }
}

const HIDDEN = /"method"\s*:\s*"(?:sampling|elicitation|roots)|"tools"\s*:\s*\[\s*\{/

/** As a stream, as a whole answer and as a request: never a throw, no cut changes a thing, what is refused is gone. */
export const target: Target = {
  name: 'mcp',
  words: [
    'data: ',
    'event: message\n',
    '\n\n',
    '"jsonrpc":"2.0"',
    '"id":1',
    '"id":"1"',
    '"method":"tools/call"',
    '"method":"sampling/createMessage"',
    '"method":"notifications/progress"',
    '"params":{',
    '"name":"run_sql"',
    '"arguments":{',
    '"result":{',
    '"tools":[',
    '"nextCursor":"x"',
    '"inputRequests":{',
    '"resultType":"input_required"',
    '"error":{',
    'null',
    '[]',
  ],
  run(bytes) {
    const whole = through(bytes, bytes.length || 1, ALL_RELEASED)
    const cut = through(bytes, 3, ALL_RELEASED)
    assert.deepEqual(cut.messages, whole.messages)
    assert.deepEqual(cut.out, whole.out)
    const refused = through(bytes, bytes.length || 1, REFUSED)
    for (const text of textsOf(refused.out)) assert.ok(!isAsk(text), 'what was refused has left')
    const kinds = new Set(whole.messages.map((message) => (message.kind === 'fault' ? message.reason : message.kind)))
    return [...[...kinds].sort(), asWhole(bytes), asRequest(bytes)].join(' ')
  },
}

/** Data of the events that a client reads. */
function textsOf(out: Buffer): readonly string[] {
  const splitter = newSseSplitter({ frameBytes: 1_000_000 })
  const frames = [...splitter.push(out), ...splitter.end()]
  return frames.flatMap((frame) => (frame.kind === 'event' && frame.data !== '' ? [frame.data] : []))
}

/** Read as leniently as clients do: a message that asks, or that lists tools. */
function isAsk(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    const messages: readonly unknown[] = Array.isArray(value) ? value : [value]
    return messages.some(asks)
  } catch {
    return false
  }
}

function asks(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || !('jsonrpc' in message)) return false
  if ('method' in message && 'id' in message) return message.method !== 'ping'
  return 'result' in message && HIDDEN.test(JSON.stringify({ tools: memberOf(message.result) }))
}

function memberOf(result: unknown): unknown {
  return typeof result === 'object' && result !== null && 'tools' in result ? result.tools : null
}

function asWhole(bytes: Uint8Array): string {
  const answer = atOnce(mcp.readAnswer(view, bytes, work))
  if (!answer.ok) return answer.reason
  assert.deepEqual(Buffer.from(answer.value.write(ALL_RELEASED)), Buffer.from(bytes))
  const refused = Buffer.from(answer.value.write(REFUSED)).toString()
  if (answer.value.messages.length > 0) assert.ok(!isAsk(refused), 'what was refused has left')
  return [...new Set(answer.value.messages.map((message) => message.kind))].join('-')
}

function asRequest(bytes: Uint8Array): string {
  if (endpoint === null) return 'none'
  const read = atOnce(mcp.readRequest(endpoint, bytes, work))
  if (!read.ok) return read.reason
  const { acts } = read.value
  const answered = acts?.refusal(REFUSED) ?? null
  assert.equal(answered !== null, (acts?.messages.length ?? 0) > 0, 'each act can be refused, and nothing else')
  if (answered !== null) JSON.parse(Buffer.from(answered.body).toString())
  assert.equal(acts?.refusal(ALL_RELEASED) ?? null, null)
  return `request ${read.value.endpoint.kind} ${acts?.messages.map((message) => message.kind).join('-') ?? ''}`
}
