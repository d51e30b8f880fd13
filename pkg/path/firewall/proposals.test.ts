import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestView, Snapshot, ToolDeny, ToolGrant } from '#pkg/model'
import { ACTIVE, agent, firewall, grant, snapshot, view } from './firewall.fixture.ts'

const at = (server: string, more: Partial<ToolGrant> = {}): ToolGrant =>
  grant('run_sql', { server, execution: 'mcp', intents: ['sql.read'], ...more })
const deny = (name: string, server = ''): ToolDeny => ({
  source: { policy: 'growth/marketing', path: `tools.deny[${name}@${server}]` },
  name,
  server,
})
const serverRule = (server: string): Partial<ToolGrant> => ({
  rules: [{ name: 'there', expression: `tool.server == '${server}'`, message: '' }],
})
const noQuery: Partial<ToolGrant> = { schema: { type: 'object', maxProperties: 0 } }

type Row = {
  readonly name: string
  readonly grants: readonly ToolGrant[]
  readonly denies?: readonly ToolDeny[]
  readonly query?: string
  /** What a proposal of a model meets, then a call at server `a`, then one at server `b`. */
  readonly reasons: readonly [string | null, string | null, string | null]
  readonly path?: string
}

const NO = 'TOOL_NOT_GRANTED'
const rows: readonly Row[] = [
  { name: 'an entry of a server that judges again', grants: [at('a')], reasons: [null, null, NO] },
  {
    name: 'an entry of a server, carried out by the agent',
    grants: [at('a', { execution: 'local' })],
    reasons: [NO, null, NO],
  },
  {
    name: 'an entry of a server, structured output',
    grants: [at('a', { execution: 'output', intents: null })],
    reasons: [NO, null, NO],
  },
  { name: 'an entry of every server', grants: [at('')], reasons: [null, null, null] },
  { name: 'a glob of a server', grants: [{ ...at('b'), name: 'run_*' }], reasons: [null, NO, null] },
  { name: 'entries of two servers', grants: [at('a'), at('b')], reasons: [null, null, null] },
  { name: 'tool.server is the server of the entry', grants: [at('a', serverRule('a'))], reasons: [null, null, NO] },
  {
    name: 'tool.server is no other',
    grants: [at('a', serverRule('b'))],
    reasons: ['ARGUMENT_RULE', 'ARGUMENT_RULE', NO],
  },
  {
    name: 'tool.server without a server is the one that is asked',
    grants: [at('', serverRule('a'))],
    reasons: ['ARGUMENT_RULE', null, 'ARGUMENT_RULE'],
  },
  {
    name: 'the schema of the entry holds for the proposal',
    grants: [at('a', noQuery)],
    reasons: ['ARGUMENT_SCHEMA', 'ARGUMENT_SCHEMA', NO],
  },
  {
    name: 'the intents of the entry hold for the proposal',
    grants: [at('a')],
    query: 'DELETE FROM users',
    reasons: ['INTENT_SQL_WRITE', 'INTENT_SQL_WRITE', NO],
    path: 'tools.allow[run_sql].intents',
  },
  {
    name: 'parts of two servers make no entry',
    grants: [at('a', noQuery), at('b', serverRule('a'))],
    reasons: ['ARGUMENT_RULE', 'ARGUMENT_SCHEMA', 'ARGUMENT_RULE'],
  },
  {
    name: 'one of two servers would do it',
    grants: [at('a', noQuery), at('b')],
    reasons: [null, 'ARGUMENT_SCHEMA', null],
  },
  {
    name: 'denied everywhere',
    grants: [at('a')],
    denies: [deny('run_*')],
    reasons: ['TOOL_DENIED', 'TOOL_DENIED', 'TOOL_DENIED'],
    path: 'tools.deny[run_*@]',
  },
  {
    name: 'denied at its server',
    grants: [at('a')],
    denies: [deny('*', 'a')],
    reasons: ['TOOL_DENIED', 'TOOL_DENIED', NO],
    path: 'tools.deny[*@a]',
  },
  {
    name: 'denied at another server',
    grants: [at('a')],
    denies: [deny('*', 'b')],
    reasons: [null, null, 'TOOL_DENIED'],
  },
  {
    name: 'denied at one of its two servers',
    grants: [at('a'), at('b', noQuery)],
    denies: [deny('*', 'a')],
    reasons: ['ARGUMENT_SCHEMA', 'TOOL_DENIED', 'ARGUMENT_SCHEMA'],
  },
  {
    name: 'denied at a server, granted without one',
    grants: [at('a'), at('')],
    denies: [deny('*', 'a')],
    reasons: [null, 'TOOL_DENIED', null],
  },
  {
    name: 'denied at a server whose entry grants no proposal',
    grants: [at('a', { execution: 'local' })],
    denies: [deny('*', 'a')],
    reasons: [NO, 'TOOL_DENIED', NO],
  },
]

for (const row of rows) {
  test(`[FW-16] ${row.name}`, async () => {
    const rules = snapshot({ grants: row.grants, denies: row.denies ?? [] })
    for (const [index, server] of [undefined, 'a', 'b'].entries()) {
      const [first] = await judged(rules, server, row.query ?? 'SELECT a FROM t')
      assert.equal(first?.reason ?? null, row.reasons[index], server ?? 'proposal')
      if (index === 0 && row.path !== undefined) assert.equal(first?.rule?.path, row.path)
    }
  })
}

test('[FW-16] SQL that the entry of a server forbids is refused in a proposal before its end', () => {
  const own = firewall()
  const rules = own.load(snapshot({ grants: [at('a'), grant('run_sql', { server: 'b' })] }))
  const inspection = own.inspect(rules, { view: view(), agent, standing: ACTIVE })
  assert.deepEqual(inspection.callOpen('c', 'run_sql', 'json'), [])
  assert.equal(inspection.callDelta('c', '{"query":"DROP TABLE users')[0]?.reason, 'INTENT_SQL_DDL')
})

async function judged(rules: Snapshot, server: string | undefined, query: string) {
  const own = firewall()
  const plain = view()
  const asked: RequestView = server === undefined ? plain : { ...plain, endpoint: { ...plain.endpoint, server } }
  const inspection = own.inspect(own.load(rules), { view: asked, agent, standing: ACTIVE })
  const opened = inspection.callOpen('c', 'run_sql', 'json')
  if (opened.length > 0) return opened
  const found = inspection.callDelta('c', JSON.stringify({ query }))
  return found.length > 0 ? found : inspection.callClose('c')
}
