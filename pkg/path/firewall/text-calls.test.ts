import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS, type Limits, type TextItem, type TextTool } from '#pkg/model'
import { newJsonScanner } from '#pkg/path/codec/wire/json'
import { cuts, grant, snapshot } from './firewall.fixture.ts'
import { loadRules, newRuleCache } from './rules.ts'
import { newTextCalls } from './text-calls.ts'

/** What a scanner made of a text: calls and faults with the text that they cover, in order. */
type Seen = { readonly calls: readonly string[]; readonly plain: string; readonly latest: number }

function scan(pieces: readonly string[], textTools: readonly TextTool[] = [], limits: Partial<Limits> = {}): Seen {
  const rules = loadRules(snapshot({ textTools, grants: [grant('run_sql'), grant('kb_*')] }), newRuleCache())
  const scanner = newTextCalls({
    rules,
    declared: ['search_docs'],
    newJson: newJsonScanner,
    limits: { ...DEFAULT_LIMITS, ...limits },
  })
  const text = pieces.join('')
  const calls: string[] = []
  let plain = ''
  let at = 0
  let open: { start: number; says: string } | null = null
  let length = 0
  let latest = 0
  const take = (items: readonly TextItem[]): void => {
    for (const item of items) {
      if (item.kind === 'open') {
        assert.equal(open, null)
        assert.equal(item.start, at)
        open = { start: item.start, says: `${item.name}/${item.form}` }
      } else if (item.kind === 'arguments') {
        assert.ok(open !== null)
        open.says += ` ${item.text}`
      } else {
        assert.ok(item.end <= length && item.end > at, `${item.kind} ${item.end}`)
        const covered = text.slice(at, item.end)
        if (item.kind === 'plain') {
          assert.equal(open, null)
          plain += covered
        } else if (item.kind === 'close') {
          assert.ok(open !== null)
          calls.push(`${open.says} <- ${covered}`)
        } else {
          assert.equal(item.start, at)
          calls.push(`${item.reason} <- ${covered}`)
        }
        if (item.kind !== 'plain') open = null
        at = item.end
      }
    }
  }
  for (const piece of pieces) {
    length += piece.length
    take(scanner.push(piece))
    if (open === null) latest = Math.max(latest, length - at)
  }
  take(scanner.end())
  assert.equal(at, text.length, 'every unit is decided')
  assert.equal(open, null)
  return { calls, plain, latest }
}

const bash: readonly TextTool[] = [{ kind: 'fence', word: 'bash' }]
const tag: readonly TextTool[] = [{ kind: 'tag', word: 'execute' }]
const CALL = '{"name":"run_sql","arguments":{"query":"DROP TABLE users"}}'
const SAYS = 'run_sql/json {"query":"DROP TABLE users"}'

type Row = {
  readonly id: string
  readonly name: string
  readonly text: string
  readonly tools?: readonly TextTool[]
  readonly calls: readonly string[]
}

const whole = (text: string): readonly string[] => [`${SAYS} <- ${text}`]
const fault = (text: string, reason = 'WIRE_UNKNOWN_SHAPE'): readonly string[] => [`${reason} <- ${text}`]

const wholeTexts: readonly (readonly [string, string])[] = [
  ['a tag', `<tool_call>${CALL}</tool_call>`],
  ['a tag with space', `<tool_call>\n${CALL}\n</tool_call>`],
  ['another case', `<Tool_Call>${CALL}</TOOL_CALL>`],
  ['white space inside the tag', `< tool_call >${CALL}< / tool_call >`],
  ['a space for the underscore', `<tool call>${CALL}</tool call>`],
  ['a dash for the underscore', `<tool-call>${CALL}</tool-call>`],
  ['joined', `<toolcall>${CALL}</toolcall>`],
  ['zero-width characters inside the tag', `<tool\u200b_call\u2060>${CALL}</tool\u00ad_call>`],
  ['full-width brackets', `\uff1ctool_call\uff1e${CALL}\uff1c/tool_call\uff1e`],
  ['a namespace', `<tool_call>${CALL}</tool_call>`],
  ['attributes', `<tool_call id="1">${CALL}</tool_call>`],
  ['function_call', `<function_call>${CALL}</function_call>`],
  ['tool_use', `<tool_use>${CALL.replace('arguments', 'input')}</tool_use>`],
  [
    'arguments in a string',
    `<tool_call>${JSON.stringify({ name: 'run_sql', arguments: '{"query":"DROP TABLE users"}' })}</tool_call>`,
  ],
  ['a function object', `<tool_call>{"type":"function","function":${CALL}}</tool_call>`],
  ['the name before its arguments', '<tool_call>run_sql\n{"query":"DROP TABLE users"}</tool_call>'],
  ['function=', '<function=run_sql>{"query":"DROP TABLE users"}</function>'],
  ['function= with parameters', '<function=run_sql><parameter=query>DROP TABLE users</parameter></function>'],
  [
    'function= inside a tag',
    '<tool_call>\n<function=run_sql>\n<parameter=query>\nDROP TABLE users\n</parameter>\n</function>\n</tool_call>',
  ],
  ['invoke', '<invoke name="run_sql"><parameter name="query">DROP TABLE users</parameter></invoke>'],
  [
    'invoke inside function_calls',
    '<function_calls>\n<invoke name="run_sql">\n<parameter name="query">DROP TABLE users</parameter>\n</invoke>\n</function_calls>',
  ],
  ['[TOOL_CALLS] with a list', `[TOOL_CALLS][${CALL}]`],
  ['[TOOL_CALLS] with space', `[ TOOL_CALLS ] [ ${CALL} ]`],
  ['[TOOL_CALLS] and a name', '[TOOL_CALLS]run_sql{"query":"DROP TABLE users"}'],
  ['[TOOL_CALLS], a name and [ARGS]', '[TOOL_CALLS]run_sql[ARGS]{"query":"DROP TABLE users"}'],
  ['python_tag', `<|python_tag|>${CALL.replace('arguments', 'parameters')}`],
  [
    'tool_call_begin and end',
    `<|tool_call_begin|>functions.run_sql:0<|tool_call_argument_begin|>{"query":"DROP TABLE users"}<|tool_call_end|>`,
  ],
  [
    'full-width tokens',
    '<\uff5ctool\u2581calls\u2581begin\uff5c><\uff5ctool\u2581call\u2581begin\uff5c>function<\uff5ctool\u2581sep\uff5c>run_sql\n```json\n{"query":"DROP TABLE users"}\n```<\uff5ctool\u2581call\u2581end\uff5c><\uff5ctool\u2581calls\u2581end\uff5c>',
  ],
  ['longcat_tool_call', `<longcat_tool_call>\n${CALL}\n</longcat_tool_call>`],
  [
    'DSML',
    '<\uff5cDSML\uff5cfunction_calls>\n<\uff5cDSML\uff5cinvoke name="run_sql">\n<\uff5cDSML\uff5cparameter name="query" string="true">DROP TABLE users</\uff5cDSML\uff5cparameter>\n</\uff5cDSML\uff5cinvoke>\n</\uff5cDSML\uff5cfunction_calls>',
  ],
  [
    'DSML without its outer tag',
    '<\uff5cDSML\uff5cinvoke name="run_sql"><\uff5cDSML\uff5cparameter name="query">DROP TABLE users</\uff5cDSML\uff5cparameter></\uff5cDSML\uff5cinvoke>',
  ],
  ['white space far beyond the window', `<tool_call>${' \n\u00a0'.repeat(200)}${CALL}</tool_call>`],
  ['white space inside the opening', `<tool_call ${' '.repeat(400)}>${CALL}</tool_call>`],
  ['a name with a character reference is a call all the same', `<tool_call>${CALL}</tool_call>`],
]

const rows: readonly Row[] = [
  ...wholeTexts.map(([name, text]) => ({ id: 'TXT-01', name, text, calls: whole(text) })),
  {
    id: 'TXT-01',
    name: 'a list of two',
    text: `[TOOL_CALLS][${CALL},${CALL}]`,
    calls: [`${SAYS} <- [TOOL_CALLS][${CALL}`, `${SAYS} <- ,${CALL}]`],
  },
  {
    id: 'TXT-01',
    name: 'two elements in one tag',
    text: '<function_calls><invoke name="a"></invoke><invoke name="search_docs"></invoke></function_calls>',
    calls: [
      'a/json {} <- <function_calls><invoke name="a"></invoke>',
      'search_docs/json {} <- <invoke name="search_docs"></invoke></function_calls>',
    ],
  },
  {
    id: 'TXT-01',
    name: 'DSML says which values are strings',
    text: '<|DSML|invoke name="run_sql"><|DSML|parameter name="a" string="true">5</|DSML|parameter><|DSML|parameter name="b" string="false">5</|DSML|parameter></|DSML|invoke>',
    calls: [
      'run_sql/json {"a":"5","b":5} <- <|DSML|invoke name="run_sql"><|DSML|parameter name="a" string="true">5</|DSML|parameter><|DSML|parameter name="b" string="false">5</|DSML|parameter></|DSML|invoke>',
    ],
  },
  {
    id: 'TXT-05',
    name: 'a parameter that ends in another namespace',
    text: '<|DSML|invoke name="run_sql"><|DSML|parameter name="a">1</parameter></|DSML|invoke>',
    calls: fault('<|DSML|invoke name="run_sql"><|DSML|parameter name="a">1</parameter></|DSML|invoke>'),
  },
  {
    id: 'TXT-05',
    name: 'start_function_call, whose values are no JSON',
    text: '<start_function_call>call:run_sql{query:<escape>DROP TABLE users<escape>}<end_function_call>',
    calls: fault('<start_function_call>call:run_sql{query:<escape>DROP TABLE users<escape>}<end_function_call>'),
  },
  {
    id: 'TXT-02',
    name: 'a word before a list is text without a call',
    text: 'functools[0] functools [{"name":"run_sql"}]',
    calls: [],
  },
  { id: 'TXT-02', name: 'a type of alternatives is text', text: 'f<a|invoke>({ a: 1 }) <|a|b> {}', calls: [] },
  {
    id: 'TXT-01',
    name: 'values apart by a semicolon',
    text: `<|python_tag|>${CALL}; ${CALL}`,
    calls: [`${SAYS} <- <|python_tag|>${CALL}`, `${SAYS} <- ; ${CALL}`],
  },
  {
    id: 'TXT-01',
    name: 'an attribute names the tool',
    text: '<tool_call name="run_sql">{"a":1}</tool_call>',
    calls: ['run_sql/json {"a":1} <- <tool_call name="run_sql">{"a":1}</tool_call>'],
  },
  {
    id: 'TXT-01',
    name: 'parameters are of the type that they read as',
    text: '<invoke name="run_sql"><parameter name="n">5</parameter><parameter name="s">5 a</parameter></invoke>',
    calls: [
      'run_sql/json {"n":5,"s":"5 a"} <- <invoke name="run_sql"><parameter name="n">5</parameter><parameter name="s">5 a</parameter></invoke>',
    ],
  },
  {
    id: 'TXT-01',
    name: 'a close without its opening',
    text: `</tool_call>${CALL}</tool_call>`,
    calls: whole(`</tool_call>${CALL}</tool_call>`),
  },
  { id: 'TXT-02', name: 'a tag without a call is text', text: 'the <tool_call> tag comes first', calls: [] },
  {
    id: 'TXT-02',
    name: 'a tag that closes at once is text',
    text: 'write <tool_call></tool_call> around {json}',
    calls: fault('</tool_call> around {json}', 'WIRE_CALL_TRUNCATED'),
  },
  { id: 'TXT-02', name: 'another tag is text', text: '<div><b>{"name":"run_sql"}</b></div>', calls: [] },
  { id: 'TXT-02', name: 'comparisons and links are text', text: 'a < b and [tool](x) [t] <t <', calls: [] },
  { id: 'TXT-02', name: 'a type parameter is text', text: 'const x: Array<ToolCall> = f({ a: 1 })', calls: [] },
  { id: 'TXT-02', name: 'a fence that no policy declares is text', text: '```bash\nls\n```', calls: [] },
  {
    id: 'TXT-02',
    name: 'a fence of another word is text',
    text: '```sql\nDROP TABLE users\n```',
    tools: bash,
    calls: [],
  },
  {
    id: 'TXT-02',
    name: 'a word that only begins like the fence is text',
    text: '```bashful\nls\n```',
    tools: bash,
    calls: [],
  },
  {
    id: 'TXT-03',
    name: 'a fence',
    text: '```bash\nls -l\n```',
    tools: bash,
    calls: ['bash/text ls -l <- ```bash\nls -l\n```'],
  },
  {
    id: 'TXT-03',
    name: 'a fence in another case, with more behind',
    text: '~~~~ BASH title=x\nls\nrm\n~~~~',
    tools: bash,
    calls: ['bash/text ls\nrm <- ~~~~ BASH title=x\nls\nrm\n~~~~'],
  },
  {
    id: 'TXT-03',
    name: 'a fence that some readers would end elsewhere',
    text: '```bash\necho ``` ; rm\n```',
    tools: bash,
    calls: ['WIRE_UNKNOWN_SHAPE <- ```bash\necho ```'],
  },
  {
    id: 'TXT-03',
    name: 'a fence whose end has words behind',
    text: '```bash\necho\n``` x\nrm\n',
    tools: bash,
    calls: ['WIRE_UNKNOWN_SHAPE <- ```bash\necho\n```'],
  },
  {
    id: 'TXT-03',
    name: 'a fence that ends in a shorter one',
    text: '````bash\necho\n```\nrm\n',
    tools: bash,
    calls: ['WIRE_UNKNOWN_SHAPE <- ````bash\necho\n```'],
  },
  {
    id: 'TXT-03',
    name: 'a tag of the policy is a call with whatever is in it',
    text: '<execute>rm -rf /</execute>',
    tools: tag,
    calls: ['execute/text rm -rf / <- <execute>rm -rf /</execute>'],
  },
  {
    id: 'TXT-05',
    name: 'a tool name that a character reference follows',
    text: '<tool_call>run_sql&#95;,</tool_call>',
    calls: fault('<tool_call>run_sql&#95;,</tool_call>'),
  },
  {
    id: 'TXT-05',
    name: 'a tag of the policy with what only lenient clients read as a call',
    text: "<execute>{name: 'run_sql'}</execute>",
    tools: tag,
    calls: fault("<execute>{name: 'run_sql'}</execute>", 'WIRE_INVALID_JSON'),
  },
  {
    id: 'TXT-05',
    name: 'a well-known tag that the policy names too, with words in it',
    text: '<tool_call>run sql</tool_call>',
    tools: [{ kind: 'tag', word: 'tool_call' }],
    calls: fault('<tool_call>run sql</tool_call>'),
  },
  {
    id: 'TXT-03',
    name: 'a tag of the policy with a call in it',
    text: `<execute>${CALL}</execute>`,
    tools: tag,
    calls: whole(`<execute>${CALL}</execute>`),
  },
  {
    id: 'TXT-04',
    name: 'a tag that never closes',
    text: `<tool_call>${CALL}`,
    calls: fault(`<tool_call>${CALL}`, 'WIRE_CALL_TRUNCATED'),
  },
  {
    id: 'TXT-04',
    name: 'a fence that never closes',
    text: '```bash\nls',
    tools: bash,
    calls: fault('```bash\nls', 'WIRE_CALL_TRUNCATED'),
  },
  {
    id: 'TXT-04',
    name: 'a list that never closes',
    text: '[TOOL_CALLS][{',
    calls: fault('[TOOL_CALLS][{', 'WIRE_CALL_TRUNCATED'),
  },
  {
    id: 'TXT-05',
    name: 'a call in Python',
    text: '<tool_code>{run_sql(query="x")}</tool_code>',
    calls: fault('<tool_code>{run_sql(query="x")}</tool_code>', 'WIRE_INVALID_JSON'),
  },
  {
    id: 'TXT-05',
    name: 'duplicate keys',
    text: '<tool_call>{"name":"a","name":"run_sql"}</tool_call>',
    calls: fault('<tool_call>{"name":"a","name":"run_sql"}</tool_call>', 'WIRE_DUPLICATE_KEY'),
  },
  {
    id: 'TXT-05',
    name: 'two names',
    text: '<tool_call>{"name":"a","tool":"run_sql"}</tool_call>',
    calls: fault('<tool_call>{"name":"a","tool":"run_sql"}</tool_call>'),
  },
  {
    id: 'TXT-05',
    name: 'two sets of arguments',
    text: '<tool_call>{"name":"a","arguments":{},"parameters":{}}</tool_call>',
    calls: fault('<tool_call>{"name":"a","arguments":{},"parameters":{}}</tool_call>'),
  },
  {
    id: 'TXT-05',
    name: 'one parameter twice',
    text: '<invoke name="run_sql"><parameter name="a">1</parameter><parameter name="a">2</parameter></invoke>',
    calls: fault('<invoke name="run_sql"><parameter name="a">1</parameter><parameter name="a">2</parameter></invoke>'),
  },
  {
    id: 'TXT-05',
    name: 'a character reference',
    text: '<invoke name="run_sql"><parameter name="a">DROP&#32;TABLE</parameter></invoke>',
    calls: fault('<invoke name="run_sql"><parameter name="a">DROP&#32;TABLE</parameter></invoke>'),
  },
  {
    id: 'TXT-05',
    name: 'a name in character references',
    text: '<invoke name="run&#95;sql"></invoke>',
    calls: ['run&#95;sql/json {} <- <invoke name="run&#95;sql"></invoke>'],
  },
  {
    id: 'TXT-05',
    name: 'words around the call',
    text: `<tool_call>please do ${CALL}</tool_call>`,
    calls: fault(`<tool_call>please do ${CALL}</tool_call>`),
  },
]

for (const row of rows) {
  test(`[${row.id}] ${row.name}`, () => {
    for (const [before, after] of [
      ['', ''],
      ['Sure < 3:\n', '\nDone.'],
    ] as const) {
      // What begins a text and never ends takes the rest along.
      if (after !== '' && row.id !== 'TXT-01' && row.id !== 'TXT-05') continue
      const text = before + row.text + after
      for (const pieces of cuts(text)) {
        const seen = scan(pieces, row.tools)
        assert.deepEqual(seen.calls, row.calls)
        if (row.calls.length > 0 && after !== '') assert.equal(seen.plain, before + after)
      }
    }
  })
}

test('[TXT-01] words about a tag are text: the tag that stands nearest to the JSON opens the call', () => {
  const call = `<tool_call>${CALL}</tool_call>`
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    ['words', `use <tool_call> tags with JSON inside, like ${call} here`, whole(call)],
    ['twice', `<tool_call> or <tool_call> or ${call}`, whole(call)],
    ['a name among the words', `<tool_call> run_sql <tool_call>${CALL}</tool_call>`, []],
    ['another tag', `<tool_use> tags, like ${call}`, []],
  ]
  for (const [name, text, calls] of rows) {
    const seen = scan([text])
    for (let cut = 1; cut < text.length; cut += 1)
      assert.deepEqual(scan([text.slice(0, cut), text.slice(cut)]).calls, seen.calls, `${name}, cut at ${cut}`)
    if (name === 'words' || name === 'twice') assert.deepEqual(seen.calls, calls, name)
    else assert.equal(seen.calls.length, 1, name)
    assert.ok(!seen.plain.includes('DROP TABLE'), name)
  }
})

test('[TXT-06] plain text leaves at once, but for what may become a tag', () => {
  const text = 'Costs are < 3 [see] <b>bold</b> `x` <tool_ca'
  assert.ok(scan(text.split('')).latest <= 12)
  assert.equal(scan(['Hello, world. ', 'How are you?']).latest, 0)
})

test('[TXT-06] an opening without a call is held for no more than its window', () => {
  const text = `<tool_call>${'x'.repeat(3000)} run_sql {}`
  const seen = scan(text.split(''))
  assert.deepEqual(seen.calls, [])
  assert.ok(seen.latest <= DEFAULT_LIMITS.textCallWindowBytes + 16, `${seen.latest}`)
})

test('[TXT-06] the window: at its last byte, and one behind', () => {
  const at = (space: number): readonly string[] =>
    scan([`<tool_call>${'x'.repeat(space)}{"name":"a"}</tool_call>`], [], { textCallWindowBytes: 64 }).calls
  assert.equal(at(63).length, 1)
  // `</tool_call>` is far enough from any brace.
  assert.deepEqual(at(64), [])
})

test('[TXT-01] functools: the list is a call, however the word before it was cut', () => {
  const text = `Sure. functools[${CALL}]\nDone.`
  for (const pieces of cuts(text)) {
    const seen = scan(pieces)
    assert.deepEqual([seen.calls, seen.plain], [whole(`[${CALL}]`), 'Sure. functools\nDone.'])
  }
})

test('[TXT-07] white space behind an opening uses up the cap of a call, not the window', () => {
  const call = (space: number): string => `<tool_call>${' '.repeat(space)}{"name":"a"}</tool_call>`
  for (const text of [call(300), call(5000)]) {
    const expected = text.length > 4096 ? /^WIRE_ARGUMENT_TOO_LARGE/ : /^a\/json/
    for (const pieces of [[text], text.split('')]) {
      assert.match(scan(pieces, [], { argumentBytes: 4096 }).calls[0] ?? '', expected)
    }
  }
})

test('[TXT-07] a call over the cap is refused there and not collected', () => {
  const head = '<tool_call>{"name":"run_sql","arguments":{"q":"'
  const room = 256 - head.length - '"}}</tool_call>'.length
  const call = (size: number): string => `${head}${'x'.repeat(size)}"}}</tool_call>`
  assert.match(scan([call(room)], [], { argumentBytes: 256 }).calls[0] ?? '', /^run_sql/)
  for (const pieces of [[call(room + 1)], call(room + 1).split('')]) {
    assert.match(scan(pieces, [], { argumentBytes: 256 }).calls[0] ?? '', /^WIRE_ARGUMENT_TOO_LARGE/)
  }
})

test('[TXT-08] where a call over the cap ends does not depend on how it is cut', () => {
  const rows: readonly (readonly [name: string, text: string])[] = [
    ['one byte over, closed behind it', `<execute>${'x'.repeat(60)}</execute> more`],
    ['the cap falls into the closing tag', `<execute>${'x'.repeat(50)}</execute>`],
    ['the cap falls behind the call', `<execute>${'x'.repeat(44)}</execute> more`],
    ['blanks behind JSON use up the cap', `[TOOL_CALLS]{"name":"a"}${' '.repeat(60)}x`],
    ['half of a pair goes over', `<execute>${'x'.repeat(53)}\ud83d\ude00</execute>`],
    ['a call behind it', `<execute>${'x'.repeat(60)}</execute>${CALL}`],
  ]
  for (const [name, text] of rows) {
    const whole = scan([text], tag, { argumentBytes: 64 })
    for (let at = 1; at < text.length; at += 1) {
      const seen = scan([text.slice(0, at), text.slice(at)], tag, { argumentBytes: 64 })
      assert.deepEqual([seen.calls, seen.plain], [whole.calls, whole.plain], `${name}, cut at ${at}`)
    }
    const units = scan(text.split(''), tag, { argumentBytes: 64 })
    assert.deepEqual([units.calls, units.plain], [whole.calls, whole.plain], name)
  }
})

test('[TXT-09] an opening behind very many that were none is taken for a call', () => {
  const talk = (times: number): string => `<tool_call>${'y '.repeat(150)}`.repeat(times)
  assert.deepEqual(scan([talk(100)]).calls, [])
  const many = '<tool_call>'.repeat(20_000)
  const whole = scan([many])
  assert.match(whole.calls[0] ?? '', /^WIRE_CALL_TRUNCATED/)
  assert.deepEqual(scan(many.match(/.{1,9}/gs) ?? []).calls, whole.calls)
})

test('[TXT-08] what is found does not depend on how the text is cut', () => {
  const part = fc.constantFrom(
    '<tool_call>',
    '</tool_call>',
    '<|DSML|tool_calls>',
    '</|DSML|tool_calls>',
    'functools',
    ' '.repeat(300),
    CALL,
    '[TOOL_CALLS]',
    '[',
    ']',
    '{',
    '}',
    '"',
    '```bash\n',
    '\n```\n',
    '```',
    '<|python_tag|>',
    '<',
    '|>',
    ' run_sql ',
    'search_docs',
    'x',
    '\u200b',
    ';',
    '<invoke name="a">',
    '</invoke>',
    '<execute>',
    '</execute>',
    '\ud83d\ude00',
  )
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 14 }),
      fc.array(fc.nat({ max: 200 }), { maxLength: 6 }),
      (parts, places) => {
        const text = parts.join('')
        const tools = [...bash, ...tag]
        const once = scan([text], tools)
        const marks = [...new Set([0, ...places.filter((place) => place < text.length), text.length])].sort(
          (a, b) => a - b,
        )
        for (const pieces of [text.split(''), marks.slice(1).map((mark, index) => text.slice(marks[index], mark))]) {
          const seen = scan(pieces, tools)
          assert.deepEqual([seen.calls, seen.plain], [once.calls, once.plain])
        }
      },
    ),
    { numRuns: 1500 },
  )
})

test('[TXT-09] hostile texts cost linear time', () => {
  for (const unit of [
    '<',
    '<tool_call>',
    '<tool_call',
    '[TOOL_CALLS]',
    '< ',
    '<|',
    '```bash\n',
    '```',
    '`',
    '[',
    '{',
    '<tool_call>{',
    '[TOOL_CALLS]{}',
    '<a:',
    '<|a|',
    'functools[',
    `<tool_call>${' '.repeat(1000)}`,
    '\u200b',
  ]) {
    const text = unit.repeat(Math.ceil(100_000 / unit.length))
    const started = performance.now()
    scan([text], [...bash, ...tag])
    scan(text.match(/.{1,7}/gs) ?? [], [...bash, ...tag])
    assert.ok(performance.now() - started < 30_000, `${unit}: ${performance.now() - started} ms`)
  }
})

test('[TXT-09] hostile calls cost linear time', () => {
  const much = (unit: string): string => unit.repeat(Math.ceil(100_000 / unit.length))
  const texts = [
    `\`\`\`bash\n${much(' ')}x\n\`\`\``,
    `\`\`\`bash\n${much('`` ')}\n\`\`\``,
    `<invoke name="a">${much('<parameter name="a">')}</invoke>`,
    `<invoke name="a">${Array.from({ length: 3000 }, (_, n) => `<parameter name="p${n}">1</parameter>`).join('')}</invoke>`,
    `<tool_call>{${much(' ')}}${much(';')}</tool_call>`,
    `[TOOL_CALLS][${much('{"name":"a"},')}{}]`,
    `<tool_call a=${much('"')}>{}</tool_call>`,
    `<function_calls>${much('<invoke name="a"></invoke>')}</function_calls>`,
    `<tool_call>{}${much('a ')}</tool_call>`,
    `<tool_call>${much(' ')}${much(' x')}`,
  ]
  for (const text of texts) {
    const started = performance.now()
    scan([text], [...bash, ...tag])
    scan(text.split(''), [...bash, ...tag])
    assert.ok(performance.now() - started < 20_000, `${text.slice(0, 40)}: ${performance.now() - started} ms`)
  }
})
