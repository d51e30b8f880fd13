import assert from 'node:assert/strict'
import { ALL_RELEASED, DEFAULT_LIMITS, type Decided, type Frame, type Message, type RequestView } from '#pkg/model'
import { gemini } from '#pkg/path/codec/dialect/gemini'
import { parseStrictBytes } from '#pkg/path/codec/wire/json'
import { newJsonArraySplitter } from '#pkg/path/codec/wire/json-array'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import type { Target } from './runner/target.ts'

const limits = { ...DEFAULT_LIMITS, frameBytes: 4_096, argumentBytes: 2_048 }
const work = { limits, yieldTurn: () => Promise.resolve() }
const REFUSED: Decided = {
  outcome: () => ({ kind: 'refused', text: 'sallyport: TOOL_NOT_GRANTED: no' }),
  text: () => undefined,
}
/** Every text is cut in half: what is written then must still be JSON. */
const EDITED: Decided = { outcome: () => ({ kind: 'released' }), text: () => 'edited' }

/** Only large bodies are read in turns, and none here is large. */
function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('a small body was read in turns')
  return value
}

function viewOf(method: string, query: string): RequestView {
  const endpoint = gemini.endpointOf('POST', `/v1beta/models/gemini-2.5-flash:${method}`, query)
  assert.ok(endpoint !== null)
  const body = Buffer.from('{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"candidateCount":2}}')
  const view = atOnce(gemini.readRequest(endpoint, body, work))
  assert.ok(view.ok)
  return view.value
}
const events = viewOf('streamGenerateContent', '?alt=sse')
const array = viewOf('streamGenerateContent', '')
const whole = viewOf('generateContent', '')

type Run = { readonly out: Buffer; readonly messages: readonly Message[]; readonly faulty: boolean }

/** One answer through the dialect. The bytes that leave, and the messages. */
function through(view: RequestView, bytes: Uint8Array, size: number, decided: Decided): Run {
  const splitter = view === array ? newJsonArraySplitter(limits) : newSseSplitter(limits)
  const stream = gemini.openStream(view, limits)
  const out: Uint8Array[] = []
  const messages: Message[] = []
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...splitter.push(bytes.subarray(at, at + size)))
  frames.push(...splitter.end())
  let faulty = false
  for (const frame of frames) {
    const read = stream.read(frame)
    messages.push(...read)
    faulty ||= read.some((message) => message.kind === 'fault' && message.scope === 'stream')
    if (faulty) break
    out.push(...stream.write(frame, decided))
  }
  messages.push(...stream.end())
  return { out: Buffer.concat(out), messages, faulty }
}

/** Streamed in both framings, as a whole answer and as a request: never a throw, no cut changes a thing. */
export const target: Target = {
  name: 'gemini',
  words: [
    'data: ',
    '\n\n',
    '\n,\r\n',
    '[{',
    '}]',
    '"candidates":[',
    '"content":{"parts":[',
    '"functionCall":{',
    '"function_call":{',
    '"name":"run_sql"',
    '"args":{',
    '"partialArgs":[{"jsonPath":"$.a",',
    '"stringValue":"x"',
    '"willContinue":true',
    '"text":"',
    '"thought":true',
    '"thoughtSignature":"',
    '"index":1',
    '"finishReason":"STOP"',
    '{"functionCall":{}}',
    'null',
  ],
  run(bytes) {
    return [asStream(events, bytes), asStream(array, bytes), asWhole(bytes), asRequest(bytes)].join(' ')
  },
}

function asStream(view: RequestView, bytes: Uint8Array): string {
  const once = through(view, bytes, bytes.length || 1, ALL_RELEASED)
  const cut = through(view, bytes, 3, ALL_RELEASED)
  assert.deepEqual(cut.messages, once.messages)
  assert.deepEqual(cut.out, once.out)
  assert.ok(Buffer.from(bytes).indexOf(once.out) === 0, 'released bytes are not the stream')
  for (const decided of [REFUSED, EDITED]) {
    const other = through(view, bytes, bytes.length || 1, decided)
    const chunks = chunksIn(view, other, bytes)
    if (decided === REFUSED) assert.ok(!chunks.some((chunk) => callIn(chunk)), 'a refused call left')
  }
  const kinds = new Set(once.messages.map((message) => (message.kind === 'fault' ? message.reason : message.kind)))
  return [...kinds].sort().join('-')
}

/** What a client reads. An array that had no fault is one, whatever was done to it. */
function chunksIn(view: RequestView, run: Run, bytes: Uint8Array): readonly unknown[] {
  if (view === array) {
    if (run.faulty || bytes.length === 0) return []
    const value: unknown = JSON.parse(run.out.toString('utf8'))
    assert.ok(Array.isArray(value))
    return value
  }
  const splitter = newSseSplitter({ frameBytes: 1_000_000 })
  return [...splitter.push(run.out), ...splitter.end()].flatMap((frame) => {
    if (frame.kind !== 'event' || frame.data.trim() === '') return []
    const value: unknown = JSON.parse(frame.data)
    return [value]
  })
}

/** Is there a call where a client looks for one? An empty one counts in parts, where it may end another. */
function callIn(value: unknown, inParts = false): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, member]) => {
    if (name === 'functionCall' || name === 'function_call') {
      return inParts ? member !== null : typeof member === 'object' && Object.keys(member ?? {}).length > 0
    }
    if (Array.isArray(value)) return callIn(member, inParts)
    return ['candidates', 'content', 'parts'].includes(name) && callIn(member, name === 'parts')
  })
}

function asWhole(bytes: Uint8Array): string {
  const answer = atOnce(gemini.readAnswer(whole, bytes, work))
  if (!answer.ok) return answer.reason
  assert.deepEqual(Buffer.from(answer.value.write(ALL_RELEASED)), Buffer.from(bytes))
  const faulty = answer.value.messages.some((message) => message.kind === 'fault' && message.scope === 'stream')
  for (const decided of [REFUSED, EDITED]) {
    const written: unknown = JSON.parse(Buffer.from(answer.value.write(decided)).toString('utf8'))
    if (decided === REFUSED && !faulty) assert.ok(!callIn(written), 'a refused call left')
  }
  return [...new Set(answer.value.messages.map((message) => message.kind))].join('-')
}

function asRequest(bytes: Uint8Array): string {
  const read = atOnce(gemini.readRequest(whole.endpoint, bytes, work))
  if (!read.ok) return read.reason
  const original = JSON.stringify({ name: 'run_sql', id: null, part: '{"functionCall":{"name":"run_sql"}}' })
  const text = (id: string): string => `Verdict ${id}. Ask: sallyctl policy explain ${id}`
  const byVerdict = (verdictId: string) => ({ verdictId, text: text(verdictId), original, answerId: null })
  const restored = gemini.restore(read.value, { byVerdict, inAnswer: () => [] }, 1_000_000)
  if (restored !== null && restored !== 'lost')
    assert.ok(parseStrictBytes(restored, { depth: 256, bytes: 1_000_000 }).ok, 'restored no JSON')
  return `request ${read.value.tools.length > 0} ${read.value.history.calls.length > 0} ${restored !== null}`
}
