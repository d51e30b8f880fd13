import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileChecks, compileRule, type RuleBindings } from './index.ts'

const bindings = (args: Record<string, unknown>): RuleBindings => ({
  args,
  agent: { namespace: 'growth', name: 'marketing', role: 'marketing', labels: { tier: 'gold' } },
  session: null,
  tool: { name: 'send_email', server: '' },
  peer: null,
})

function holds(expression: string, args: Record<string, unknown> = {}): boolean | 'error' {
  const compiled = compileRule(expression)
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.message)
  return compiled.program.holds(bindings(args))
}

const judged: readonly [string, string, Record<string, unknown>, boolean | 'error'][] = [
  ['a text that must not be in it', "!args.query.contains('customers_pii')", { query: 'SELECT 1' }, true],
  ['a text that must not be in it, and is', "!args.query.contains('customers_pii')", { query: 'customers_pii' }, false],
  ['every element', "args.to.all(r, r.endsWith('@acme.example'))", { to: ['a@acme.example', 'b@acme.example'] }, true],
  ['every element but one', "args.to.all(r, r.endsWith('@acme.example'))", { to: ['a@acme.example', 'b@evil'] }, false],
  ['numbers of JSON compare with whole numbers', 'args.n < 10 && args.n == 5', { n: 5 }, true],
  ['a pattern', "args.id.matches('^CUST-[0-9]{8}$')", { id: 'CUST-12345678' }, true],
  ['a pattern as a function', "matches(args.id, '^a+$')", { id: 'aab' }, false],
  [
    'the agent and the tool',
    "agent.role == 'marketing' && agent.labels.tier == 'gold' && tool.name == 'send_email'",
    {},
    true,
  ],
  ['an absent argument errs', "args.nope == 'x'", {}, 'error'],
  ['an absent argument that is asked for', '!has(args.nope)', {}, true],
  ['a member of the prototype is absent', 'has(args.constructor) || has(args.__proto__)', {}, false],
  ['what is not a bool errs', 'args.flag', { flag: 'true' }, 'error'],
  ['there is no session', 'session.tainted', {}, 'error'],
  ['there is no peer', 'peer == null', {}, true],
  [
    'a pattern of the attacker that RE2 does not know errs',
    'args.text.matches(args.pattern)',
    { text: 'a', pattern: '(?=a)' },
    'error',
  ],
]

for (const [name, expression, args, expected] of judged) {
  test(`[EXPR-01] a rule: ${name}`, () => assert.equal(holds(expression, args), expected))
}

const faults: readonly [string, string, RegExp][] = [
  ['syntax', 'args.query.', /./],
  ['an unknown variable', "argz.query == 'x'", /argz/],
  ['an unknown variable inside a macro', 'args.to.all(r, r == other)', /other/],
  ['a loop variable outside its macro', "args.to.all(r, r == 'a') && r == 'b'", /"r"/],
  ['an unknown function', 'shell(args.query)', /shell/],
  ['an unknown message type', 'google.protobuf.Struct{} == args', /./],
  ['a number', '1 + 2', /true or false/],
  ['a list', 'args.to.map(r, r)', /true or false/],
  ['a variable as a whole', 'args', /true or false/],
  ['too long', `args.a == '${'x'.repeat(5000)}'`, /4096/],
  ['too deep in brackets', `${'('.repeat(80)}true${')'.repeat(80)}`, /deeper/],
  ['too deep without brackets', Array.from({ length: 200 }, () => 'args.a').join(' + '), /deeper/],
  ['macros three deep', 'args.a.all(x, args.a.all(y, args.a.all(z, x == y && y == z)))', /macros/],
]

for (const [name, expression, message] of faults) {
  test(`[EXPR-02] a fault when it compiles: ${name}`, () => {
    const found = compileChecks.cel(expression)
    assert.ok(found !== null)
    assert.match(found, message)
  })
}

test('[EXPR-03] a pattern that backtracks for ever elsewhere takes linear time', () => {
  const started = performance.now()
  assert.equal(holds("args.text.matches('^(a+)+$')", { text: `${'a'.repeat(50_000)}b` }), false)
  assert.ok(performance.now() - started < 20_000)
})

test('[EXPR-03] macros over more elements than allowed err, at once', () => {
  const few = Array.from({ length: 140 }, (_, index) => index)
  const many = Array.from({ length: 150 }, (_, index) => index)
  const nested = 'args.to.all(x, args.to.exists(y, x == y))'
  assert.equal(holds(nested, { to: few }), true)
  assert.equal(holds(nested, { to: many }), 'error')
  assert.equal(holds('args.to.all(x, x >= 0)', { to: Array.from({ length: 20_001 }, () => 1) }), 'error')
  assert.equal(
    holds('args.to.all(x, !args.text.contains(x))', {
      to: Array.from({ length: 5000 }, () => 'ab'),
      text: 'a'.repeat(100_000),
    }),
    'error',
  )
})

test('[EXPR-04] a rule is compiled once', () => {
  const first = compileRule('args.a == 1')
  assert.equal(compileRule('args.a == 1'), first)
})
