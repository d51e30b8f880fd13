import assert from 'node:assert/strict'
import { rebuild } from '../conformance/assembler.ts'
import { newPath, PATIENT, type Path, type Seen } from '../fixtures/path.ts'
import { REQUEST } from '../fixtures/policies.ts'
import { answerOf } from './runner/answers.ts'
import { newRandom } from './runner/random.ts'
import type { Target } from './runner/target.ts'

/** Small enough that an input can reach each of them. */
const limits = { ...PATIENT, frameBytes: 4_096, argumentBytes: 2_048, callsPerAnswer: 6 }
/**
 * A path of its own for the cap on held bytes: what stands behind a broken frame is cut as the chunks are, and counts, so
 * the reason of an answer that reaches this cap depends on its cuts.
 */
const narrow = { ...limits, heldBytesPerStream: 3_072 }
const NARROW = 3
/** From this first byte on, the bytes of an input are choices of which whole events are built. */
const GENERATED = 128

/**
 * SQL that reads for one tool; no word of the other may be one that destroys. So whatever client reads whatever call: its
 * query does not begin with such a word.
 */
const policy = (more: string): string => `
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
${more}`

const TWO_CHOICES = { ...REQUEST, n: 2 }
const FORBIDDEN_NAMES = new Set(['send_mail', 'admin_reset'])
const FORBIDDEN_ARGS = /[{,]\s*"query"\s*:\s*"\s*(?:drop|delete)\b/i

let paths: readonly Path[] | null = null

async function pathOf(choice: number): Promise<Path> {
  paths ??= [
    await newPath(policy(''), limits),
    await newPath(policy('  onViolation: { action: Abort }\n'), limits),
    await newPath(policy('  textTools: [{ fence: bash }, { tag: act }]\n'), limits),
    await newPath(policy(''), narrow),
  ]
  const path = paths[choice % 4]
  assert.ok(path !== undefined)
  return path
}

/** One answer through the whole path; while it streams, no more is held than the limit says, and after it nothing. */
async function ask(path: Path, chunks: readonly Uint8Array[], max: number): Promise<Seen> {
  const before = (): void => assert.ok(path.heldBytes <= max, `${path.heldBytes} bytes are held`)
  const seen = await path.ask(TWO_CHOICES, { chunks, before })
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
  for (const { name, args } of rebuild(seen.text).calls) {
    assert.ok(!FORBIDDEN_NAMES.has(name), `a client can rebuild ${name} ${args}`)
    assert.ok(!FORBIDDEN_ARGS.test(args), `a client can rebuild ${name} ${args}`)
  }
}

/** Calls written as text, as an agent reads them that runs what stands between the usual tags. */
function assertHarmlessText(seen: Seen): void {
  for (const text of contentsOf(seen.text))
    for (const [, body = ''] of text.matchAll(/<tool_call>([\s\S]*?)<\/tool_call>/g)) {
      const name = memberOf(parsed(body), 'name')
      assert.ok(typeof name !== 'string' || !FORBIDDEN_NAMES.has(name), `an agent can read ${body} in its text`)
    }
}

/** The text of each choice, joined over the events that every client reads. */
function contentsOf(text: string): Iterable<string> {
  const contents = new Map<unknown, string>()
  for (const [, data = ''] of text.matchAll(/^data: ?(.*)$/gm)) {
    const choices = memberOf(parsed(data), 'choices')
    for (const choice of Array.isArray(choices) ? choices : []) {
      const content = memberOf(memberOf(choice, 'delta'), 'content')
      const index = memberOf(choice, 'index')
      if (typeof content === 'string') contents.set(index, (contents.get(index) ?? '') + content)
    }
  }
  return contents.values()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined // an object
}

const reasonsOf = (seen: Seen): readonly string[] =>
  seen.verdicts.map(({ action, reasons }) => `${action}:${reasons.join('+')}`)

/** Verdict ids count up in the fixture, and comments may overtake what is held. */
const comparable = (seen: Seen): string => seen.text.replace(/v_test\d+/g, 'v').replace(/^:.*(?:\r\n|\r|\n)*/gm, '')

/**
 * The first two bytes of an input choose the policy and the cuts, the others are (or make) the provider's answer. Through dialect,
 * firewall, worker, policy and gate: no crash, nothing forbidden leaves in any reading, a bound on what is held, and the
 * same verdicts and bytes for every cut.
 */
export const target: Target = {
  name: 'gate',
  words: [
    'data: ',
    'data:',
    '\n\n',
    '\r\n\r\n',
    '\r\r',
    ': x\n',
    'event: message\n',
    '\n\ndata: [DONE]\n\n',
    '"tool_calls":[',
    '"toolCalls":[',
    '"function_call":',
    '"delta":',
    '"message":',
    '"index":0',
    '"index":1',
    '"index":-1',
    '"index":"0"',
    '"id":"call_0"',
    '"id":"call_1"',
    '"type":"function"',
    '"type":"custom"',
    '"function":{',
    '"custom":{',
    '"finish_reason":"tool_calls"',
    '"finish_reason":"stop"',
    '"finish_reason":"length"',
    '"name":"run_sql"',
    '"name":"send_mail"',
    '"name":"send_"',
    '"name":"search_docs"',
    '"name":"send\\u005fmail"',
    '"arguments":"',
    '"arguments":"{\\"query\\":\\"DROP TABLE customers\\"}"',
    '\\"query\\":\\"DROP TABLE customers\\"',
    '\\"query\\":\\"SELECT 1\\"',
    '{\\"query\\":\\"',
    '\\"}',
    'DROP TABLE customers',
    'SELECT 1; ',
    '--',
    '/*',
    '\\u0044ROP',
    '\\\\u0044ROP',
    '"content":"',
    '<tool_call>{\\"name\\":\\"send_mail\\",\\"arguments\\":{}}</tool_call>',
    '```bash\\nrm -rf /\\n```',
    '"choices":[',
    '"refusal":null',
    '"logprobs":null',
    'null',
    '{}',
    '},{',
    ']}',
  ],
  async run(bytes) {
    const [choice = 0, seed = 0] = bytes
    const answer = choice < GENERATED ? bytes.subarray(2) : Buffer.from(answerOf(bytes.subarray(2)))
    const path = await pathOf(choice)
    const kind = choice % 4
    const max = (kind === NARROW ? narrow : limits).heldBytesPerStream
    const whole = await ask(path, [answer], max)
    const cut = await ask(path, cutsOf(answer, seed), max)
    assertHarmless(whole)
    assertHarmless(cut)
    assertHarmlessText(whole)
    assertHarmlessText(cut)
    if (kind !== NARROW) {
      assert.deepEqual(reasonsOf(cut), reasonsOf(whole))
      assert.equal(comparable(cut), comparable(whole))
    }
    return `${kind} ${whole.how} ${[...new Set(reasonsOf(whole))].sort().join(' ')}`
  },
}
