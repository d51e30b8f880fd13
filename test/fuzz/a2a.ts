import assert from 'node:assert/strict'
import { ALL_RELEASED, DEFAULT_LIMITS, type Decided, type Message, type RequestView } from '#pkg/model'
import { a2a } from '#pkg/path/codec/dialect/a2a'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import type { Target } from './runner/target.ts'

const limits = { ...DEFAULT_LIMITS, frameBytes: 4_096, callsPerAnswer: 16 }
const work = { limits, yieldTurn: () => Promise.resolve() }
const REFUSED: Decided = {
  outcome: () => ({ kind: 'refused', text: 'sallyport: PEER_URL_NOT_GRANTED: no' }),
  text: () => undefined,
}

/** Only large bodies are read in turns, and none here is large. */
function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('a small body was read in turns')
  return value
}

/** Requests whose answers the input is, in both bindings and versions. */
const ASKS: readonly (readonly [method: string, path: string, body: string])[] = [
  ['POST', '', '{"jsonrpc":"2.0","id":1,"method":"SendStreamingMessage","params":{"message":{"parts":[]}}}'],
  ['POST', '', '{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":{"parts":[]}}}'],
  ['POST', '/v1/message:stream', '{"message":{"content":[]}}'],
  ['POST', '/message:send', '{"message":{"parts":[]}}'],
  ['GET', '/tasks', ''],
  ['GET', '/tasks/t', ''],
  ['GET', '/.well-known/agent-card.json', ''],
]

function viewOf([method, path, body]: (typeof ASKS)[number]): RequestView {
  const endpoint = a2a.endpointOf(method, `/research${path}`, '')
  assert.ok(endpoint !== null)
  const read = atOnce(a2a.readRequest(endpoint, Buffer.from(body), work))
  assert.ok(read.ok)
  const peer = { urls: ['https://peer.example/a2a'], skills: ['a'], owns: () => true }
  return { ...read.value, peer }
}

type Through = { readonly out: Buffer; readonly messages: readonly Message[]; readonly ended: boolean }

/** One answer through the dialect. The bytes that leave, and the messages. */
function through(view: RequestView, bytes: Uint8Array, size: number, decided: Decided): Through {
  const splitter = newSseSplitter(limits)
  const stream = a2a.openStream(view, limits)
  const out: Uint8Array[] = []
  const messages: Message[] = []
  const frames = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...splitter.push(bytes.subarray(at, at + size)))
  frames.push(...splitter.end())
  for (const frame of frames) {
    if (frame.kind === 'fault') return { out: Buffer.concat(out), messages, ended: true }
    const read = stream.read(frame)
    messages.push(...read)
    if (read.some((message) => message.kind === 'fault' && message.scope === 'stream'))
      return { out: Buffer.concat(out), messages, ended: true }
    out.push(...stream.write(frame, decided))
  }
  return { out: Buffer.concat(out), messages, ended: false }
}

/** As streams, as whole answers, as cards and as requests: never a throw, no cut changes a thing, what is refused is gone. */
export const target: Target = {
  name: 'a2a',
  words: [
    'data: ',
    'event: error\n',
    '\n\n',
    '"jsonrpc":"2.0"',
    '"id":1',
    '"id":"1"',
    '"result":{',
    '"error":{',
    '"task":{',
    '"message":{',
    '"statusUpdate":{',
    '"status_update":{',
    '"artifactUpdate":{',
    '"kind":"task"',
    '"parts":[',
    '"text":"x"',
    '"url":"https://evil.example"',
    '"file":{"uri":"https://evil.example"}',
    '"taskId":"t"',
    '"task_id":"t"',
    '"tasks":[',
    '"supportedInterfaces":[',
    '"method":"SendMessage"',
    'null',
    '[]',
  ],
  run(bytes) {
    const seen = ASKS.map((ask) => asStream(ask, bytes) + asWhole(ask, bytes))
    return [...new Set(seen), asRequest(bytes, ''), asRequest(bytes, '/v1/message:send')].join(' ')
  },
}

function asStream(ask: (typeof ASKS)[number], bytes: Uint8Array): string {
  const whole = through(viewOf(ask), bytes, bytes.length || 1, ALL_RELEASED)
  const cut = through(viewOf(ask), bytes, 3, ALL_RELEASED)
  assert.deepEqual(cut.messages, whole.messages)
  assert.deepEqual(cut.out, whole.out)
  const refused = through(viewOf(ask), bytes, bytes.length || 1, REFUSED).out.toString()
  assert.ok(whole.messages.length === 0 || !/evil/.test(afterFirst(refused)), 'what was refused has left')
  const kinds = new Set(whole.messages.map((message) => (message.kind === 'fault' ? message.reason : message.kind)))
  return [...kinds].sort().join('-')
}

/** What leaves from the first refusal on: nothing may follow it. */
function afterFirst(out: string): string {
  const at = out.indexOf('PEER_URL_NOT_GRANTED')
  return at < 0 ? '' : out.slice(at)
}

function asWhole(ask: (typeof ASKS)[number], bytes: Uint8Array): string {
  const isCard = ask[1].includes('card')
  const answer = atOnce(a2a.readAnswer(viewOf(ask), bytes, work))
  if (!answer.ok) return answer.reason
  const passed = Buffer.from(answer.value.write(ALL_RELEASED))
  // of a list a task without a name is left out
  if (ask[1] === '/tasks') JSON.parse(passed.toString())
  else if (!isCard) assert.deepEqual(passed, Buffer.from(bytes))
  else if (answer.value.messages[0]?.kind === 'card') assertFacade(JSON.parse(passed.toString()))
  const refused = Buffer.from(answer.value.write(REFUSED)).toString()
  if (answer.value.messages.length > 0) assert.ok(!refused.includes('evil'), 'what was refused has left')
  return answer.value.messages.map((message) => message.kind).join('-')
}

/** No reader of a card is led past the facade. */
function assertFacade(card: Record<string, unknown>): void {
  for (const key of ['supportedInterfaces', 'supported_interfaces', 'additionalInterfaces', 'additional_interfaces'])
    for (const one of (card[key] ?? []) as { url?: unknown }[]) assert.equal(one.url, 'http://127.0.0.1/a2a/research')
  if ((card['url'] ?? '') !== '') assert.equal(card['url'], 'http://127.0.0.1/a2a/research')
}

function asRequest(bytes: Uint8Array, path: string): string {
  const endpoint = a2a.endpointOf('POST', `/research${path}`, '')
  assert.ok(endpoint !== null)
  const read = atOnce(a2a.readRequest(endpoint, bytes, work))
  if (!read.ok) return read.reason
  const { acts } = read.value
  const answered = acts?.refusal(REFUSED) ?? null
  assert.equal(answered !== null, (acts?.messages.length ?? 0) > 0, 'each act can be refused, and nothing else')
  if (answered !== null) JSON.parse(Buffer.from(answered.body).toString())
  assert.equal(acts?.refusal(ALL_RELEASED) ?? null, null)
  return acts?.messages.map((message) => message.kind).join('-') ?? ''
}
