import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_LIMITS, type RefusedCalls } from '#pkg/model'
import { gemini } from './index.ts'

const endpoint = gemini.endpointOf('POST', '/v1beta/models/gemini-3-flash:generateContent', '')
const told = (id: string): string =>
  `sallyport: TOOL_NOT_GRANTED: no. Verdict ${id}. Ask: sallyctl policy explain ${id}`
const call = (name: string): object => ({ functionCall: { name, args: {} } })
const result = (name: string): object => ({ functionResponse: { name, response: { output: 1 } } })
const refused: RefusedCalls = {
  byVerdict: (verdictId) => ({
    verdictId,
    text: told(verdictId),
    original: JSON.stringify({ name: verdictId, id: null, part: JSON.stringify(call(verdictId)) }),
    answerId: null,
  }),
  inAnswer: () => [],
}

/** The parts of every content after the restore, in short. */
async function restored(model: readonly object[], user: readonly object[] | null): Promise<readonly string[]> {
  const contents = [
    { role: 'user', parts: [{ text: 'go' }] },
    { role: 'model', parts: model },
    ...(user === null ? [] : [{ role: 'user', parts: user }]),
  ]
  assert.ok(endpoint !== null)
  const body = Buffer.from(JSON.stringify({ contents }))
  const view = await gemini.readRequest(endpoint, body, { limits: DEFAULT_LIMITS, yieldTurn: async () => {} })
  assert.ok(view.ok)
  const out = gemini.restore(view.value, refused, 1_000_000)
  assert.ok(out instanceof Uint8Array)
  const read = JSON.parse(Buffer.from(out).toString()) as { contents: { parts: Record<string, { name?: string }>[] }[] }
  return read.contents
    .slice(1)
    .map(({ parts }) =>
      parts.map((part) => `${Object.keys(part)[0]?.slice(8, 9) ?? ''}${Object.values(part)[0]?.name ?? ''}`).join(' '),
    )
}

const rows: readonly {
  readonly name: string
  readonly model: readonly object[]
  readonly user: readonly object[] | null
  readonly out: readonly string[]
}[] = [
  { name: 'alone', model: [{ text: told('v_1') }], user: [{ text: 'on' }], out: ['Cv_1', 'Rv_1 '] },
  { name: 'the last turn', model: [{ text: told('v_1') }], user: null, out: ['Cv_1', 'Rv_1'] },
  {
    name: 'the first of three',
    model: [{ text: told('v_1') }, call('b'), call('c')],
    user: [result('b'), result('c')],
    out: ['Cv_1 Cb Cc', 'Rv_1 Rb Rc'],
  },
  {
    name: 'the middle one',
    model: [call('a'), { text: told('v_1') }, call('c')],
    user: [result('a'), result('c'), { text: 'on' }],
    out: ['Ca Cv_1 Cc', 'Ra Rv_1 Rc '],
  },
  {
    name: 'the last two',
    model: [call('a'), { text: told('v_1') }, { text: told('v_2') }],
    user: [result('a')],
    out: ['Ca Cv_1 Cv_2', 'Ra Rv_1 Rv_2'],
  },
  {
    name: 'more calls than the client answered',
    model: [call('a'), call('b'), { text: told('v_1') }],
    user: [result('a'), { text: 'on' }],
    out: ['Ca Cb Cv_1', 'Ra Rv_1 '],
  },
]

for (const { name, model, user, out } of rows)
  test(`[GEMINI-07] results of refused calls stand in the order of their calls: ${name}`, async () => {
    assert.deepEqual(await restored(model, user), out)
  })
