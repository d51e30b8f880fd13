/**
 * Answers whose members stand in another spelling, alone or beside themselves: whatever reader a client has, of a refused
 * call nothing leaves. Every member of every dialect, in every framing; what nobody renamed is the control. WIRE.md §1 rule 7.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Ask, Headers } from '#pkg/model'
import {
  CLAUDE,
  CLAUDE_DENY,
  CLAUDE_REQUEST,
  callBlock,
  finish as claudeEnd,
  claudeMessage,
  start as claudeStart,
  toolUse,
} from '../fixtures/anthropic.ts'
import { callDeltas, chunkOf as chatChunk, lf } from '../fixtures/chat.ts'
import {
  AS_ARRAY,
  AS_EVENTS,
  AS_WHOLE,
  array,
  chunksOf,
  DENY as GEMINI_DENY,
  REQUEST as GEMINI_REQUEST,
  call as geminiCall,
  streamedCall,
} from '../fixtures/gemini.ts'
import { closeChecks, JSON_TYPE, newPath, SSE } from '../fixtures/path.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'
import { answerOf, callItem, eventsOf, RESPONSES_REQUEST } from '../fixtures/responses.ts'

after(closeChecks)

type Json = Record<string, unknown>

const SQL = 'DROP TABLE customers'
const ARGS = JSON.stringify({ query: SQL })
const parsed = (texts: readonly string[]): Json[] => texts.map((text) => JSON.parse(text) as Json)

/** How the values of an answer are written. */
type Framing = { readonly headers: Headers; readonly write: (values: readonly Json[]) => string }
const whole: Framing = { headers: JSON_TYPE, write: ([value]) => JSON.stringify(value) }
const events: Framing = { headers: SSE, write: (values) => values.map((value) => lf(JSON.stringify(value))).join('') }
const asArray: Framing = { headers: JSON_TYPE, write: (values) => array(values.map((value) => JSON.stringify(value))) }
const namedEvents: Framing = {
  headers: SSE,
  write: (values) =>
    values.map((value) => `event: ${String(value['type'] ?? 'x')}\n${lf(JSON.stringify(value))}`).join(''),
}

type Row = readonly [
  name: string,
  policy: string,
  request: object,
  ask: Partial<Ask>,
  values: readonly Json[],
  framing: Framing,
]

const chatCall = { id: 'call_0', type: 'function', function: { name: 'run_sql', arguments: ARGS } }
const chatMessage = { role: 'assistant', content: null, tool_calls: [chatCall] }
const chatAnswer = {
  ...{ id: 'c', object: 'chat.completion', created: 1, model: 'gpt-5-mini' },
  choices: [{ index: 0, message: chatMessage, finish_reason: 'tool_calls' }],
}
const chatEvents = parsed([
  ...callDeltas(0, 'run_sql', ARGS, 999).map((delta) => chatChunk(delta)),
  chatChunk({}, 'tool_calls'),
])
const legacyEvents = parsed([
  chatChunk({ role: 'assistant', function_call: { name: 'run_sql', arguments: '' } }),
  ...[chatChunk({ function_call: { arguments: ARGS } }), chatChunk({}, 'function_call')],
])
const claudeEvents = [
  claudeStart(),
  ...callBlock(0, 'run_sql', ARGS, 999),
  ...claudeEnd('tool_use'),
] as unknown as Json[] // events are objects
const claudeAnswer = claudeMessage([toolUse(0, 'run_sql', { input: { query: SQL } })], 'tool_use') as Json // an object
const geminiWhole = parsed(chunksOf([geminiCall('run_sql', { query: SQL })]))
const geminiPieces = parsed(chunksOf(streamedCall('run_sql', { query: SQL }, 99)))
const items = [callItem('run_sql', ARGS, 999)]

const rows: readonly Row[] = [
  ['Chat', DENY, REQUEST, {}, chatEvents, events],
  ['Chat, the legacy call', DENY, REQUEST, {}, legacyEvents, events],
  ['Chat, whole', DENY, { ...REQUEST, stream: false }, {}, [chatAnswer], whole],
  ['Responses', DENY, RESPONSES_REQUEST, { path: '/responses' }, eventsOf(items), namedEvents],
  [
    'Responses, whole',
    DENY,
    { ...RESPONSES_REQUEST, stream: false },
    { path: '/responses' },
    parsed([answerOf(items)]),
    whole,
  ],
  ['Anthropic', CLAUDE_DENY, CLAUDE_REQUEST, CLAUDE, claudeEvents, namedEvents],
  ['Anthropic, whole', CLAUDE_DENY, { ...CLAUDE_REQUEST, stream: false }, CLAUDE, [claudeAnswer], whole],
  ['Gemini', GEMINI_DENY, GEMINI_REQUEST, AS_EVENTS, geminiWhole, events],
  ['Gemini, in pieces', GEMINI_DENY, GEMINI_REQUEST, AS_EVENTS, geminiPieces, events],
  ['Gemini, an array', GEMINI_DENY, GEMINI_REQUEST, AS_ARRAY, geminiWhole, asArray],
  ['Gemini, whole', GEMINI_DENY, GEMINI_REQUEST, AS_WHOLE, geminiWhole.slice(0, 1), whole],
]

const camel = (key: string): string => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const pascal = (key: string): string => camel(key).replace(/^./, (letter) => letter.toUpperCase())
const upper = (key: string): string => key.toUpperCase()
const wide = (key: string): string => String.fromCharCode(key.charCodeAt(0) + 0xfee0) + key.slice(1)

/** The member as it would be in an answer that is let through. */
function harmless(value: unknown): unknown {
  const text = JSON.stringify(value)
  if (Array.isArray(value)) return []
  return JSON.parse(text.replaceAll(SQL, 'SELECT 1').replaceAll('run_sql', 'search_docs'))
}

/** What becomes of a member: its spelling alone, or another member of that spelling before or behind it. */
const WAYS: readonly ((key: string, other: string, value: unknown) => Json)[] = [
  (_, other, value) => ({ [other]: value }),
  (key, other, value) => ({ [key]: harmless(value), [other]: value }),
  (key, other, value) => ({ [other]: value, [key]: harmless(value) }),
  (key, other, value) => ({ [key]: null, [other]: value }),
]

function changed(value: unknown, key: string, change: (member: unknown) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => changed(item, key, change))
  if (typeof value !== 'object' || value === null) return value
  const out: Json = {}
  for (const [name, member] of Object.entries(value))
    Object.assign(out, name === key ? change(changed(member, key, change)) : { [name]: changed(member, key, change) })
  return out
}

function keysOf(value: unknown, keys = new Set<string>()): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return keys
  for (const [key, member] of Object.entries(value)) {
    if (!Array.isArray(value)) keys.add(key)
    keysOf(member, keys)
  }
  return keys
}

/** Every answer in which one member is spelt otherwise, and which still holds the text of the call. */
function* mutants(values: readonly Json[]): Iterable<readonly [what: string, values: readonly Json[]]> {
  for (const key of keysOf(values))
    for (const other of new Set([camel, snake, pascal, upper, wide].map((spell) => spell(key)))) {
      if (other === key) continue
      for (const [at, way] of WAYS.entries()) {
        const made = values.map((value) => changed(value, key, (member) => way(key, other, member)) as Json) // objects stay objects
        if (JSON.stringify(made).includes(SQL)) yield [`${key} as ${other}, way ${at}`, made]
      }
    }
}

for (const [name, policy, request, ask, values, { headers, write }] of rows)
  test(`[TWIN-02] ${name}: of a refused call nothing leaves, however its members are spelt`, async () => {
    const path = await newPath(policy)
    try {
      const plain = await path.ask(request, { chunks: [write(values)], headers }, ask)
      assert.deepEqual(plain.verdicts.at(-1)?.reasons, ['INTENT_SQL_DDL'])
      let count = 0
      for (const [what, made] of mutants(values)) {
        count += 1
        const seen = await path.ask(request, { chunks: [write(made)], headers }, ask)
        assert.ok(!seen.text.includes(SQL), `${what}: ${seen.text}`)
      }
      assert.ok(count > 100, `${count} answers`)
    } finally {
      await path.close()
    }
  })
