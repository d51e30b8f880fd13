/**
 * Attacks that a fresh mind found, one row each: what is released is read as many clients would read it, each member by
 * itself, and none of them may find the forbidden call.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Headers } from '#pkg/model'
import { callDeltas, chunkOf, cutsOf, lf, seeded, sse, streamOf, textDeltas } from '../fixtures/chat.ts'
import { closeChecks, JSON_TYPE, newPath, PATIENT, type Path, type Seen } from '../fixtures/path.ts'
import { AUDIT, DENY, REQUEST, TEXT_TOOLS } from '../fixtures/policies.ts'
import { rebuild } from './assembler.ts'

let deny: Path
before(async () => {
  deny = await newPath(DENY)
})
after(closeChecks)

const SQL = 'DROP TABLE customers'
const TAG = `<tool_call>{"name":"run_sql","arguments":${JSON.stringify({ query: SQL })}}</tool_call>`
const PIECES = TAG.match(/.{1,5}/gs) ?? []
const base = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-5-mini' }
const end = chunkOf({}, 'stop')
const reasonsOf = (seen: Seen): readonly string[] => seen.verdicts.flatMap((verdict) => verdict.reasons)
const chunk = (choices: readonly object[], more: object = {}): string => JSON.stringify({ ...base, choices, ...more })
const choice = (delta: object, more: object = {}): object => ({ index: 0, delta, finish_reason: null, ...more })
const whole = (...messages: readonly object[]): string =>
  JSON.stringify({
    ...base,
    object: 'chat.completion',
    choices: messages.map((message) => ({
      index: 0,
      message: { role: 'assistant', ...message },
      finish_reason: 'stop',
    })),
  })

/** The strings under one key, joined over all events: what a client sees that reads that member alone. */
function member(text: string, key: string): string {
  const out: string[] = []
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, inner] of Object.entries(value)) {
      if (name === key && typeof inner === 'string') out.push(inner)
      else walk(inner)
    }
  }
  const events = text.startsWith('{') ? [text] : [...text.matchAll(/^data: (\{.*)$/gm)].map((match) => match[1] ?? '')
  for (const event of events) walk(JSON.parse(event))
  return out.join('')
}

const MEMBERS = ['content', 'refusal', 'reasoning', 'reasoning_content', 'thinking', 'text', 'transcript', 'value']
function assertUnseen(seen: Seen, label: string): void {
  assert.ok(!seen.text.includes(SQL), `${label}: ${seen.text}`)
  for (const key of MEMBERS) assert.ok(!member(seen.text, key).includes(SQL), `${label}: as ${key}: ${seen.text}`)
}

/** In pieces, each beside another text that stands in the way when both are read as one channel. */
const beside = (piece: (text: string) => object): string => sse([...PIECES.map((text) => chunkOf(piece(text))), end])
const echoed = (texts: readonly string[], name: 'text' | 'message'): string =>
  sse([...texts.map((text) => chunk([choice({}, { [name]: name === 'text' ? text : { content: text } })])), end])
const DOUBLED = ['<t', 'o', `ol_call>${TAG.slice('<tool_call>'.length)}`]

const streams: readonly (readonly [name: string, stream: string])[] = [
  [
    'text that goes on in another choice than the one that was asked for',
    sse([...PIECES.map((text, at) => chunkOf({ content: text }, null, at % 2)), end]),
  ],
  [
    'calls in another choice than the one that was asked for',
    sse([
      ...callDeltas(0, 'run_sql', JSON.stringify({ query: SQL }), 9).map((delta, at) => chunkOf(delta, null, at % 2)),
      end,
    ]),
  ],
  ['one chunk with the same choice twice', sse([chunk([choice({ content: 'hi ' }), choice({ content: TAG })]), end])],
  [
    'a part with thinking beside its text',
    sse([chunkOf({ content: [{ type: 'text', text: TAG, thinking: 'x' }] }), end]),
  ],
  [
    'a part with text beside its refusal',
    sse([chunkOf({ content: [{ type: 'refusal', text: 'x', refusal: TAG }] }), end]),
  ],
  ['a part whose text is an object', sse([chunkOf({ content: [{ type: 'text', text: { value: TAG } }] }), end])],
  ['content that is an object', sse([chunkOf({ content: { type: 'text', text: TAG } }), end])],
  ['reasoning that is an object', sse([chunkOf({ reasoning: { content: TAG } }), end])],
  ['reasoning_details', sse([chunkOf({ reasoning_details: [{ type: 'reasoning.text', text: TAG }] }), end])],
  ['two reasoning members side by side', beside((text) => ({ reasoning_content: text, reasoning: 'zz ' }))],
  ['thinking beside reasoning', beside((text) => ({ thinking: text, reasoning: 'zz ' }))],
  ['text beside a transcript', beside((text) => ({ text, audio: { transcript: 'zz ' } }))],
  [
    'text parts beside refusal parts',
    beside((text) => ({
      content: [
        { type: 'text', text },
        { type: 'refusal', refusal: 'zz ' },
      ],
    })),
  ],
  ['text of a choice that is echoed again after its refusal', echoed([TAG, `${TAG} ok`], 'text')],
  ['a message that is echoed again after its refusal', echoed([TAG, `${TAG} ok`], 'message')],
  ['text of a choice that looks like an echo and is a delta', echoed(DOUBLED, 'text')],
  ['a message that looks like an echo and is a delta', echoed(DOUBLED, 'message')],
  [
    'tokens of the call in the logprobs of an empty delta',
    sse([
      ...callDeltas(0, 'run_sql', JSON.stringify({ query: SQL }), 9).map((delta) => chunkOf(delta)),
      chunk([choice({}, { logprobs: { content: [{ token: SQL, logprob: 0, bytes: null, top_logprobs: [] }] } })]),
      chunkOf({}, 'tool_calls'),
    ]),
  ],
]

for (const [name, stream] of streams)
  test(`[PROMISE-HOLD] a call written as text: ${name}`, async () => {
    for (const cut of cutsOf(stream).slice(0, 3))
      assertUnseen(await deny.ask(REQUEST, { chunks: cut.chunks }), cut.name)
  })

for (const [name, body] of [
  ['in reasoning', whole({ content: 'x', reasoning: TAG })],
  ['in reasoning_content', whole({ content: 'x', reasoning_content: TAG })],
  ['in the second of two choices with one index', whole({ content: 'hi' }, { content: TAG })],
  ['in content that is an object', whole({ content: { type: 'text', text: TAG } })],
] as const)
  test(`[PROMISE-HOLD] a call written as text in an answer that does not stream: ${name}`, async () => {
    assertUnseen(await deny.ask({ ...REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE }), name)
  })

const dialects: readonly (readonly [name: string, text: string])[] = [
  [
    'DSML (DeepSeek 3.2)',
    `<｜DSML｜function_calls><｜DSML｜invoke name="run_sql"><｜DSML｜parameter name="query" string="true">${SQL}</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>`,
  ],
  ['longcat_tool_call', TAG.replaceAll('tool_call', 'longcat_tool_call')],
  ['start_function_call', `<start_function_call>call:run_sql{query:<escape>${SQL}<escape>}<end_function_call>`],
  ['functools', `functools[{"name":"run_sql","arguments":{"query":"${SQL}"}}]`],
  ['white space up to the end of the window', TAG.replace('{', `${' '.repeat(300)}{`)],
]
for (const [name, text] of dialects)
  test(`[PROMISE-HOLD] a call written as text in the manner of ${name}`, async () => {
    for (const size of [1, 1000])
      assertUnseen(await deny.ask(REQUEST, { chunks: [streamOf(textDeltas(text, size), 'stop')] }), `${size}`)
  })

test('[PROMISE-HOLD] a line separator that only some readers know hides no event in a value', async () => {
  const call = { index: 0, id: 'a', type: 'function', function: { name: 'admin_reset', arguments: '{}' } }
  const hidden = chunkOf({ tool_calls: [call] })
  for (const separator of ['\u2028', '\u2029', '\u0085', '\v', '\f', '\u001c']) {
    const value = `x${separator}data: ${hidden}${separator}`
    const bare = `{"id":"c","choices":[],"x":1${separator}data: ${hidden}${separator}}`
    for (const data of [chunkOf({ content: value }), chunkOf({ content: '' }).replace('""', `"${value}"`), bare]) {
      const seen = await deny.ask(REQUEST, { chunks: [lf(data) + sse([end])] })
      // biome-ignore lint/suspicious/noControlCharactersInRegex: line ends of some readers.
      const lines = seen.text.split(/\r\n|[\r\n\v\f\u001c-\u001e\u0085\u2028\u2029]/)
      assert.ok(!lines.includes(`data: ${hidden}`), seen.text)
    }
  }
})

test('[PROMISE-BYTES] a long answer with log probabilities is no call in disguise', async () => {
  const top_logprobs = Array.from({ length: 5 }, () => ({ token: 'a', logprob: -1, bytes: [97] }))
  const content = Array.from({ length: 700 }, () => ({ token: 'a', logprob: -1, bytes: [97], top_logprobs }))
  const choices = [
    { index: 0, message: { role: 'assistant', content: 'a' }, logprobs: { content }, finish_reason: 'stop' },
  ]
  const body = JSON.stringify({ ...base, object: 'chat.completion', choices })
  const seen = await deny.ask({ ...REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE })
  assert.equal(seen.text, body)
})

test('[PROMISE-HOLD] arguments beside the arguments: nobody finds others than those that were judged', async () => {
  for (const key of ['parsed_arguments', 'arguments_json', 'raw_arguments', 'Arguments', 'input']) {
    const called = { name: 'run_sql', arguments: '{"query":"SELECT 1"}', [key]: { query: SQL } }
    const call = { id: 'a', type: 'function', function: called }
    const stream = sse([chunkOf({ tool_calls: [{ index: 0, ...call }] }), chunkOf({}, 'tool_calls')])
    assertUnseen(await deny.ask(REQUEST, { chunks: [stream] }), key)
    const body = whole({ content: null, tool_calls: [call] })
    assertUnseen(await deny.ask({ ...REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE }), key)
  }
})

const sqlRows: readonly (readonly [name: string, query: string])[] = [
  ['E strings, which SQLite reads as a name and a plain string', "SELECT E'\\'FROM(SELECT 1 E)x; DROP TABLE c --'"],
  ['N strings', "SELECT N'\\'; DROP TABLE c --'"],
  ['MySQL code in comments', 'SELECT 1 /*!; DROP TABLE c */'],
  ['dollar quotes', 'SELECT $x$ ; DROP TABLE c; -- $x$'],
  ['a write in a WITH', 'WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x'],
  ['SELECT INTO', 'SELECT * INTO newt FROM t'],
  ['a function that executes text', "SELECT query_to_xml('delete from c',true,true,'')"],
]
for (const [name, query] of sqlRows)
  test(`[PROMISE-HOLD] SQL hidden from the grammar: ${name}`, async () => {
    const seen = await deny.ask(REQUEST, {
      chunks: [streamOf(callDeltas(0, 'run_sql', JSON.stringify({ query })), 'tool_calls')],
    })
    assert.equal(seen.verdicts[0]?.action, 'Deny', query)
    assert.doesNotMatch(seen.text, /"name":"run_sql"/)
  })

test('[PROMISE-CLOSED] a call that waits behind a text is judged by the rules that hold when it leaves', async () => {
  const path = await newPath(DENY)
  const frames = [
    chunkOf({ content: 'see <tool_call' }),
    ...callDeltas(0, 'search_docs', '{"q":"x"}', 20).map((delta) => chunkOf(delta)),
    chunkOf({}, 'tool_calls'),
    chunkOf({ content: 'ed off' }),
  ].map(lf)
  const reload = (index: number): void => {
    if (index === frames.length - 1) path.reload(DENY.replace('{ name: search_docs }', '{ name: other }'))
  }
  const seen = await path.ask(REQUEST, { chunks: frames, before: reload })
  assert.deepEqual(rebuild(seen.text).calls, [])
  assert.equal(seen.verdicts.at(-1)?.reasons[0], 'IDENTITY_EPOCH_STALE')
})

test('[PROMISE-SIBLINGS] two refused text calls that touch are both told, however the deltas are cut', async () => {
  const text = '<tool_call>{"name":"x"}</tool_call><tool_call>{"name":"y"}</tool_call>'
  for (const size of [1, 7, 1000]) {
    const seen = await deny.ask(REQUEST, { chunks: [streamOf(textDeltas(text, size), 'stop')] })
    assert.equal(seen.verdicts.length, 2)
    for (const { id } of seen.verdicts) assert.ok(member(seen.text, 'content').includes(id), `${size}: ${id}`)
  }
})

test('[LIMIT-01] callsPerAnswer counts calls that are written as text, too', async () => {
  const calls = Array.from({ length: PATIENT.callsPerAnswer + 50 }, () => ({
    content: 'x <tool_call>{"name":"x"}</tool_call> ',
  }))
  const seen = await deny.ask(REQUEST, { chunks: [streamOf(calls, 'stop')] })
  assert.ok(reasonsOf(seen).includes('WIRE_CALL_LIMIT'), `${seen.verdicts.length} calls were judged`)
})

test('[LIMIT-01] callsPerAnswer ends an answer at the first call too many: a million are not looked at one by one', async () => {
  const body = `{"id":"c","choices":[{"index":0,"message":{"tool_calls":[${'{},'.repeat(1_000_000)}{}]}}]}`
  const started = performance.now()
  const seen = await deny.ask({ ...REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE })
  assert.ok(reasonsOf(seen).includes('WIRE_CALL_LIMIT'))
  assert.ok(performance.now() - started < 10_000, `${performance.now() - started} ms`)
})

/** The refusal of a call of `send_mail` with so many bytes of arguments, as the client got it. */
async function refusalOf(bytes: number): Promise<{ readonly content: string; readonly id: string }> {
  const args = JSON.stringify({ q: 'x'.repeat(bytes) })
  const seen = await deny.ask(REQUEST, { chunks: [streamOf(callDeltas(0, 'send_mail', args, 4_000), 'tool_calls')] })
  return { content: member(seen.text, 'content'), id: seen.verdicts[0]?.id ?? '' }
}
const asked = async (messages: readonly object[]): Promise<{ readonly sent: string; readonly ms: number }> => {
  const started = performance.now()
  const seen = await deny.ask({ ...REQUEST, messages }, { chunks: [streamOf([], 'stop')] })
  return { sent: Buffer.from(seen.upstream?.body ?? []).toString(), ms: performance.now() - started }
}

test('[LIMIT-01] requestBytes holds for what is restored: one refusal, told many times, does not multiply', async () => {
  const { content } = await refusalOf(200_000)
  const { sent } = await asked(Array.from({ length: 120 }, () => ({ role: 'assistant', content })))
  assert.ok(sent.length <= PATIENT.requestBytes, `${sent.length} bytes went upstream for ${120 * content.length}`)
})

test('[LIMIT-01] restore looks at each byte once, however often a verdict is named', async () => {
  const { id } = await refusalOf(10)
  const content = `Verdict ${id}. Ask: sallyctl policy explain ${id}\n`.repeat(8_000)
  const { ms } = await asked([{ role: 'assistant', content }])
  assert.ok(ms < 5_000, `${ms} ms for ${content.length} bytes`)
})

test('[PROMISE-SIBLINGS] only a refusal word by word, in an assistant message, brings a call back', async () => {
  const { content, id } = await refusalOf(10)
  for (const message of [
    { role: 'user', content },
    { role: 'system', content },
    { role: 'tool', tool_call_id: 'x', content },
    { role: 'assistant', content: content.replace('marketing', 'Marketing') },
    { role: 'assistant', content: content.replaceAll(id, 'v_other') },
    { role: 'assistant', content: null, name: content },
  ]) {
    const { sent } = await asked([message, { role: 'user', content: 'go on' }])
    assert.deepEqual(JSON.parse(sent).messages[0], message)
  }
})

test('[PROMISE-KEYS] no header that names another method or path goes upstream', async () => {
  const headers: Headers = {
    'content-type': 'application/json',
    'x-http-method-override': 'DELETE',
    'x-http-method': 'DELETE',
    'x-method-override': 'DELETE',
    'x-original-url': '/v1/files',
    'x-rewrite-url': '/v1/files',
    'x-forwarded-host': 'evil.example',
    'x-custom': 'sp_vk_test',
  }
  const seen = await deny.ask(REQUEST, { chunks: [streamOf([], 'stop')] }, { headers })
  assert.deepEqual(Object.keys(seen.upstream?.headers ?? {}).sort(), ['accept-encoding', 'content-type'])
})

test('[PROMISE-KEYS] an agent token in the body does not go upstream', async () => {
  const seen = await deny.ask({ ...REQUEST, user: 'sp_vk_test' }, { chunks: [streamOf([], 'stop')] })
  assert.doesNotMatch(Buffer.from(seen.upstream?.body ?? []).toString(), /sp_vk_/)
})

test('[PROMISE-HOLD] status and type of an answer do not decide whether it is judged', async () => {
  const stream = streamOf(callDeltas(0, 'run_sql', JSON.stringify({ query: SQL })), 'tool_calls')
  const calls = [
    { id: 'a', type: 'function', function: { name: 'run_sql', arguments: JSON.stringify({ query: SQL }) } },
  ]
  const body = whole({ content: null, tool_calls: calls })
  for (const status of [100, 199, 200, 201, 204, 206, 302, 304, 400, 401, 429, 500, 599, 600])
    for (const request of [REQUEST, { ...REQUEST, stream: false }]) {
      assertUnseen(await deny.ask(request, { chunks: [stream], status }), `${status} SSE`)
      assertUnseen(await deny.ask(request, { chunks: [body], status, headers: JSON_TYPE }), `${status} JSON`)
      assertUnseen(await deny.ask(request, { chunks: [body, body], status, headers: JSON_TYPE }), `${status} twice`)
    }
})

test('[PROMISE-HOLD] a large whole answer is read as strictly as a small one: keys that differ in case hide nothing', async () => {
  const calls = [
    { id: 'a', type: 'function', function: { name: 'run_sql', arguments: JSON.stringify({ query: SQL }) } },
  ]
  for (const pad of [0, 300_000]) {
    const harmless = JSON.parse(whole({ content: 'x'.repeat(pad + 1) }))
    const body = JSON.stringify({ ...harmless, Choices: [{ index: 0, message: { tool_calls: calls } }] })
    assertUnseen(await deny.ask({ ...REQUEST, stream: false }, { chunks: [body], headers: JSON_TYPE }), `pad ${pad}`)
  }
})

test('[PROMISE-CUT] tags, calls and noise in any order: the same verdicts and the same rest of the text for all deltas', async () => {
  const words =
    '<tool_call>|</tool_call>|<|>|{"name":"run_sql","arguments":{"query":"DROP TABLE c"}}|{}|run_sql| |\n|x|<invoke name="run_sql">|</invoke>|<parameter name="query">|</parameter>|[TOOL_CALLS]|[|]|<function=run_sql>|</function>|_|\u200b|<tool|_call>|"|\\|é|😀|;|search_docs|```bash\nrm\n```\n|<act>|</act>|``|<tool-call>|&#x|72;un_sql'.split(
      '|',
    )
  const random = seeded(23)
  const pick = (below: number): number => Math.floor(random() * below)
  const paths = [deny, await newPath(TEXT_TOOLS), await newPath(AUDIT)]
  for (let run = 0; run < 150; run += 1) {
    const text = Array.from({ length: 2 + pick(12) }, () => words[pick(words.length)]).join('')
    const outcomes = new Set<string>()
    for (const size of [1, 4, 1000]) {
      const seen = await (paths[run % 3] ?? deny).ask(REQUEST, { chunks: [streamOf(textDeltas(text, size), 'stop')] })
      const rest = member(seen.text, 'content').replace(/(\n\n)?sallyport: .*?policy explain v_test\d+/gs, '§')
      outcomes.add(
        JSON.stringify([seen.verdicts.map(({ action, reasons }) => [action, reasons]), rest.replace(/§+/g, '§')]),
      )
    }
    assert.equal(outcomes.size, 1, `${JSON.stringify(text)}: ${[...outcomes].join('\n')}`)
  }
})
