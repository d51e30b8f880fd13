/** Calls that a model proposes and a tool server carries out, through the whole path. docs/decisions/0013. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { callDeltas, streamOf, textDeltas } from '../fixtures/chat.ts'
import { closeChecks, JSON_TYPE, newPath, type Path } from '../fixtures/path.ts'
import { DENY, REQUEST } from '../fixtures/policies.ts'

after(closeChecks)

const ALLOW = DENY.slice(DENY.indexOf('    - { name: search_docs }'), DENY.indexOf('    deny:'))
const policyOf = (entry: string, deny = ''): string =>
  `${DENY.replace(ALLOW, `    - { name: run_sql, ${entry} }\n`).replace('"admin_*" }', `"admin_*" }${deny}`)}
  mcp: { servers: [{ name: warehouse, url: "https://warehouse.example/mcp" }, { name: other, url: "https://other.example/mcp" }] }
`

const WAREHOUSE = 'server: warehouse, execution: mcp, intents: [sql.read]'
const SELECT = '{"query":"SELECT a FROM t"}'
const DROP = '{"query":"DROP TABLE t"}'
const RULE = (server: string): string =>
  `, arguments: { rules: [{ name: there, expression: "tool.server == '${server}'" }] }`

type Row = {
  readonly name: string
  readonly policy: string
  readonly args: string
  /** What the proposal, the same call in text, and the call at /mcp/warehouse and /mcp/other meet. */
  readonly reasons: readonly [string | null, string | null, string | null, string | null]
}

const NO = 'TOOL_NOT_GRANTED'
const rows: readonly Row[] = [
  { name: 'the example of POLICY.md', policy: policyOf(WAREHOUSE), args: SELECT, reasons: [null, null, null, NO] },
  {
    name: 'beyond its intents',
    policy: policyOf(WAREHOUSE),
    args: DROP,
    reasons: ['INTENT_SQL_DDL', 'INTENT_SQL_DDL', 'INTENT_SQL_DDL', NO],
  },
  {
    name: 'a rule about its own server',
    policy: policyOf(WAREHOUSE + RULE('warehouse')),
    args: SELECT,
    reasons: [null, null, null, NO],
  },
  {
    name: 'a rule about another server',
    policy: policyOf(WAREHOUSE + RULE('other')),
    args: SELECT,
    reasons: ['ARGUMENT_RULE', 'ARGUMENT_RULE', 'ARGUMENT_RULE', NO],
  },
  {
    name: 'carried out by the agent',
    policy: policyOf('server: warehouse, intents: [sql.read]'),
    args: SELECT,
    reasons: [NO, NO, null, NO],
  },
  {
    name: 'denied at its server',
    policy: policyOf(WAREHOUSE, ', { name: run_sql, server: warehouse }'),
    args: SELECT,
    reasons: ['TOOL_DENIED', 'TOOL_DENIED', 'TOOL_DENIED', NO],
  },
]

for (const { name, policy, args, reasons } of rows) {
  test(`[FW-16] ${name}`, async () => {
    const path = await newPath(policy)
    try {
      const proposed = streamOf(callDeltas(0, 'run_sql', args), 'tool_calls')
      const written = streamOf(textDeltas(`So: <tool_call>{"name":"run_sql","arguments":${args}}</tool_call>`), 'stop')
      const seen = [await path.ask(REQUEST, { chunks: [proposed] }), await path.ask(REQUEST, { chunks: [written] })]
      assert.equal(seen[0]?.text === proposed, reasons[0] === null)
      assert.equal(seen[1]?.text === written, reasons[1] === null)
      const met = [...seen, await atServer(path, 'warehouse', args), await atServer(path, 'other', args)].map(
        ({ verdicts }) =>
          verdicts.find(({ action }) => action === 'Deny')?.reasons.find((one) => one !== 'TOOL_IN_TEXT') ?? null,
      )
      assert.deepEqual(met, reasons)
    } finally {
      await path.close()
    }
  })
}

function atServer(path: Path, server: string, args: string) {
  const params = { name: 'run_sql', arguments: JSON.parse(args) }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  const result = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [] } })
  return path.ask(
    {},
    { chunks: [result], headers: JSON_TYPE },
    { facade: 'mcp', path: `/${server}`, headers: JSON_TYPE, body: Buffer.from(body) },
  )
}
