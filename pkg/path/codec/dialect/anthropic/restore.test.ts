import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS, type RefusedCalls, type RequestView, type RestoreRecord } from '#pkg/model'
import { anthropic } from './index.ts'

const MAX = 1_000_000
const refusalOf = (id: string): string =>
  `sallyport: INTENT_SQL_DDL: tool "run_sql" has the effect sql.ddl. Verdict ${id}. Ask: sallyctl policy explain ${id}`
const blockOf = (id: string): string =>
  `{"type":"tool_use","id":"toolu_${id}","name":"run_sql","input":{"query": "DROP TABLE t", "n": 1.0}}`

const recordOf = (verdictId: string, more: Partial<RestoreRecord> = {}): RestoreRecord => ({
  verdictId,
  text: refusalOf(verdictId),
  original: JSON.stringify({ block: blockOf(verdictId), id: `toolu_${verdictId}`, toolset: null }),
  answerId: null,
  ...more,
})

function refusedOf(...records: readonly RestoreRecord[]): RefusedCalls {
  return {
    byVerdict: (id) => records.find(({ verdictId }) => verdictId === id) ?? null,
    inAnswer: (id) => (id === 'gone' ? 'lost' : records.filter(({ answerId }) => answerId === id)),
  }
}

function viewOf(body: string): RequestView {
  const endpoint = anthropic.endpointOf('POST', '/v1/messages', '')
  assert.ok(endpoint !== null)
  const work = { limits: DEFAULT_LIMITS, yieldTurn: () => Promise.resolve() }
  const read = anthropic.readRequest(endpoint, new TextEncoder().encode(body), work)
  assert.ok(!(read instanceof Promise) && read.ok, JSON.stringify(read))
  return read.value
}

function restored(body: string, refused: RefusedCalls, max = MAX): string | null {
  const bytes = anthropic.restore(viewOf(body), refused, max)
  assert.ok(bytes !== 'lost')
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

const requestOf = (messages: string): string => `{"model": "claude-x", "messages": [${messages}], "top_k": 1.0}`
const text = (value: string): string => JSON.stringify({ type: 'text', text: value })
const resultOf = (id: string): string =>
  `{"type":"tool_result","tool_use_id":"toolu_${id}","is_error":true,"content":${JSON.stringify(refusalOf(id))}}`
const HI = '{"role":"user", "content" : "hi"}'
const R = refusalOf('v_1')
const assistant = (blocks: string): string => `{"role":"assistant","content":[${blocks}]}`
const user = (content: string): string => `{"role":"user","content":${content}}`

const rows: readonly (readonly [name: string, given: string, expected: string])[] = [
  [
    'a block is put back in its place, its result first in the list that follows',
    `${HI}, ${assistant(`${text('Doing it.')} , ${text(R)}, {"type":"tool_use","id":"b","name":"x","input":{"n": 1.0}}`)} ,\n${user('[ {"type":"tool_result","tool_use_id":"b"} ]')}`,
    `${HI}, ${assistant(`${text('Doing it.')} , ${blockOf('v_1')}, {"type":"tool_use","id":"b","name":"x","input":{"n": 1.0}}`)} ,\n${user(`[${resultOf('v_1')}, {"type":"tool_result","tool_use_id":"b"} ]`)}`,
  ],
  [
    'after a blank line',
    `${HI},${assistant(text(`\n\n${R}`))},${user('"go on"')}`,
    `${HI},${assistant(blockOf('v_1'))},${user(`[${resultOf('v_1')},${text('go on')}]`)}`,
  ],
  [
    'no message follows',
    `${HI},${assistant(text(R))}`,
    `${HI},${assistant(blockOf('v_1'))},{"role":"user","content":[${resultOf('v_1')}]}`,
  ],
  [
    'the message that follows is not the user’s',
    `${HI},${assistant(text(R))},{"role":"system","content":"x"},${user('"go on"')}`,
    `${HI},${assistant(blockOf('v_1'))},{"role":"user","content":[${resultOf('v_1')}]},{"role":"system","content":"x"},${user('"go on"')}`,
  ],
  [
    'an empty text or list that follows',
    `${HI},${assistant(text(R))},${user('[]')},${assistant(text('x'))}`,
    `${HI},${assistant(blockOf('v_1'))},${user(`[${resultOf('v_1')}]`)},${assistant(text('x'))}`,
  ],
  [
    'a client that joins all text',
    `${HI},{"role":"assistant","content":${JSON.stringify(`Doing it.\n\n${R} And on.`)}},${HI}`,
    `${HI},${assistant(`${text('Doing it.')},${blockOf('v_1')},${text(' And on.')}`)},${user(
      `[${resultOf('v_1')},${text('hi')}]`,
    )
      .replace('"content":', '"content" : ')
      .replace('"role":"user",', '"role":"user", ')}`,
  ],
  [
    'a cache mark stays at the end of its block',
    `${HI},${assistant(`{"type":"text","text":${JSON.stringify(R)},"cache_control":{"type":"ephemeral"}}`)},${user('[]')}`,
    `${HI},${assistant(`${blockOf('v_1').slice(0, -1)},"cache_control":{"type":"ephemeral"}}`)},${user(`[${resultOf('v_1')}]`)}`,
  ],
  [
    'the same refusal twice: once',
    `${HI},${assistant(text(R))},${user('[]')},${assistant(text(R))}`,
    `${HI},${assistant(blockOf('v_1'))},${user(`[${resultOf('v_1')}]`)},${assistant(text(R))}`,
  ],
]
for (const [name, given, expected] of rows)
  test(`[ANTHROPIC-06] ${name}`, () => {
    assert.equal(restored(requestOf(given), refusedOf(recordOf('v_1'))), requestOf(expected))
  })

test('[ANTHROPIC-06] two refusals in one turn, and one in another', () => {
  const given = `${HI},${assistant(`${text(R)},${text(refusalOf('v_2'))}`)},${HI},${assistant(text(refusalOf('v_3')))}`
  const body = restored(requestOf(given), refusedOf(recordOf('v_1'), recordOf('v_2'), recordOf('v_3')))
  const messages = (JSON.parse(body ?? '') as { messages: { content: Record<string, string>[] }[] }).messages // as built above
  assert.deepEqual(
    messages[1]?.content.map(({ id }) => id),
    ['toolu_v_1', 'toolu_v_2'],
  )
  assert.deepEqual(
    messages[2]?.content.map((block) => block['tool_use_id']),
    ['toolu_v_1', 'toolu_v_2', undefined],
  )
  assert.deepEqual(
    messages[4]?.content.map((block) => block['tool_use_id']),
    ['toolu_v_3'],
  )
})

test('[ANTHROPIC-06] a member of a toolset gets the result of a toolset', () => {
  const original = JSON.stringify({ block: blockOf('v_1'), id: 'toolu_v_1', toolset: 'computer' })
  const body = restored(requestOf(`${HI},${assistant(text(R))}`), refusedOf(recordOf('v_1', { original })))
  assert.match(body ?? '', /"tool_use_id":"toolu_v_1","toolset_name":"computer"/)
})

const untouched: readonly (readonly [name: string, given: string, refused: RefusedCalls, max?: number])[] = [
  ['nothing to restore', HI, refusedOf(recordOf('v_1'))],
  [
    'another text under the same verdict',
    `${HI},${assistant(text(R.replace('sql.ddl', 'sql.read')))}`,
    refusedOf(recordOf('v_1')),
  ],
  ['a refusal in a message of the user', user(JSON.stringify(R)), refusedOf(recordOf('v_1'))],
  ['a call that cannot be put back', `${HI},${assistant(text(R))}`, refusedOf(recordOf('v_1', { original: '' }))],
  ['a body that would grow too large', `${HI},${assistant(text(R))}`, refusedOf(recordOf('v_1')), 300],
  ['a forgotten refusal in a turn without thinking', `${HI},${assistant(text(R))}`, refusedOf()],
  [
    'a turn of nothing but edited thinking',
    `${HI},${assistant(`{"type":"thinking","thinking":${JSON.stringify(R)},"signature":""}`)}`,
    refusedOf(),
  ],
]
for (const [name, given, refused, max] of untouched)
  test(`[ANTHROPIC-06] left alone: ${name}`, () => {
    assert.equal(restored(requestOf(given), refused, max), null)
  })

const THOUGHT = '{"type":"thinking","thinking":"Hm.","signature":"abc"}'
test('[ANTHROPIC-06] thinking is put back with the call as it was, and goes where the call is forgotten', () => {
  const blocks = `${THOUGHT},${text('a')},${text(R)}, {"type":"redacted_thinking","data":"x"}`
  const given = requestOf(`${HI},${assistant(blocks)},${HI}`)
  assert.ok(restored(given, refusedOf(recordOf('v_1')))?.includes(`${THOUGHT},${text('a')},${blockOf('v_1')}`))
  assert.equal(restored(given, refusedOf()), requestOf(`${HI},${assistant(`${text('a')},${text(R)}`)},${HI}`))
})

test('[ANTHROPIC-06] thinking that was edited does not go back', () => {
  const edited = JSON.stringify({ type: 'thinking', thinking: `Hm. ${R} Hm.`, signature: '' })
  const given = requestOf(`${HI},${assistant(`${edited}, ${text('a')}`)}`)
  assert.equal(restored(given, refusedOf()), requestOf(`${HI},${assistant(text('a'))}`))
})

test('[ANTHROPIC-06] a conversation that the provider keeps: only the results are added; a forgotten one is refused', () => {
  const requestTo = (id: string): string =>
    `{"model":"claude-x","thread":{"type":"continue","previous_message_id":"${id}"},"messages":[${user('[{"type":"text","text":"x"}]')}]}`
  const refused = refusedOf(recordOf('v_1', { answerId: 'msg_1' }), recordOf('v_2', { answerId: 'msg_1' }))
  assert.equal(
    restored(requestTo('msg_1'), refused),
    requestTo('msg_1').replace('[{"type":"text"', `[${resultOf('v_1')},${resultOf('v_2')},{"type":"text"`),
  )
  assert.equal(restored(requestTo('msg_2'), refused), null)
  assert.equal(anthropic.restore(viewOf(requestTo('gone')), refused, MAX), 'lost')
})

test('[ANTHROPIC-06] [ANTHROPIC-05] whatever stands around, only restored elements change', () => {
  const content = fc.oneof(
    fc.string(),
    fc.array(fc.record({ type: fc.constant('text'), text: fc.string() }, { noNullPrototype: true }), { maxLength: 3 }),
  )
  const other = fc.record({ role: fc.constantFrom('user', 'assistant', 'system'), content }, { noNullPrototype: true })
  fc.assert(
    fc.property(fc.array(other), fc.array(other), fc.nat(3), fc.boolean(), (before, behind, indent, split) => {
      const turn = {
        role: 'assistant',
        content: split
          ? [
              { type: 'text', text: 'a' },
              { type: 'text', text: R },
            ]
          : `a\n\n${R}`,
      }
      const given = JSON.stringify({ model: 'm', messages: [...before, turn, ...behind], x: 1 }, null, indent)
      const body = restored(given, refusedOf(recordOf('v_1')))
      const sent = JSON.parse(body ?? '') as {
        messages: { role: string; content: Record<string, unknown>[] }[]
        x: number
      } // as built above
      const at = before.length
      assert.deepEqual(sent.messages.slice(0, at), before)
      assert.deepEqual(sent.messages[at]?.content, [{ type: 'text', text: 'a' }, JSON.parse(blockOf('v_1'))])
      assert.equal(sent.messages[at + 1]?.role, 'user')
      assert.equal(sent.messages[at + 1]?.content[0]?.['type'], 'tool_result')
      const rest = behind[0]?.role === 'user' ? behind.slice(1) : behind
      assert.deepEqual(rest.length === 0 ? [] : sent.messages.slice(-rest.length), rest)
      assert.equal(sent.x, 1)
    }),
  )
})
