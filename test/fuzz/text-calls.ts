import assert from 'node:assert/strict'
import { DEFAULT_LIMITS, type TextItem } from '#pkg/model'
import { newJsonScanner } from '#pkg/path/codec/wire/json'
import { newFirewall } from '#pkg/path/firewall'
import { grant, snapshot, view } from '../../pkg/path/firewall/firewall.fixture.ts'
import type { Target } from './runner/target.ts'

const firewall = newFirewall(
  {
    sql: {
      read: async () => ({ ok: false, reason: 'INTENT_SQL_UNPARSABLE', detail: 'no grammar here' }),
      follow: () => ({ push: () => null }),
    },
    newJson: newJsonScanner,
  },
  { ...DEFAULT_LIMITS, argumentBytes: 2048 },
)
const rules = firewall.load(
  snapshot({
    grants: [grant('run_sql'), grant('kb_*')],
    textTools: [
      { kind: 'fence', word: 'bash' },
      { kind: 'tag', word: 'execute' },
    ],
  }),
)

/** Calls and faults with what they cover; every unit is decided, once and in order. */
function scan(pieces: readonly string[]): readonly string[] {
  const scanner = firewall.textCalls(rules, view({ tools: ['search_docs'] }))
  const text = pieces.join('')
  const seen: string[] = []
  let at = 0
  let open: string | null = null
  const take = (item: TextItem): void => {
    if (item.kind === 'open') {
      assert.ok(open === null && item.start === at, 'an opening out of place')
      open = `${item.form} ${item.name}`
    } else if (item.kind === 'arguments') {
      assert.ok(open !== null, 'arguments of nothing')
      open += ` ${item.text}`
    } else {
      assert.ok(item.end > at && item.end <= text.length, 'an end out of place')
      if (item.kind === 'plain') assert.equal(open, null)
      else seen.push(`${item.kind === 'fault' ? item.reason : open} <- ${text.slice(at, item.end)}`)
      if (item.kind !== 'plain') open = null
      at = item.end
    }
  }
  for (const piece of pieces) for (const item of scanner.push(piece)) take(item)
  for (const item of scanner.end()) take(item)
  assert.equal(at, text.length, 'text is left over')
  return seen
}

/** What is found does not depend on the cuts; what was closed under the cap is no longer than the cap. */
export const target: Target = {
  name: 'text-calls',
  words: [
    '<tool_call>',
    '</tool_call>',
    '{"name":"run_sql","arguments":{}}',
    '[TOOL_CALLS]',
    '[ARGS]',
    '<|python_tag|>',
    '<|tool_call_begin|>',
    '<|tool_call_end|>',
    '<invoke name="run_sql">',
    '<parameter name="a">',
    '</parameter>',
    '</invoke>',
    '<function=run_sql>',
    '</function>',
    '<execute>',
    '</execute>',
    '```bash\n',
    '\n```\n',
    '~~~',
    '\u200b',
    '\uff1c',
    '&#95;',
  ],
  run(bytes) {
    const text = Buffer.from(bytes).toString('utf8')
    const whole = scan([text])
    const middle = text.length >> 1
    assert.deepEqual(scan([text.slice(0, middle), text.slice(middle)]), whole)
    if (text.length <= 1024) assert.deepEqual(scan(text.split('')), whole)
    return whole.map((one) => (/^[A-Z_]+ /.exec(one)?.[0] ?? 'call').trim()).join(' ')
  },
}
