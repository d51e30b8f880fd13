import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { callDeltas, chunkOf, cutsOf, FRAMINGS, seeded, sse, streamOf, textDeltas } from '../fixtures/chat.ts'
import { closeChecks, cutStep, newPath, type Path, type Seen } from '../fixtures/path.ts'
import { ABORT, AUDIT, DENY, RECORD, REQUEST, SEVER } from '../fixtures/policies.ts'
import { rebuild } from './assembler.ts'

const READ = JSON.stringify({ query: 'SELECT segment, count(*) FROM customers GROUP BY segment' })
const DROP = JSON.stringify({ query: 'DROP TABLE customers; SELECT 1' })
const SECRET = 'DROP TABLE customers'

let deny: Path
let abort: Path
before(async () => {
  deny = await newPath(DENY)
  abort = await newPath(ABORT)
})
after(closeChecks)

const reasonsOf = (seen: Seen): readonly string[] =>
  seen.verdicts.map((verdict) => verdict.reasons[0] ?? verdict.action)

/** The forbidden call must not be there for anybody, in any reading. */
function assertUnseen(seen: Seen, secret: string): void {
  const { calls } = rebuild(seen.text)
  for (const call of calls) assert.ok(!call.args.includes(secret), `rebuilt: ${call.name} ${call.args}`)
  assert.ok(!seen.text.includes(secret), 'the forbidden text left')
}

test('[PROMISE-BYTES] an allowed stream is byte-identical in every framing and every cut', async () => {
  const deltas = [
    ...textDeltas('Let me look — 日本 🙂 at that.'),
    ...callDeltas(0, 'search_docs', '{"query":"tulips"}'),
    ...callDeltas(1, 'run_sql', READ),
  ]
  for (const [name, framing] of Object.entries(FRAMINGS)) {
    const stream = streamOf(deltas, 'tool_calls', framing)
    for (const cut of cutsOf(stream)) {
      const seen = await deny.ask(REQUEST, { chunks: cut.chunks })
      assert.equal(seen.status, 200)
      // comments alone may overtake what is held
      assert.equal(seen.text.replaceAll(': keep\n', ''), stream.replaceAll(': keep\n', ''), `${name}, ${cut.name}`)
      assert.deepEqual(reasonsOf(seen), ['Allow', 'Allow'])
    }
  }
})

const positions = [0, 1, 2] as const
for (const position of positions)
  for (const size of [1, 5, 1000])
    test(`[PROMISE-HOLD] [PROMISE-SIBLINGS] forbidden call at place ${position}, deltas of ${size}`, async () => {
      const args = positions.map((place) => (place === position ? DROP : READ))
      const deltas = args.flatMap((text, index) => callDeltas(index, 'run_sql', text, size))
      for (const [name, framing] of Object.entries(FRAMINGS))
        for (const cut of cutsOf(streamOf(deltas, 'tool_calls', framing))) {
          const seen = await deny.ask(REQUEST, { chunks: cut.chunks })
          const label = `${name}, ${cut.name}`
          assertUnseen(seen, SECRET)
          const expected = positions.map((place) => (place === position ? 'INTENT_SQL_DDL' : 'Allow'))
          assert.deepEqual([...reasonsOf(seen)].sort(), [...expected].sort(), label)
          assert.equal(seen.how, 'end', label)
          const { calls, text } = rebuild(seen.text)
          for (const index of [0, 1])
            assert.ok(
              calls.some((call) => call.name === 'run_sql' && call.args === READ),
              `${label} ${index}`,
            )
          assert.match(text, /sallyport: INTENT_SQL_DDL: tool "run_sql"/)
          assert.match(seen.text, /"finish_reason":"tool_calls"/)
          assert.ok(seen.text.includes('[DONE]'))
        }
    })

test('[PROMISE-SIBLINGS] surviving indices are dense from 0', async () => {
  const deltas = [
    ...callDeltas(0, 'run_sql', DROP),
    ...callDeltas(1, 'run_sql', READ),
    ...callDeltas(2, 'search_docs', '{}'),
  ]
  const seen = await deny.ask(REQUEST, { chunks: [streamOf(deltas, 'tool_calls')] })
  const indices = [...seen.text.matchAll(/"tool_calls":\[\{[^[]*?"index":(\d+)/g)].map((match) => Number(match[1]))
  assert.deepEqual([...new Set(indices)].sort(), [0, 1])
})

test('[PROMISE-SIBLINGS] with no call left the finish reason says stop', async () => {
  const seen = await deny.ask(REQUEST, { chunks: [streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls')] })
  assert.match(seen.text, /"finish_reason":"stop"/)
  assert.doesNotMatch(seen.text, /tool_calls/)
})

test('[PROMISE-CUT] verdicts and released bytes are the same at every split of the entity', async () => {
  const stream = streamOf(
    [...textDeltas('ok '), ...callDeltas(0, 'run_sql', READ, 20), ...callDeltas(1, 'run_sql', DROP, 9)],
    'tool_calls',
  )
  const bytes = Buffer.from(stream)
  const strip = (text: string): string => text.replace(/v_test\d+/g, 'v')
  const whole = await deny.ask(REQUEST, { chunks: [bytes] })
  for (let at = 1; at < bytes.length; at += cutStep()) {
    const seen = await deny.ask(REQUEST, { chunks: [bytes.subarray(0, at), bytes.subarray(at)] })
    assert.equal(strip(seen.text), strip(whole.text), `cut at ${at}`)
    assert.deepEqual(reasonsOf(seen), reasonsOf(whole))
  }
})

test('[PROMISE-CUT] under Abort the bytes before the verdict are the same however the transport cuts', async () => {
  const stream = streamOf([...textDeltas('Before the call. '), ...callDeltas(0, 'run_sql', DROP, 5)], 'tool_calls')
  const strip = (text: string): string => text.replace(/v_test\d+/g, 'v')
  const texts = new Set<string>()
  for (const cut of cutsOf(stream)) {
    const seen = await abort.ask(REQUEST, { chunks: cut.chunks })
    assertUnseen(seen, SECRET)
    assert.deepEqual(reasonsOf(seen), ['INTENT_SQL_DDL'])
    assert.equal(seen.upstreamCancelled, true)
    texts.add(strip(seen.text))
  }
  assert.equal(texts.size, 1)
  const [text = ''] = texts
  assert.match(text, /Before/)
  assert.match(text, /data: \{"error":\{"message":"sallyport: INTENT_SQL_DDL/)
  assert.doesNotMatch(text, /\[DONE\]/)
})

test('[PROMISE-HOLD] a forbidden name is refused before its arguments; its deltas are not asked for under Abort', async () => {
  const deltas = callDeltas(0, 'send_mail', JSON.stringify({ to: 'x'.repeat(400) }), 4)
  const chunks = [chunkOf({ role: 'assistant' }), ...deltas.map((delta) => chunkOf(delta))].map(
    (data) => `data: ${data}\n\n`,
  )
  const seen = await abort.ask(REQUEST, { chunks })
  assert.deepEqual(reasonsOf(seen), ['TOOL_NOT_GRANTED'])
  assert.ok(seen.pulled <= 2, `${seen.pulled} chunks pulled`)
})

test('[PROMISE-SEVER] Sever quarantines, cuts the stream, and refuses the next request', async () => {
  const path = await newPath(SEVER)
  const seen = await path.ask(REQUEST, { chunks: [streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls')] })
  assertUnseen(seen, SECRET)
  assert.deepEqual(
    seen.verdicts.map((verdict) => verdict.action),
    ['Sever'],
  )
  assert.equal(path.standing.state, 'Quarantined')
  const next = await path.ask(REQUEST, { chunks: [streamOf([], 'stop')] })
  assert.equal(next.status, 403)
  assert.equal(next.upstream, null)
  assert.match(next.text, /"code":"IDENTITY_AGENT_QUARANTINED"/)
})

test('[PROMISE-SEVER] a kill cuts every open exchange of the agent in the same turn', async () => {
  const path = await newPath(DENY)
  const chunks = textDeltas('a long answer that goes on').map((delta) => `data: ${chunkOf(delta)}\n\n`)
  const seen = await path.ask(REQUEST, {
    chunks,
    before: (index) => (index === 2 ? path.move('Quarantined') : undefined),
  })
  assert.equal(seen.upstreamCancelled, true)
  assert.match(seen.text, /IDENTITY_EPOCH_STALE/)
  assert.doesNotMatch(seen.text, /goes on/)
})

test('a reload that takes the model away ends an open stream; one that takes a tool away refuses the held call', async () => {
  const path = await newPath(DENY)
  const frames = [
    chunkOf({ role: 'assistant' }),
    ...callDeltas(0, 'search_docs', '{"query":"x"}', 3).map((delta) => chunkOf(delta)),
    chunkOf({}, 'tool_calls'),
  ]
  const chunks = frames.map((data) => `data: ${data}\n\n`)
  const held = await path.ask(REQUEST, {
    chunks,
    before: (index) =>
      index === 3 ? path.reload(DENY.replace('{ name: search_docs }', '{ name: other }')) : undefined,
  })
  assert.deepEqual(reasonsOf(held), ['TOOL_NOT_GRANTED'])
  assert.deepEqual(rebuild(held.text).calls, [])
  const text = textDeltas('text that goes on and on').map((delta) => `data: ${chunkOf(delta)}\n\n`)
  const cut = await path.ask(REQUEST, {
    chunks: text,
    before: (index) => (index === 2 ? path.reload(DENY.replace('gpt-5*', 'gpt-4*')) : undefined),
  })
  assert.deepEqual(reasonsOf(cut), ['IDENTITY_EPOCH_STALE'])
})

test('Audit judges and records, and lets everything pass as it came, wire faults aside', async () => {
  const path = await newPath(AUDIT)
  const stream = streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls')
  const seen = await path.ask(REQUEST, { chunks: [stream] })
  assert.equal(seen.text, stream)
  assert.deepEqual(
    seen.verdicts.map(({ action, enforced }) => ({ action, enforced })),
    [{ action: 'Deny', enforced: false }],
  )
  const broken = await path.ask(REQUEST, {
    chunks: [streamOf(callDeltas(0, 'run_sql', '{"query":"a","query":"b"}'), 'tool_calls')],
  })
  assert.deepEqual(reasonsOf(broken), ['WIRE_DUPLICATE_KEY'])
  assert.equal(broken.verdicts[0]?.enforced, true)
})

test('Record passes on record, but never a wire fault', async () => {
  const path = await newPath(RECORD)
  const stream = streamOf(callDeltas(0, 'send_mail', '{}'), 'tool_calls')
  const seen = await path.ask(REQUEST, { chunks: [stream] })
  assert.equal(seen.text, stream)
  assert.equal(seen.verdicts[0]?.action, 'Record')
  const broken = await path.ask(REQUEST, { chunks: [streamOf(callDeltas(0, 'search_docs', '{"a":1,}'), 'tool_calls')] })
  assert.deepEqual(
    broken.verdicts.map((verdict) => verdict.action),
    ['Deny'],
  )
})

test('[PROMISE-CLOSED] a verdict that cannot be written down refuses', async () => {
  const path = await newPath(DENY)
  path.failVerdicts(true)
  const seen = await path.ask(REQUEST, { chunks: [streamOf([], 'stop')] })
  assert.equal(seen.status, 403)
  assert.match(seen.text, /AUDIT_UNAVAILABLE/)
  path.failVerdicts(false)
  const frames = [...callDeltas(0, 'search_docs', '{}')].map((delta) => `data: ${chunkOf(delta)}\n\n`)
  const during = await path.ask(REQUEST, {
    chunks: [...frames, `data: ${chunkOf({}, 'tool_calls')}\n\n`],
    before: (index) => path.failVerdicts(index > 0),
  })
  assert.deepEqual(rebuild(during.text).calls, [])
})

test('[PROMISE-SIBLINGS] the next request of the conversation carries the refusal, and the provider gets its own call back', async () => {
  const first = await deny.ask(REQUEST, {
    chunks: [streamOf([...textDeltas('Doing it.'), ...callDeltas(0, 'run_sql', DROP)], 'tool_calls')],
  })
  const content = [...first.text.matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)]
    .map((match) => JSON.parse(`"${match[1]}"`) as string)
    .join('')
  const next = {
    ...REQUEST,
    messages: [...REQUEST.messages, { role: 'assistant', content }, { role: 'user', content: 'go on without' }],
  }
  const second = await deny.ask(next, { chunks: [streamOf(textDeltas('Fine.'), 'stop')] })
  assert.equal(second.status, 200)
  const sent = JSON.parse(Buffer.from(second.upstream?.body ?? []).toString()) as {
    messages: Record<string, unknown>[]
  }
  const [, assistant, result, user] = sent.messages
  assert.deepEqual(assistant?.['tool_calls'], [
    { id: 'call_0', type: 'function', function: { name: 'run_sql', arguments: DROP } },
  ])
  assert.equal(assistant?.['content'], 'Doing it.')
  assert.equal(result?.['role'], 'tool')
  assert.equal(result?.['tool_call_id'], 'call_0')
  assert.match(String(result?.['content']), /^sallyport: INTENT_SQL_DDL/)
  assert.equal(user?.['content'], 'go on without')
})

test('[PROMISE-CUT] any mix of calls, choices and cuts: nothing forbidden can be rebuilt, everything allowed can', async () => {
  const piece = fc.record({
    choice: fc.integer({ min: 0, max: 2 }),
    forbidden: fc.boolean(),
    size: fc.integer({ min: 1, max: 40 }),
    legacy: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.integer(),
      async (pieces, interleave, seed) => {
        const counts = new Map<number, number>()
        const runs = pieces.map(({ choice, forbidden, size, legacy }, serial) => {
          const index = counts.get(choice) ?? 0
          counts.set(choice, index + 1)
          const args = JSON.stringify({ query: forbidden ? `DELETE FROM t${serial}` : `SELECT ${serial} FROM t` })
          const alone = legacy && pieces.filter((other) => other.choice === choice).length === 1
          const deltas = callDeltas(index, 'run_sql', args, size).map((delta) => (alone ? legacyOf(delta) : delta))
          return {
            choice,
            args,
            forbidden,
            frames: deltas.map((delta) => chunkOf(withId(delta, serial), null, choice)),
          }
        })
        const frames = interleave ? zip(runs.map((run) => run.frames)) : runs.flatMap((run) => run.frames)
        const ends = [...counts.keys()].map((choice) => chunkOf({}, 'tool_calls', choice))
        const cuts = cutsOf(sse([...frames, ...ends]), seeded(seed))
        const cut = cuts[Math.abs(seed) % cuts.length]
        const seen = await deny.ask({ ...REQUEST, n: 3 }, { chunks: cut?.chunks ?? [] })
        const { calls } = rebuild(seen.text)
        for (const run of runs) {
          const there = calls.some((call) => call.args === run.args)
          assert.equal(there, !run.forbidden, `${run.args} in ${seen.text}`)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('[CHAT-01] 200 streams at once, each with a canary of its own: none sees another', async () => {
  const paths = await Promise.all(Array.from({ length: 200 }, () => newPath(DENY)))
  const seen = await Promise.all(
    paths.map((path, at) => {
      const stream = sse([
        ...textDeltas(`canary_${at}_text`, 3).map((delta) => chunkOf(delta)),
        ...callDeltas(0, 'search_docs', JSON.stringify({ query: `canary_${at}_allowed` }), 4).map((d) => chunkOf(d)),
        ...callDeltas(1, 'run_sql', JSON.stringify({ query: `DROP TABLE canary_${at}_refused` }), 3).map((d) =>
          chunkOf(d),
        ),
        chunkOf({}, 'tool_calls'),
      ])
      const before = () => new Promise<void>((resolve) => setImmediate(resolve))
      return path.ask(REQUEST, { chunks: stream.split(/(?<=\n\n)/), before })
    }),
  )
  for (const [at, { text }] of seen.entries()) {
    const { calls } = rebuild(text)
    assert.ok(calls.some((call) => call.args === JSON.stringify({ query: `canary_${at}_allowed` })))
    for (const [, other] of text.matchAll(/canary_(\d+)_/g)) assert.equal(other, String(at))
    assert.ok(!text.includes('_refused'))
  }
  await Promise.all(paths.map((path) => path.close()))
})

function legacyOf(delta: object): object {
  const [element] = (delta as { tool_calls: { function: object }[] }).tool_calls
  return { function_call: element?.function }
}

function withId(delta: object, serial: number): object {
  return JSON.parse(JSON.stringify(delta).replace(/"id":"call_\d+"/, `"id":"call_s${serial}"`)) as object
}

function zip(lists: readonly (readonly string[])[]): string[] {
  const out: string[] = []
  for (let at = 0; lists.some((list) => at < list.length); at += 1) {
    for (const list of lists) if (list[at] !== undefined) out.push(list[at] ?? '')
  }
  return out
}
