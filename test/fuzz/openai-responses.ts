import assert from 'node:assert/strict'
import { DEFAULT_LIMITS } from '#pkg/model'
import { openaiResponses } from '#pkg/path/codec/dialect/openai-responses'
import { parseStrictBytes } from '#pkg/path/codec/wire/json'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import { rebuild } from '../conformance/responses-assembler.ts'
import { JSON_TYPE, newPath, PATIENT, type Path, type Play, type Seen } from '../fixtures/path.ts'
import { RESPONSES_REQUEST } from '../fixtures/responses.ts'
import { newRandom } from './runner/random.ts'
import { responsesOf } from './runner/responses.ts'
import type { Target } from './runner/target.ts'

const limits = { ...PATIENT, frameBytes: 8_192, argumentBytes: 2_048, callsPerAnswer: 12 }
const work = { limits, yieldTurn: () => Promise.resolve() }

/** No word of a call that is let through may destroy: neither as SQL, nor as what another tool looks for. */
const policy = `
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: marketing, namespace: growth, labels: { app: marketing-agent } }
---
apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: marketing, namespace: growth }
spec:
  selector: { matchLabels: { app: marketing-agent } }
  role: marketing
  llm: { providers: [{ name: openai, type: OpenAI, models: ["gpt-5*"] }] }
  intents: { allow: [sql.read] }
  textTools: [{ fence: bash }, { tag: act }]
  tools:
    allow:
    - name: run_sql
      intents: [sql.read]
      arguments:
        schema: { type: object, required: [query], properties: { query: { type: string } } }
    - name: search_docs
      arguments:
        schema: { type: object, required: [query], properties: { query: { type: string } }, additionalProperties: false }
        rules: [{ name: harmless, expression: "!args.query.matches('(?i)drop|delete')", message: no }]
    deny: [{ name: "admin_*" }]
`

const FORBIDDEN_NAMES = new Set(['send_mail', 'admin_reset', 'robot_call', 'local_shell_call'])
const FORBIDDEN_ARGS = /[{,]\s*"query"\s*:\s*"\s*(?:drop|delete)\b/i
const TEXT_CALL = /<tool_call>\s*\{"name":"send_mail"[\s\S]*<\/tool_call>/

let path: Path | null = null

async function ask(play: Play): Promise<Seen> {
  path ??= await newPath(policy, limits)
  const seen = await path.ask(RESPONSES_REQUEST, play, { path: '/responses' })
  assert.equal(path.heldBytes, 0, 'bytes stay held after the end')
  assert.notEqual(seen.how, 'open', 'the client waits for ever')
  path.verdicts.length = 0 // the fixture keeps them all
  return seen
}

function cutsOf(bytes: Uint8Array, seed: number): readonly Uint8Array[] {
  const random = newRandom(String(seed))
  const largest = random.pick([1, 7, 60, 700]) ?? 1
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(largest)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

function assertHarmless(seen: Seen): void {
  const { calls, threads } = rebuild(seen.text)
  for (const { name, args } of calls) {
    assert.ok(!FORBIDDEN_NAMES.has(name), `a client can rebuild ${name} ${args}`)
    assert.ok(!FORBIDDEN_ARGS.test(args), `a client can rebuild ${name} ${args}`)
  }
  for (const thread of threads) assert.ok(!TEXT_CALL.test(thread), `an agent can read ${thread}`)
}

const reasonsOf = (seen: Seen): readonly string[] =>
  seen.verdicts.map(({ action, reasons }) => `${action}:${reasons.join('+')}`)

/** What clients dispatch, and what they do not (comments, unknown lines), which may overtake what is held. */
function apart(bytes: Uint8Array): { readonly events: string; readonly rest: string } {
  const splitter = newSseSplitter(DEFAULT_LIMITS)
  const frames = [...splitter.push(bytes), ...splitter.end()]
  const of = (comments: boolean): string =>
    Buffer.concat(frames.filter(({ kind }) => (kind === 'comment') === comments).map(({ raw }) => raw)).toString(
      'latin1',
    )
  return { events: of(false), rest: of(true) }
}

/** Verdict ids count up in the fixture. */
const comparable = (seen: Seen): string => apart(Buffer.from(seen.text)).events.replace(/v_test\d+/g, 'v')

async function asStream(answer: Uint8Array, seed: number): Promise<string> {
  const whole = await ask({ chunks: [answer] })
  const cut = await ask({ chunks: cutsOf(answer, seed) })
  assertHarmless(whole)
  assertHarmless(cut)
  assert.deepEqual(reasonsOf(cut), reasonsOf(whole))
  assert.equal(comparable(cut), comparable(whole))
  const refused = whole.verdicts.some(({ action }) => action !== 'Allow' && action !== 'Record')
  if (!refused && whole.how === 'end') assert.deepEqual(apart(whole.bytes), apart(answer))
  return `${whole.how} ${[...new Set(reasonsOf(whole))].sort().join(' ')}`
}

async function asWhole(body: Uint8Array): Promise<string> {
  const seen = await ask({ chunks: [body], headers: JSON_TYPE })
  assertHarmless(seen)
  return `whole ${seen.status} ${[...new Set(reasonsOf(seen))].sort().join(' ')}`
}

/** The response object in the last event. */
function lastResponse(stream: string): string {
  const [data = '{}'] =
    stream
      .match(/^data: .*$/gm)
      ?.at(-1)
      ?.match(/{.*/) ?? []
  const { response = {} } = JSON.parse(data) as { response?: object }
  return JSON.stringify(response)
}

function asRequest(bytes: Uint8Array): string {
  const endpoint = openaiResponses.endpointOf('POST', '/responses', '')
  assert.ok(endpoint !== null)
  const read = openaiResponses.readRequest(endpoint, bytes, work)
  if (read instanceof Promise) throw new Error('a small body was read in turns')
  if (!read.ok) return read.reason
  const item = { type: 'function_call', call_id: 'call_1', name: 'x', arguments: '{}' }
  const record = { text: '', original: JSON.stringify({ item, index: 0 }), answerId: null }
  const refused = {
    byVerdict: (verdictId: string) => ({ ...record, verdictId }),
    inAnswer: (id: string) => (id === 'lost' ? ('lost' as const) : [{ ...record, verdictId: 'v_1' }]),
  }
  const restored = openaiResponses.restore(read.value, refused, 1_000_000)
  if (restored !== null && restored !== 'lost')
    assert.ok(parseStrictBytes(restored, { depth: 256, bytes: 1_000_000 }).ok, 'restored no JSON')
  return `request ${read.value.stream} ${read.value.tools.length > 0} ${read.value.history.calls.length > 0} ${restored === null}`
}

/**
 * The first byte of an input says what the others are: a stream, the choices of which one is built, a whole answer, or
 * a request; the second how the stream is cut. No crash, nothing forbidden leaves in any reading, no cut changes a thing.
 */
export const target: Target = {
  name: 'openai-responses',
  words: [
    'event: response.output_item.added\n',
    'data: {"type":"response.output_item.added","output_index":0,"item":',
    'data: {"type":"response.output_item.done","output_index":0,"item":',
    'data: {"type":"response.function_call_arguments.delta","output_index":0,"delta":"',
    'data: {"type":"response.completed","response":{"output":[',
    '{"type":"function_call","call_id":"call_1","name":"send_mail","arguments":"{}"}',
    '"arguments":"{\\"query\\":\\"DROP TABLE customers\\"}"',
    '"name":"run_sql"',
    '"type":"message"',
    '"content":[{"type":"output_text","text":"',
    '"status":"incomplete"',
    '"previous_response_id":"resp_1"',
    '"conversation":"lost"',
    '"input":[',
    '"role":"assistant"',
    'Verdict v_1. Ask: sallyctl policy explain v_1',
    '"id":"msg_sp_v_1"',
    '"type":"item_reference"',
    '"type":"reasoning"',
    '\n\n',
    '},{',
    ']}',
  ],
  run(bytes) {
    const [kind = 0, seed = 0] = bytes
    const rest = bytes.subarray(2)
    if (kind % 4 === 0) return asStream(rest, seed)
    if (kind % 4 === 1) return asWhole(rest)
    if (kind % 4 === 2) return Promise.resolve(asRequest(rest))
    const made = responsesOf(rest)
    if (kind % 8 === 7) return asWhole(Buffer.from(lastResponse(made)))
    return asStream(Buffer.from(made), seed)
  },
}
