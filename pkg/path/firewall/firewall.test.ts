import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Snapshot, ToolGrant } from '#pkg/model'
import { ACTIVE, agent, cuts, fakeSql, firewall, grant, judge, snapshot, view } from './firewall.fixture.ts'
import { looksLikeSql } from './sql-looks.ts'

const QUERY = {
  type: 'object',
  required: ['query'],
  additionalProperties: false,
  properties: { query: { type: 'string' } },
}
const noPii = { name: 'no-pii', expression: "!args.query.contains('pii')", message: 'pii is not for marketing' }

type Row = {
  readonly id: string
  readonly name: string
  readonly tool?: string
  readonly form?: 'text'
  readonly args: unknown
  readonly raw?: string
  readonly grants?: readonly ToolGrant[]
  readonly more?: Partial<Snapshot>
  readonly reason: string | null
  readonly path?: string
}

const rows: readonly Row[] = [
  { id: 'FW-02', name: 'a granted tool', tool: 'search_docs', args: { q: 'x' }, reason: null },
  {
    id: 'FW-02',
    name: 'a tool that nobody granted',
    tool: 'run_shell',
    args: {},
    reason: 'TOOL_NOT_GRANTED',
    path: 'tools.allow',
  },
  {
    id: 'FW-02',
    name: 'a denied tool',
    tool: 'admin_wipe',
    args: {},
    reason: 'TOOL_DENIED',
    path: 'tools.deny[admin_*]',
  },
  {
    id: 'FW-02',
    name: 'deny wins over allow',
    tool: 'admin_wipe',
    args: {},
    grants: [grant('*')],
    reason: 'TOOL_DENIED',
  },
  {
    id: 'FW-02',
    name: 'a grant through a server that does not judge again is none for a proposal',
    tool: 'x',
    args: {},
    grants: [grant('x', { server: 'w' })],
    reason: 'TOOL_NOT_GRANTED',
  },
  { id: 'FW-02', name: 'a glob', tool: 'search_all', args: {}, grants: [grant('search_*')], reason: null },
  { id: 'FW-02', name: 'another case is another name', tool: 'Search_docs', args: {}, reason: 'TOOL_NOT_GRANTED' },
  {
    id: 'FW-02',
    name: 'no policy selects the agent',
    tool: 'search_docs',
    args: {},
    more: { denyAll: true },
    reason: 'POLICY_NONE_SELECTS',
  },
  {
    id: 'FW-03',
    name: 'a zero-width character in the name',
    tool: 'run\u200bsql',
    args: {},
    grants: [grant('*')],
    reason: 'WIRE_INVISIBLE_TEXT',
  },
  {
    id: 'FW-03',
    name: 'a Cyrillic look-alike',
    tool: '\u0430dmin_wipe',
    args: {},
    grants: [grant('*')],
    reason: 'WIRE_INVISIBLE_TEXT',
  },
  {
    id: 'FW-03',
    name: 'another script that the policy writes',
    tool: '\u043f\u043e\u0438\u0441\u043a',
    args: {},
    grants: [grant('\u043f\u043e\u0438\u0441\u043a')],
    reason: null,
  },
  { id: 'FW-03', name: 'no name', tool: '', args: {}, reason: 'WIRE_NAME_MISSING' },
  {
    id: 'FW-04',
    name: 'duplicate keys',
    args: {},
    raw: '{"query":"SELECT 1","query":"x"}',
    reason: 'WIRE_DUPLICATE_KEY',
  },
  { id: 'FW-04', name: 'a list', args: {}, raw: '[1]', reason: 'WIRE_ARGUMENT_SHAPE' },
  { id: 'FW-04', name: 'a string', args: {}, raw: '"{}"', reason: 'WIRE_ARGUMENT_SHAPE' },
  { id: 'FW-04', name: 'null', args: {}, raw: 'null', reason: 'WIRE_ARGUMENT_SHAPE' },
  { id: 'FW-04', name: 'nothing', args: {}, raw: '', reason: 'WIRE_INVALID_JSON' },
  { id: 'FW-04', name: 'a comment', args: {}, raw: '{"query":"SELECT 1"/**/}', reason: 'WIRE_INVALID_JSON' },
  { id: 'FW-04', name: 'two values', args: {}, raw: '{}{}', reason: 'WIRE_INVALID_JSON' },
  {
    id: 'FW-04',
    name: 'duplicate keys in JSON inside a string',
    tool: 'search_docs',
    args: { q: '{"a":"x","a":"y"}' },
    reason: 'WIRE_DUPLICATE_KEY',
  },
  {
    id: 'FW-05',
    name: 'the schema holds',
    args: { query: 'SELECT a FROM t' },
    grants: [grant('run_sql', { intents: ['sql.read'], schema: QUERY })],
    reason: null,
  },
  {
    id: 'FW-05',
    name: 'the schema does not hold',
    args: { query: 1 },
    grants: [grant('run_sql', { schema: QUERY })],
    reason: 'ARGUMENT_SCHEMA',
    path: 'tools.allow[run_sql].arguments.schema',
  },
  {
    id: 'FW-05',
    name: 'a rule holds',
    args: { query: 'SELECT a FROM t' },
    grants: [grant('run_sql', { intents: ['sql.read'], rules: [noPii] })],
    reason: null,
  },
  {
    id: 'FW-05',
    name: 'a rule breaks',
    args: { query: 'SELECT a FROM pii' },
    grants: [grant('run_sql', { intents: ['sql.read'], rules: [noPii] })],
    reason: 'ARGUMENT_RULE',
    path: 'tools.allow[run_sql].arguments.rules[no-pii]',
  },
  {
    id: 'FW-05',
    name: 'a rule errs',
    args: { q: 'x' },
    grants: [grant('run_sql', { rules: [noPii] })],
    reason: 'ARGUMENT_RULE',
  },
  {
    id: 'FW-05',
    name: 'a schema that does not compile grants nothing',
    args: {},
    grants: [grant('run_sql', { schema: { typ: 1 } })],
    reason: 'CHECK_FAILED',
  },
  {
    id: 'FW-05',
    name: 'a rule that does not compile grants nothing',
    args: {},
    grants: [grant('run_sql', { rules: [{ name: 'r', expression: 'x', message: '' }] })],
    reason: 'CHECK_FAILED',
  },
  {
    id: 'FW-06',
    name: 'one of two entries holds',
    args: { query: 'SELECT a FROM t' },
    grants: [grant('run_sql', { schema: false }), grant('run_*', { intents: ['sql.read'] })],
    reason: null,
  },
  {
    id: 'FW-06',
    name: 'parts of two entries do not make one',
    args: { query: 'SELECT a FROM pii' },
    grants: [
      grant('run_sql', { schema: { maxProperties: 0 } }),
      grant('run_*', { intents: ['sql.read'], rules: [noPii] }),
    ],
    reason: 'ARGUMENT_RULE',
  },
  {
    id: 'FW-06',
    name: 'the entry that came furthest tells',
    args: { query: 'SELECT a FROM t' },
    grants: [grant('run_sql', { intents: ['mail.send'] }), grant('run_*', { schema: false })],
    reason: 'INTENT_SQL_READ',
  },
  { id: 'FW-07', name: 'a read that is granted', args: { query: 'SELECT a FROM t' }, reason: null },
  {
    id: 'FW-07',
    name: 'DROP TABLE through the granted run_sql',
    args: { query: 'DROP TABLE users' },
    reason: 'INTENT_SQL_DDL',
    path: 'intents.deny',
  },
  {
    id: 'FW-07',
    name: 'a second statement',
    args: { query: 'SELECT 1; DELETE FROM users' },
    reason: 'INTENT_SQL_WRITE',
    path: 'tools.allow[run_sql].intents',
  },
  {
    id: 'FW-07',
    name: 'escapes do not hide it',
    args: {},
    raw: '{"query":"\\u0044ROP TABLE users"}',
    reason: 'INTENT_SQL_DDL',
  },
  {
    id: 'FW-07',
    name: 'the only string, whatever its key',
    args: { q: 'DELETE FROM users', n: 1 },
    reason: 'INTENT_SQL_WRITE',
  },
  { id: 'FW-07', name: 'SQL that does not parse', args: { query: 'frobnicate' }, reason: 'INTENT_SQL_UNPARSABLE' },
  { id: 'FW-07', name: 'a bare expression', args: { query: 'SELECT 1' }, reason: null },
  {
    id: 'FW-07',
    name: 'an intent beyond the snapshot',
    args: { query: 'DELETE FROM t' },
    grants: [grant('run_sql', { intents: ['sql.write'] })],
    reason: 'INTENT_SQL_WRITE',
    path: 'intents.allow',
  },
  {
    id: 'FW-07',
    name: 'what is declared but not shown counts where it cannot be told',
    tool: 'pay',
    args: { to: 'x' },
    grants: [grant('pay', { intents: ['money.move'] })],
    reason: 'INTENT_MONEY_MOVE',
  },
  {
    id: 'FW-07',
    name: 'a declared and allowed intent',
    tool: 'mail',
    args: { to: 'x' },
    grants: [grant('mail', { intents: ['mail.send'] })],
    reason: null,
  },
  { id: 'FW-07', name: 'the unknown is allowed', tool: 'search_docs', args: { q: 'hello' }, reason: null },
  {
    id: 'FW-07',
    name: 'the unknown can be denied',
    tool: 'search_docs',
    args: { q: 'hello' },
    more: {
      intents: { allow: [], deny: [{ source: { policy: 'p/q', path: 'intents.deny[0]' }, intent: 'custom.*' }] },
    },
    reason: 'INTENT_CUSTOM',
    path: 'intents.deny[0]',
  },
  {
    id: 'FW-07',
    name: 'structured output has no effects',
    tool: 'answer',
    args: { query: 'DROP TABLE users' },
    grants: [grant('answer', { execution: 'output', intents: ['sql.read'] })],
    reason: null,
  },
  {
    id: 'FW-08',
    name: 'a statement in a tool that declares nothing',
    tool: 'search_docs',
    args: { q: 'DROP TABLE users' },
    reason: 'INTENT_SQL_DDL',
  },
  {
    id: 'FW-08',
    name: 'among other strings',
    tool: 'search_docs',
    args: { a: 'x', b: ['y', { c: '/* */ ; DELETE FROM users' }] },
    reason: 'INTENT_SQL_WRITE',
  },
  {
    id: 'FW-08',
    name: 'in JSON in a string in JSON in a string',
    tool: 'search_docs',
    args: { q: JSON.stringify({ q: JSON.stringify({ q: 'DROP TABLE users' }) }) },
    reason: 'INTENT_SQL_DDL',
  },
  { id: 'FW-08', name: 'as a key', tool: 'search_docs', args: { 'DROP TABLE users': 1 }, reason: 'INTENT_SQL_DDL' },
  {
    id: 'FW-08',
    name: 'an English sentence is none',
    tool: 'search_docs',
    args: { q: 'select a good subject line' },
    reason: null,
  },
  {
    id: 'FW-08',
    name: 'a bare expression is none',
    tool: 'search_docs',
    args: { q: 'SELECT 1' },
    more: { intents: { allow: [], deny: [] } },
    reason: null,
  },
  {
    id: 'FW-08',
    name: 'more SQL than the grammar is asked to read',
    tool: 'search_docs',
    args: { q: `SELECT a FROM t -- ${'x'.repeat(20_000)}` },
    reason: 'INTENT_SQL_TOO_LARGE',
  },
  {
    id: 'FW-08',
    name: 'more texts than the grammar is asked to read',
    tool: 'search_docs',
    args: { q: Array.from({ length: 65 }, (_, index) => `SELECT ${index}`) },
    reason: 'INTENT_SQL_TOO_LARGE',
  },
  {
    id: 'FW-09',
    name: 'a custom tool: its input is the SQL',
    form: 'text',
    args: null,
    raw: 'DROP TABLE users',
    reason: 'INTENT_SQL_DDL',
  },
  { id: 'FW-09', name: 'a custom tool: granted SQL', form: 'text', args: null, raw: 'SELECT a FROM t', reason: null },
  {
    id: 'FW-09',
    name: 'a custom tool: rules see args.input',
    form: 'text',
    args: null,
    raw: 'SELECT a FROM t',
    grants: [
      grant('run_sql', { intents: ['sql.read'], rules: [{ name: 'r', expression: "args.input == 'x'", message: '' }] }),
    ],
    reason: 'ARGUMENT_RULE',
  },
  {
    id: 'FW-09',
    name: 'a custom tool: half a pair',
    form: 'text',
    tool: 'search_docs',
    args: null,
    raw: 'a\ud83d',
    reason: 'WIRE_INVALID_UTF8',
  },
]

for (const row of rows) {
  test(`[${row.id}] ${row.name}`, async () => {
    const rules = snapshot({ ...(row.grants === undefined ? {} : { grants: row.grants }), ...row.more })
    const raw = row.raw ?? JSON.stringify(row.args)
    let seen: { readonly reason: string | null; readonly at: number } | null = null
    for (const pieces of raw.length > 400 ? [[raw], raw.match(/.{1,100}/gs) ?? []] : cuts(raw)) {
      const [first] = await judge({ rules, name: row.tool ?? 'run_sql', pieces, form: row.form ?? 'json' })
      assert.equal(first?.reason ?? null, row.reason)
      if (row.path !== undefined) assert.equal(first?.rule?.path, row.path)
      const now = { reason: first?.reason ?? null, at: first?.at ?? -1 }
      seen ??= now
      assert.deepEqual(now, seen)
    }
  })
}

test('[FW-10] a forbidden class of statement is refused at the byte that fixes it', async () => {
  const rules = snapshot()
  const raw = '{"x":"\u00e9","query":"DROP TABLE users CASCADE"}'
  const until = raw.indexOf('DROP ') + 'DROP '.length
  const [first] = await judge({ rules, name: 'run_sql', pieces: [raw.slice(0, until)] })
  assert.equal(first?.reason, 'INTENT_SQL_DDL')
  assert.equal(first?.at, Buffer.byteLength(raw.slice(0, raw.indexOf('DROP') + 4)))
})

test('[FW-10] no early refusal where another entry could still allow it', async () => {
  const rules = snapshot({ grants: [grant('run_sql', { intents: ['sql.read'] }), grant('run_*')] })
  const own = firewall()
  const inspection = own.inspect(own.load(rules), { view: view(), agent, standing: ACTIVE })
  assert.deepEqual(inspection.callOpen('c', 'run_sql', 'json'), [])
  assert.deepEqual(inspection.callDelta('c', '{"query":"DROP TABLE users"'), [])
})

const caps = [
  {
    name: 'arguments',
    at: `{"a":"${'x'.repeat(56)}"}`,
    limits: { argumentBytes: 64 },
    tool: 'search_docs',
    reason: 'WIRE_ARGUMENT_TOO_LARGE',
  },
  {
    name: 'SQL',
    at: `{"query":"SELECT ${'x'.repeat(50)} FROM t"}`,
    limits: { sqlBytes: 64 },
    tool: 'run_sql',
    reason: 'INTENT_SQL_TOO_LARGE',
  },
  { name: 'depth', at: '{"a":[[[]]]}', limits: { jsonDepth: 4 }, tool: 'search_docs', reason: 'WIRE_DEPTH' },
] as const

for (const { name, at, limits, tool, reason } of caps) {
  test(`[FW-11] ${name}: at the cap, and one above`, async () => {
    const above = name === 'depth' ? at.replace('[]', '[[]]') : at.replace('xx', 'xxx')
    assert.deepEqual(await judge({ rules: snapshot(), name: tool, pieces: [at], limits }), [])
    for (const pieces of cuts(above)) {
      const [first] = await judge({ rules: snapshot(), name: tool, pieces, limits })
      assert.equal(first?.reason, reason)
    }
  })
}

test('[FW-12] the finding that decides is the same for every cutting', async () => {
  const texts = fc.oneof(
    fc.constantFrom('DROP TABLE a', 'SELECT 1; DELETE FROM b ', 'select x', 'SELECT a FROM pii', '{"a":1,"a":2}'),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
  )
  const args = fc.oneof(
    fc
      .dictionary(
        fc.constantFrom('query', 'sql', 'n', 'ключ'),
        fc.oneof(texts, fc.array(texts, { maxLength: 2 }), fc.integer()),
        { maxKeys: 3 },
      )
      .map((value) => JSON.stringify(value)),
    fc.string({ maxLength: 12 }),
  )
  const grants = [grant('run_sql', { intents: ['sql.read'], rules: [noPii] }), grant('search_docs', { schema: QUERY })]
  const rules = snapshot({ grants })
  await fc.assert(
    fc.asyncProperty(
      args,
      fc.constantFrom('run_sql', 'search_docs'),
      fc.array(fc.nat({ max: 60 }), { maxLength: 5 }),
      async (raw, name, places) => {
        const whole = await judge({ rules, name, pieces: [raw] })
        const marks = [...new Set([0, ...places.filter((place) => place < raw.length), raw.length])].sort(
          (a, b) => a - b,
        )
        const pieces = marks.slice(1).map((mark, index) => raw.slice(marks[index], mark))
        assert.deepEqual(await judge({ rules, name, pieces }), whole)
        assert.deepEqual(await judge({ rules, name, pieces: raw.split('') }), whole)
      },
    ),
    { numRuns: 300 },
  )
})

test('[FW-13] a name may be printed if the policy writes it, or the request declares it plainly', () => {
  const own = firewall()
  const rules = own.load(
    snapshot({ grants: [grant('run_sql'), grant('kb_*'), grant('\u043f\u043e\u0438\u0441\u043a')] }),
  )
  const asked = view({ tools: ['search_docs', 'bad name', 'x'.repeat(65)] })
  const named = (tool: string): boolean => own.isNamed(rules, asked, tool)
  assert.deepEqual(['run_sql', 'search_docs', '\u043f\u043e\u0438\u0441\u043a'].map(named), [true, true, true])
  assert.deepEqual(['kb_*', 'kb_x', 'bad name', 'x'.repeat(65), 'other'].map(named), [
    false,
    false,
    false,
    false,
    false,
  ])
})

test('[FW-14] snapshots that share their lists share what was compiled', () => {
  const own = firewall()
  const first = snapshot()
  const rules = own.load(first)
  assert.equal(own.load(first), rules)
  assert.equal(own.load({ ...first, generation: 2 }).grants, rules.grants)
})

test('[FW-14] no detail holds payload', async () => {
  const rules = snapshot({ grants: [grant('run_sql', { intents: ['sql.read'], schema: QUERY, rules: [noPii] })] })
  for (const args of [{ query: 'DROP TABLE s3cret' }, { s3cret: 1 }, { query: 's3cret pii' }, { query: 's3cret' }]) {
    const found = await judge({ rules, name: 'run_sql', pieces: [JSON.stringify(args)] })
    assert.ok(found.length > 0)
    for (const finding of found) assert.doesNotMatch(finding.detail, /s3cret/)
  }
})

test('[FW-08] prose never reaches the grammar', async () => {
  fakeSql.asked.length = 0
  for (const q of [
    'reset password',
    'Show me the docs; then set a timer',
    'begin',
    'hello\n\nwith best regards',
    'Update: all is well',
    '<p>drop by</p>',
  ]) {
    assert.deepEqual(
      await judge({ rules: snapshot(), name: 'search_docs', pieces: [JSON.stringify({ q, x: 'y' })] }),
      [],
    )
  }
  assert.deepEqual(fakeSql.asked, [])
})

test('[FW-08] the look at a text costs linear time', () => {
  for (const unit of [';', ';--', '*/', '--\n', ';(', 'drop;', ';delete ', ';with ', '/*;', ' \n', '--;with\n']) {
    const text = unit.repeat(Math.ceil(200_000 / unit.length))
    const started = performance.now()
    looksLikeSql(text)
    looksLikeSql(`set${text}`)
    assert.ok(performance.now() - started < 10_000, `${unit}: ${performance.now() - started} ms`)
  }
})
