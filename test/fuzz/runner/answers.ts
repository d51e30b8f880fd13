import { chunkOf, FRAMINGS } from '../../fixtures/chat.ts'

const NAMES = [
  'run_sql',
  'search_docs',
  'send_mail',
  'admin_reset',
  'send_',
  'mail',
  'run_',
  'sql',
  '',
  'RUN_SQL',
  'x',
] as const
const PIECES = [
  '{"query":"SELECT 1 FROM t"}',
  '{"query":"DROP TABLE customers"}',
  '{"query":"DELETE FROM t"}',
  '{"query":"',
  'SELECT ',
  'DROP TABLE ',
  'DR',
  'OP TABLE t',
  'customers',
  '; DROP TABLE t',
  '--',
  '/*',
  '*/',
  "'",
  '\\u0044ROP TABLE t',
  '\\"',
  '"}',
  '"',
  '{',
  '}',
  ',"query":',
  '{"query":"SELECT 1","query":"DROP TABLE t"}',
  '{"Query":"DROP TABLE t","query":"SELECT 1"}',
  ' ',
  '',
] as const
const TEXTS = [
  'hello ',
  '<tool_call>',
  '{"name":"send_mail",',
  '"arguments":{"to":"x"}}',
  '</tool_call>',
  '```bash\nrm -rf /\n```\n',
  '<act>go</act>',
  '日本🙂',
  '{"query":"DROP TABLE t"}',
] as const
const FINISHES = [null, 'tool_calls', 'stop', 'length', 'function_call', 'content_filter'] as const
const IDS = ['call_0', 'call_1', '', undefined] as const
const INDICES = [0, 1, 2, 7, undefined] as const
/** Most steps are of calls as a provider writes them; the others of what no provider writes. */
const USUAL = ['open', 'open', 'more', 'more', 'more', 'more', 'text'] as const
const SHAPES = [
  ...USUAL,
  ...USUAL,
  ...USUAL,
  ...USUAL,
  'finish',
  'function',
  'custom',
  'legacy',
  'refusal',
  'odd',
] as const
const FRAMES = Object.values(FRAMINGS)

/** Builds an answer out of whole events: each byte is one choice. Deltas in any order, of any call, with any piece. */
export function answerOf(bytes: Uint8Array): string {
  let next = 0
  const pick = <T>(items: readonly [T, ...(readonly T[])]): T => items[(bytes[next++] ?? 0) % items.length] ?? items[0]
  const frame = FRAMES[(bytes[next++] ?? 0) % FRAMES.length] ?? FRAMINGS.lf
  const call = (kind: 'function' | 'custom'): object => {
    const inner: Record<string, unknown> = {}
    if (pick([true, false])) inner['name'] = pick(NAMES)
    if (pick([true, true, true, false])) inner[kind === 'custom' ? 'input' : 'arguments'] = pick(PIECES)
    const type = pick([kind, undefined, 'function', 'custom'])
    return { index: pick(INDICES), id: pick(IDS), type, [kind]: inner } // JSON leaves out what is undefined
  }
  const odd = (): object => {
    const whole = { name: pick(NAMES), arguments: pick(PIECES) }
    return pick<object>([
      { toolCalls: [{ index: 0, function: whole }] },
      { tool_calls: { index: 0, function: whole } },
      { tool_calls: [whole] },
      { tool_calls: [{ index: 0, id: 'call_0', function: { ...whole, arguments: { query: 'DROP TABLE t' } } }] },
      {
        content: [
          { type: 'text', text: pick(TEXTS) },
          { type: 'tool_use', ...whole },
        ],
      },
      { message: { tool_calls: [{ index: 0, function: whole }] } },
      { metadata: { function_call: whole } },
    ])
  }
  let opened = 0
  const open = (): object => {
    const name = pick(['run_sql', 'run_sql', 'search_docs', 'send_mail'])
    const index = opened++
    return { index, id: `call_${index}`, type: 'function', function: { name, arguments: pick(['', ...PIECES]) } }
  }
  const more = (): object => {
    if (opened === 0) return open()
    const index = (bytes[next++] ?? 0) % opened
    return { index, function: { arguments: pick(PIECES) } }
  }
  const delta = (shape: (typeof SHAPES)[number]): object => {
    switch (shape) {
      case 'open':
        return { tool_calls: [open()] }
      case 'more':
        return { tool_calls: [more()] }
      case 'function':
      case 'custom':
        return { tool_calls: pick([1, 1, 1, 2]) === 2 ? [call(shape), call(shape)] : [call(shape)] }
      case 'legacy':
        return { function_call: pick<object>([{ name: pick(NAMES) }, { arguments: pick(PIECES) }]) }
      case 'text':
        return { content: pick(TEXTS) }
      case 'refusal':
        return { refusal: pick(TEXTS), reasoning_content: pick(TEXTS) }
      case 'finish':
        return {}
      case 'odd':
        return odd()
    }
  }
  let out = ''
  while (next < bytes.length && out.length < MAX_LENGTH) {
    const shape = pick(SHAPES)
    const choice = pick([0, 0, 0, 0, 0, 0, 0, 1])
    out += frame(chunkOf(delta(shape), shape === 'finish' ? pick(FINISHES) : null, choice))
  }
  return out + frame(chunkOf({}, pick(['tool_calls', 'tool_calls', 'stop', 'length', null]))) + frame('[DONE]')
}

const MAX_LENGTH = 12 * 1024
