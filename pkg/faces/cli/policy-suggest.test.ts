import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentKeyOf, type Snapshot } from '#pkg/model'
import { newManualClock } from '#pkg/platform/clock'
import { silentLog } from '#pkg/platform/log'
import { type CallNote, type Observed, openObserved, readObserved } from '#pkg/systems/observed'
import { run, SALLYCTL, spawned } from '../../../test/fixtures/run-cli.ts'
import { suggest } from './suggestion.ts'

const SOURCE = { policy: 'growth/marketing', path: 'x' }

const SNAPSHOT: Snapshot = {
  agent: agentKeyOf({ namespace: 'growth', name: 'marketing' }),
  generation: 1,
  digest: 'sha256:00',
  denyAll: false,
  role: 'marketing',
  mode: 'Enforce',
  labels: { app: 'marketing' },
  policies: ['growth/marketing'],
  requiredCapabilities: [],
  grants: [],
  denies: [{ source: SOURCE, name: 'admin_*', server: '' }],
  textTools: [],
  intents: { allow: [{ source: SOURCE, intent: 'sql.*' }], deny: [{ source: SOURCE, intent: 'sql.ddl' }] },
  providers: [{ source: SOURCE, name: 'main', type: 'OpenAI', models: ['*'], hostedTools: [], opaque: [] }],
  servers: [
    { source: SOURCE, name: 'warehouse', url: 'https://w.svc/mcp', onDrift: 'Deny', pin: null, serverRequests: [] },
    { source: SOURCE, name: 'unused', url: 'https://u.svc/mcp', onDrift: 'Deny', pin: null, serverRequests: [] },
  ],
  peers: [],
  callers: [],
  egress: [
    {
      source: SOURCE,
      name: 'crm',
      hosts: ['a.corp', 'b.corp'],
      ports: [443],
      methods: ['GET', 'POST'],
      pathPrefixes: ['/'],
      tls: 'Inspect',
    },
  ],
  onViolation: {
    action: 'Deny',
    rules: [{ source: SOURCE, name: 'hard', reasons: ['INTENT_SQL_DDL'], action: 'Abort' }],
  },
}

const FRAME: CallNote['frame'] = {
  server: '',
  execution: 'local',
  intents: null,
  resultTrust: 'Untrusted',
  schema: null,
  rules: [],
}

function note(more: Partial<CallNote>): CallNote {
  return { snapshot: SNAPSHOT, name: 'search', frame: FRAME, args: {}, intents: [], unread: false, ...more }
}

/** What the calls come to, written and read again. */
function observedOf(calls: readonly CallNote[], then: (data: string) => void = () => {}): Observed {
  const dataDir = mkdtempSync(join(tmpdir(), 'sp-suggest-'))
  try {
    const notes = openObserved({ clock: newManualClock(0), log: silentLog }, { dataDir })
    notes.request({ snapshot: SNAPSHOT, provider: 'OpenAI', model: 'gpt-5', server: null, peer: null, host: null })
    notes.request({ snapshot: SNAPSHOT, provider: null, model: null, server: 'warehouse', peer: null, host: null })
    const host = { authority: 'a.corp:443', method: 'GET' }
    notes.request({ snapshot: SNAPSHOT, provider: null, model: null, server: null, peer: null, host })
    for (const call of calls) notes.call(call)
    notes.close()
    then(dataDir)
    return readObserved(dataDir) ?? assert.fail('nothing was written')
  } finally {
    rmSync(dataDir, { recursive: true })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a policy as its reader sees it, member by member
function suggested(calls: readonly CallNote[], more: object = {}): any {
  const [agent] = Object.values(observedOf(calls).agents)
  return suggest({ ...(agent ?? assert.fail()), ...more }, [{ tool: 'run_sql', reason: 'INTENT_SQL_DDL', count: 2 }])
}

const thrice = (call: CallNote): readonly CallNote[] => [call, call, call]

test('[CLI-14] only what was used is granted, and what bounded it before is kept', () => {
  const rules = [{ name: 'r', expression: 'true', message: 'm' }]
  const sql = note({
    name: 'run_sql',
    frame: { ...FRAME, intents: ['sql.read', 'sql.write', 'net.egress'], rules },
    intents: ['sql.read'],
  })
  const { policy, notes } = suggested([sql])
  const { spec } = policy
  assert.deepEqual(spec.selector, { matchLabels: { app: 'marketing' } })
  assert.deepEqual(spec.llm.providers, [{ name: 'main', type: 'OpenAI', models: ['gpt-5'] }])
  assert.deepEqual(
    spec.mcp.servers.map((one: { name: string }) => one.name),
    ['warehouse'],
  )
  assert.deepEqual(spec.egress, [
    { name: 'crm', hosts: ['a.corp'], ports: [443], methods: ['GET'], pathPrefixes: ['/'] },
  ])
  assert.deepEqual(spec.intents, { allow: ['sql.read'], deny: ['sql.ddl'] }, 'net.egress was never allowed')
  assert.deepEqual(spec.tools.deny, [{ name: 'admin_*' }])
  assert.deepEqual(spec.tools.allow[0].intents, ['sql.read', 'net.egress'], 'what arguments cannot show is kept')
  assert.deepEqual(spec.tools.allow[0].arguments.rules, rules)
  assert.deepEqual(spec.onViolation.rules, [{ name: 'hard', reasons: ['INTENT_SQL_DDL'], action: 'Abort' }])
  assert.ok(notes.some((line: string) => line.includes('2x  run_sql  INTENT_SQL_DDL')))
})

const ARGUMENTS: readonly (readonly [name: string, calls: readonly CallNote[], schema: unknown])[] = [
  [
    'the same in three calls is fixed',
    thrice(note({ args: { limit: 3 } })),
    { type: 'object', required: ['limit'], additionalProperties: false, properties: { limit: { const: 3 } } },
  ],
  [
    'the same in two calls is not',
    [note({ args: { limit: 3 } }), note({ args: { limit: 3 } })],
    { type: 'object', required: ['limit'], additionalProperties: false, properties: { limit: { type: 'integer' } } },
  ],
  [
    'several types, and not in each call',
    [note({ args: { x: 'a' } }), note({ args: { x: 1.5 } }), note({})],
    { type: 'object', additionalProperties: false, properties: { x: { type: ['string', 'number'] } } },
  ],
  ['arguments that were not looked at are not bounded', [note({ args: { a: 1 } }), note({ args: null })], undefined],
  [
    'a schema that held goes on holding',
    [note({ frame: { ...FRAME, schema: { type: 'object', maxProperties: 1 } } })],
    {
      type: 'object',
      allOf: [
        { type: 'object', maxProperties: 1 },
        { type: 'object', additionalProperties: false, properties: {} },
      ],
    },
  ],
]
for (const [name, calls, schema] of ARGUMENTS)
  test(`[CLI-14] arguments: ${name}`, () => {
    assert.deepEqual(suggested(calls).policy.spec.tools.allow[0].arguments?.schema, schema)
  })

test('[CLI-14] a name that an agent chose never becomes a pattern', () => {
  const { policy, notes } = suggested([note({ name: 'a*' }), note({ name: 'fine' }), note({ name: '*' })], {
    models: { OpenAI: ['*', 'gpt-5'] },
  })
  assert.deepEqual(
    policy.spec.tools.allow.map((one: { name: string }) => one.name),
    ['fine'],
  )
  assert.deepEqual(policy.spec.llm.providers[0].models, ['gpt-5'])
  assert.ok(notes.some((line: string) => line.startsWith('2 tools')))
})

test('[CLI-15] no value is kept that changes, is long, or looks like a secret by its name or by itself', () => {
  const secrets = {
    api_key: 'short-canary',
    note: `canary${'x'.repeat(80)}`,
    other: 'canary0123456789abcdefghij',
    'Set-Cookie': 'canary',
  }
  let text = ''
  observedOf(
    [note({ args: { ...secrets, changes: 'canary-1', list: ['canary'] } }), note({ args: { changes: 'canary-2' } })],
    (dataDir) => {
      text = JSON.stringify(readObserved(dataDir))
    },
  )
  assert.equal(text.includes('canary'), false)
  assert.ok(text.includes('api_key'))
})

test('[CLI-15] tools, arguments and agents beyond the limits are left out, and it is said', () => {
  const many = Array.from({ length: 300 }, (_, number) => note({ name: `tool-${number}` }))
  const wide = note({
    name: 'wide',
    args: Object.fromEntries(Array.from({ length: 40 }, (_, number) => [`a${number}`, 1])),
  })
  const odd = note({ name: 'odd', args: JSON.parse('{"__proto__":1,"constructor":2}') })
  const [agent] = Object.values(observedOf([wide, odd, ...many]).agents)
  assert.deepEqual([agent?.tools.length, agent?.incomplete, agent?.tools[0]?.arguments], [256, true, null])
  assert.deepEqual(Object.keys(agent?.tools[1]?.arguments ?? {}), ['__proto__', 'constructor'])
  const agents = Array.from({ length: 70 }, (_, number) =>
    note({ snapshot: { ...SNAPSHOT, agent: agentKeyOf({ namespace: 'growth', name: `a${number}` }) } }),
  )
  assert.equal(Object.keys(observedOf(agents).agents).length, 64)
})

test('[CLI-14] nothing known: exit 1; --address: exit 64', async () => {
  assert.equal((await run(['policy', 'suggest', 'x', '--data', '/nonexistent'])).status, 1)
  assert.equal((await run(['policy', 'suggest', 'x', '--address', 'http://127.0.0.1:1'])).status, 64)
})

const AGENT = `
  const tools = ['search_docs', 'run_sql'].map((name) => ({ type: 'function', function: { name, parameters: {} } }))
  for (const content of ['a subject line', 'the weekly status', 'a subject line']) {
    const answer = await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', {
      method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer ' + process.env.OPENAI_API_KEY },
      body: JSON.stringify({ model: process.argv[1], tools, messages: [{ role: 'user', content }] }) })
    if (answer.status !== 200) process.exit(3)
    await answer.json()
  }`

test('[CLI-14] the suggestion from a run passes policy check; under it the run gets the same verdicts, and no other model', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sp-suggest-'))
  try {
    const data = join(dir, 'data')
    const agent = async (more: readonly string[], model = 'gpt-5') => {
      const words = [
        'run',
        '--simulate',
        '-o',
        'json',
        ...more,
        '--',
        process.execPath,
        '--input-type=module',
        '-e',
        AGENT,
      ]
      const { err } = await spawned(SALLYCTL, [...words, model])
      return JSON.parse(err.trimEnd().split('\n').at(-1) ?? '')
    }
    const first = await agent(['--data', data])
    assert.deepEqual([first.verdicts, first.refused.length], [{ Allow: 4, Deny: 1 }, 1])
    const { status, out } = await spawned(SALLYCTL, ['policy', 'suggest', 'agent', '--data', data])
    assert.equal(status, 0)
    assert.match(out, /^# {3}1x {2}run_sql {2}INTENT_SQL_WRITE$/m)
    const policies = join(dir, 'policies')
    mkdirSync(policies)
    writeFileSync(join(policies, 'policy.yaml'), out)
    writeFileSync(
      join(policies, 'agent.yaml'),
      'apiVersion: sallyport.dev/v1alpha1\nkind: Agent\nmetadata: { name: agent, labels: { app: agent } }\nspec: {}\n',
    )
    assert.equal((await spawned(SALLYCTL, ['policy', 'check', policies])).status, 0)
    const again = await agent(['--data', join(dir, 'other'), '--policies', policies])
    assert.deepEqual([again.exit, again.verdicts], [0, first.verdicts])
    const other = await agent(['--data', join(dir, 'other'), '--policies', policies], 'gpt-4o')
    assert.deepEqual([other.exit, other.verdicts], [3, { Deny: 1 }])
    const json = JSON.parse((await spawned(SALLYCTL, ['policy', 'suggest', 'agent', '--data', data, '-o', 'json'])).out)
    assert.deepEqual(Object.keys(json), ['policy', 'notes'])
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('[CLI-14] a model gets the hosted tools of the entry that granted it, and of no other; of an egress entry the ports that were used', () => {
  const hosted = (name: string) => [{ name, serverUrls: [] }]
  const base = { source: SOURCE, type: 'OpenAI' as const, opaque: [] }
  const providers = [
    { ...base, name: 'wide', models: ['gpt-5-big'], hostedTools: hosted('code_interpreter') },
    { ...base, name: 'main', models: ['gpt-5', 'gpt-5-mini'], hostedTools: hosted('web_search') },
  ]
  const egress = SNAPSHOT.egress.map((entry) => ({ ...entry, ports: [443, 8443, 22] }))
  const snapshot = { ...SNAPSHOT, providers, egress }
  const { policy } = suggested([note({})], { snapshot })
  assert.deepEqual(policy.spec.llm.providers, [
    { name: 'main', type: 'OpenAI', models: ['gpt-5'], hostedTools: ['web_search'] },
  ])
  assert.deepEqual(policy.spec.egress[0].ports, [443])
})
