import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_LIMITS, type RefusedCalls, type RestoreRecord } from '#pkg/model'
import type { Original } from './call.ts'
import { gemini } from './index.ts'

const refusalOf = (id: string): string =>
  `sallyport: TOOL_NOT_GRANTED: tool "run_sql" is not granted. Verdict ${id}. Ask: sallyctl policy explain ${id}`
const PART = '{"functionCall": {"name":"run_sql","args":{"n":1.0}},\n"thoughtSignature":"c2ln"}'

function recordOf(verdictId: string, original: Partial<Original> = {}): RestoreRecord {
  const whole: Original = { name: 'run_sql', id: null, part: PART, ...original }
  return { verdictId, text: refusalOf(verdictId), original: JSON.stringify(whole), answerId: null }
}

const known = (...records: readonly RestoreRecord[]): RefusedCalls => ({
  byVerdict: (id) => records.find(({ verdictId }) => verdictId === id) ?? null,
  inAnswer: () => [],
})

function restore(contents: string, refused: RefusedCalls, maxBytes = 1_000_000): string | null {
  const endpoint = gemini.endpointOf('POST', '/v1beta/models/m:generateContent', '')
  assert.ok(endpoint !== null)
  const body = Buffer.from(`{ "contents" : ${contents} , "x":1.0}`)
  const reading = gemini.readRequest(endpoint, body, { limits: DEFAULT_LIMITS, yieldTurn: () => Promise.resolve() })
  assert.ok(!(reading instanceof Promise) && reading.ok)
  const restored = gemini.restore(reading.value, refused, maxBytes)
  assert.notEqual(restored, 'lost')
  if (restored === null || restored === 'lost') return null
  const text = Buffer.from(restored).toString('utf8')
  JSON.parse(text)
  const [, inner] = /^\{ "contents" : (.*) , "x":1\.0\}$/s.exec(text) ?? []
  return inner ?? `bytes outside of the contents changed: ${text}`
}

const text = (value: string): string => JSON.stringify({ text: value })
const response = (id = 'v_1', more: object = {}): string =>
  JSON.stringify({ functionResponse: { ...more, name: 'run_sql', response: { error: refusalOf(id) } } })
const R1 = refusalOf('v_1')
const R2 = refusalOf('v_2')
const two = known(recordOf('v_1'), recordOf('v_2'))

const rows: readonly (readonly [name: string, before: string, after: string | null])[] = [
  [
    'the refusal alone, and the next turn of the user',
    `[{"role":"model","parts":[${text(R1)}]}, {"role":"user","parts":[ {"text":"and?"}]}]`,
    `[{"role":"model","parts":[${PART}]}, {"role":"user","parts":[${response()}, {"text":"and?"}]}]`,
  ],
  [
    'text before the refusal in a part of its own, as streams bring it',
    `[{"role":"model","parts":[{"text":"Doing."}]},{"role":"model","parts":[${text(`\n\n${R1}`)}]},{"role":"model","parts":[{"text":""}]},{"role":"user","parts":[{"text":"and?"}]}]`,
    `[{"role":"model","parts":[{"text":"Doing."}]},{"role":"model","parts":[${PART}]},{"role":"model","parts":[{"text":""}]},{"role":"user","parts":[${response()},{"text":"and?"}]}]`,
  ],
  [
    'text that a client joined around the refusal',
    `[{"role":"model","parts":[${text(`Doing.\n\n${R1} Done.`)}]},{"role":"user","parts":[{"text":"and?"}]}]`,
    `[{"role":"model","parts":[${text('Doing.')},${PART},${text(' Done.')}]},{"role":"user","parts":[${response()},{"text":"and?"}]}]`,
  ],
  [
    'two refusals in one text, and the result of a sibling',
    `[{"role":"model","parts":[${text(`${R1}\n\n${R2}`)},{"functionCall":{"name":"a"}}]},{"role":"function","parts":[{"functionResponse":{"name":"a","response":{}}}]}]`,
    `[{"role":"model","parts":[${PART},${PART},{"functionCall":{"name":"a"}}]},{"role":"function","parts":[${response()},${response('v_2')},{"functionResponse":{"name":"a","response":{}}}]}]`,
  ],
  [
    'no turn after it',
    `[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":[${text(R1)}]}]`,
    `[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":[${PART}]},{"role":"user","parts":[${response()}]}]`,
  ],
  [
    'a next turn without parts',
    `[{"role":"model","parts":[${text(R1)}]},{"role":"user"}]`,
    `[{"role":"model","parts":[${PART}]},{"role":"user","parts":[${response()}]},{"role":"user"}]`,
  ],
  [
    'a next turn with empty parts and no role',
    `[{"role":"model","parts":[${text(R1)}]},{"parts":[]}]`,
    `[{"role":"model","parts":[${PART}]},{"parts":[${response()}]}]`,
  ],
  [
    'the same refusal told twice is restored once',
    `[{"role":"model","parts":[${text(R1)}]},{"role":"user","parts":[{"text":"?"}]},{"role":"model","parts":[${text(R1)}]}]`,
    `[{"role":"model","parts":[${PART}]},{"role":"user","parts":[${response()},{"text":"?"}]},{"role":"model","parts":[${text(R1)}]}]`,
  ],
  ['a refusal in the mouth of the user', `[{"role":"user","parts":[${text(R1)}]}]`, null],
  ['a refusal that is not word for word', `[{"role":"model","parts":[${text(R1.replace('granted', 'given'))}]}]`, null],
  ['a verdict that is not known', `[{"role":"model","parts":[${text(refusalOf('v_9'))}]}]`, null],
  ['no refusal', '[{"role":"model","parts":[{"text":"x"}]}]', null],
]
for (const [name, before, after] of rows)
  test(`[GEMINI-07] restore: ${name}`, () => assert.equal(restore(before, two), after))

test('[GEMINI-07] restore: an id goes with the result', () => {
  const before = `[{"role":"model","parts":[${text(R1)}]}]`
  const after = restore(before, known(recordOf('v_1', { id: 'c7' })))
  assert.equal(after, `[{"role":"model","parts":[${PART}]},{"role":"user","parts":[${response('v_1', { id: 'c7' })}]}]`)
})

test('[GEMINI-07] restore: a lost or an empty record, or a body that would grow too large, leaves the text', () => {
  const before = `[{"role":"model","parts":[${text(R1)}]}]`
  assert.equal(restore(before, known()), null)
  assert.equal(restore(before, known({ ...recordOf('v_1'), original: '' })), null)
  assert.equal(restore(before, two, before.length), null)
})
